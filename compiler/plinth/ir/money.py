"""Money as estimates and comparisons have it: USD a month, exact until it is shown."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

_CENT: Final = Decimal("0.01")
ZERO: Final = Decimal(0)


class Monthly(Struct, frozen=True):
    """What something takes in a month, in USD: `floor <= expected <= ceiling`."""

    floor: Decimal = ZERO
    """Nobody works: every pool has its fewest nodes."""
    expected: Decimal = ZERO
    ceiling: Decimal = ZERO
    """Every pool has its most nodes, all month."""

    def __add__(self, other: Monthly) -> Monthly:
        return Monthly(self.floor + other.floor, self.expected + other.expected, self.ceiling + other.ceiling)


def total(amounts: Iterable[Monthly]) -> Monthly:
    """The sum, which is nothing where there is nothing."""
    return sum(amounts, Monthly())


class CostChange(Struct, frozen=True, kw_only=True):
    """What a part of an environment costs before and after a change of the spec."""

    environment: str
    part: str | None
    """The name of a pool or of a fee; None for the environment as a whole."""
    kind: Literal["environment", "pool", "fee"]
    before: Monthly | None
    """None where it is not there."""
    after: Monthly | None


def cents(amount: Decimal) -> Decimal:
    """An amount as it is shown: rounded once, half to even, and never a negative zero."""
    rounded = amount.quantize(_CENT, ROUND_HALF_EVEN)
    return abs(rounded) if rounded == 0 else rounded
