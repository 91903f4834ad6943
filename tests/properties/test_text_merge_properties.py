"""Laws of the merge, over documents with few keys and names, so that they often meet."""

from hypothesis import given
from hypothesis import strategies as st

from plinth.text.merge import merge
from plinth.text.nodes import Node, is_list, is_map, plain, walk
from plinth.text.spans import Span

KEYS = st.sampled_from(["a", "b", "name", "remove"])
SCALARS = st.sampled_from([None, True, 1, "x", "y"])
NAMED = st.fixed_dictionaries(
    {"name": st.sampled_from(["x", "y", "z"])}, optional={"a": SCALARS, "remove": st.just(value=True)}
)
VALUES = st.recursive(
    SCALARS,
    lambda values: (
        st.lists(values, max_size=3)
        | st.lists(NAMED, max_size=4)
        | st.dictionaries(KEYS, values, max_size=3)
        | st.lists(st.fixed_dictionaries({"name": st.sampled_from("xyz"), "b": values}), max_size=3)
    ),
    max_leaves=12,
)
MAPS = st.dictionaries(KEYS, VALUES, max_size=4)


def node(value, file, path=()):
    span = Span(file, 1, 1, 1, 1)
    if isinstance(value, dict):
        return Node({key: node(child, file, (*path, key)) for key, child in value.items()}, span, path)
    if isinstance(value, list):
        return Node(tuple(node(item, file, (*path, str(i))) for i, item in enumerate(value)), span, path)
    return Node(value, span, path)


def leaves(root):
    return [child for child in walk(root) if not is_map(child) and not is_list(child)]


@given(VALUES)
def test_nothing_said_changes_nothing(value):
    base = node(value, "base")
    if is_map(base):
        assert merge(base, node({}, "override")) == (base, ())


@given(VALUES, VALUES)
def test_said_twice_is_said_once(base, override):
    a, b = node(base, "base"), node(override, "override")
    once, _ = merge(a, b)
    twice, _ = merge(once, b)
    assert twice == once


@given(VALUES, VALUES)
def test_every_leaf_is_a_leaf_of_one_of_the_two(base, override):
    a, b = node(base, "base"), node(override, "override")
    result, _ = merge(a, b)
    known = {id(leaf) for leaf in [*leaves(a), *leaves(b)]}
    assert {id(leaf) for leaf in leaves(result)} <= known


@given(MAPS, MAPS)
def test_what_the_override_does_not_mention_stays_as_it_is(base, override):
    a, b = node(base, "base"), node(override, "override")
    result, _ = merge(a, b)
    for key in base.keys() - override.keys():
        assert result.value[key] is a.value[key]
    for key, value in override.items():
        assert (key in result.value) == (value is not None)


@given(VALUES, VALUES)
def test_the_inputs_stay_as_they_are(base, override):
    a, b = node(base, "base"), node(override, "override")
    merge(a, b)
    assert (plain(a), plain(b)) == (base, override)
