"""Node pools.

The spec counts the nodes of a pool over the whole cluster. GKE's `max_node_count` counts them in
each zone, so every limit here is one of the `total_` kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.catalog.machines import Ask, Choice, Machine, NoMatch, by_name, choose, machines
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.diagnostics.suggest import did_you_mean
from plinth.ir.answers import Answer, PoolFacts
from plinth.ir.said import Because, Expression, Said, origins_of, said
from plinth.ir.targets import TerraformResource
from plinth.spec import platform as spec
from plinth.spec.platform import memory_gib

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.clouds.gcp.names import Names
    from plinth.ir.needs import NodePool
    from plinth.ir.said import Origin
    from plinth.spec import Section

GPU_RESOURCE: Final = "nvidia.com/gpu"
POOL_LABEL: Final = "plinth.dev/pool"
CAPACITY_LABEL: Final = "plinth.dev/capacity"

GPU_TAINT: Final = {"key": GPU_RESOURCE, "value": "present", "effect": "NO_SCHEDULE"}
"""GKE puts the same one on by itself; saying it keeps it ours."""

BOOT_DISK_GB: Final = 100
GPU_BOOT_DISK_GB: Final = 200
"""Images with CUDA are 10 to 20 GB each."""


def answer(need: NodePool, names: Names, pinned: Mapping[str, str]) -> Answer[PoolFacts]:
    """A pool of the machine that its shape asks for, or why there is none."""
    pool = need.pool
    found = _machine(pool, pinned.get(pool.name))
    if isinstance(found, Diagnostic):
        return Answer(facts=_facts(pool, None, ()), diagnostics=(found,))
    machine, runners_up = found
    resource = TerraformResource(
        layer="cluster",
        type="google_container_node_pool",
        name=pool.name,
        arguments={
            "name": said(pool, "name"),
            "project": names.project,
            "location": names.region,
            "cluster": Expression("google_container_cluster.platform.name"),
            "autoscaling": [_limits(pool)],
            "ignore_node_count_changes": True,
            "management": [{"auto_repair": True, "auto_upgrade": True}],
            "upgrade_settings": [_upgrades(pool)],
            "node_config": [_node_config(pool, machine, names)],
            "lifecycle": {"ignore_changes": ["initial_node_count"]},
        },
        origins=(pool.spec_path,),
    )
    return Answer(targets=(resource,), facts=_facts(pool, machine, runners_up))


def system_pool_faults(platform: spec.Platform) -> list[Diagnostic]:
    """A cluster needs nodes that are always there and that GPU workloads do not own."""
    for pool in platform.node_pools:
        if pool.gpu is None and pool.capacity == "on-demand" and pool.nodes.min > 0:
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


def _machine(pool: spec.NodePool, pinned: str | None) -> tuple[Machine, tuple[Machine, ...]] | Diagnostic:
    """The machine and the next best, or why there is none."""
    if pool.machine and pool.machine.gcp:
        named = by_name("gcp", pool.machine.gcp)
        return (named, ()) if named else _unknown_machine(pool.machine)
    if pinned is not None and (machine := by_name("gcp", pinned)) and _fits(pool, machine):
        return machine, ()
    result = choose(
        Ask(
            cloud="gcp",
            gpu_model=pool.gpu.model if pool.gpu else None,
            gpu_count=pool.gpu.count if pool.gpu else None,
            cpu=pool.cpu,
            memory_gib=float(memory_gib(pool.memory)) if pool.memory else None,
            interconnect=pool.gpu.interconnect if pool.gpu else None,
        )
    )
    return (result.machine, result.runners_up) if isinstance(result, Choice) else _no_machine(pool, result)


def _fits(pool: spec.NodePool, machine: Machine) -> bool:
    """True where a pinned machine still is what the pool asks for, whatever the catalogue prefers today."""
    wanted: tuple[str | None, float] = (pool.gpu.model, pool.gpu.count) if pool.gpu else (None, 0)
    memory = float(memory_gib(pool.memory)) if pool.memory else 0
    if pool.gpu and pool.gpu.interconnect not in {None, machine.gpu_interconnect}:
        return False
    has: tuple[str | None, float] = (machine.gpu_model, machine.gpu_count)
    return wanted == has and machine.vcpu >= (pool.cpu or 0) and machine.memory_gib >= memory


def _unknown_machine(machine: spec.Machine) -> Diagnostic:
    known = sorted({row.machine_type for row in machines("gcp")})
    return Diagnostic(
        code="PLN305",
        message=f"the catalogue knows no machine `{machine.gcp}` on Google Cloud",
        help=did_you_mean(
            machine.gcp or "", known, otherwise="ask for a shape instead: `cpu`, `memory`, `gpu`"
        ),
        path=machine.said_path("gcp"),
    )


def _no_machine(pool: spec.NodePool, result: NoMatch) -> Diagnostic:
    near = " or ".join(machine.shape for machine in result.nearest)
    offered = f", only {', '.join(result.offered)}" if result.offered else ""
    section: Section = pool
    field = result.constraint
    if pool.gpu and field in _GPU_FIELDS:
        section, field = pool.gpu, _GPU_FIELDS[field]
    elif field == "memory_gib":
        field = "memory"
    path = section.said_path(field) if field in type(section).model_fields else pool.spec_path
    return Diagnostic(
        code="PLN305",
        message=f"Google Cloud sells no machine with {_asked(pool, result)}{offered}",
        help=f"nearest: {near}" if near else "see the machines in `docs/machines.md`",
        path=path,
    )


_GPU_FIELDS: Final = {"gpu_model": "model", "gpu_count": "count", "interconnect": "interconnect"}


def _asked(pool: spec.NodePool, result: NoMatch) -> str:
    match result.constraint, pool.gpu:
        case "gpu_model", spec.Gpu() as gpu:
            return f"a GPU called `{gpu.model}`"
        case "gpu_count", spec.Gpu() as gpu:
            return f"{gpu.count} GPUs `{gpu.model}`"
        case "interconnect", spec.Gpu() as gpu:
            return f"{gpu.count} GPUs `{gpu.model}` joined by `{gpu.interconnect}`"
        case _:
            return (
                f"{result.constraint.removesuffix('_gib').replace('_', ' ')} of {result.wanted} in this shape"
            )


def _limits(pool: spec.NodePool) -> dict[str, Any]:
    return {
        "total_min_node_count": said(pool.nodes, "min"),
        "total_max_node_count": said(pool.nodes, "max"),
        # GPUs and spot machines are where they are: take them in any zone.
        "location_policy": Said(
            "ANY" if pool.gpu or pool.capacity == "spot" else "BALANCED", _scarcity_origins(pool)
        ),
    }


def _upgrades(pool: spec.NodePool) -> dict[str, Any]:
    # There is no quota for one more GPU node, so one goes before one comes.
    surge, unavailable = (0, 1) if pool.gpu else (1, 0)
    return {"strategy": "SURGE", "max_surge": surge, "max_unavailable": unavailable}


def _node_config(pool: spec.NodePool, machine: Machine, names: Names) -> dict[str, Any]:
    shape = _shape_origins(pool)
    config: dict[str, Any] = {
        "machine_type": Said(machine.machine_type, shape),
        "image_type": "COS_CONTAINERD",
        "service_account": Expression("google_service_account.nodes.email"),
        "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
        "boot_disk": [
            {"disk_type": "pd-balanced", "size_gb": GPU_BOOT_DISK_GB if pool.gpu else BOOT_DISK_GB}
        ],
        # Without this key the provider sees a difference for ever.
        "metadata": {"disable-legacy-endpoints": "true"},
        "shielded_instance_config": [{"enable_integrity_monitoring": True, "enable_secure_boot": True}],
        "workload_metadata_config": [{"mode": "GKE_METADATA"}],
        "gvnic": [{"enabled": True}],
        "gcfs_config": [{"enabled": True}],
        "tags": [names.node_tag],
        "labels": {POOL_LABEL: said(pool, "name"), CAPACITY_LABEL: said(pool, "capacity")},
        "taint": Said(_taints(pool), _scarcity_origins(pool)),
    }
    if pool.capacity == "spot":
        config["spot"] = Said(True, said(pool, "capacity").origins)  # noqa: FBT003 - a leaf's value
    if machine.accelerator:
        config["guest_accelerator"] = [
            {
                "type": Said(machine.accelerator, shape),
                "count": Said(machine.accelerator_count, shape),
                "gpu_driver_installation_config": [{"gpu_driver_version": "DEFAULT"}],
            }
        ]
    return config


def _scarcity_origins(pool: spec.NodePool) -> tuple[Origin, ...]:
    """What decides whether a pool's nodes are scarce, and kept for those that ask for them."""
    return (pool.gpu.spec_path,) if pool.gpu else said(pool, "capacity").origins


def _taints(pool: spec.NodePool) -> list[dict[str, Any]]:
    origins = _scarcity_origins(pool)
    if pool.gpu:
        return [{key: Said(value, origins) for key, value in GPU_TAINT.items()}]
    if pool.capacity == "spot":
        return [{"key": CAPACITY_LABEL, "value": Said("spot", origins), "effect": "NO_SCHEDULE"}]
    return []


def _facts(pool: spec.NodePool, machine: Machine | None, runners_up: tuple[Machine, ...]) -> PoolFacts:
    effects = {"NO_SCHEDULE": "NoSchedule"}
    tolerations = tuple(
        {
            "key": taint["key"],
            "operator": "Equal",
            "value": taint["value"],
            "effect": _effect(taint["effect"], effects),
        }
        for taint in _taints(pool)
    )
    return PoolFacts(
        labels={POOL_LABEL: said(pool, "name")},
        tolerations=tolerations,
        gpu_resource=GPU_RESOURCE if pool.gpu or (machine and machine.accelerator) else None,
        pin=_pin(machine, runners_up) if machine else None,
    )


def _pin(machine: Machine, runners_up: tuple[Machine, ...]) -> dict[str, Any]:
    """What the lock keeps of a choice, so that a review sees its price."""
    pin: dict[str, Any] = {"machine": machine.name}
    if machine.on_demand_usd_h is not None:
        pin["onDemandUsdPerHour"] = str(machine.on_demand_usd_h)
    if machine.as_of is not None:
        pin["pricedOn"] = machine.as_of.isoformat()
    if runners_up:
        pin["runnersUp"] = [each.name for each in runners_up]
    return pin


def _effect(effect: Said | str, effects: Mapping[str, str]) -> Said | str:
    return effect.map(effects.__getitem__) if isinstance(effect, Said) else effects[effect]


def _shape_origins(pool: spec.NodePool) -> tuple[Any, ...]:
    if pool.machine and pool.machine.gcp:
        return said(pool.machine, "gcp").origins
    asked = [said(pool, field) for field in ("cpu", "memory") if pool.origin(field)]
    if pool.gpu:
        asked += [
            said(pool.gpu, field) for field in ("model", "count", "interconnect") if pool.gpu.origin(field)
        ]
    return (
        *origins_of(asked),
        Because(
            "it is the machine that the rule of docs/machines.md picks for this shape, as pinned in the lock"
        ),
    )
