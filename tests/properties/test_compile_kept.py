"""What was kept of the last compile is used where nothing that decides it changed, and never otherwise.

A compile that finds the outputs of the one before gives the same files, the same lock and the same warnings
as one that finds nothing, whatever was edited in between.
"""

from __future__ import annotations

import functools
import json

import pytest
from msgspec.structs import replace

from plinth.compilation.output import as_data, from_data
from plinth.diagnostics.diagnostic import SpecError
from plinth.ir.lock import Lock, Vendored, read_lock
from plinth.ir.people import PatchFault
from plinth.pipeline import Inputs, compile_spec
from plinth.text.manifests import read_manifests
from support.alternatives import ALTERNATIVES, written_anew
from support.platforms import FILE, compile_bytes, example, mirror, needs_mirror, tree, vendored

PATCHED = example().replace(b"mlflow: {", b"mlflow: {patches: [patches/mlflow.yaml], ", 1)
VENDORED = example().replace(b"upstreams: remote", b"upstreams: vendored", 1)
PATCH = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "mlflow", "namespace": "mlflow", "labels": {"team": "platform"}},
}


class Keeper:
    """Outputs as they are kept: as JSON, and the files beside it."""

    def __init__(self, result):
        self._kept = {
            each.environment: (each.fingerprint, json.dumps(as_data(each)), each.files)
            for each in result.outputs
        }
        self.used = []

    def __call__(self, environment, mark):
        found = self._kept.get(environment)
        if found is None or found[0] != mark:
            return None
        self.used.append(environment)
        return from_data(environment, mark, json.loads(found[1]), found[2])


def _inputs(kept=None, lock=None, patch=PATCH):
    def read(path):
        if patch is None or path != "patches/mlflow.yaml":
            raise PatchFault("there is no such file")
        return patch

    return Inputs(lock=lock or Lock(), patch=read, vendored=lambda _name, _version: (), kept=kept)


def _compiled(data, **inputs):
    return compile_spec(data, FILE, _inputs(**({"kept": _nothing} | inputs)))


@functools.cache
def _fresh(data):
    return _compiled(data)


def _nothing(_environment, _mark):
    return None


def _assert_same(found, fresh):
    assert tree(found) == tree(fresh)
    assert found.diagnostics == fresh.diagnostics
    assert found.outputs == fresh.outputs


@pytest.mark.parametrize("leaf", ALTERNATIVES)
def test_an_edit_gives_what_it_gives_where_nothing_was_kept(leaf):
    texts = written_anew(leaf)
    for before, after in (texts, texts[::-1]):
        _assert_same(_compiled(after, kept=Keeper(_fresh(before))), _fresh(after))


def test_an_edit_of_one_environment_leaves_the_other_as_it_is():
    keeper = Keeper(_fresh(example()))
    after = example().replace(b"nodes: {min: 2, max: 5}", b"nodes: {min: 2, max: 6}")
    result = _compiled(after, kept=keeper)
    assert keeper.used == ["dev"]
    assert [each.environment.name for each in result.compilations] == ["prod"]
    assert [each.environment for each in result.outputs] == ["dev", "prod"]
    _assert_same(result, _compiled(after))


@needs_mirror
def test_lines_above_move_a_warning_and_nothing_else():
    """A warning is kept without its place, and told where its line is now."""
    inputs = _vendored_inputs()
    keeper = Keeper(compile_spec(VENDORED, FILE, replace(inputs, kept=_nothing)))
    moved = b"# a line\n# another\n" + VENDORED
    found = compile_spec(moved, FILE, replace(inputs, kept=keeper))
    fresh = compile_spec(moved, FILE, replace(inputs, kept=_nothing))
    assert keeper.used == ["dev", "prod"]
    assert {each.code for each in found.diagnostics} == {"PLN406"}
    _assert_same(found, fresh)


@needs_mirror
def test_an_upstream_that_is_no_longer_vendored_is_not_taken_from_what_was_kept():
    inputs = _vendored_inputs()
    keeper = Keeper(compile_spec(VENDORED, FILE, replace(inputs, kept=_nothing)))
    gone = replace(inputs, kept=keeper, vendored=lambda _name, _version: None)
    with pytest.raises(SpecError) as raised:
        compile_spec(VENDORED, FILE, gone)
    assert {each.code for each in raised.value.diagnostics} == {"PLN320"}


def test_a_line_that_says_the_same_in_another_place_is_another_line():
    """Where a value was said is in the ledger, so a value that moves is no longer the one that was kept."""
    moved = example().replace(b"nodes: {min: 2, max: 5}", b"nodes: {min: 1, max: 3}")
    keeper = Keeper(_fresh(moved))
    _assert_same(_compiled(example(), kept=keeper), _compiled(example()))
    assert keeper.used == ["dev"]


@pytest.mark.parametrize(
    "lock",
    [
        Lock(versions={"dev": {"mlflow": "3.0.0"}}),
        Lock(pools={"dev": {"system": {"machine": "e2-standard-8", "price": "1"}}}),
        Lock(vendored={"cert-manager/1.20.2": Vendored(digest="sha256:1")}),
    ],
)
def test_what_is_pinned_otherwise_is_compiled(lock):
    keeper = Keeper(_fresh(example()))
    _assert_same(_compiled(example(), kept=keeper, lock=lock), _compiled(example(), lock=lock))
    assert "dev" not in keeper.used


def test_a_patch_that_says_something_else_is_compiled():
    keeper = Keeper(_fresh(PATCHED))
    other = {**PATCH, "metadata": {**PATCH["metadata"], "labels": {"team": "ml"}}}
    assert _compiled(PATCHED, kept=keeper)
    assert keeper.used == ["dev", "prod"]
    keeper.used.clear()
    _assert_same(_compiled(PATCHED, kept=keeper, patch=other), _compiled(PATCHED, patch=other))
    assert keeper.used == []


def _vendored_inputs():
    """As after `plinth vendor`: every upstream at hand, and pinned."""
    pinned = read_lock(read_manifests(compile_bytes(VENDORED, mirror()).lock.content)[0])
    return replace(_inputs(lock=pinned), vendored=lambda name, version: vendored(mirror(), name, version))
