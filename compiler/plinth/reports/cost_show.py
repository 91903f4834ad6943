"""Costs as a program reads them, as a person does at a terminal, and as Markdown."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from plinth.catalog.fees import never_counted
from plinth.ir.money import Monthly, cents, total
from plinth.reports.cost_fees import HOURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from decimal import Decimal

    from plinth.reports.cost import EnvironmentCost, PoolCost
    from plinth.reports.cost_fees import FeeCost

SCHEMA: Final = "plinth.dev/cost/v1"

_HEAD: Final = (
    "",
    "machine",
    "capacity",
    "nodes",
    "idle floor",
    "expected",
    "ceiling",
    "on demand",
    "on spot",
)
_FIRST_NUMBER: Final = 3
"""From this column on, text stands at the right."""
_UNKNOWN: Final = "-"


def as_json(found: Sequence[EnvironmentCost], hours: Decimal) -> dict[str, Any]:
    """`plinth.dev/cost/v1`. Amounts are texts, so that no reader rounds them."""
    return {
        "schema": SCHEMA,
        "currency": "USD",
        "per": "month",
        "hours": {"month": int(HOURS), "working": f"{hours:f}"},
        "environments": [_environment_json(each) for each in found],
        "total": _all(found),
        "notCounted": list(never_counted()),
    }


def as_text(found: Sequence[EnvironmentCost], hours: Decimal) -> str:
    """A table for each environment, and what the figures mean."""
    blocks = [[_title(each), *_aligned(_rows(each)), *_remarks(each)] for each in found]
    if len(found) > 1:
        blocks.append([_together(found)])
    blocks.append([*_meaning(hours), "not counted:", *(f"  {each}" for each in never_counted())])
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def as_markdown(found: Sequence[EnvironmentCost], hours: Decimal) -> str:
    """The same as Markdown."""
    blocks: list[list[str]] = []
    for each in found:
        blocks.append([f"### {_title(each)}"])
        rows = [[cell.replace("|", "\\|") for cell in row] for row in _rows(each)]
        if rows:
            rule = ["-"] * _FIRST_NUMBER + ["-:"] * (len(_HEAD) - _FIRST_NUMBER)
            blocks.append([f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:])])
        blocks.append([f"- {each.strip()}" for each in _remarks(each)])
    if len(found) > 1:
        blocks.append([_together(found)])
    blocks += [_meaning(hours), ["Not counted:"], [f"- {each}" for each in never_counted()]]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _title(cost: EnvironmentCost) -> str:
    place = f", {cost.region}" if cost.region else ""
    return f"{cost.environment} ({cost.cloud}{place}), USD a month"


def _rows(cost: EnvironmentCost) -> list[list[str]]:
    """The head, a row for each pool and each fee, the total; nothing where nothing has a price."""
    if not cost.priced_in and not cost.pools and not cost.fees:
        return []
    rows = [list(_HEAD), *(_pool_row(pool) for pool in cost.pools)]
    for fee, lines in _by_fee(cost.fees).items():
        amount = total(each.monthly for each in lines)
        rows.append([fee, "", "", "", *_three(amount), _money(amount.expected), _money(amount.expected)])
    last = [_money(cost.on_demand.expected), _money(cost.spot.expected)]
    return [*rows, ["total", "", "", "", *_three(cost.total), *last]]


def _by_fee(fees: Iterable[FeeCost]) -> dict[str, list[FeeCost]]:
    found: dict[str, list[FeeCost]] = defaultdict(list)
    for each in fees:
        found[each.fee].append(each)
    return found


def _pool_row(pool: PoolCost) -> list[str]:
    kinds = [_money(each.expected) if each else _UNKNOWN for each in (pool.on_demand, pool.spot)]
    amounts = _three(pool.monthly) if pool.monthly else [_UNKNOWN] * 3
    return [
        pool.pool,
        pool.machine or _UNKNOWN,
        pool.capacity,
        f"{pool.fewest}..{pool.most}",
        *amounts,
        *kinds,
    ]


def _three(amount: Monthly) -> list[str]:
    return [_money(each) for each in (amount.floor, amount.expected, amount.ceiling)]


def _money(amount: Decimal) -> str:
    return f"{cents(amount):,}"


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.rjust(width) if index >= _FIRST_NUMBER else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield f"  {'  '.join(cells)}".rstrip()


def _remarks(cost: EnvironmentCost) -> list[str]:
    """Whose prices these are, how old, and what is there without one."""
    said = []
    if cost.priced_in:
        where = " and ".join(cost.priced_in)
        elsewhere = f"; this environment is in {cost.region}" if {cost.region} - set(cost.priced_in) else ""
        said.append(f"  list prices of {where}{_dates(cost)}{elsewhere}")
    return said + [f"  not counted: {each}" for each in cost.not_counted]


def _dates(cost: EnvironmentCost) -> str:
    parts = [("machines", _machine_dates(cost)), ("fees", _fee_dates(cost))]
    return "".join(f", {what} as of {' and '.join(dates)}" for what, dates in parts if dates)


def _machine_dates(cost: EnvironmentCost) -> list[str]:
    return sorted({pool.priced_on for pool in cost.pools if pool.priced_on})


def _fee_dates(cost: EnvironmentCost) -> list[str]:
    return sorted({fee.as_of.isoformat() for fee in cost.fees})


def _together(found: Iterable[EnvironmentCost]) -> str:
    floor, expected, ceiling = _three(total(each.total for each in found))
    return f"together: idle floor {floor}, expected {expected}, ceiling {ceiling}"


def _meaning(hours: Decimal) -> list[str]:
    return [
        f"idle floor: every pool has its fewest nodes, {HOURS} hours a month",
        f"expected: and each node above those runs {hours:f} of them (`--hours`)",
        "ceiling: every pool has its most nodes, all month",
        "on demand, on spot: what is expected, if all nodes were of that kind",
    ]


def _environment_json(cost: EnvironmentCost) -> dict[str, Any]:
    return {
        "environment": cost.environment,
        "cloud": cost.cloud,
        "region": cost.region,
        "prices": {
            "regions": list(cost.priced_in),
            "machinesAsOf": _machine_dates(cost),
            "feesAsOf": _fee_dates(cost),
        },
        "pools": [_pool_json(each) for each in cost.pools],
        "fees": [
            {"fee": each.fee, "address": each.address, "pool": each.pool, **_amounts(each.monthly)}
            for each in cost.fees
        ],
        "total": _all((cost,)),
        "notCounted": list(cost.not_counted),
    }


def _pool_json(pool: PoolCost) -> dict[str, Any]:
    return {
        "pool": pool.pool,
        "machine": pool.machine or None,
        "capacity": pool.capacity,
        "nodes": {"min": pool.fewest, "max": pool.most},
        "usdPerHour": {
            "onDemand": None if pool.on_demand_usd_h is None else str(pool.on_demand_usd_h),
            "spot": None if pool.spot_usd_h is None else str(pool.spot_usd_h),
        },
        **_amounts(pool.monthly),
        "onDemand": _amounts(pool.on_demand),
        "spot": _amounts(pool.spot),
    }


def _all(found: Sequence[EnvironmentCost]) -> dict[str, Any]:
    return {
        **_amounts(total(each.total for each in found)),
        "onDemand": _amounts(total(each.on_demand for each in found)),
        "spot": _amounts(total(each.spot for each in found)),
    }


def _amounts(amount: Monthly | None) -> dict[str, str | None]:
    """The three amounts, each None where the price is not known."""
    names = ("floor", "expected", "ceiling")
    return {name: None if amount is None else str(cents(getattr(amount, name))) for name in names}
