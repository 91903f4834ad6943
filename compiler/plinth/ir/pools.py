"""What every cloud does alike for a pool: labels, taints, facts, and what the lock keeps.

Labels and taints of our own are on every pool of every cloud, so that what schedules onto them
never names a cloud.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import PoolFacts
from plinth.ir.said import Because, Said, origins_of, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.catalog.machines import Machine
    from plinth.ir.machine_choice import Chosen
    from plinth.ir.said import Origin
    from plinth.spec import platform as spec
    from plinth.spec.pools import NodePool

POOL_LABEL: Final = "plinth.dev/pool"
CAPACITY_LABEL: Final = "plinth.dev/capacity"
GPU_RESOURCE: Final = "nvidia.com/gpu"

# What a cloud counts on and a device plugin tells the kubelet: both must say the same.
EFA_RESOURCE: Final = "vpc.amazonaws.com/efa"
"""An interface of AWS's fast network. Source: EKS, "Manage EFA devices on Amazon EKS"."""
INFINIBAND_RESOURCE: Final = "rdma/ib"
INFINIBAND_PODS: Final = 63
"""For how many pods of a node its InfiniBand does."""

SPOT: Final = ("spot", "spot-then-on-demand")
"""Capacities that rent what may be taken away again."""


def is_scarce(pool: NodePool) -> bool:
    """Its nodes have a device that is kept for those who ask for it."""
    return pool.gpu is not None or pool.accelerator is not None


def device_resource(pool: NodePool, machine: Machine | None) -> str | None:
    """The resource that a pod asks for to get a device: `nvidia.com/gpu`, `google.com/tpu`, ..."""
    if machine is not None and machine.device_resource:
        return machine.device_resource
    return GPU_RESOURCE if pool.gpu else None


def taints(pool: NodePool, machine: Machine | None) -> list[dict[str, Any]]:
    """Taints of a pool's nodes as Kubernetes writes them; the leaves are `Said`."""
    origins = scarcity_origins(pool)
    if is_scarce(pool):
        key = device_resource(pool, machine) or GPU_RESOURCE
        taint = {"key": key, "value": "present", "effect": "NoSchedule"}
    elif pool.capacity in SPOT:
        taint = {"key": CAPACITY_LABEL, "value": "spot", "effect": "NoSchedule"}
    else:
        return []
    return [{field: Said(value, origins) for field, value in taint.items()}]


def scarcity_origins(pool: NodePool) -> tuple[Origin, ...]:
    """What decides whether a pool's nodes are scarce, and kept for those that ask for them."""
    device = pool.gpu or pool.accelerator
    return (device.spec_path,) if device else said(pool, "capacity").origins


def shape_origins(pool: NodePool, cloud: str) -> tuple[Origin, ...]:
    """What decided a pool's machine: its name on this cloud, or all that was asked of it."""
    if pool.machine and getattr(pool.machine, cloud):
        return said(pool.machine, cloud).origins
    asked = [said(pool, field) for field in ("cpu", "memory", "arch", "local_ssd") if pool.origin(field)]
    for device in (pool.gpu, pool.accelerator):
        if device:
            asked += [said(device, field) for field in type(device).model_fields if device.origin(field)]
    return (
        *origins_of(asked),
        Because(
            "it is the machine that the rule of docs/machines.md picks for this shape, as pinned in the lock"
        ),
    )


def pool_facts(
    pool: NodePool, chosen: Chosen | None, also_tolerates: tuple[Mapping[str, Any], ...] = ()
) -> PoolFacts:
    """How a pod finds the pool's nodes, and what the lock keeps of the choice of their machine.

    `also_tolerates` are tolerations of taints that the cloud puts on by itself.
    """
    machine = chosen.machine if chosen else None
    tolerations = tuple(
        {
            "key": taint["key"],
            "operator": "Equal",
            "value": taint["value"],
            "effect": taint["effect"],
        }
        for taint in taints(pool, machine)
    )
    has_device = is_scarce(pool) or (machine is not None and machine.accelerator_count > 0)
    return PoolFacts(
        labels={POOL_LABEL: said(pool, "name")},
        tolerations=(*tolerations, *also_tolerates),
        gpu_resource=device_resource(pool, machine) or GPU_RESOURCE if has_device else None,
        gpu_model=gpu_model(pool, machine),
        gpu_count=None if machine is None else machine.accelerator_count if machine.is_gpu else 0,
        pin=_pin(chosen) if chosen else None,
    )


def gpu_model(pool: NodePool, machine: Machine | None) -> Said | None:
    """Which GPU a pool's nodes have: what was asked for, or what the chosen machine brings."""
    if pool.gpu is None:
        return None
    if pool.gpu.model:
        return said(pool.gpu, "model")
    return Said(machine.gpu_model, shape_origins(pool, machine.cloud)) if machine else None


def _pin(chosen: Chosen) -> dict[str, Any]:
    """What the lock keeps of a choice, so that a review sees its price."""
    machine = chosen.machine
    pin: dict[str, Any] = {"machine": machine.name}
    if machine.on_demand_usd_h is not None:
        pin["onDemandUsdPerHour"] = str(machine.on_demand_usd_h)
    if machine.as_of is not None:
        pin["pricedOn"] = machine.as_of.isoformat()
    if chosen.runners_up:
        pin["runnersUp"] = [each.name for each in chosen.runners_up]
    return pin


def system_pool_faults(platform: spec.Platform) -> list[Diagnostic]:
    """A cluster needs nodes that are always there and that GPU workloads do not own."""
    if system_pool(platform) is not None:
        return []
    return [
        Diagnostic(
            code="PLN310",
            message="no node pool is always there for the platform's own pods",
            help="add one without GPU, on demand, with `min` of 1 or more: "
            "`{name: system, cpu: 4, memory: 16Gi, nodes: {min: 1, max: 3}}`",
            path=platform.said_path("node_pools"),
            at_key=True,
        )
    ]


def system_pool(platform: spec.Platform) -> NodePool | None:
    """The first pool that is always there for the platform's own pods."""
    for pool in platform.node_pools:
        if not is_scarce(pool) and pool.capacity == "on-demand" and pool.nodes.min > 0:
            return pool
    return None
