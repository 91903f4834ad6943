"""What is refused: each fault with its kind, its place and a way out."""

import codecs

import pytest
import yaml

from plinth.text.nodes import Limits, find, plain, read_yaml


@pytest.fixture(params=["C parser", "Python parser"])
def parser(request, monkeypatch):
    if request.param == "Python parser":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")


DEFAULTS = Limits()


def faults(data: bytes | str, limits: Limits = DEFAULTS):
    """Each fault as `kind line:column-end`, the end within its line."""
    _, found = read_yaml(data.encode() if isinstance(data, str) else data, "p.yaml", limits)
    assert all(fault.message and fault.help for fault in found)
    return [f"{f.kind} {f.span.line}:{f.span.column}-{f.span.end_column}" for f in found]


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param("a: b: c", ["syntax 1:5-6"], id="a colon in a value"),
        pytest.param("a: [1, 2\n\n", ["syntax 1:8-9"], id="an open bracket, shown where the text ends"),
        pytest.param("a: @x", ["syntax 1:4-5"], id="a character that starts nothing"),
        pytest.param("{a: 1, b: 2, a: 3}", ["duplicate-key 1:14-15"], id="a key twice"),
        pytest.param("a: &x 1\nb: *x\n", ["alias 1:4-8", "alias 2:4-6"], id="an anchor and an alias"),
        pytest.param("? *x\n: 1", ["alias 1:3-5"], id="an alias as a key"),
        pytest.param("*x", ["alias 1:1-3"], id="an alias as the root"),
        pytest.param("a: !!str 1", ["tag 1:4-11"], id="a tag"),
        pytest.param("a: ! 1", ["tag 1:4-7"], id="the tag without a name"),
        pytest.param("a: !!python/object:os.system x", ["tag 1:4-31"], id="a tag that runs code elsewhere"),
        pytest.param("%TAG !e! tag:e,1:\n---\na: 1", ["tag 1:1-4"], id="a tag directive"),
        pytest.param("<<: {a: 1}", ["merge-key 1:1-3"], id="a merge key"),
        pytest.param("1: a", ["key 1:1-2"], id="a number as a key"),
        pytest.param("on: push", ["key 1:1-3"], id="a boolean of YAML 1.1 as a key"),
        pytest.param("null: a", ["key 1:1-5"], id="null as a key"),
        pytest.param("? [a]\n: 1\n? {b: c}\n: 2", ["key 1:3-6", "key 3:3-9"], id="collections as keys"),
        pytest.param("a: 1\n---\nb: 1", ["documents 2:1-4"], id="a second document"),
        pytest.param("", ["empty 1:1-1"], id="nothing"),
        pytest.param("# only a comment\n", ["empty 1:1-1"], id="a comment"),
        pytest.param("---\n", ["empty 1:1-1"], id="an empty document"),
    ],
)
def test_a_fault_is_shown_where_it_is(data, expected):
    assert faults(data) == expected


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        ("yaml11-boolean", "y Y n N yes Yes YES no No NO on On ON off Off OFF yEs"),
        ("octal", "0755 -0755 00 08 0o17 0O17 +0o7 0_7 0777_"),
        (
            "number",
            "1_000 1__0 1_ 12:30 12:30:45 -1:30 1:30.5 0x1F 0XfF -0x1 0b1 0B0 0x_1f 1_0.5 1e400 -1e400",
        ),
        ("number", ".inf -.inf +.INF .nan .NaN .Inf 1234567890123456789 -1234567890123456789"),
        ("date", "2024-01-01 2024-1-1 2024-01-01T00:00:00Z 2024-1-1t1:2:3.5+01:00"),
    ],
)
def test_a_scalar_that_readers_disagree_about_is_refused(kind, texts):
    for text in texts.split():
        assert faults(f"k: {text}") == [f"{kind} 1:4-{4 + len(text)}"], text
        assert faults(f"k: '{text}'") == [], text
    assert faults("k: 2024-01-01 12:30:45 +1") == ["date 1:4-26"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"a: \xff", ["encoding 1:4-5"], id="not UTF-8"),
        pytest.param("é\nü: ".encode() + b"\xc3", ["encoding 2:4-5"], id="half a character"),
        pytest.param(b"a: \x00", ["encoding 1:4-5"], id="NUL"),
        pytest.param("a: \x1b[31m", ["encoding 1:4-5"], id="a terminal escape"),
        pytest.param("a: x\x85b: y", ["encoding 1:5-6"], id="NEL"),
        pytest.param("a: x\u2028\u2029", ["encoding 1:5-6", "encoding 1:6-7"], id="LS and PS"),
        pytest.param("a: 1\rb: 2", ["encoding 1:5-6"], id="a lone carriage return"),
        pytest.param("a: \ufeffx", ["encoding 1:4-5"], id="a byte order mark inside"),
        pytest.param("a: 1".encode("utf-16"), ["encoding 1:1-1"], id="UTF-16"),
        pytest.param("a: 1".encode("utf-32"), ["encoding 1:1-1"], id="UTF-32"),
        pytest.param(codecs.BOM_UTF8 * 2 + b"a: 1", ["encoding 1:1-2"], id="two marks"),
        pytest.param("\x01" * 50, [f"encoding 1:{n}-{n + 1}" for n in range(1, 11)], id="ten are enough"),
    ],
)
def test_bytes_that_are_no_text_are_refused(data, expected):
    assert faults(data) == expected


def test_a_message_says_which_encoding_it_found():
    messages = [read_yaml("a".encode(name), "p")[1][0].message for name in ("utf-16", "utf-32")]
    assert messages == ["the file is UTF-16", "the file is UTF-32"]


def test_a_duplicate_key_shows_both_places():
    node, (fault,) = read_yaml(b"a: 1\nb: 2\na: 3\n", "p.yaml")
    ((message, first),) = fault.related
    assert (fault.span.line, first.line, message) == (3, 1, "it is first given here")
    assert node is not None
    assert plain(node) == {"a": 1, "b": 2}


def test_a_syntax_fault_shows_what_was_being_read():
    _, (fault,) = read_yaml(b"a: 1\nb: [1, 2\nc: 3\n", "p.yaml")
    assert [span.line for _, span in fault.related] == [2]
    assert "bracket" in fault.help


def test_every_fault_is_found_in_one_run_and_in_order():
    data = "a: no\n? [on]\n: {b: 0755, b: &c 1}\nd: !t *c\ne: 2024-01-01\n1: {f: yes}\n"
    assert faults(data.replace("!t *c", "!t x")) == [
        "yaml11-boolean 1:4-6",
        "key 2:3-7",
        "yaml11-boolean 2:4-6",
        "octal 3:7-11",
        "duplicate-key 3:13-14",
        "alias 3:16-20",
        "tag 4:4-8",
        "date 5:4-14",
        "key 6:1-2",
        "yaml11-boolean 6:8-11",
    ]


def test_a_node_with_faults_still_leads_to_more_of_them():
    node, _ = read_yaml(b"spec: {a: no, b: {c: 1}}", "p.yaml")
    assert node is not None
    assert plain(node) == {"spec": {"a": "no", "b": {"c": 1}}}
    assert find(node, ("spec", "b", "c")) is not None


def test_messages_cannot_speak_to_a_terminal_and_stay_short():
    _, (fault,) = read_yaml(b'{"\\e[31m\\u202e": 1, "\\e[31m\\u202e": 2}', "p.yaml")
    assert fault.message == r"the key `\x1b[31m\u202e` is given twice"
    _, (fault,) = read_yaml(b"k: 1" + b"0" * 5000, "p.yaml")
    assert len(fault.message) < 200


LONG = {
    "brackets": b"[" * 100_000,
    "maps in maps": b"{a: " * 100_000,
    "dashes": b"- " * 100_000,
    "question marks": b"? " * 100_000,
    "indented keys": b"".join(b" " * n + b"a:\n" for n in range(500)),
    "commas": b"[" + b"a," * 100_000,
    "keys": b"".join(b"k%d: 1\n" % n for n in range(30_000)),
    "a large file": b"# " + b"x" * 5_000_000,
    "a long scalar": b"k: " + b"x" * 70_000,
}


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in LONG.items()])
def test_what_is_too_large_is_given_up_at_its_limit(data):
    _, found = read_yaml(data, "p.yaml")
    assert [fault.kind for fault in found] == ["too-large"], found


@pytest.mark.usefixtures("parser")
def test_a_bomb_of_aliases_never_unfolds():
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    node, found = read_yaml("\n".join(lines).encode(), "p.yaml")
    assert {fault.kind for fault in found} == {"alias"}
    assert len(found) == 9 + 8 * 9
    assert node is not None
    assert read_yaml(b"a: &a [*a]", "p.yaml")[0] is not None


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    "text", [r'"\UFFFFFFFF"', r'"\uD800"', "%YAML 1." + "1" * 5000 + "\n---\na", "!%FF a"]
)
def test_what_one_parser_raises_about_is_a_fault_in_both(text):
    assert len(faults(text)) == 1


@pytest.mark.parametrize(
    ("limits", "data"),
    [
        (Limits(bytes=3), "a: 1"),
        (Limits(depth=1), "a: {}"),
        (Limits(nodes=2), "a: 1"),
        (Limits(scalar=2), "abc"),
    ],
)
def test_limits_are_the_largest_that_is_read(limits, data):
    assert [text.split()[0] for text in faults(data, limits)] == ["too-large"]
    roomier = Limits(*(getattr(limits, name) + 1 for name in ("bytes", "depth", "nodes", "scalar")))
    assert faults(data, roomier) == []
