"""What a platform costs in a month, as far as its compiled tree and dated list prices can say.

Machines are those that the compile chose, at the prices that the lock pins; only spot prices are the
catalogue's of today. Whatever else has a fee is found among the compiled resources and objects. What has
no known price is named, never guessed. Nothing is rounded here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.catalog.fees import fees
from plinth.catalog.machines import Machine, by_name, machines
from plinth.ir.money import Monthly, total
from plinth.ir.said import settle
from plinth.ir.targets import Base, TerraformResource
from plinth.reports.cost_fees import FeeCost, Thing, fee_costs, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from plinth.ir.graph import Graph
    from plinth.spec.platform import Platform
    from plinth.spec.pools import NodePool

WORKING_HOURS: Final = Decimal(176)
"""Of a month: 22 days of 8 hours."""


class Environment(Struct, frozen=True, kw_only=True):
    """A compiled environment as far as costs go."""

    name: str
    platform: Platform
    pins: Mapping[str, Mapping[str, Any]]
    """By pool: the machine and its price, as the lock has them."""
    graph: Graph
    objects: Iterable[tuple[str, Mapping[str, Any]]]
    """Every Kubernetes object that is at hand, with its address."""


class PoolCost(Struct, frozen=True, kw_only=True):
    """A pool's machines. An amount is None where the price is not known."""

    pool: str
    machine: str
    capacity: str
    fewest: int
    most: int
    on_demand_usd_h: Decimal | None
    spot_usd_h: Decimal | None
    monthly: Monthly | None
    """As the spec wants its capacity."""
    on_demand: Monthly | None
    """If all nodes were on demand."""
    spot: Monthly | None
    """If all nodes were spot machines."""
    priced_on: str | None


class EnvironmentCost(Struct, frozen=True, kw_only=True):
    """What one environment costs."""

    environment: str
    cloud: str
    region: str | None
    """Where the environment is."""
    priced_in: tuple[str, ...]
    """The regions whose machine prices these are; empty where Plinth knows no price of the cloud."""
    pools: tuple[PoolCost, ...]
    fees: tuple[FeeCost, ...]
    not_counted: tuple[str, ...]
    """What is there and has no known price, in words."""

    @property
    def total(self) -> Monthly:
        """All that is counted."""
        return self._total(lambda pool: pool.monthly)

    @property
    def on_demand(self) -> Monthly:
        """All that is counted, were every pool on demand."""
        return self._total(lambda pool: pool.on_demand or pool.monthly)

    @property
    def spot(self) -> Monthly:
        """All that is counted, were every pool of spot machines where those have a price."""
        return self._total(lambda pool: pool.spot or pool.monthly)

    def _total(self, amount: Callable[[PoolCost], Monthly | None]) -> Monthly:
        found = [monthly for pool in self.pools if (monthly := amount(pool)) is not None]
        return total([*found, *(fee.monthly for fee in self.fees)])


def costs(environments: Iterable[Environment], hours: Decimal = WORKING_HOURS) -> tuple[EnvironmentCost, ...]:
    """The costs of environments.

    `hours`, of 730, is how long in a month each node above a pool's fewest is expected to run.
    """
    return tuple(_cost(each, hours) for each in environments)


def _cost(environment: Environment, hours: Decimal) -> EnvironmentCost:
    cloud = environment.platform.cloud.provider
    if not machines(cloud):
        return EnvironmentCost(
            environment=environment.name,
            cloud=cloud,
            region=None,
            priced_in=(),
            pools=(),
            fees=(),
            not_counted=(f"anything: Plinth knows no prices of `{cloud}`",),
        )
    pools = environment.platform.node_pools
    chosen = {pool.name: _machine(cloud, environment.pins.get(pool.name)) for pool in pools}
    counted = tuple(_pool(pool, environment.pins.get(pool.name), chosen[pool.name], hours) for pool in pools)
    lines = list(fee_costs(cloud, _things(environment, {fee.kind for fee in fees(cloud)}), pools, hours))
    unknown = [*_unpriced(counted), *(each for each in lines if isinstance(each, str))]
    if any(base.objects is None for base in environment.graph.of(Base)):
        unknown.append("load balancers of upstreams that Argo CD fetches: their objects are not at hand")
    return EnvironmentCost(
        environment=environment.name,
        cloud=cloud,
        region=getattr(environment.platform.cloud, "region", None),
        priced_in=tuple(sorted({each.region for each in chosen.values() if each})),
        pools=counted,
        fees=tuple(each for each in lines if isinstance(each, FeeCost)),
        not_counted=tuple(dict.fromkeys(unknown)),
    )


def _machine(cloud: str, pin: Mapping[str, Any] | None) -> Machine | None:
    return by_name(cloud, pin["machine"]) if pin else None


def _pool(pool: NodePool, pin: Mapping[str, Any] | None, machine: Machine | None, hours: Decimal) -> PoolCost:
    pinned = pin.get("onDemandUsdPerHour") if pin else None
    on_demand = Decimal(pinned) if pinned is not None else None
    spot = machine.spot_usd_h if machine else None

    def nodes(price: Decimal | None) -> Monthly | None:
        if price is None:
            return None
        return spread(lambda count: count * price, pool.nodes.min, pool.nodes.max, hours)

    return PoolCost(
        pool=pool.name,
        machine=pin["machine"] if pin else "",
        capacity=pool.capacity,
        fewest=pool.nodes.min,
        most=pool.nodes.max,
        on_demand_usd_h=on_demand,
        spot_usd_h=spot,
        monthly=_as_wanted(pool.capacity, nodes(on_demand), nodes(spot)),
        on_demand=nodes(on_demand),
        spot=nodes(spot),
        priced_on=pin.get("pricedOn") if pin else None,
    )


def _as_wanted(capacity: str, on_demand: Monthly | None, spot: Monthly | None) -> Monthly | None:
    match capacity:
        case "spot":
            return spot or on_demand
        case "spot-then-on-demand":
            # Spot while it lasts; a month without any spot machine is the most that it can be.
            if spot is None or on_demand is None:
                return on_demand or spot
            return Monthly(spot.floor, spot.expected, max(spot.ceiling, on_demand.ceiling))
        case _:
            return on_demand


def _unpriced(pools: Iterable[PoolCost]) -> Iterator[str]:
    for pool in pools:
        what = f"of `{pool.machine}`" if pool.machine else "of a machine"
        if pool.monthly is None:
            yield f"pool `{pool.pool}`: the catalogue has no price {what}"
        elif pool.capacity.startswith("spot") and pool.spot is None:
            yield f"what spot saves in pool `{pool.pool}`: the catalogue has no spot price {what}"
        elif pool.capacity == "flex-start":
            yield f"what flex start saves in pool `{pool.pool}`: it is counted on demand"


def _things(environment: Environment, kinds: Collection[str]) -> Iterator[Thing]:
    """What is compiled and of these kinds, which are few among many."""
    for resource in environment.graph.of(TerraformResource):
        if resource.block == "resource" and resource.type in kinds:
            body, _ = settle(resource.arguments)
            yield Thing(resource.type, resource.address, resource.name, body)
    for address, body in environment.objects:
        if body.get("kind") in kinds:
            yield Thing(body["kind"], address, "", body)
