"""Whatever the bytes, reading gives a document or faults with a place, and never raises."""

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plinth.text.nodes import Limits, find, is_list, is_map, plain, read_yaml, walk
from plinth.text.scalars import Refused, resolve

PIECES = st.sampled_from([
    "a: ", "b: 1", "\n", "\n  ", "- ", "[", "]", "{", "}", ", ", "? ", ": ", "&x ", "*x", "!!str ",
    "<<: ", "|\n", ">-\n", "'", '"', "#", "---\n", "...\n", "%YAML 1.2\n", "no", "0755", "1_0",
    "2024-01-01", "name: x\n", "\t", "é", "\ufeff", "\r", "\x00", "\x85", "\\", "\\uD800",
    "\\U00110000", "~", "1e999", "\u2028", "&", "*", "!", "@",
])  # fmt: skip
YAML_LIKE = st.lists(PIECES, max_size=30).map("".join)


def check(data: bytes) -> None:
    node, faults = read_yaml(data, "p.yaml")
    assert node is not None or faults
    for fault in faults:
        for span in [fault.span, *(span for _, span in fault.related)]:
            assert 1 <= span.line <= span.end_line
            assert (span.line, span.column) <= (span.end_line, span.end_column)
            assert span.column >= 1
    if node is None:
        return
    lines = data.decode("utf-8-sig").split("\n")
    for child in walk(node):
        assert 1 <= child.span.line <= child.span.end_line <= len(lines) + 1
        assert (child.span.line, child.span.column) <= (child.span.end_line, child.span.end_column)
        found = find(node, child.path)
        assert found is not None
        assert found.path == child.path


@given(st.binary(max_size=200))
@example(b"\xff\xfe\x00\x00")
def test_any_bytes(data):
    check(data)


@given(st.text(max_size=100))
def test_any_text(text):
    check(text.encode("utf-8", "surrogatepass"))


@settings(max_examples=500)
@given(YAML_LIKE)
@example("%YAML 1.1\n--- [a")
@example("a:\n- b\n -")
def test_anything_that_resembles_yaml(text):
    check(text.encode())


@settings(max_examples=300)
@given(YAML_LIKE)
def test_both_parsers_find_the_same(text):
    if not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")
    data = text.encode()
    node, faults = read_yaml(data, "p.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(yaml, "CSafeLoader")
        other, other_faults = read_yaml(data, "p.yaml")
    if node is None or other is None:
        # Where both give up they may word it, and get as far, differently.
        return
    assert plain(node) == plain(other)
    assert [fault.kind for fault in faults] == [fault.kind for fault in other_faults]


@given(st.text(alphabet="0123456789+-._:eExXoObBaAfFiInNtTzZyYsS ", max_size=12))
@example("12e03")
@example("0.")
def test_a_scalar_that_is_accepted_means_the_same_to_pyyaml(text):
    """Strings stay strings, numbers numbers; `1e3` is the one form that PyYAML takes for text."""
    value = resolve(text)
    if isinstance(value, Refused) or text in ("", *"-?") or text.startswith(("- ", "---", ":", " ")):
        return
    if ": " in text or text.endswith((":", " ")):
        return
    other = yaml.safe_load(f"k: {text}")["k"]
    if isinstance(value, float) and isinstance(other, str):
        assert "e" in text.lower()
    else:
        assert (other, type(other)) == (value, type(value))


@given(st.integers(1, 40), st.booleans())
def test_depth_counts_lists_and_maps(depth, flow):
    text = "[" * depth + "]" * depth if flow else "\n".join("  " * n + "a:" for n in range(depth))
    node, faults = read_yaml(text.encode(), "p.yaml", Limits(depth=20))
    assert (node is not None) == (depth <= 20)
    if node is None:
        assert [fault.kind for fault in faults] == ["too-large"]
    else:
        assert sum(is_map(child) or is_list(child) for child in walk(node)) == depth
