"""Canonical text, and that the reader that matters most takes it for the same values."""

import json
import math
import subprocess

import pytest
import yaml

import rig
from plinth.text.emit import json_line, json_text, yaml_numbered, yaml_text
from plinth.text.nodes import plain, read_yaml

WORDS = """
yes no on off y n Yes NO On OFF Y N true false True FALSE null Null NULL ~ = << 0755 0o17 08 1e3 1E3 1_000
12:30:45 1:30 0x1F 0b1 .inf -.INF .nan .NaN . - -- --- ... -1 +1 1 1.0 1. .5 1e400 2024-01-01
2024-1-1T1:1:1Z 1,000 #x %x @x `x &x *x !x !!str | > |- >+ { [ ] } {} [] ' " ? : ?x :x x: x# ,x a,b \\ \\n
/x $x $(X) ${x} {{x}} 500m 40Gi 30s 10ms 5k 1E --flag=x --no -x a:b a::b http://x:80/y?z=1&q https://x a@b
x/y:tag@sha256:abc a|b a>b a%b a=b a~b a^b a:| a:- _x é 10.0.0.0/8
"""
TEXTS = [
    "", " ", "  ", "a\n", "a\nb", "a\nb\n", "a\n\nb\n", "a\n\n", "\na", "\n", "\n\n", " a", "a ",
    " a\nb", "a\n  b\n", "a \nb", "a\n b \n", "a\n\tb", "a\tb\nc", "\ta", "a\t", "\t", "a\r\nb", "a\rb",
    "- x", "? x", ": x", "x: y", "x #y", "x: ", "# x\ny", "---\nx", "...\nx\n", "%YAML\n",
    "#!/bin/sh\nset -e\n", "key: |\n  deep\n", "- a\n- b\n", "a  b", "x\x00y", "\x1b[31m", "\x7f",
    "x\x85y", "x\x85\ny", "x\u2028y", "x\u2029", "\xa0", "a\xa0", "\ufeffx", "\ufeff\nx\n", "\u200bx",
    "\u202ex", "\uffff", "\ufffe", "\U0001f600", "\U0001f600\n", "👨\u200d👩", "\U0010ffff", "日本語",
    "x" * 2000, "x y " * 500 + "z", "é " * 40 + "é", "'single' \"double\"", "a\n'b'\n", "true\n",
    "null\nx", "a y", "y n",
]  # fmt: skip
NASTY = [*WORDS.split(), *TEXTS]


@pytest.mark.parametrize("text", NASTY, ids=lambda text: ascii(text)[:40])
def test_a_string_is_that_string_to_every_reader(text):
    value = {"k": text, "list": [text, [text], {"k": text}], "deep": {"k": {"k": text}}}
    if len(text) < 1000:
        value[text + ("" if text not in value else "_")] = text
    written = yaml_text(value)
    assert yaml.safe_load(written) == value
    assert yaml.load(written, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) == value  # noqa: S506  it is safe
    node, faults = read_yaml(written.encode(), "out.yaml")
    assert faults == ()
    assert node is not None
    assert plain(node) == value


@pytest.mark.parametrize("text", NASTY, ids=lambda text: ascii(text)[:40])
def test_a_string_may_be_the_whole_document(text):
    written = yaml_text(text)
    assert written.endswith("\n")
    assert yaml.safe_load(written) == text


# kustomize 5.5 prints `=` and `<<` bare, which PyYAML does not load; it prints NEL raw, which ends a line
# to some; and it cannot print the others, however they were written.
LOST_BY_KUSTOMIZE = {"=", "<<", "x\x85y", "x\x85\ny", "\x7f", "\ufffe", "\uffff"}


def test_kustomize_reads_back_every_string(tmp_path):
    kubectl = rig.find("kubectl") or pytest.skip(rig.missing("kubectl"))
    data = {f"k{index}": text for index, text in enumerate(NASTY) if text not in LOST_BY_KUSTOMIZE}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nasty"}, "data": data}
    (tmp_path / "c.yaml").write_text(yaml_text(config), encoding="utf-8", newline="")
    (tmp_path / "kustomization.yaml").write_text(yaml_text({"resources": ["c.yaml"]}), encoding="utf-8")
    printed = subprocess.run(
        [kubectl, "kustomize", str(tmp_path)], check=True, capture_output=True, timeout=60
    ).stdout
    assert yaml.safe_load(printed)["data"] == data


def test_people_find_what_they_look_for_first():
    value = {
        "spec": {"b": [{"image": "x", "name": "c", "args": []}], "a": {}, "B": None},
        "metadata": {"labels": {"name": "n", "b": "2", "a": "1"}, "namespace": "ns", "name": "x"},
        "kind": "Job",
        "apiVersion": "batch/v1",
        "data": 1,
    }
    assert (
        yaml_text(value)
        == """\
apiVersion: batch/v1
kind: Job
metadata:
  name: x
  namespace: ns
  labels:
    name: "n"
    a: "1"
    b: "2"
data: 1
spec:
  B: null
  a: {}
  b:
  - name: c
    args: []
    image: x
"""
    )


def test_blocks_stand_where_they_give_the_text_back():
    value = {
        "script": "#!/bin/sh\n\n  set -e\n",
        "list": ["a\nb", ["c\nd\n"]],
        "spaces": "a \nb",
        "tab": "a\n\tb",
        "tab at the end": "a\t\nb",
        "two": "a\n\n",
    }
    assert (
        yaml_text(value)
        == """\
list:
- |-
  a
  b
- - |
    c
    d
script: |
  #!/bin/sh

    set -e
spaces: "a \\nb"
tab: "a\\n\\tb"
tab at the end: "a\\t\\nb"
two: "a\\n\\n"
"""
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (-1, "-1"), (2**63, "9223372036854775808"), (1.0, "1.0"), (1.5, "1.5"), (-0.0, "-0.0"),
        (0.1, "0.1"), (1e16, "1.0e+16"), (1e-5, "1.0e-05"), (1.25e300, "1.25e+300"), (5e-324, "5.0e-324"),
    ],
)  # fmt: skip
def test_a_number_is_that_number_to_every_reader(number, text):
    assert yaml_text(number) == text + "\n"
    for read in (yaml.safe_load, json.loads):
        assert (read(text), type(read(text))) == (number, type(number))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ([], "[]"),
        ([[], {}, [[]]], "- []\n- {}\n- - []"),
        (None, "null"),
        ([True, None], "- true\n- null"),
    ],
)
def test_empty_collections_and_constants(value, text):
    assert yaml_text(value) == text + "\n"


def test_json_for_people_and_for_ledgers():
    value = {"b": [1, 1.0, None, {"é": "\u2028"}], "a": {}, "B": "<\n>"}
    assert json_text(value).splitlines()[:3] == ["{", '  "B": "<\\n>",', '  "a": {},']
    assert json_text(value).endswith("\n}\n")
    assert "é" in json_text(value)
    assert json_line(value) == '{"B":"<\\n>","a":{},"b":[1,1.0,null,{"é":"\u2028"}]}'
    assert json.loads(json_text(value)) == json.loads(json_line(value)) == value


def test_a_tuple_is_a_list():
    value = {"a": (1, ("x",), ())}
    assert yaml_text(value) == "a:\n- 1\n- - x\n- []\n"
    assert json_line(value) == '{"a":[1,["x"],[]]}'


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize("emit", [json_text, json_line, yaml_text])
@pytest.mark.parametrize(
    "leaf",
    [
        math.nan, math.inf, -math.inf, {1, 2}, b"x", ..., 2**64, -(2**63) - 1, 10**5000, 1j, "\ud800",
        "a\n\udfff", {1: "x"}, {None: 1}, {("a",): 1}, {"a": 1, 2: 1}, {"\ud800": 1}, Text("x"),
        range(3),
    ],
    ids=lambda leaf: f"{leaf.bit_length()} bits" if isinstance(leaf, int) else ascii(leaf),
)  # fmt: skip
def test_what_json_cannot_hold_is_refused_with_its_path(emit, leaf):
    with pytest.raises(TypeError, match=r"^spec\[\"a\.b\"\]\.1: "):
        emit({"fine": 1, "spec": {"a.b": [1, leaf]}})
    with pytest.raises(TypeError, match=r"^the root: "):
        emit(leaf)


def test_numbers_are_keys_where_a_program_asks_for_them():
    value = {20: ["^a-[0-9]+$", "b"], 3: {"k": "k"}, 100: "k", -1: []}
    assert yaml.safe_load(yaml_numbered(value)) == value
    assert yaml_numbered({20: [".*"], 3: "x"}) == '3: x\n20:\n- ".*"\n'
    with pytest.raises(TypeError, match="set"):
        yaml_numbered({1: {1, 2}})


def test_a_key_too_long_for_one_line_of_yaml_is_refused():
    longest = "k" * 1000
    assert yaml.safe_load(yaml_text({longest: 1, '"' * 499: 2})) == {longest: 1, '"' * 499: 2}
    for key in (longest + "k", '"' * 500):
        with pytest.raises(TypeError, match="key"):
            yaml_text({"a": {key: 1}})
