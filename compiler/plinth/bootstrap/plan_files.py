"""What the JSON form of a Terraform plan would do, looked at before it is applied.

Source: Terraform, "JSON Output Format", plan representation.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable


class Planned(Struct, frozen=True, kw_only=True):
    """Addresses by what happens to them; those of one resource with many instances count as one."""

    deleted: frozenset[str]
    """Also what is replaced."""
    updated: frozenset[str]


def planned(text: str) -> Planned:
    """What a plan does, from `terraform show -json`.

    Raises:
        ValueError: it is no such text.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or "format_version" not in document:
        raise ValueError("it is no plan in its JSON form")
    deleted, updated = set(), set()
    for change in document.get("resource_changes", ()):
        if change.get("mode") != "managed":
            continue
        address = change["address"].partition("[")[0]
        actions = change["change"]["actions"]
        # `forget` leaves a thing where it is and loses sight of it, which is no better here.
        if {"delete", "forget"} & set(actions):
            deleted.add(address)
        elif "update" in actions:
            updated.add(address)
    return Planned(deleted=frozenset(deleted), updated=frozenset(updated))


def unwanted(plan: Planned, may_delete: Iterable[str]) -> tuple[str, ...]:
    """What it would delete beyond what it may, sorted."""
    return tuple(sorted(plan.deleted - frozenset(may_delete)))
