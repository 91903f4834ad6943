"""One change at a time: what we expect, what the recorded schemas predict, and what core plans of it.

Each row is a test of its own, though all of a cloud are planned in one run: for each a copy of what the change may
reach, applied as it was, with one thing changed. The stand-in providers know the recorded schemas and no code; where
the documentation says that code decides, a row has that answer and the reason.
"""

from __future__ import annotations

from typing import Final

import pytest

from plinth.catalog.providers import resource_block
from plinth.plan.actions import predicted
from support import single_changes_aws, single_changes_azure, terraform
from support.changed_platform import reached
from support.replanned import replanned

CLOUDS: Final = {"aws": single_changes_aws, "azure": single_changes_azure}
LEAST: Final = 40
"""How many arguments a cloud has tried at least."""

MOST: Final = 1
"""How many resources a change may reach for core to be asked: its time goes by their number."""

ACTIONS: Final = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "create-then-delete",
}

EACH: Final = [
    pytest.param(cloud, name, id=f"{cloud}-{name}", marks=pytest.mark.xdist_group(f"changes-{cloud}"))
    for cloud, rows in CLOUDS.items()
    for name in rows.CHANGES
]


def _cut(row):
    return {layer: reached(*both) for layer, both in row.changed_roots().items()}


def _reach(row):
    return sum(
        len(named) for before, _ in _cut(row).values() for named in before.get("resource", {}).values()
    )


ASKED: Final = [each for each in EACH if _reach(CLOUDS[each.values[0]].CHANGES[each.values[1]]) <= MOST]


@pytest.fixture(scope="module")
def planned(request, stub_providers, tmp_path_factory):
    """What core plans of each row of a cloud: actions by address, and errors."""
    tool = terraform.find("terraform") or pytest.skip(terraform.missing("terraform"))
    rows = CLOUDS[request.param].CHANGES
    asked = {each.values[1] for each in ASKED if each.values[0] == request.param}
    changes = {(name, layer): both for name in sorted(asked) for layer, both in _cut(rows[name]).items()}
    found = {name: ({}, []) for name in rows}
    plans = replanned(tool, changes, work=tmp_path_factory.mktemp("changes"), reattach=stub_providers)
    for (name, _), root in plans.items():
        actions, errors = found[name]
        for address, each in root.actions.items():
            actions[address] = "refused" if address in root.refused else ACTIONS[each]
        errors += root.errors
    return request.param, found


@pytest.mark.parametrize(("cloud", "name"), EACH)
def test_the_recorded_schemas_predict(cloud, name):
    row = CLOUDS[cloud].CHANGES[name]
    found = {}
    for before, after in row.changed_roots().values():
        changes = predicted(resource_block, before, after)
        found |= {address: each.action for address, each in changes.items()}
    assert found == row.actions


@pytest.mark.parametrize(("planned", "name"), ASKED, indirect=["planned"])
def test_core_plans(planned, name):
    cloud, plans = planned
    assert plans[name] == (CLOUDS[cloud].CHANGES[name].actions, [])


@pytest.mark.parametrize("cloud", CLOUDS)
def test_every_row_is_a_change_of_its_own_and_says_why_the_documentation_differs(cloud):
    rows = CLOUDS[cloud].ROWS
    assert len(CLOUDS[cloud].CHANGES) == len(rows)
    different = [each for each in rows if each.but is not None or each.because]
    assert [each.name for each in different if each.but in (None, each.actions) or not each.because] == []


@pytest.mark.parametrize("cloud", CLOUDS)
def test_enough_arguments_are_tried_and_half_of_them_make_something_anew(cloud):
    anew = {"replace", "create-then-delete", "refused"}
    rows = CLOUDS[cloud].ROWS
    assert len(rows) >= LEAST
    assert sum(not anew.isdisjoint(each.planned.values()) for each in rows) >= len(rows) * 2 // 5
