"""Every byte of the output is traced back to what asked for it.

Each scalar of the example is written anew in turn. Whatever then differs in the output must name
that scalar among its origins: at the field itself or at what holds it, before or after. The lock is
left out, for it has no ledger: it says of everything in it which environment, component or pool it
pins. So are the ledgers themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from plinth.ir.fileset import File
from support.alternatives import ALTERNATIVES, EACH, compiled, written_anew
from support.leaves import leaves, origin_of, write
from support.platforms import example

ONLY_ONE_VALUE: dict[str, str] = {
    "apiVersion": "one version of the format exists",
    "kind": "a file holds one kind of thing",
    "spec.cloud.provider": "another provider takes a section of its own in place of this one",
    "spec.identity.signIn.provider": "people sign in with Google alone",
    "spec.storage.database.engine": "databases are Postgres",
    "spec.environments.prod.nodePools.burst.remove": "what is not taken out is not mentioned",
}

Files = Mapping[str, File]


def test_every_leaf_of_the_example_is_written_anew_or_has_only_one_value():
    assert sorted([*ALTERNATIVES, *ONLY_ONE_VALUE]) == sorted(leaves(example()))


@pytest.mark.parametrize("leaf", EACH)
def test_what_a_leaf_changes_names_that_leaf(leaf):
    before, after = written_anew(leaf)
    old, new = dict(compiled(before)), dict(compiled(after))
    assert unexplained(old, new, _expected(leaf)) == []
    assert old != new, "this leaf changes nothing"


def test_a_field_without_its_origin_is_found():
    old = {"a.yaml": _file({"kept": 1, "list": [{"x": "old"}]}, {"": ("spec.a",), "/list/0/x": ("spec.b",)})}
    new = {"a.yaml": _file({"kept": 1, "list": [{"x": "new"}]}, {"": ("spec.a",), "/list/0/x": ("spec.b",)})}
    assert unexplained(old, new, ("spec.b",)) == []
    assert unexplained(old, new, ("spec.a",)) == []
    assert unexplained(old, new, ("spec.c",)) == ["a.yaml /list/0/x: spec.a, spec.b"]
    assert unexplained(old, {}, ("spec.b",)) == ["a.yaml : spec.a"]


def test_a_component_that_forgets_an_origin_is_found():
    leaf = "spec.components.jupyterhub.idle"
    old, new = dict(compiled(example())), dict(compiled(write(example(), {leaf: ALTERNATIVES[leaf]})))
    path = "overlays/dev/jupyterhub/configmap-hub-plinth.yaml"
    for files in (old, new):
        origins = {
            pointer: tuple(text for text in texts if text != leaf)
            for pointer, texts in files[path].origins.items()
        }
        files[path] = File(files[path].content, files[path].backend, origins)
    (found,) = unexplained(old, new, (leaf,))
    assert found.startswith(f"{path} /data/plinth.json: ")


def unexplained(old: Files, new: Files, expected: tuple[str, ...]) -> list[str]:
    """Every field that differs without one of the expected origins, with the origins it has.

    An expected text that ends in a dot stands for every path below it.
    """
    found = []
    for path in sorted({*old, *new}):
        sides = [files[path] for files in (old, new) if path in files]
        if len(sides) == 2 and sides[0].content == sides[1].content:
            continue
        pointers = _differing(path, *sides) if len(sides) == 2 else [""]
        for pointer in pointers:
            origins = {text for side in sides for text in _origins(side, pointer)}
            if not any(_names(text, each) for text in origins for each in expected):
                found.append(f"{path} {pointer}: {', '.join(sorted(origins))}")
    return found


def _names(origin: str, expected: str) -> bool:
    return origin == expected or (expected.endswith(".") and f"{origin}.".startswith(expected))


def _expected(leaf: str) -> tuple[str, ...]:
    """The origins that will do; a name's are its item and all that the item says, under either name."""
    item, _, key = leaf.rpartition(".")
    if key != "name" or item == "metadata":
        return (origin_of(leaf),)
    places = {item}
    if item.startswith("spec.environments."):
        # An environment's name is a reference: what it takes out is gone, and cannot name the removal.
        places.add("spec." + item.split(".", 3)[3])
    lists = {place.rpartition(".")[0] for place in places}
    return tuple(f"{place}." for place in (*places, *(f"{each}.{ALTERNATIVES[leaf]}" for each in lists)))


def _differing(path: str, old: File, new: File) -> list[str]:
    before, after = (dict(_fields(_parsed(path, each.content), "")) for each in (old, new))
    missing = object()
    return sorted(
        pointer
        for pointer in {*before, *after}
        if json.dumps(before.get(pointer, repr(missing))) != json.dumps(after.get(pointer, repr(missing)))
    )


def _parsed(path: str, content: bytes) -> Any:
    return json.loads(content) if path.endswith(".json") else yaml.load(content, Loader=_LOADER)  # noqa: S506 - it is a safe one


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _fields(value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    """Every leaf by its JSON pointer; an empty map or list is one."""
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from _fields(child, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            yield from _fields(child, f"{pointer}/{index}")
    else:
        yield pointer, value


def _origins(made: File, pointer: str) -> Iterator[str]:
    """The origins of a field and of all that holds it."""
    while True:
        yield from made.origins.get(pointer, ())
        if not pointer:
            return
        pointer = pointer.rpartition("/")[0]


def _file(value: Any, origins: dict[str, tuple[str, ...]]) -> File:
    return File(yaml.safe_dump(value).encode(), "test", origins)
