"""What a change costs, as a program reads it and as a person does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.ir.money import Monthly, cents, total

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plinth.ir.money import CostChange

TITLE: Final = "Cost, USD a month"
_WORDS: Final = {"floor": "idle floor", "expected": "expected", "ceiling": "ceiling"}


def costs_json(changes: Iterable[CostChange]) -> dict[str, Any]:
    """The `cost` of the contract: `{}` where nothing changes. Amounts are texts, so that none is rounded."""
    environments: list[dict[str, Any]] = []
    wholes: list[CostChange] = []
    for each in changes:
        if each.part is None:
            wholes.append(each)
            environments.append({"environment": each.environment, **_amounts(each), "pools": [], "fees": []})
        else:
            environments[-1][f"{each.kind}s"].append({each.kind: each.part, **_amounts(each)})
    if not wholes:
        return {}
    before, after = _sums(wholes)
    return {
        "currency": "USD",
        "per": "month",
        "environments": environments,
        "total": _three(before, after),
    }


def cost_lines(changes: Iterable[CostChange]) -> Iterator[str]:
    """A line for each environment, marked as other changes are, and for each part that changes in it."""
    wholes: list[CostChange] = []
    for each in changes:
        if each.part is None:
            wholes.append(each)
            mark = "+" if each.before is None else "-" if each.after is None else "~"
            yield f"{mark} {each.environment}: {_shown(each.before, each.after)}"
        else:
            yield f"    {each.part}: {_shown(each.before, each.after, is_part=True)}"
    if len(wholes) > 1:
        yield f"  together: {_shown(*_sums(wholes))}"


def _sums(wholes: Iterable[CostChange]) -> tuple[Monthly, Monthly]:
    found = tuple(wholes)
    return total(each.before or Monthly() for each in found), total(each.after or Monthly() for each in found)


def _amounts(change: CostChange) -> dict[str, Any]:
    return _three(change.before or Monthly(), change.after or Monthly())


def _three(before: Monthly, after: Monthly) -> dict[str, Any]:
    return {
        name: {
            "before": str(cents(getattr(before, name))),
            "after": str(cents(getattr(after, name))),
            "change": str(cents(getattr(after, name) - getattr(before, name))),
        }
        for name in _WORDS
    }


def _shown(before: Monthly | None, after: Monthly | None, *, is_part: bool = False) -> str:
    """The amounts that change, and of a whole environment the others too."""
    said = []
    for name, words in _WORDS.items():
        was, now = (getattr(each or Monthly(), name) for each in (before, after))
        if was != now:
            said.append(f"{words} {cents(was):,} -> {cents(now):,} ({cents(now - was):+,})")
        elif not is_part:
            said.append(f"{words} {cents(now):,}")
    return ", ".join(said)
