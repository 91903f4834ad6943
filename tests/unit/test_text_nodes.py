"""Nodes know their value, their place and their path."""

import subprocess
import sys

import pytest
import yaml

from plinth.text.nodes import Node, find, is_list, is_map, plain, read_yaml, walk
from plinth.text.spans import Span, show_path

PLATFORM = b"""\
# One platform
spec:
  "node.pools":
    - gpu: {model: t4, count: 1}
      name: small
    - name: large
      zones: [a, b]
    - [x]
    - max: 1
  text: |
    first

      third

  # a comment
  empty:
  version: 1.30
"""


@pytest.fixture(params=["C parser", "Python parser"])
def parser(request, monkeypatch):
    """Both parsers of PyYAML: the one in C is not built everywhere."""
    if request.param == "Python parser":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")


def document(data: bytes) -> Node:
    node, faults = read_yaml(data, "p.yaml")
    assert node is not None
    assert faults == ()
    return node


def place(span: Span | None) -> str:
    assert span is not None
    return f"{span.line}:{span.column}-{span.end_line}:{span.end_column}"


def test_importing_the_floor_does_not_import_the_parser():
    modules = "plinth.text.spans, plinth.text.nodes, plinth.text.merge, plinth.text.emit"
    code = f"import sys, {modules}; sys.exit('yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.usefixtures("parser")
def test_a_path_has_named_items_by_name_and_others_by_index():
    assert [show_path(node.path) for node in walk(document(PLATFORM))] == [
        "",
        "spec",
        'spec["node.pools"]',
        'spec["node.pools"].small',
        'spec["node.pools"].small.gpu',
        'spec["node.pools"].small.gpu.model',
        'spec["node.pools"].small.gpu.count',
        'spec["node.pools"].small.name',
        'spec["node.pools"].large',
        'spec["node.pools"].large.name',
        'spec["node.pools"].large.zones',
        'spec["node.pools"].large.zones',
        'spec["node.pools"].large.zones',
        'spec["node.pools"].2',
        'spec["node.pools"].2',
        'spec["node.pools"].3',
        'spec["node.pools"].3.max',
        "spec.text",
        "spec.empty",
        "spec.version",
    ]


def test_two_items_may_share_a_name_and_then_share_a_path():
    root = document(b"[{name: a, max: 1}, {name: a, max: 2}, {name: 3}]")
    assert isinstance(root.value, tuple)
    assert [item.path for item in root.value] == [("a",), ("a",), ("2",)]


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("path", "span", "key_span"),
    [
        pytest.param(("spec",), "3:3-17:16", "2:1-2:5", id="a block map ends with its last value"),
        pytest.param(("spec", "node.pools"), "4:5-9:13", "3:3-3:15", id="a block list, a quoted key"),
        pytest.param(("spec", "node.pools", "small"), "4:7-5:18", None, id="an item has no key"),
        pytest.param(("spec", "node.pools", "small", "gpu"), "4:12-4:33", "4:7-4:10", id="a flow map"),
        pytest.param(("spec", "text"), "10:9-13:12", "10:3-10:7", id="a block scalar ends with its text"),
        pytest.param(("spec", "empty"), "16:9-16:9", "16:3-16:8", id="an empty value is where it would be"),
        pytest.param(("spec", "version"), "17:12-17:16", "17:3-17:10", id="a scalar"),
    ],
)
def test_a_span_covers_what_a_person_would_mark(path, span, key_span):
    node = find(document(PLATFORM), path)
    assert node is not None
    assert place(node.span) == span
    assert (None if node.key_span is None else place(node.key_span)) == key_span


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param("é😀: [ü, zz]\n", id="letters beyond ASCII"),
        pytest.param("\ufeffé😀: [ü, zz]\n", id="a byte order mark has no column"),
        pytest.param("é😀: [ü, zz]\r\nnext: 1\r\n", id="Windows line ends"),
    ],
)
def test_columns_count_characters_as_an_editor_does(data):
    found = find(document(data.encode()), ("é😀",))
    assert found is not None
    assert isinstance(found.value, tuple)
    assert place(found.key_span) == "1:1-1:3"
    assert [place(item.span) for item in found.value] == ["1:6-1:7", "1:9-1:11"]


def test_lines_count_through_windows_line_ends():
    found = find(document(b"a: |\r\n  x\r\n  y\r\nb: 1\r\n"), ("a",))
    assert found is not None
    assert found.value == "x\ny\n"
    assert place(found.span) == "1:4-3:4"


@pytest.mark.usefixtures("parser")
def test_plain_gives_what_json_could_have_given():
    assert plain(document(PLATFORM)) == {
        "spec": {
            "node.pools": [
                {"gpu": {"model": "t4", "count": 1}, "name": "small"},
                {"name": "large", "zones": ["a", "b"]},
                ["x"],
                {"max": 1},
            ],
            "text": "first\n\n  third\n",
            "empty": None,
            "version": 1.3,
        }
    }


def test_a_scalar_keeps_the_text_that_it_was_written_as():
    texts = [node.text for node in walk(document(b"{version: 1.30, quoted: '1.30', list: [0.10]}"))]
    assert texts == [None, "1.30", "1.30", None, "0.10"]


def test_find_goes_by_name_and_stops_where_there_is_nothing():
    root = document(PLATFORM)
    assert find(root, ()) is root
    large = find(root, ("spec", "node.pools", "large"))
    assert large is not None
    assert is_map(large)
    zones = find(large, ("zones",))
    assert zones is not None
    assert is_list(zones)
    unnamed = find(root, ("spec", "node.pools", "3", "max"))
    assert unnamed is not None
    assert unnamed.value == 1
    for path in [("nope",), ("spec", "node.pools", "tiny"), ("spec", "version", "x"), (*zones.path, "zones")]:
        assert find(root, path) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("Null", None), ("NULL", None), ("nULL", "nULL"),
        ("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False), ("FALSE", False),
        ("0", 0), ("-0", 0), ("+5", 5), ("-12", -12), ("123456789012345678", 123456789012345678),
        ("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("-.5e-3", -0.0005), ("1e3", 1000.0), ("1.5E+3", 1500.0),
        ("1.2.3", "1.2.3"), ("10.0.0.0/8", "10.0.0.0/8"), ("500m", "500m"), ("--x", "--x"),
        ("12:99", "12:99"), ("2024-01-01x", "2024-01-01x"), ("2024-01", "2024-01"), ("_1", "_1"),
        ("1_a", "1_a"), ("yesterday", "yesterday"), ("none", "none"), ("=", "="), ("a:b", "a:b"),
    ],
)  # fmt: skip
def test_a_scalar_without_quotes_follows_the_core_schema(text, value):
    found = find(document(f"k: {text}\n".encode()), ("k",))
    assert found is not None
    assert found.value == value
    assert type(found.value) is type(value)


@pytest.mark.parametrize("text", ["no", "0755", "1_000", "2024-01-01", "", "null", "1", "<<", ".inf"])
def test_quotes_make_a_string_of_anything(text):
    root = document(f"- '{text}'\n- \"{text}\"\n".encode())
    assert plain(root) == [text, text]
    assert plain(document(f"'{text}': x".encode())) == {text: "x"}
