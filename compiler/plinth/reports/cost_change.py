"""What a change of the spec does to the costs, environment by environment and part by part."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Literal

from plinth.ir.money import CostChange, Monthly

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plinth.reports.cost import EnvironmentCost

_Part = tuple[Literal["pool", "fee"], str]


def cost_changes(
    before: Iterable[EnvironmentCost], after: Iterable[EnvironmentCost]
) -> tuple[CostChange, ...]:
    """Each environment whose costs change, followed by its parts that do; nothing where all stays."""
    old, new = ({each.environment: each for each in some} for some in (before, after))
    return tuple(
        change for name in sorted({*old, *new}) for change in _changes(name, old.get(name), new.get(name))
    )


def _changes(name: str, old: EnvironmentCost | None, new: EnvironmentCost | None) -> Iterator[CostChange]:
    was, now = _parts(old), _parts(new)
    nothing = Monthly()
    parts = [
        CostChange(environment=name, part=key[1], kind=key[0], before=was.get(key), after=now.get(key))
        for key in dict.fromkeys((*was, *now))
        if was.get(key, nothing) != now.get(key, nothing)
    ]
    if parts:
        yield CostChange(
            environment=name,
            part=None,
            kind="environment",
            before=old.total if old else None,
            after=new.total if new else None,
        )
        yield from parts


def _parts(cost: EnvironmentCost | None) -> Mapping[_Part, Monthly]:
    """Pools, then fees by their names; a pool without a price is not there."""
    found: dict[_Part, Monthly] = defaultdict(Monthly)
    if cost is None:
        return found
    for pool in cost.pools:
        if pool.monthly is not None:
            found["pool", pool.pool] += pool.monthly
    for fee in cost.fees:
        found["fee", fee.fee] += fee.monthly
    return dict(found)
