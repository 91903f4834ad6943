"""One change at a time: what we expect, what the recorded schemas predict, and what core plans of it.

Each row is a test of its own, though those of a cloud are planned in a few runs: for each a copy of what the change may
reach, applied as it was, with one thing changed. The stand-in providers know the recorded schemas and no code; where
the documentation says that code decides, a row has that answer and the reason.
"""

from __future__ import annotations

from functools import cache
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


@pytest.fixture(scope="module")
def planned(stub_providers, tmp_path_factory):
    """What core plans of each row of a cloud: actions by address, and errors."""
    tool = terraform.find("terraform") or pytest.skip(terraform.missing("terraform"))

    @cache  # and no parameter of the fixture: pytest would make it anew for each row
    def of(cloud):
        rows = CLOUDS[cloud].CHANGES
        changes = {(name, layer): both for name, row in rows.items() for layer, both in _cut(row).items()}
        found = {name: ({}, []) for name in rows}
        plans = replanned(tool, changes, work=tmp_path_factory.mktemp("changes"), reattach=stub_providers)
        for (name, _), root in plans.items():
            actions, errors = found[name]
            for address, each in root.actions.items():
                actions[address] = "refused" if address in root.refused else ACTIONS[each]
            errors += root.errors
        return found

    return of


@pytest.mark.parametrize(("cloud", "name"), EACH)
def test_the_recorded_schemas_predict(cloud, name):
    row = CLOUDS[cloud].CHANGES[name]
    found = {}
    for before, after in row.changed_roots().values():
        changes = predicted(resource_block, before, after)
        found |= {address: each.action for address, each in changes.items()}
    assert found == row.actions


@pytest.mark.parametrize(("cloud", "name"), EACH)
def test_core_plans(cloud, name, planned):
    assert planned(cloud)[name] == (CLOUDS[cloud].CHANGES[name].actions, [])


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
