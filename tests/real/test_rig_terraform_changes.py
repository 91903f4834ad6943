"""One change at a time: what we expect, what the recorded schemas predict, and what the real provider plans.

The rows are in `support.single_changes`. Each is a test of its own, though all are planned in one run: for each a copy
of the platform, applied as it was, with one thing changed. Where the three differ, the row has the plan's answer and
the reason.
"""

from __future__ import annotations

from typing import Final

import pytest

from plinth.catalog.providers import resource_block
from plinth.plan.actions import predicted
from support import google_provider, terraform
from support import single_changes as rows
from support.changed_platform import affected
from support.single_changes import CHANGES, PLATFORM, ROWS

pytestmark = pytest.mark.xdist_group("google-provider")

ACTIONS: Final = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "create-then-delete",
}

needs_provider = pytest.mark.skipif(bool(google_provider.missing()), reason=str(google_provider.missing()))


@pytest.fixture(scope="module")
def planned(stub_providers, tmp_path_factory):
    """What the provider plans of each row: actions by address, and errors."""
    tool = terraform.find("terraform") or pytest.skip(terraform.missing("terraform"))
    changes = {
        (name, layer): both
        for name, change in CHANGES.items()
        for layer, both in change.changed_roots().items()
    }
    # Most begin with the platform as it is, which is made once, and whole.
    base = {at: at[1] if before == PLATFORM.roots()[at[1]] else at for at, (before, _) in changes.items()}
    cut = {at: affected(*both) for at, both in changes.items()}
    made = {at: cut[at][0] for at in changes if base[at] == at} | PLATFORM.roots()
    work = tmp_path_factory.mktemp("before")
    were = google_provider.Roots(tool, made, work=work, reattach=stub_providers)
    applied = were.applied(were.plan())
    work = tmp_path_factory.mktemp("after")
    now = google_provider.Roots(tool, {at: cut[at][1] for at in cut}, work=work, reattach=stub_providers)
    state = now.state({at: (applied[base[at]], cut[at][0]) for at in cut})
    found = {name: ({}, []) for name in CHANGES}
    for (name, _), root in now.read(now.plan(state)).items():
        actions, errors = found[name]
        for address, each in root.actions.items():
            actions[address] = "refused" if address in root.refused else ACTIONS[each]
        errors += root.errors
    return found


@pytest.mark.parametrize("name", CHANGES, ids=str)
def test_the_recorded_schemas_predict(name):
    found = {}
    for before, after in CHANGES[name].changed_roots().values():
        planned = predicted(resource_block, before, after)
        found |= {address: each.action for address, each in planned.items()}
    assert found == CHANGES[name].actions


@needs_provider
@pytest.mark.parametrize("name", CHANGES, ids=str)
def test_the_provider_plans(name, planned):
    assert planned[name] == (CHANGES[name].planned, [])


def test_enough_arguments_of_every_kind_are_tried():
    assert len(ROWS) >= 60
    changed = {address for each in ROWS for address in each.planned}
    assert changed >= {rows.CLUSTER, rows.CPU, rows.NODES, rows.ARTIFACTS, rows.POSTGRES}


def test_every_row_is_a_change_of_its_own_and_says_why_a_plan_differs():
    assert len(CHANGES) == len(ROWS)
    different = [each for each in ROWS if each.but is not None or each.because]
    assert [each.name for each in different if each.but in (None, each.actions) or not each.because] == []
