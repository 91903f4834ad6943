"""What GKE refuses in a node pool, said before it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds.gcp.names import LONGEST_POOL, TITLE
from plinth.diagnostics.diagnostic import Diagnostic, Related
from plinth.ir.names import too_long
from plinth.ir.pools import is_scarce
from plinth.ir.said import Said, said
from plinth.spec.rules import missing_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plinth.catalog.machines import Machine
    from plinth.clouds.gcp.names import Names
    from plinth.spec import platform as spec
    from plinth.spec.pools import NodePool

CODE: Final = "PLN326"

NOT_ON_DEMAND: Final = frozenset({"a3-ultragpu-8g", "a4-highgpu-8g"})
"""Rented out of reservations, by flex-start and as spot only. Source: Compute Engine, "GPU machine types"."""


def pool_zone(pool: NodePool, names: Names) -> Said | None:
    """The letter of the one zone that a pool stands in, None where it may have several."""
    if pool.name in names.pool_zones:
        return said(names.pool_zones[pool.name], "zone")
    if len(names.cloud.zones) != 1 or not (pool.reservation or (pool.gpu and pool.gpu.rdma)):
        return None
    zones = said(names.cloud, "zones")
    why_one = said(pool, "reservation") if pool.reservation or not pool.gpu else said(pool.gpu, "rdma")
    return Said(zones.value[0], (*zones.origins, *why_one.origins))


def pool_faults(pool: NodePool, machine: Machine, names: Names) -> Iterator[Diagnostic]:
    """What GKE refuses in one pool."""
    yield from _waiting(pool)
    yield from _zone(pool, names)
    if pool.capacity == "spot-then-on-demand" and len(f"{pool.name}-spot") > LONGEST_POOL:
        yield too_long(f"{pool.name}-spot", LONGEST_POOL, f"a node pool on {TITLE}", pool.said_path("name"))
    if machine.machine_type in NOT_ON_DEMAND and not pool.reservation and pool.capacity == "on-demand":
        yield Diagnostic(
            code=CODE,
            severity="warning",
            message=f"{TITLE} hardly ever gives `{machine.machine_type}` on demand",
            help="name a `reservation`, or take `capacity: flex-start` or `spot`",
            path=pool.spec_path,
            at_key=True,
        )


def pools_faults(platform: spec.Platform, names: Names) -> Iterator[Diagnostic]:
    """What GKE refuses in the pools taken together."""
    pools = {pool.name: pool for pool in platform.node_pools}
    for each in names.cloud.pool_zones:
        if each.name not in pools:
            yield missing_reference("node pool", each.name, pools, each.said_path("name"))
    for pool in platform.node_pools:
        other = pools.get(f"{pool.name}-spot")
        if pool.capacity == "spot-then-on-demand" and other:
            yield Diagnostic(
                code=CODE,
                message=f"node pool `{pool.name}` is two pools on {TITLE}, and `{other.name}` is one of them",
                help="give this pool another name",
                path=other.said_path("name"),
                related=(Related(message=f"node pool `{pool.name}`", path=pool.spec_path),),
            )


def _waiting(pool: NodePool) -> Iterator[Diagnostic]:
    if pool.capacity not in {"queued", "flex-start"}:
        return
    if not is_scarce(pool):
        yield Diagnostic(
            code=CODE,
            message=f"node pool `{pool.name}` is `{pool.capacity}` and has no GPU or TPU to wait for",
            help="take `on-demand` or `spot`: machines without accelerators are there at once",
            path=pool.said_path("capacity"),
        )
    if pool.nodes.min:
        yield Diagnostic(
            code=CODE,
            message=f"node pool `{pool.name}` is `{pool.capacity}` and keeps {pool.nodes.min} nodes",
            help="leave out `min`: such nodes come for a job, and go after a week at the latest",
            path=pool.nodes.said_path("min"),
            related=(Related(message="how they are rented", path=pool.said_path("capacity")),),
        )


def _zone(pool: NodePool, names: Names) -> Iterator[Diagnostic]:
    has_rdma = pool.gpu is not None and pool.gpu.rdma
    if not (pool.reservation or has_rdma) or pool_zone(pool, names):
        return
    yield Diagnostic(
        code=CODE,
        message=f"node pool `{pool.name}` has to stand in one zone, and its zone is not said",
        help=f"say it: `cloud: {{poolZones: [{{name: {pool.name}, zone: a}}]}}`",
        path=pool.said_path("reservation") if pool.reservation else pool.spec_path,
        related=(Related(message="where zones are said", path=names.cloud.said_path("pool_zones")),)
        if names.cloud.pool_zones
        else (),
    )
