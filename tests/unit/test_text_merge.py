"""What an override does to a base, and what is kept of both."""

import pytest

from plinth.text.merge import merge
from plinth.text.nodes import Node, find, plain, read_yaml


def node(text: str, file: str = "base.yaml") -> Node:
    found, faults = read_yaml(text.encode(), file)
    assert found is not None
    assert faults == ()
    return found


def merged(base: str, override: str):
    result, faults = merge(node(base), node(override, "prod.yaml"))
    return plain(result), [fault.kind for fault in faults]


@pytest.mark.parametrize(
    ("base", "override", "result"),
    [
        pytest.param("{a: 1, b: 2}", "{b: 3, c: 4}", {"a": 1, "b": 3, "c": 4}, id="maps merge"),
        pytest.param("a: {b: {c: 1, d: 2}}", "a: {b: {c: 3}}", {"a": {"b": {"c": 3, "d": 2}}}, id="deeply"),
        pytest.param("a: {b: 1}", "a: 2", {"a": 2}, id="a scalar replaces a map"),
        pytest.param("a: 2", "a: {b: 1}", {"a": {"b": 1}}, id="a map replaces a scalar"),
        pytest.param("a: [1, 2]", "a: [3]", {"a": [3]}, id="lists of scalars replace"),
        pytest.param("a: [{x: 1}]", "a: [{x: 2}]", {"a": [{"x": 2}]}, id="lists without names replace"),
        pytest.param("{a: 1, b: 2}", "a: null", {"b": 2}, id="null removes a key"),
        pytest.param("a: 1", "{b: null, c: {d: null, e: 1}}", {"a": 1, "c": {"e": 1}}, id="or nothing"),
        pytest.param(
            "a: 1", "a: [null, {b: null}]", {"a": [None, {"b": None}]}, id="nulls in replaced lists"
        ),
        pytest.param("a: null", "{}", {"a": None}, id="the base's own null stays"),
        pytest.param("a: [{name: x}]", "a: []", {"a": []}, id="an empty list empties"),
        pytest.param("[1]", "{a: null, b: 1}", {"b": 1}, id="roots of two kinds"),
    ],
)
def test_an_override_says_what_differs(base, override, result):
    assert merged(base, override) == (result, [])


BASE = "pools: [{name: a, max: 1, zone: z}, {name: b, max: 2}, {name: c, max: 3}]"


@pytest.mark.parametrize(
    ("override", "pools"),
    [
        pytest.param(
            "pools: [{name: d, max: 4}, {name: c, max: 5}, {name: a, zone: null}]",
            [("a", 1), ("b", 2), ("c", 5), ("d", 4)],
            id="base order first, new ones last",
        ),
        pytest.param("pools: [{name: b, remove: true}]", [("a", 1), ("c", 3)], id="a removed item"),
        pytest.param(
            "pools: [{name: b, remove: true}, {name: e, max: 1}, {name: d, max: 1}]",
            [("a", 1), ("c", 3), ("e", 1), ("d", 1)],
            id="removed and added",
        ),
        pytest.param("pools: [{name: a, max: 7}, {max: 8}]", [("a", 7), (None, 8)], id="one without a name"),
        pytest.param(
            "pools: [{name: a, max: 7}, {name: a, max: 8}]",
            [("a", 7), ("a", 8)],
            id="a name twice is kept to see",
        ),
    ],
)
def test_lists_of_named_items_merge_by_name(override, pools):
    result, faults = merged(BASE, override)
    assert faults == []
    assert [(pool.get("name"), pool["max"]) for pool in result["pools"]] == pools


def test_the_first_of_a_name_that_the_base_has_twice_is_overridden():
    base = "[{name: a, max: 1}, {name: a, max: 2}]"
    assert merged(base, "[{name: a, max: 3}]")[0] == [{"name": "a", "max": 3}, {"name": "a", "max": 2}]
    assert merged(base, "[{name: a, remove: true}]")[0] == []


@pytest.mark.parametrize(
    ("override", "kind", "line"),
    [
        pytest.param("pools:\n- {name: z, remove: true}", "remove-unknown", 2, id="no such item"),
        pytest.param("new:\n- {name: z, remove: true}", "remove-unknown", 2, id="no such list"),
        pytest.param(
            "pools:\n- {name: a, remove: true, max: 4}", "remove-with-fields", 2, id="removed and changed"
        ),
    ],
)
def test_a_removal_that_cannot_be_meant_is_a_fault(override, kind, line):
    result, (fault,) = merge(node(BASE), node(override, "prod.yaml"))
    assert (fault.kind, fault.span.file, fault.span.line) == (kind, "prod.yaml", line)
    assert fault.message
    assert fault.help
    pools = find(result, ("pools",))
    assert pools is not None
    assert plain(pools) == plain(node(BASE))["pools"]


def test_remove_false_is_an_ordinary_field():
    assert merged("[{name: a}]", "[{name: a, remove: false}]") == ([{"name": "a", "remove": False}], [])


def test_the_winner_keeps_its_place_and_the_shared_map_the_base_s():
    base = node("spec:\n  pools:\n  - {name: a, max: 1}\n")
    override = node("spec:\n  more: 1\n  pools:\n  - {max: 2, name: a}\n", "prod.yaml")
    result, _ = merge(base, override)
    places = {
        ("spec",): "base.yaml",
        ("spec", "pools"): "base.yaml",
        ("spec", "pools", "a"): "base.yaml",
        ("spec", "pools", "a", "name"): "base.yaml",
        ("spec", "pools", "a", "max"): "prod.yaml",
        ("spec", "more"): "prod.yaml",
    }
    for path, file in places.items():
        found = find(result, path)
        assert found is not None
        assert found == find(base if file == "base.yaml" else override, path) or found.value != 2
        assert (found.path, found.span.file) == (path, file)


def test_neither_input_is_changed():
    base, override = node(BASE), node("pools: [{name: a, remove: true}, {name: b, max: null}]")
    before = plain(base), plain(override)
    merge(base, override)
    assert (plain(base), plain(override)) == before
