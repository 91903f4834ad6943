"""Node pools.

One of them, the first that is always there, is part of the cluster as AKS wants it; the others are
resources of their own. Pools count the nodes of all zones, as the spec does. `spot-then-on-demand`
is two pools of one label. The autoscaler grows the one of spot machines first, and turns to the other where
that one cannot grow.

Source: AKS, "Use AMD GPUs", "Add an Azure Spot node pool"; Azure/AKS, issue 2359, for names of scale sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from plinth.clouds.azure.names import LONGEST_POOL, TITLE, Names
from plinth.diagnostics.diagnostic import Diagnostic, Related
from plinth.ir.answers import Answer, PoolFacts
from plinth.ir.machine_choice import machine_for
from plinth.ir.names import too_long
from plinth.ir.pools import (
    CAPACITY_LABEL,
    GPU_RESOURCE,
    INFINIBAND_PODS,
    INFINIBAND_RESOURCE,
    POOL_LABEL,
    SPOT,
    is_scarce,
    pool_facts,
    scarcity_origins,
    shape_origins,
    system_pool,
    taints,
)
from plinth.ir.said import Expression, Said, said, text
from plinth.ir.targets import TerraformResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.catalog.machines import Machine
    from plinth.ir.needs import NodePool
    from plinth.ir.said import Origin
    from plinth.spec import platform
    from plinth.spec import pools as spec

DISK_GB: Final = 128
GPU_DISK_GB: Final = 256
"""Images with CUDA are 10 to 20 GB each."""
LARGEST_EPHEMERAL_GB: Final = 2040

_TEMPLATE: Final = "k8s.io_cluster-autoscaler_node-template_resources_"
"""Before a resource's name in a tag, with `_` for `/`. Source: Cluster Autoscaler on Azure, "Resources"."""

SPOT_KEY: Final = "kubernetes.azure.com/scalesetpriority"

ON_DEMAND_SUFFIX: Final = "od"
_ROTATION_SUFFIX: Final = "tmp"

MIG_SIZES: Final = {"1": "MIG1g", "2": "MIG2g", "3": "MIG3g", "4": "MIG4g", "7": "MIG7g"}


def answer(
    need: NodePool, names: Names, whole: platform.Platform, pinned: Mapping[str, str]
) -> Answer[PoolFacts]:
    """A pool of the machine that its shape asks for, or why there is none."""
    pool = need.pool
    chosen = machine_for(pool, cloud="azure", title=TITLE, pinned=pinned.get(pool.name))
    tolerations = (_spot_toleration(pool),) if pool.capacity in SPOT else ()
    faults = (*_capacity_faults(pool), *_name_faults(pool), *_mig_faults(pool))
    if isinstance(chosen, Diagnostic):
        return Answer(facts=pool_facts(pool, None, tolerations), diagnostics=(chosen, *faults))
    facts = pool_facts(pool, chosen, tolerations)
    if pool.gpu and pool.gpu.rdma:
        facts = replace(facts, rdma_resource=INFINIBAND_RESOURCE)
    if faults:
        return Answer(facts=facts, diagnostics=faults)
    default = system_pool(whole)
    if default is not None and default.name == pool.name:
        return Answer(facts=facts)  # it is part of the cluster
    made = [_pool(pool, names, chosen.machine, is_spot=pool.capacity in SPOT)]
    if pool.capacity == "spot-then-on-demand":
        made.append(_pool(pool, names, chosen.machine, is_spot=False))
    return Answer(targets=tuple(made), facts=facts)


def default_pool(whole: platform.Platform, names: Names, pinned: Mapping[str, str]) -> dict[str, Any] | None:
    """The pool that is part of the cluster; None where there is none, or no machine for it."""
    pool = system_pool(whole)
    if pool is None:
        return None
    chosen = machine_for(pool, cloud="azure", title=TITLE, pinned=pinned.get(pool.name))
    if isinstance(chosen, Diagnostic):
        return None
    return {
        **_called(_name(pool)),
        **_nodes(pool, names, chosen.machine),
        "type": "VirtualMachineScaleSets",
        "upgrade_settings": [{"max_surge": "33%"}],
        "tags": names.tags,
    }


def spot_first(whole: platform.Platform) -> tuple[Said, ...]:
    """The spot pools of those that take spot machines first, as regular expressions over names of scale sets.

    AKS calls a pool's scale set `aks-POOL-29141059-vmss`, and no pool's name has a `-`.
    """
    return tuple(
        text("^aks-", _name(pool), Said("-", said(pool, "capacity").origins))
        for pool in whole.node_pools
        if pool.capacity == "spot-then-on-demand"
    )


def name_faults(whole: platform.Platform) -> list[Diagnostic]:
    """Pools whose names are one name on Azure, which knows no `-` in them."""
    found: list[Diagnostic] = []
    first: dict[str, spec.NodePool] = {}
    for pool in whole.node_pools:
        for name in _names(pool):
            other = first.setdefault(name, pool)
            if other.name != pool.name:
                found.append(
                    Diagnostic(
                        code="PLN207",
                        message=f"node pools `{other.name}` and `{pool.name}` "
                        f"are both called `{name}` on Azure",
                        help="give one another name: only its letters and digits count there",
                        path=pool.said_path("name"),
                        related=(Related(message="the other one", path=other.said_path("name")),),
                    )
                )
    return found


def _names(pool: spec.NodePool) -> list[str]:
    name = pool.name.replace("-", "")
    return [name, name + ON_DEMAND_SUFFIX] if pool.capacity == "spot-then-on-demand" else [name]


def _name(pool: spec.NodePool, suffix: str = "") -> Said:
    return text(said(pool, "name").map(lambda name: name.replace("-", "")), suffix)


def _called(name: Said) -> dict[str, Said]:
    """What a pool is made of cannot change in place: its nodes move to one of another name and back."""
    kept = LONGEST_POOL - len(_ROTATION_SUFFIX)
    return {
        "name": name,
        "temporary_name_for_rotation": name.map(lambda text: text[:kept] + _ROTATION_SUFFIX),
    }


def _name_faults(pool: spec.NodePool) -> list[Diagnostic]:
    name = _names(pool)[-1]
    if len(name) <= LONGEST_POOL:
        return []
    return [too_long(name, LONGEST_POOL, "a node pool on Azure", pool.said_path("name"))]


def _capacity_faults(pool: spec.NodePool) -> list[Diagnostic]:
    if pool.capacity not in {"queued", "flex-start"}:
        return []
    return [
        Diagnostic(
            code="PLN305",
            message=f"capacity `{pool.capacity}` is rented on Google Cloud only",
            help="take `on-demand`, `spot` or `spot-then-on-demand`; a `reservation` is sure to be there",
            path=pool.said_path("capacity"),
        )
    ]


def _mig_faults(pool: spec.NodePool) -> list[Diagnostic]:
    mig = pool.gpu.sharing.mig if pool.gpu and pool.gpu.sharing else None
    if mig is None or pool.gpu is None or pool.gpu.sharing is None or mig[0] in MIG_SIZES:
        return []
    return [
        Diagnostic(
            code="PLN322",
            message=f"AKS cuts no GPU into instances of `{mig}`",
            help="it knows 1g, 2g, 3g, 4g and 7g",
            path=pool.gpu.sharing.said_path("mig"),
        )
    ]


def _pool(pool: spec.NodePool, names: Names, machine: Machine, *, is_spot: bool) -> TerraformResource:
    suffix = "" if is_spot or pool.capacity == "on-demand" else ON_DEMAND_SUFFIX
    arguments: dict[str, Any] = {
        **_called(_name(pool, suffix)),
        "kubernetes_cluster_id": Expression("azurerm_kubernetes_cluster.platform.id"),
        "mode": "User",
        **_nodes(pool, names, machine, capacity="spot" if is_spot else "on-demand"),
        "node_taints": Said(_taints(pool, machine, is_spot=is_spot), _why_so_rented(pool)),
        **_gpu(pool, machine),
        "lifecycle": {"ignore_changes": ["node_count", "orchestrator_version"]},
        "tags": names.tags | _from_zero(pool, machine),
    }
    capacity = said(pool, "capacity").origins
    if suffix:
        arguments["min_count"] = Said(0, capacity)  # what is always there is spot
    if is_spot:
        arguments |= {
            "priority": Said("Spot", capacity),
            "eviction_policy": Said("Delete", capacity),
            "spot_max_price": Said(-1, capacity),  # up to the price on demand
        }
    else:
        # There is no quota for one more GPU node, so one goes before one comes.
        surge = {"max_unavailable": "1"} if is_scarce(pool) else {"max_surge": "33%"}
        arguments["upgrade_settings"] = Said([surge], _why_so_rented(pool))
    if pool.reservation:
        arguments["capacity_reservation_group_id"] = _reservation(pool, names)
    return TerraformResource(
        layer="cluster",
        type="azurerm_kubernetes_cluster_node_pool",
        name=pool.name if not suffix else f"{pool.name}-on-demand",
        arguments=arguments,
        origins=(pool.spec_path,),
    )


def _reservation(pool: spec.NodePool, names: Names) -> Said:
    """A reservation group by its id, less the first slash, or by its name in the platform's own group."""
    group = said(pool, "reservation")
    if "/" in group.value:
        return text("/", group)
    return names.id_of("Microsoft.Compute/capacityReservationGroups", group)


def _nodes(
    pool: spec.NodePool, names: Names, machine: Machine, *, capacity: str | None = None
) -> dict[str, Any]:
    """What the pool of the cluster and all others say in the same words."""
    shape = shape_origins(pool, "azure")
    label = said(pool, "capacity") if capacity is None else Said(capacity, said(pool, "capacity").origins)
    nodes: dict[str, Any] = {
        "vm_size": Said(machine.machine_type, shape),
        "vnet_subnet_id": names.subnet_id("nodes"),
        "auto_scaling_enabled": True,
        "min_count": said(pool.nodes, "min"),
        "max_count": said(pool.nodes, "max"),
        "os_sku": "Ubuntu",
        **_disk(pool, machine),
        "host_encryption_enabled": True,
        "node_public_ip_enabled": False,
        "max_pods": 110,
        "node_labels": {POOL_LABEL: said(pool, "name"), CAPACITY_LABEL: label},
    }
    # GPUs and spot machines are where they are: a pool that names zones is refused where one has none.
    if names.zones.value and not is_scarce(pool):
        nodes["zones"] = names.zones
    return nodes


def _disk(pool: spec.NodePool, machine: Machine) -> dict[str, Any]:
    """The disk of the system, on the machine's own disks where they have room: faster, and free.

    Pods' scratch space is on the disk of the system, so it is as large as can be where some is asked for.
    """
    origins = (*shape_origins(pool, "azure"), *said(pool, "local_ssd").origins)
    local = machine.local_ssd_gib or 0
    wanted = GPU_DISK_GB if is_scarce(pool) else DISK_GB
    if pool.local_ssd:
        wanted = min(local, LARGEST_EPHEMERAL_GB)
    size = wanted if local >= wanted else DISK_GB if local >= DISK_GB else None
    return {
        "os_disk_type": Said("Ephemeral" if size else "Managed", origins),
        "os_disk_size_gb": Said(size or wanted, origins),
    }


def _from_zero(pool: spec.NodePool, machine: Machine) -> dict[str, Said]:
    """What a node that is not there yet would have, and its machine does not tell the autoscaler.

    The autoscaler takes every GPU for one of NVIDIA's.
    """
    tags: dict[str, Said] = {}
    resource = machine.device_resource
    if resource and resource != GPU_RESOURCE:
        count = Said(str(machine.accelerator_count), shape_origins(pool, "azure"))
        tags[_TEMPLATE + resource.replace("/", "_")] = count
    if pool.gpu and pool.gpu.rdma:
        pods = Said(str(INFINIBAND_PODS), said(pool.gpu, "rdma").origins)
        tags[_TEMPLATE + INFINIBAND_RESOURCE.replace("/", "_")] = pods
    return tags


def _why_so_rented(pool: spec.NodePool) -> tuple[Origin, ...]:
    return (*scarcity_origins(pool), *said(pool, "capacity").origins)


def _spot_toleration(pool: spec.NodePool) -> dict[str, Said]:
    toleration = {"key": SPOT_KEY, "operator": "Equal", "value": "spot", "effect": "NoSchedule"}
    return {key: Said(value, said(pool, "capacity").origins) for key, value in toleration.items()}


def _taints(pool: spec.NodePool, machine: Machine, *, is_spot: bool) -> list[Said]:
    """Ours, and the one that AKS puts on spot nodes by itself: unsaid, it would be a difference for ever."""
    ours = [text(taint["key"], "=", taint["value"], ":", taint["effect"]) for taint in taints(pool, machine)]
    if not is_spot:
        return ours
    return [*ours, Said(f"{SPOT_KEY}=spot:NoSchedule", said(pool, "capacity").origins)]


def _gpu(pool: spec.NodePool, machine: Machine) -> dict[str, Any]:
    if pool.gpu is None:
        return {}
    # AKS has NVIDIA's driver alone, and refuses a pool of other GPUs that would have it install one.
    driver = "Install" if machine.device_resource == GPU_RESOURCE else "None"
    arguments: dict[str, Any] = {"gpu_driver": Said(driver, scarcity_origins(pool))}
    if pool.gpu.sharing and pool.gpu.sharing.mig:
        arguments["gpu_instance"] = said(pool.gpu.sharing, "mig").map(lambda mig: MIG_SIZES[mig[0]])
    return arguments
