"""What a platform pays for beside its machines, with prices on a given day.

A fee belongs to a kind of compiled thing: a type of Terraform resource, or a kind of Kubernetes object.
What its price depends on stands in the thing itself, so nothing here or above knows a cloud. Where no
figure could be verified there is a row without a price, and the thing is named as not counted.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from msgspec import Struct

from plinth.catalog import CatalogError

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA: Final = Path(__file__).parent / "fees.json"

Per = Literal["resource", "node", "node of a pool", "environment"]
Unit = Literal["hour", "month"]


class Fee(Struct, frozen=True, kw_only=True):
    """A price in USD, and of what it is the price."""

    cloud: str
    name: str
    """What it is called in a report: `control plane`."""
    kind: str
    """The type of a Terraform resource, or the kind of a Kubernetes object."""
    per: Per
    """`node`: of the whole cluster. `environment`: once, however many there are."""
    unit: Unit
    by: tuple[str, ...]
    """JSON pointers into the thing: their values, joined by spaces, choose the price."""
    prices: Mapping[str, Decimal]
    """By those values, or by as many of the first as decide; `""` is for a thing that says nothing."""
    times: str | None
    """A JSON pointer to a number that the price is multiplied by, to an amount in Gi, or to a list."""
    pool: str | None
    """A JSON pointer to the name of the pool; None where the resource has the pool's name in Terraform."""
    most: Decimal | None
    """The sum over all nodes is never above this, for each unit."""
    as_of: date
    """The day on which the figure was compared with its source."""
    source: str

    def price(self, *values: str) -> Decimal | None:
        """The price for the values at `by`; None where it is not known."""
        for length in range(len(values), 0, -1):
            found = self.prices.get(" ".join(values[:length]).strip())
            if found is not None:
                return found
        return None if values else self.prices.get("")


def fees(cloud: str) -> tuple[Fee, ...]:
    """The fees of a cloud, in the order in which they are shown; none where none are known.

    Raises:
        CatalogError: the data is broken; the message names the row.
    """
    return _catalogue()[0].get(cloud, ())


def never_counted() -> tuple[str, ...]:
    """What no estimate holds, in words."""
    return _catalogue()[1]


def read_fees(data: Mapping[str, Any]) -> Mapping[str, tuple[Fee, ...]]:
    """The content of the file by cloud, checked.

    Raises:
        CatalogError: a row is broken, or there twice.
    """
    found = [_fee(row) for row in data["fees"]]
    keys = [(each.cloud, each.name, each.kind) for each in found]
    for key in keys:
        if keys.count(key) > 1:
            raise CatalogError(f"fees: {' '.join(key)} is there twice")
    clouds = dict.fromkeys(each.cloud for each in found)
    return {cloud: tuple(each for each in found if each.cloud == cloud) for cloud in clouds}


@cache
def _catalogue() -> tuple[Mapping[str, tuple[Fee, ...]], tuple[str, ...]]:
    data = json.loads(DATA.read_bytes())
    return read_fees(data), tuple(data["notCounted"])


def _fee(row: Mapping[str, Any]) -> Fee:
    place = f"fees: {row.get('cloud')} {row.get('name')}"
    try:
        fee = Fee(
            cloud=row["cloud"],
            name=row["name"],
            kind=row["kind"],
            per=row["per"],
            unit=row["unit"],
            by=tuple(row.get("by", ())),
            prices={key: Decimal(price) for key, price in row["prices"].items()},
            times=row.get("times"),
            pool=row.get("pool"),
            most=Decimal(row["most"]) if "most" in row else None,
            as_of=date.fromisoformat(row["asOf"]),
            source=row["source"],
        )
    except (KeyError, TypeError, ValueError, AttributeError, InvalidOperation) as error:
        raise CatalogError(f"{place}: a field is missing or malformed: {error!r}") from error
    if fee.per not in get_args(Per) or fee.unit not in get_args(Unit):
        raise CatalogError(f"{place}: it is per `{fee.per}` and `{fee.unit}`, which nobody can count")
    if any(not price.is_finite() or price < 0 for price in fee.prices.values()):
        raise CatalogError(f"{place}: a price is below zero or no number")
    return fee
