"""Which fields of two values differ, and how each is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.ir.patch import same
from plinth.plan.fields import ABSENT, compare


def seen(before, after):
    return [(each.path, each.before, each.after) for each in compare(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({"a": 1}, {"a": 1}, [], id="the same"),
        pytest.param({"a": 1}, {"a": 1.0}, [], id="one number in two spellings"),
        pytest.param({"a": 1}, {"a": True}, [("/a", 1, True)], id="a number is no boolean"),
        pytest.param({"a": None}, {}, [("/a", None, ABSENT)], id="null is not absent"),
        pytest.param({"a": {}}, {"a": []}, [("/a", {}, [])], id="of another kind"),
        pytest.param({"a/b": {"~": 1}}, {"a/b": {"~": 2}}, [("/a~1b/~0", 1, 2)], id="keys with slashes"),
        pytest.param(
            {"a": [1, 2]}, {"a": [2, 1]}, [("/a", [1, 2], [2, 1])], id="a list of scalars is one value"
        ),
        pytest.param(
            {"c": [{"name": "x", "v": 1}, {"name": "y"}]},
            {"c": [{"name": "x", "v": 2}, {"name": "y"}]},
            [("/c/[name=x]/v", 1, 2)],
            id="an item by its name",
        ),
        pytest.param(
            {"c": [{"name": "x"}]},
            {"c": [{"name": "w"}, {"name": "x"}]},
            [("/c/[name=w]", ABSENT, {"name": "w"})],
            id="a new first item changes no other",
        ),
        pytest.param(
            {"c": [{"name": "x"}, {"name": "y"}]},
            {"c": [{"name": "y"}, {"name": "x"}]},
            [("/c/[order]", ["x", "y"], ["y", "x"])],
            id="only the order",
        ),
        pytest.param(
            {"r": [{"p": 1}, {"p": 2}]},
            {"r": [{"p": 0}, {"p": 1}, {"p": 2}]},
            [("/r/0", ABSENT, {"p": 0})],
            id="a new first item without a name",
        ),
        pytest.param(
            {"r": [{"p": 1}, {"p": 2}, {"p": 3}]},
            {"r": [{"p": 1}, {"p": 5}, {"p": 3}]},
            [("/r/1/p", 2, 5)],
            id="one of several items without a name",
        ),
        pytest.param(
            {"r": [{"name": "x"}, {"name": "x"}]},
            {"r": [{"name": "x"}]},
            [("/r/1", {"name": "x"}, ABSENT)],
            id="two items of one name have none",
        ),
        pytest.param(
            {"r": []}, {"r": [{"name": "x"}]}, [("/r/[name=x]", ABSENT, {"name": "x"})], id="from empty"
        ),
        pytest.param([1], {"a": 1}, [("", [1], {"a": 1})], id="whole documents"),
    ],
)
def test_each_difference_is_named_once(before, after, expected):
    assert seen(before, after) == expected


def test_where_a_field_stands_in_each_document_is_told():
    (change,) = compare({"c": [{"name": "x", "v": 1}]}, {"c": [{"name": "w"}, {"name": "x", "v": 2}]})[1:]
    assert (change.path, change.before_at, change.after_at) == ("/c/[name=x]/v", "/c/0/v", "/c/1/v")
    (gone,) = compare({"c": [{"name": "x", "v": 1}]}, {"c": [{"name": "x"}]})
    assert (gone.before_at, gone.after_at) == ("/c/0/v", "/c/0")


SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "b", "name"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "a", "b"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(VALUES, VALUES)
def test_the_other_way_round_is_the_opposite(before, after):
    mirrored = sorted((repr((path, new, old)) for path, old, new in seen(before, after)))
    assert sorted(map(repr, seen(after, before))) == mirrored


@given(VALUES, VALUES)
def test_values_are_the_same_where_nothing_differs(before, after):
    assert same(before, before)
    assert same(before, after) == (compare(before, after) == ())
