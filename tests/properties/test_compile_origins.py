"""Every byte of the output is traced back to what asked for it.

Each scalar of the example is written anew in turn. Whatever then differs in the output must name
that scalar among its origins: at the field itself or at what holds it, before or after. The lock is
left out, for it has no ledger: it says of everything in it which environment, component or pool it
pins. So are the ledgers themselves.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import pytest
import yaml

from plinth.ir.fileset import File
from plinth.ir.people import PatchFault
from plinth.pipeline import Inputs, compile_spec
from support.leaves import leaves, origin_of, write
from support.platforms import FILE, example

OTHERWISE: dict[str, dict[str, str]] = {
    "spec.nodePools.system.name": {"spec.environments.prod.nodePools.system.name": "renamed"},
    "spec.nodePools.burst.name": {"spec.environments.prod.nodePools.burst.name": "renamed"},
    "spec.nodePools.t4.name": {"spec.tiers.1xgpu.pools[0]": "renamed"},
    "spec.storage.buckets.artifacts.name": {"spec.components.mlflow.artifacts": "renamed"},
    # One image may not be offered twice, so the two change places.
    "spec.components.jupyterhub.images[0]": {"spec.components.jupyterhub.images[1]": "minimal"},
    "spec.components.jupyterhub.images[1]": {"spec.components.jupyterhub.images[0]": "spark"},
}
"""What is written beside a leaf so that the spec stays valid: references to a name, above all."""

BEFORE: dict[str, tuple[str, str]] = {
    "spec.tiers.1xgpu.gpu.count": ("{model: t4, count: 1}", "{model: t4, count: 2}"),
    "spec.tiers.1xgpu.pools[0]": ("gpu: {count: 1}, cpu: 3", "cpu: 3"),
    "spec.components.mlflow.artifacts": ("[{name: artifacts}]", "[{name: artifacts}, {name: models}]"),
    "spec.environments.prod.nodePools.burst.name": (
        ", gpu: {count: 1}, cpu: 3, memory: 10Gi, pools: [t4]",
        ", cpu: 3, memory: 10Gi",
    ),
}
"""Changes of the text on both sides, where the example leaves a leaf no other valid value."""

ALTERNATIVES: dict[str, str] = {
    "metadata.name": "acme-two",
    "spec.cloud.project": "acme-ml-test",
    "spec.cloud.projectNumber": "123456789013",
    "spec.cloud.region": "europe-west4",
    "spec.state.bucket": "acme-ml-state",
    "spec.repository.url": "https://github.com/acme/other.git",
    "spec.repository.branch": "trunk",
    "spec.network.nodes": "10.8.0.0/16",
    "spec.network.pods": "10.9.0.0/16",
    "spec.network.services": "10.10.0.0/16",
    "spec.network.access": "public",
    "spec.network.allow[0]": "198.51.100.0/24",
    "spec.cluster.kubernetes": '"1.33"',
    "spec.cluster.channel": "stable",
    "spec.cluster.maintenance.weekly[0]": "fri 02:00-08:00",
    "spec.cluster.maintenance.weekly[1]": "mon 02:00-08:00",
    "spec.nodePools.system.name": "renamed",
    "spec.nodePools.system.cpu": "8",
    "spec.nodePools.system.memory": "64Gi",
    "spec.nodePools.system.nodes.min": "2",
    "spec.nodePools.system.nodes.max": "4",
    "spec.nodePools.burst.name": "renamed",
    "spec.nodePools.burst.cpu": "16",
    "spec.nodePools.burst.memory": "128Gi",
    "spec.nodePools.burst.capacity": "on-demand",
    "spec.nodePools.burst.nodes.min": "1",
    "spec.nodePools.burst.nodes.max": "5",
    "spec.nodePools.t4.name": "renamed",
    "spec.nodePools.t4.gpu.model": "l4",
    "spec.nodePools.t4.gpu.count": "2",
    "spec.nodePools.t4.capacity": "on-demand",
    "spec.nodePools.t4.nodes.min": "1",
    "spec.nodePools.t4.nodes.max": "6",
    "spec.identity.domain": "ai.acme.com",
    "spec.identity.admins[0]": "root@acme.com",
    "spec.identity.signIn.hostedDomain": "acme.org",
    "spec.identity.signIn.credentials.secret": "other-sign-in",
    "spec.tiers.cpu.name": "small",
    "spec.tiers.cpu.cpu": "2.5",
    "spec.tiers.cpu.memory": "7Gi",
    "spec.tiers.1xgpu.name": "one-gpu",
    "spec.tiers.1xgpu.gpu.count": "2",
    "spec.tiers.1xgpu.cpu": "2",
    "spec.tiers.1xgpu.memory": "9Gi",
    "spec.tiers.1xgpu.pools[0]": "system",
    "spec.storage.buckets.artifacts.name": "renamed",
    "spec.storage.database.size": "large",
    "spec.upstreams": "vendored",
    "spec.components.cert-manager.version": "1.19.4",
    "spec.components.training-operator.version": "1.9.2",
    "spec.components.jupyterhub.images[0]": "spark",
    "spec.components.jupyterhub.images[1]": "minimal",
    "spec.components.jupyterhub.idle": "3h",
    "spec.components.mlflow.artifacts": "models",
    "spec.environments.prod.branch": "env/live",
    "spec.environments.prod.cloud.project": "acme-ml-live",
    "spec.environments.prod.cloud.projectNumber": "210987654322",
    "spec.environments.prod.nodePools.system.name": "t4",
    "spec.environments.prod.nodePools.system.nodes.min": "3",
    "spec.environments.prod.nodePools.system.nodes.max": "6",
    "spec.environments.prod.nodePools.burst.name": "t4",
    "spec.environments.prod.storage.database.size": "large",
    "spec.environments.prod.components.cert-manager.version": "1.19.4",
}

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


@pytest.mark.parametrize("leaf", ALTERNATIVES)
def test_what_a_leaf_changes_names_that_leaf(leaf):
    before = _without_alternative(leaf)
    after = write(before, {leaf: ALTERNATIVES[leaf], **OTHERWISE.get(leaf, {})})
    old, new = _compiled(before), _compiled(after)
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
    old, new = _compiled(example()), _compiled(write(example(), {leaf: ALTERNATIVES[leaf]}))
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


def _without_alternative(leaf: str) -> bytes:
    """The example, or the little change of it that gives a leaf another valid value."""
    if leaf not in BEFORE:
        return example()
    there, instead = BEFORE[leaf]
    assert example().decode().count(there) == 1
    return example().decode().replace(there, instead).encode()


@functools.cache
def _once(data: bytes) -> Files:
    # A vendored base names a folder; what lies in it does not show in it.
    result = compile_spec(data, FILE, Inputs(patch=_no_patch, vendored=lambda _component, _version: ()))
    return {path: made for group in result.groups.values() for path, made in group.items()}


def _compiled(data: bytes) -> dict[str, File]:
    return dict(_once(data))


def _no_patch(path: str) -> NoReturn:
    raise PatchFault(path)


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
