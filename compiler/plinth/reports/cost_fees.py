"""What is paid for beside the machines: compiled things of a kind that has a fee."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec import Struct

from plinth.catalog.fees import Fee, fees
from plinth.ir.money import Monthly
from plinth.ir.patch import parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from plinth.spec.pools import NodePool

HOURS: Final = Decimal(730)
"""Of a month: a twelfth of 365 days."""


class FeeCost(Struct, frozen=True, kw_only=True):
    """One thing that is paid for beside the machines."""

    fee: str
    address: str
    pool: str | None
    monthly: Monthly
    as_of: date


class Thing(NamedTuple):
    """Something compiled that may have a fee."""

    kind: str
    """The type of a Terraform resource, or the kind of a Kubernetes object."""
    address: str
    name: str
    """The resource's name in Terraform."""
    body: Any
    """Plain data, with Terraform's expressions as they are."""


def fee_costs(
    cloud: str, things: Iterable[Thing], pools: Sequence[NodePool], hours: Decimal
) -> Iterator[FeeCost | str]:
    """The fees of what is compiled, and in words what has one that is not known."""
    known = fees(cloud)
    candidates = tuple(things)
    counted: set[tuple[str, str]] = set()
    for fee in known:
        found = [each for each in candidates if each.kind == fee.kind]
        for line in (_fee(fee, each, pools, hours) for each in found):
            if isinstance(line, FeeCost) and line.monthly == Monthly():
                continue
            if isinstance(line, FeeCost) and line.pool is not None:
                # Nodes of one pool may come in two ways, and its numbers are those of both together.
                if (line.fee, line.pool) in counted:
                    continue
                counted.add((line.fee, line.pool))
            yield line
            # What is shared is there once, and any of those that share it stands for it.
            if fee.per == "environment" and isinstance(line, FeeCost):
                break


def spread(
    rate: Callable[[int], Decimal], fewest: int, most: int, hours: Decimal, units: Decimal = Decimal(1)
) -> Monthly:
    """What nodes take in a month if all above the fewest run for `hours` of it.

    `rate` is for a number of nodes and an hour, or for as many hours as `units` says.
    """
    idle, busy = rate(fewest), rate(most)
    return Monthly(
        idle * HOURS / units, (idle * (HOURS - hours) + busy * hours) / units, busy * HOURS / units
    )


def _fee(fee: Fee, thing: Thing, pools: Sequence[NodePool], hours: Decimal) -> FeeCost | str:
    values = [_word(_at(thing.body, pointer)) for pointer in fee.by]
    price, times = fee.price(*values), _times(fee, thing.body)
    if price is None or (times is None and price):
        size = f", {' '.join(filter(None, values))}" if any(values) else ""
        return f"{fee.name}: `{thing.address}`{size}"
    unit_price = price * (times if times is not None else 1)
    name, fewest, most = None, 1, 1
    if fee.per == "node":
        fewest, most = sum(pool.nodes.min for pool in pools), sum(pool.nodes.max for pool in pools)
    elif fee.per == "node of a pool":
        named = thing.name if fee.pool is None else _word(_at(thing.body, fee.pool))
        owner = _owner(named, pools)
        if owner is None:
            return f"{fee.name}: `{thing.address}`, which has no pool's name"
        name, fewest, most = owner.name, owner.nodes.min, owner.nodes.max

    def rate(count: int) -> Decimal:
        return count * unit_price if fee.most is None else min(count * unit_price, fee.most)

    units = HOURS if fee.unit == "month" else Decimal(1)
    monthly = spread(rate, fewest, most, hours, units)
    return FeeCost(fee=fee.name, address=thing.address, pool=name, monthly=monthly, as_of=fee.as_of)


def _owner(named: str, pools: Sequence[NodePool]) -> NodePool | None:
    """The pool of that name, or of what is before a `_`: so two kinds of its nodes are told apart."""
    known = {_letters(pool.name): pool for pool in pools}
    return known.get(_letters(named)) or known.get(_letters(named.partition("_")[0]))


def _letters(name: str) -> str:
    """A name without what clouds and Terraform do not allow in one."""
    return "".join(filter(str.isalnum, name))


def _times(fee: Fee, body: Any) -> Decimal | None:
    if fee.times is None:
        return Decimal(1)
    found = _at(body, fee.times)
    if isinstance(found, list):
        return Decimal(len(found))
    if isinstance(found, str) and found.endswith("Gi"):
        return Decimal(found.removesuffix("Gi"))
    return Decimal(found) if isinstance(found, int) and not isinstance(found, bool) else None


def _at(value: Any, pointer: str) -> Any:
    for part in parts_of(pointer):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _word(value: Any) -> str:
    """A value as a fee's prices name it; what only Terraform can compute has no price."""
    if value is None:
        return ""
    return str(value) if isinstance(value, str | int) else "(computed)"
