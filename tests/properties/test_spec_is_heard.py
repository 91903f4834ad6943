"""Whatever a spec says changes what is made of it, or somebody is told that it has no use.

Each leaf of a platform in which every key stands is written anew in turn, on every cloud. Then a file, the lock, a
command of the first hour or a diagnostic is another one, or a diagnostic says of the leaf, or of what it is a part of, that
it has no use.
"""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from plinth import registry
from plinth.diagnostics.diagnostic import SpecError
from plinth.ir.people import PatchFault
from plinth.ir.targets import Delivery
from plinth.pipeline import Inputs, compile_spec
from support.leaves import leaves
from support.platforms import FILE, ROOT
from support.whole_specs import CLOUDS, NETWORKS, every_leaf, others, platform

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_USE = "PLN327"

REFUSED = re.compile("PLN1..|PLN20[1346]")
"""What is said of a text that is no value of the leaf's type."""

ONLY_ONE_VALUE = {
    "apiVersion": "one version of the format exists",
    "kind": "a file holds one kind of thing",
    "spec.cloud.provider": "another provider takes another section",
    "spec.identity.signIn.provider": "people sign in with Google alone",
    "spec.storage.database.engine": "databases are Postgres",
    "spec.nodePools.train.gpu.interconnect": "NVLink is all that can be asked for",
}

A_DESCRIPTION = "it describes nodes that are there: nobody is asked for any"
ANOTHER_CLOUD = "it is for another cloud, and says so"

UNHEARD = {
    ("gcp|aws|azure", r"spec\.nodePools\.named\.machine\.(gcp|aws|azure)"): ANOTHER_CLOUD,
    (
        "existing",
        r"spec\.nodePools\.\w+\.(cpu|memory|arch|localSsd|nodes\.\w+|accelerator\.\w+)",
    ): A_DESCRIPTION,
    ("existing", r"spec\.nodePools\.\w+\.gpu\.(memory|count|oversize|rdma)"): A_DESCRIPTION,
    ("existing", r"spec\.nodePools\.(?!gpu\.)\w+\.(name|gpu\.model)"): "no tier names the pool",
}
"""Cloud and leaf, and why nothing is made of it and nothing is said."""

ELSEWHERE = {
    "spec.environments": "tests/unit/test_spec_environments.py changes each kind of thing in an environment",
    "spec.components": "versions and patches are alike for all; what components have of their own is theirs",
    "spec.state.bucket": "`state` is refused on `existing`",
    "spec.cloud.existing": "beside a network that is there already there are no zones of ours",
}


REPEATED = re.compile(r"spec\.nodePools\.(?!system|burst|train)\w+\.nodes\.\w+")
"""Every pool has them, and three of them are enough."""


def _each(*, found: bool) -> Iterator[Any]:
    for cloud in NETWORKS if found else CLOUDS:
        for leaf in every_leaf(cloud, found=found):
            is_other = leaf.startswith(("spec.cloud.", "spec.network.", "spec.storage."))
            if leaf not in ONLY_ONE_VALUE and not REPEATED.fullmatch(leaf) and (is_other or not found):
                yield pytest.param(cloud, leaf, marks=pytest.mark.xdist_group(f"{cloud}-{found}"))


@pytest.mark.parametrize(("cloud", "leaf"), list(_each(found=False)))
def test_every_leaf_is_heard(cloud, leaf):
    assert _is_heard(cloud, leaf, found=False) or _reason(cloud, leaf)


@pytest.mark.parametrize(("clouds", "text"), UNHEARD)
def test_every_exception_is_one(clouds, text):
    """A leaf that fits, and of which nothing is made."""
    fitting = [
        (cloud, leaf)
        for cloud in clouds.split("|")
        for leaf in every_leaf(cloud)
        if re.fullmatch(text, leaf) and _reason(cloud, leaf)
    ]
    assert any(not _is_heard(cloud, leaf, found=False) for cloud, leaf in fitting)


@pytest.mark.parametrize(("cloud", "leaf"), list(_each(found=True)))
def test_every_leaf_is_heard_beside_what_is_there_already(cloud, leaf):
    assert _is_heard(cloud, leaf, found=True)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_platform_in_which_every_key_stands_compiles(cloud):
    for found in (False, True) if cloud in NETWORKS else (False,):
        outcome = _outcome_as_it_is(platform(cloud, found=found))
        assert len(outcome) > 1, outcome


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_key_of_the_spec_stands_in_the_platform_of_a_cloud(cloud):
    there = {_keys(leaf) for leaf in every_leaf(cloud)}
    if cloud in NETWORKS:
        there |= {_keys(leaf) for leaf in every_leaf(cloud, found=True)}
    assert [key for key in _schema_keys(cloud) if key not in there and not _is_elsewhere(cloud, key)] == []


def _is_heard(cloud: str, leaf: str, *, found: bool) -> bool:
    as_it_is = platform(cloud, found=found)
    path = leaves(as_it_is)[leaf].path
    if any(
        code == NO_USE and path[: len(about)] == about for code, _, about in _outcome_as_it_is(as_it_is)[0]
    ):
        return True
    for text in others(leaf):
        written = platform(cloud, {leaf: text}, found=found)
        if written == as_it_is:
            continue
        outcome = _outcome(written)
        said = next(outcome)
        if any(REFUSED.fullmatch(code) and path[: len(about)] == about for code, _, about in said):
            continue
        pairs = zip_longest(_outcome_as_it_is(as_it_is), chain([said], outcome))
        return any(before != after for before, after in pairs)
    raise AssertionError(f"no other value of {leaf} is known")


@cache
def _outcome_as_it_is(data: bytes) -> tuple[Any, ...]:
    return tuple(_outcome(data))


def _outcome(data: bytes) -> Iterator[Any]:
    """All that is said of a platform, then all that is made of it; who has seen a difference needs no more."""
    inputs = Inputs(patch=_no_patch, vendored=lambda _component, _version: None)
    try:
        result = compile_spec(data, FILE, inputs, as_files=False)
    except SpecError as error:
        yield _said(error.diagnostics)
        return
    yield _said(result.diagnostics)
    (made,) = result.compilations
    yield from (result.lock.content, made.commands, made.graph.of(Delivery))
    for backend in registry.load_all("backends"):
        files = backend.emit(made.graph, made.environment.name)
        yield {path: file.content for path, file in files.items()}


def _no_patch(path: str) -> NoReturn:
    raise PatchFault(path)


def _said(diagnostics: Any) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    return tuple((each.code, each.message, each.path) for each in diagnostics)


def _reason(cloud: str, leaf: str) -> str | None:
    if leaf.endswith(f".machine.{cloud}"):
        return None
    fitting = (
        why
        for (clouds, text), why in UNHEARD.items()
        if re.fullmatch(f"({clouds}) {text}", f"{cloud} {leaf}")
    )
    return next(fitting, None)


def _schema_keys(cloud: str) -> Iterator[str]:
    schema = json.loads((ROOT / "platform.schema.json").read_bytes())
    yield from _below(schema, schema["$defs"], cloud, "")


def _below(node: Any, definitions: Any, cloud: str, key: str) -> Iterator[str]:
    """The keys that hold scalars: `spec.nodePools.gpu.model`."""
    if "$ref" in node:
        node = definitions[node["$ref"].rpartition("/")[2]]
    options = [
        each for each in (*node.get("anyOf", ()), *node.get("oneOf", ())) if each.get("type") != "null"
    ]
    if key == "spec.cloud":
        names = [each["$ref"].rpartition("/")[2] for each in options]
        options = [definitions[name] for name in names if name == f"{cloud.capitalize()}Section"]
    if options:
        for each in options:
            yield from _below(each, definitions, cloud, key)
    elif "items" in node:
        yield from _below(node["items"], definitions, cloud, key)
    elif "properties" in node:
        for name, child in node["properties"].items():
            yield from _below(child, definitions, cloud, f"{key}.{name}".lstrip("."))
    elif key not in ELSEWHERE:
        yield key


def _keys(leaf: str) -> str:
    """A leaf's keys without the names of items: `spec.nodePools.t4.gpu.model` is `spec.nodePools.gpu.model`."""
    lists = r"(spec\.(?:nodePools|tiers|storage\.buckets|cloud\.poolZones))\.[^.]+"
    return re.sub(lists, r"\1", leaf.partition("[")[0])


def _is_elsewhere(cloud: str, key: str) -> bool:
    absent = {"azure": ("spec.nodePools.accelerator",), "existing": ("spec.state",)}.get(cloud, ())
    return key.startswith(("spec.environments", "spec.components", *absent))
