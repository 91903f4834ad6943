"""Tree against tree: what a change of the spec does to the platform, before anybody merges it.

Three trees are compared. What is committed (T0) against what its own spec compiles to today (T1) is the
compiler's doing; T1 against what the spec at hand compiles to (T2) is the person's.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from plinth.plan.causes import Causes
from plinth.plan.changes import Cause, Change, changes
from plinth.plan.fields import ABSENT, ORDER, FieldChange, compare, item
from plinth.plan.masks import masked
from plinth.plan.tree import Tree, UnreadableFile
from plinth.text.nodes import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.ir.money import CostChange
    from plinth.text.nodes import Node
    from plinth.text.spans import SpecPath

__all__ = [
    "ABSENT",
    "Change",
    "Diff",
    "FieldChange",
    "SpecChange",
    "Tree",
    "UnreadableFile",
    "diff",
    "spec_changes",
]


class SpecChange(Struct, frozen=True, kw_only=True):
    """A part of the spec that somebody changed, its values fit to be shown."""

    path: SpecPath
    before: Any
    after: Any


class Diff(Struct, frozen=True, kw_only=True):
    """All that changes, the person's doing and what is none of it."""

    spec: tuple[SpecChange, ...]
    changes: tuple[Change, ...]
    """Sorted; those of the spec first."""
    cost: tuple[CostChange, ...] = ()
    """What that does to the costs; empty where they stay, and where nobody knows what they were."""

    @property
    def is_empty(self) -> bool:
        """Whether a compile would leave everything as it is committed."""
        return not (self.spec or self.changes)


def diff(
    committed: Tree,
    base: Tree,
    wanted: Tree,
    *,
    spec: Iterable[SpecChange],
    due: Cause,
    names: frozenset[str] = frozenset(),
) -> Diff:
    """What the three trees differ in; `due` says whose doing it is where the first two do.

    Raises:
        UnreadableFile: a file of a tree that has changed is not what any compile writes.
    """
    said = tuple(spec)
    own = changes(base, wanted, "spec", Causes(tuple(each.path for each in said)), names)
    others = changes(committed, base, due, Causes(()), names)
    return Diff(spec=said, changes=(*own, *others))


def spec_changes(before: Node | None, after: Node | None) -> tuple[SpecChange, ...]:
    """What was changed in the spec. The order of keys and of named items means nothing."""
    found: dict[SpecPath, SpecChange] = {}
    old, new = (plain(each) if each is not None else {} for each in (before, after))
    for change in compare(old, new):
        if change.way and change.way[-1] == ORDER:
            continue
        steps = tuple(itertools.takewhile(lambda step: isinstance(step, str), change.way))
        if steps != change.way:
            # An item without a name has no path of its own: its list has changed.
            change = replace(change, way=steps, before=_at(old, steps), after=_at(new, steps))  # noqa: PLW2901
        shown = masked(change, is_secret=False)
        path = tuple(_name(step) for step in steps)
        found[path] = SpecChange(path=path, before=shown.before, after=shown.after)
    return tuple(found[path] for path in sorted(found))


def _name(step: str | int) -> str:
    """The part of a path of the spec: a named item by its name."""
    text = str(step)
    is_item = text.startswith("[name=") and text.endswith("]")
    return text.removeprefix("[name=")[:-1] if is_item else text


def _at(value: Any, steps: Iterable[str | int]) -> Any:
    for step in steps:
        if isinstance(value, list):
            value = next((each for each in value if item(each["name"]) == step), ABSENT)
        elif isinstance(value, dict):
            value = value.get(step, ABSENT)
    return value
