"""One table of everything that was measured."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from budgets import Claim
    from timing import Series

_HEAD = ("measure", "median s", "min-max", "MiB", "against", "is", "min-max", "budget", "")
_LEFT = frozenset({0, 4})
"""Columns of words; the others are numbers."""


def table(found: Mapping[str, Series], claims: Iterable[Claim]) -> str:
    """A row for each claim, the seconds of its measure beside the first of them."""
    by_measure = {
        key: list(some)
        for key, some in groupby(sorted(claims, key=lambda each: each.what), lambda each: each.what)
    }
    rows = [_HEAD]
    for key, series in found.items():
        first = (
            key,
            f"{series.median:.3f}",
            f"{min(series.seconds):.3f}-{max(series.seconds):.3f}",
            f"{series.peak_mib:.0f}",
        )
        for each in by_measure.get(key) or [None]:
            rows.append((*first, *(_claim(each) if each else ("",) * 5)))
            first = ("",) * 4
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "  ".join(
            text.ljust(width) if column in _LEFT else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def _claim(claim: Claim) -> tuple[str, ...]:
    many = 100  # from here on decimals say nothing

    def shown(value: float | None) -> str:
        return (
            "" if value is None else f"{value:.0f}" if claim.unit != "x" or value >= many else f"{value:.2f}"
        )

    spread = f"{shown(claim.lowest)}-{shown(claim.highest)}" if claim.lowest is not None else ""
    limit = "" if claim.limit is None else f"{claim.limit:g}{claim.unit}"
    return claim.of, shown(claim.value) + claim.unit, spread, limit, claim.verdict
