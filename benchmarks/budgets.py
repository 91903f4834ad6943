"""What each measure may take, and whether it does: ratios of one run, for seconds depend on the machine.

The budgets are for a machine at rest with two cores. The quick ones are those of CI, whose machines
are noisy: start-up alone rises by a half under load, and everything that is held against the bare
interpreter with it.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from timing import Series


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The most that one measure may take of another."""

    measure: str
    against: str
    limit: float | None = None
    """None where the ratio is shown for scale and nothing is asked of it."""
    quick: float | None = None
    """The limit on a noisy machine; the same where None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A number with its limit."""

    what: str
    of: str
    value: float
    unit: str
    limit: float | None
    lowest: float | None = None
    highest: float | None = None

    @property
    def holds(self) -> bool:
        """Nothing is wrong where nothing is asked."""
        return self.limit is None or self.value <= self.limit

    @property
    def verdict(self) -> str:
        """As the table says it."""
        return "" if self.limit is None else "ok" if self.holds else "OVER"


PASS: Final = "python -c pass"  # noqa: S105 - a command
VERSION: Final = "plinth --version"
MANY: Final = "100 environments"
SOME: Final = "10 environments"
BOUND: Final = "bound"
FEW_POOLS: Final = "4 pools"
MANY_POOLS: Final = "64 pools"
TREES: Final = ("example", "reference")

LIMITS: Final = {"reference": 0.7}
"""Of one value changed to cold. Of the example nothing is asked: starting Python, importing pydantic and
building the spec's types is most of either."""

RATIOS: Final = (
    Budget(measure=VERSION, against=PASS, limit=4.0, quick=6.0),
    *(
        budget
        for tree in TREES
        for budget in (
            Budget(measure=f"{tree}: cold", against=PASS, limit=60.0, quick=90.0),
            Budget(measure=f"{tree}: cold", against=f"{BOUND}: cold"),
            # 0.10 s on a machine where the bare interpreter takes 0.016 s.
            Budget(measure=f"{tree}: nothing changed", against=PASS, limit=6.0, quick=9.0),
            Budget(measure=f"{tree}: nothing changed", against=f"{tree}: cold", limit=0.4, quick=0.5),
            Budget(measure=f"{tree}: nothing changed", against=f"{tree}: kubectl kustomize"),
            Budget(measure=f"{tree}: nothing changed", against=f"{BOUND}: nothing changed"),
            Budget(measure=f"{tree}: cold", against=f"{tree}: cold, not written"),
            Budget(
                measure=f"{tree}: one value changed",
                against=f"{tree}: cold",
                limit=LIMITS.get(tree),
                quick=1.3,
            ),
            Budget(measure=f"{tree}: one value changed", against=f"{tree}: kubectl kustomize"),
            Budget(measure=f"{tree}: diff, nothing changed", against=f"{tree}: cold", limit=1.0, quick=1.5),
            Budget(measure=f"{tree}: diff, nothing changed", against=f"{BOUND}: diff"),
        )
    ),
    Budget(
        measure="example: kubectl, one overlay",
        against="example: kubectl, one ConfigMap",
        limit=1.5,
        quick=2.0,
    ),
    # The example is so small that starting Python and reading the spec is most of it.
    Budget(measure="example: cold", against="example: kubectl kustomize", limit=0.7, quick=1.0),
    Budget(measure="reference: cold", against="reference: kubectl kustomize", limit=0.20, quick=0.30),
    # 10 s, in starts of the bare interpreter.
    Budget(measure=f"{MANY}: cold", against=PASS, limit=600.0, quick=900.0),
    Budget(measure=f"{MANY}: cold", against=f"{SOME}: cold", limit=11.0, quick=13.0),
    Budget(measure=f"{MANY_POOLS}: cold", against=f"{FEW_POOLS}: cold", limit=1.5, quick=1.9),
    Budget(measure=f"{MANY}: nothing changed", against=f"{MANY}: cold", limit=0.1, quick=0.15),
    Budget(measure=f"{MANY}: one value changed", against=f"{MANY}: cold", limit=1.0, quick=1.6),
)

PEAKS: Final[Mapping[str, float]] = {
    "example: cold": 80.0,
    "reference: cold": 80.0,
    f"{MANY}: cold": 200.0,
}
"""MiB."""


def judge(
    found: Mapping[str, Series],
    *,
    quick: bool,
    ratios: Iterable[Budget] = RATIOS,
    peaks: Mapping[str, float] = PEAKS,
) -> tuple[Claim, ...]:
    """Every claim that can be made of what was measured: ratios, then peaks of memory."""
    claims = []
    for budget in ratios:
        if budget.measure in found and budget.against in found:
            values = found[budget.measure].over(found[budget.against])
            limit = budget.quick if quick and budget.quick is not None else budget.limit
            claims.append(
                Claim(
                    what=budget.measure,
                    of=budget.against,
                    value=statistics.median(values),
                    unit="x",
                    limit=limit,
                    lowest=min(values),
                    highest=max(values),
                )
            )
    claims += [
        Claim(what=key, of="peak memory", value=found[key].peak_mib, unit="MiB", limit=limit)
        for key, limit in peaks.items()
        if key in found
    ]
    return tuple(claims)
