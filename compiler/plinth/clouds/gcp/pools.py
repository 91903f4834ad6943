"""Node pools.

The spec counts the nodes of a pool over the whole cluster. GKE's `max_node_count` counts them in
each zone, so every limit here is one of the `total_` kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.gcp.names import TITLE
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import Answer, PoolFacts
from plinth.ir.machine_choice import machine_for
from plinth.ir.pools import (
    CAPACITY_LABEL,
    POOL_LABEL,
    pool_facts,
    scarcity_origins,
    shape_origins,
    taints,
)
from plinth.ir.said import Expression, Said, said
from plinth.ir.targets import TerraformResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.catalog.machines import Machine
    from plinth.clouds.gcp.names import Names
    from plinth.ir.needs import NodePool
    from plinth.spec import pools as spec

BOOT_DISK_GB: Final = 100
GPU_BOOT_DISK_GB: Final = 200
"""Images with CUDA are 10 to 20 GB each."""


def answer(need: NodePool, names: Names, pinned: Mapping[str, str]) -> Answer[PoolFacts]:
    """A pool of the machine that its shape asks for, or why there is none."""
    pool = need.pool
    chosen = machine_for(pool, cloud="gcp", title=TITLE, pinned=pinned.get(pool.name))
    if isinstance(chosen, Diagnostic):
        return Answer(facts=pool_facts(pool, None), diagnostics=(chosen,))
    machine = chosen.machine
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
    return Answer(targets=(resource,), facts=pool_facts(pool, chosen))


def _limits(pool: spec.NodePool) -> dict[str, Any]:
    return {
        "total_min_node_count": said(pool.nodes, "min"),
        "total_max_node_count": said(pool.nodes, "max"),
        # GPUs and spot machines are where they are: take them in any zone.
        "location_policy": Said(
            "ANY" if pool.gpu or pool.capacity == "spot" else "BALANCED", scarcity_origins(pool)
        ),
    }


def _upgrades(pool: spec.NodePool) -> dict[str, Any]:
    # There is no quota for one more GPU node, so one goes before one comes.
    surge, unavailable = (0, 1) if pool.gpu else (1, 0)
    return {"strategy": "SURGE", "max_surge": surge, "max_unavailable": unavailable}


def _node_config(pool: spec.NodePool, machine: Machine, names: Names) -> dict[str, Any]:
    shape = shape_origins(pool, "gcp")
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
        "taint": Said(_taints(pool, machine), scarcity_origins(pool)),
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


def _taints(pool: spec.NodePool, machine: Machine) -> list[dict[str, Any]]:
    """GKE puts the taint of GPUs on by itself; saying it keeps it ours."""
    return [{**taint, "effect": taint["effect"].map(_EFFECTS.__getitem__)} for taint in taints(pool, machine)]


_EFFECTS: Final = {"NoSchedule": "NO_SCHEDULE"}
