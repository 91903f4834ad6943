"""A step, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.ir.commands import Check, Command

Outcome = Literal[
    "made",
    "was there",
    "deleted",
    "gone already",
    "kept",
    "skipped",
    "missing",
    "declined",
    "failed",
    "stopped",
]


class Step(Struct, frozen=True, kw_only=True):
    """One thing that has to be so, in a way that can be done again."""

    name: str
    why: str
    """As a comment says it."""
    prepare: tuple[Command, ...] = ()
    """What the check needs; run every time."""
    check: Check | None = None
    """Whether it is so already; None where its commands may as well be run again."""
    commands: tuple[Command, ...] = ()
    is_proven: bool = False
    """The check has to hold when the commands have run."""
    asks: str = ""
    """What a person is asked before the commands; empty where nobody need be."""
    is_for_person: bool = False
    """The commands need a value that only a person has: they are named, and not run."""
    otherwise: str = ""
    """What to do where a proven check does not hold."""
    records: tuple[str, ...] = ()
    """Outputs that the last command prints and that are to be recorded."""
    is_removal: bool = False
    """It is so when something is gone."""
    writes: Mapping[str, str] | None = None
    """Files that stand in the tree while this step runs: path -> text."""
    plan_file: str = ""
    """The folder and name of the plan that the check writes: it may hold what nobody should read."""
    may_delete: frozenset[str] | None = None
    """Addresses that the plan may delete; None where a person judges the plan."""
    kept_because: str = ""
    """Why it is left as it is; its commands only look."""
    only_with: str = ""
    """An address that the plan has to update; where it does not, there is nothing to do."""


class Record(Struct, frozen=True, kw_only=True):
    """What became of a step."""

    step: str
    outcome: Outcome
    seconds: float = 0.0
    detail: str = ""
