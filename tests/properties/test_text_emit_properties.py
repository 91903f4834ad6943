"""Whatever the value, the text gives it back, to readers that have nothing in common."""

import json

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from plinth.text.emit import json_line, json_text, yaml_text
from plinth.text.nodes import Limits, plain, read_yaml
from plinth.text.scalars import resolve

TRICKY = st.text(
    alphabet=" \n\t\r:#-?|>'\"\\abyno0179_.eE+~=<&*!%@`{}[],/$\x00\x85\u2028\ufeffé😀", max_size=12
)
LINES = st.text(alphabet="a \n\n\t#é", max_size=12)
TEXTS = LINES | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20) | TRICKY
NUMBERS = st.integers(-(10**18) + 1, 10**18 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda values: st.lists(values, max_size=4) | st.dictionaries(TEXTS, values, max_size=4),
    max_leaves=20,
)
LIFTED = Limits(bytes=2**30, depth=200, nodes=2**30, scalar=2**30)


def same(a, b) -> bool:
    """Equal, and `1`, `1.0` and `True` are three things."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


@settings(max_examples=400)
@given(VALUES)
def test_readers_of_yaml_1_1_and_of_yaml_1_2_give_the_value_back(value):
    text = yaml_text(value)
    assert same(yaml.safe_load(text), value)
    node, faults = read_yaml(text.encode(), "out.yaml", LIFTED)
    assert faults == ()
    assert node is not None
    assert same(plain(node), value)


@given(VALUES)
def test_json_gives_the_value_back(value):
    assert same(json.loads(json_text(value)), value)
    assert same(json.loads(json_line(value)), value)
    assert "\n" not in json_line(value)


@given(VALUES)
def test_the_order_of_keys_does_not_show(value):
    def turned(part):
        if isinstance(part, dict):
            return {key: turned(part[key]) for key in reversed(part)}
        return [turned(item) for item in part] if isinstance(part, list) else part

    for emit in (json_text, json_line, yaml_text):
        assert emit(turned(value)) == emit(value)


@given(TRICKY)
def test_a_string_without_quotes_is_text_in_the_core_schema(text):
    written = yaml_text(text)[:-1]
    if written == text:
        assert resolve(text) == text


@given(VALUES)
def test_lines_end_where_every_editor_ends_them(value):
    text = yaml_text(value)
    assert text.splitlines() == text[:-1].split("\n")
    assert not any(line != line.rstrip() for line in text.split("\n"))
