"""JSON 6902 operations and merge patches: the cases of their RFCs, and what is refused."""

from __future__ import annotations

import copy
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.ir.patch import PatchError, apply, merge, parts_of

DOCUMENT = {"a": {"b": [1, 2, {"c": 3}], "x/y": 4, "m~n": 5, "": 6}, "empty": {}, "none": None}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab/~", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab/~-", max_size=2), inner, max_size=3)
    ),
    max_leaves=12,
)


def op(name, path, **rest):
    return {"op": name, "path": path, **rest}


@pytest.mark.parametrize(
    ("operation", "place", "value"),
    [
        pytest.param(op("add", "/a/new", value=7), ("a", "new"), 7, id="add a key"),
        pytest.param(op("add", "/a/b", value=7), ("a", "b"), 7, id="add over a key"),
        pytest.param(
            op("add", "/a/b/0", value=7), ("a", "b"), [7, 1, 2, {"c": 3}], id="add before the first"
        ),
        pytest.param(
            op("add", "/a/b/3", value=7), ("a", "b"), [1, 2, {"c": 3}, 7], id="add at the end by number"
        ),
        pytest.param(op("add", "/a/b/-", value=7), ("a", "b"), [1, 2, {"c": 3}, 7], id="add at the end"),
        pytest.param(
            op("add", "/a/b/2/d", value=7), ("a", "b", 2), {"c": 3, "d": 7}, id="add inside an item"
        ),
        pytest.param(op("add", "/empty/-", value=7), ("empty", "-"), 7, id="`-` is a key of a map"),
        pytest.param(op("add", "/empty/0", value=7), ("empty", "0"), 7, id="a number is a key of a map"),
        pytest.param(op("replace", "/a/x~1y", value=7), ("a", "x/y"), 7, id="`~1` is a slash"),
        pytest.param(op("replace", "/a/m~0n", value=7), ("a", "m~n"), 7, id="`~0` is a tilde"),
        pytest.param(op("replace", "/a/", value=7), ("a", ""), 7, id="an empty key"),
        pytest.param(op("replace", "/a/b/1", value=7), ("a", "b"), [1, 7, {"c": 3}], id="replace an item"),
        pytest.param(op("replace", "/none", value=7), ("none",), 7, id="replace what is null"),
        pytest.param(op("remove", "/a/b/0"), ("a", "b"), [2, {"c": 3}], id="remove an item"),
        pytest.param(op("remove", "/a/b/2/c"), ("a", "b", 2), {}, id="remove inside an item"),
        pytest.param(op("move", "/empty/b", **{"from": "/a/b"}), ("empty", "b"), [1, 2, {"c": 3}], id="move"),
        pytest.param(op("copy", "/a/b/-", **{"from": "/a/b/0"}), ("a", "b"), [1, 2, {"c": 3}, 1], id="copy"),
        pytest.param(op("test", "/a/b/2", value={"c": 3}), ("a", "b", 2), {"c": 3}, id="test"),
    ],
)
def test_an_operation_changes_one_place(operation, place, value):
    before = copy.deepcopy(DOCUMENT)
    found = apply(DOCUMENT, [operation])
    for part in place:
        found = found[part]
    assert found == value
    assert before == DOCUMENT


def test_what_is_moved_is_gone_where_it_was():
    moved = apply(DOCUMENT, [op("move", "/b", **{"from": "/a/b"})])
    assert "b" not in moved["a"]
    assert moved["b"] == DOCUMENT["a"]["b"]


def test_operations_follow_one_another():
    operations = [op("add", "/m", value={}), op("add", "/m/k", value=1), op("test", "/m", value={"k": 1})]
    assert apply({}, operations) == {"m": {"k": 1}}


def test_the_whole_may_be_replaced():
    assert apply(DOCUMENT, [op("replace", "", value=[])]) == []


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        pytest.param(op("add", "/no/key", value=1), "nothing is called `no`", id="below what is missing"),
        pytest.param(op("replace", "/a/new", value=1), "nothing is called `new`", id="replace a missing key"),
        pytest.param(op("remove", "/a/new"), "nothing is called `new`", id="remove a missing key"),
        pytest.param(op("add", "/a/b/4", value=1), "there are 3", id="add beyond the end"),
        pytest.param(op("replace", "/a/b/3", value=1), "there are 3", id="replace beyond the end"),
        pytest.param(op("replace", "/a/b/-", value=1), "no item `-`", id="replace at the end"),
        pytest.param(op("remove", "/a/b/01"), "no item `01`", id="a number with a zero before it"),
        pytest.param(op("remove", "/a/b/-1"), "no item `-1`", id="a number below zero"),
        pytest.param(op("remove", "/a/b/c"), "no item `c`", id="a word for an item"),
        pytest.param(op("add", "/a/x~1y/k", value=1), "has no parts", id="through a number"),
        pytest.param(op("add", "/none/k", value=1), "has no parts", id="through null"),
        pytest.param(
            op("test", "/a/x~1y", value=5), "`/a/x~1y` is 4, and 5 is expected", id="a test that fails"
        ),
        pytest.param(
            op("copy", "/c", **{"from": "/nowhere"}), "nothing is called `nowhere`", id="copy from nowhere"
        ),
        pytest.param(op("add", "a/b", value=1), "begins with `/`", id="no pointer"),
        pytest.param(op("frob", "/a"), "`frob` is no operation", id="no operation"),
    ],
)
def test_an_operation_that_does_not_fit_is_refused(operation, message):
    with pytest.raises(PatchError, match=re.escape(message)):
        apply(DOCUMENT, [operation])


# Source: RFC 7396, appendix A; cases whose patch is no map have no use for us.
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_gives_what_its_rfc_says(target, patch, result):
    before = copy.deepcopy(target)
    assert merge(target, patch) == result
    assert target == before


def spread(node, path=""):
    """Every pointer of a document with what is there."""
    yield path, node
    if isinstance(node, dict):
        for key, value in node.items():
            yield from spread(value, path + "/" + key.replace("~", "~0").replace("/", "~1"))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from spread(value, f"{path}/{index}")


@given(JSON, st.data())
def test_every_place_is_found_by_its_pointer(document, data):
    pointer, there = data.draw(st.sampled_from(list(spread(document))))
    assert apply(document, [op("test", pointer, value=there)]) == document
    assert dict(spread(apply(document, [op("replace", pointer, value="new")])))[pointer] == "new"


@given(JSON, st.data())
def test_what_is_taken_out_and_put_back_was_never_away(document, data):
    places = [place for place in spread(document) if place[0]]
    if places:
        pointer, there = data.draw(st.sampled_from(places))
        assert apply(document, [op("remove", pointer), op("add", pointer, value=there)]) == document


@given(st.lists(st.text(max_size=4), max_size=4))
def test_a_pointer_is_read_as_it_is_written(parts):
    pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)
    assert parts_of(pointer) == tuple(parts)


@pytest.mark.parametrize(
    ("there", "expected", "fits"),
    [(1, True, False), (0, False, False), (1, 1.0, True), ([1], [True], False), ({"a": 1}, {"a": 1}, True)],
)
def test_a_test_compares_as_json_does(there, expected, fits):
    operations = [{"op": "test", "path": "/a", "value": expected}]
    if fits:
        assert apply({"a": there}, operations) == {"a": there}
    else:
        with pytest.raises(PatchError):
            apply({"a": there}, operations)
