"""Node pools. Their limits count nodes of the whole cluster, as the spec does, not of each zone.

`spot-then-on-demand` is two pools that pods cannot tell apart. GKE's autoscaler grows the cheapest
pool that a waiting pod fits into, and knows that spot nodes are cheaper; where there are none it backs
off for a while and grows the other. Each may grow to the pool's `max`.

Source: GKE, "About cluster autoscaling"; google_container_node_pool of the google provider.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from plinth.clouds.gcp import devices
from plinth.clouds.gcp.disks import machine_and_disks
from plinth.clouds.gcp.gpu_networks import node_networks
from plinth.clouds.gcp.names import grant
from plinth.clouds.gcp.pool_faults import pool_faults, pool_zone
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import Answer, NodeNetwork, PoolFacts
from plinth.ir.pools import (
    CAPACITY_LABEL,
    POOL_LABEL,
    SPOT,
    is_scarce,
    pool_facts,
    scarcity_origins,
    shape_origins,
    taints,
)
from plinth.ir.said import Expression, Origin, Said, said
from plinth.ir.targets import TerraformResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.catalog.machines import Machine
    from plinth.clouds.gcp.disks import LocalDisks
    from plinth.clouds.gcp.names import Names
    from plinth.ir.needs import NodePool
    from plinth.spec import pools as spec

BOOT_DISK_GB: Final = 100
GPU_BOOT_DISK_GB: Final = 200
"""Images with CUDA are 10 to 20 GB each."""

LONGEST_RUN: Final = "604800s"
"""A week: for as long as flex-start nodes are given. Source: GKE, "About flex-start"."""

WAITING: Final = ("queued", "flex-start")
"""Capacities that the Dynamic Workload Scheduler gives."""

SPOT_SUFFIX: Final = "-spot"
"""Behind the name of the pool that is tried first; the other one has the pool's own name."""

QUEUED_LABEL: Final = "cloud.google.com/gke-queued"

_EFFECTS: Final = {"NoSchedule": "NO_SCHEDULE"}


class Group(Struct, frozen=True, kw_only=True):
    """A node pool of GKE: one for a pool of the spec, or two."""

    name: Said
    is_spot: bool
    least: int | Said


def answer(need: NodePool, names: Names, pinned: Mapping[str, str]) -> Answer[PoolFacts]:
    """A pool of the machine that its shape asks for, or why there is none."""
    pool = need.pool
    found = machine_and_disks(pool, pinned.get(pool.name))
    if isinstance(found, Diagnostic):
        return Answer(facts=pool_facts(pool, None), diagnostics=(found,))
    chosen, disks = found
    machine = chosen.machine
    facts = pool_facts(pool, chosen, _added_by_gke(pool, machine))
    labels = devices.labels_of_gke(pool, machine)
    return Answer(
        targets=tuple(_resource(group, pool, machine, disks, names) for group in _groups(pool)),
        facts=replace(facts, labels={**facts.labels, **labels}, networks=_networks(pool, machine, names)),
        diagnostics=tuple(pool_faults(pool, machine, names)),
    )


def _groups(pool: spec.NodePool) -> tuple[Group, ...]:
    name, least = said(pool, "name"), said(pool.nodes, "min")
    if pool.capacity != "spot-then-on-demand":
        return (Group(name=name, is_spot=pool.capacity == "spot", least=least),)
    capacity = said(pool, "capacity")
    spot_name = Said(f"{name.value}{SPOT_SUFFIX}", (*name.origins, *capacity.origins))
    return (
        Group(name=name, is_spot=False, least=0),
        Group(name=spot_name, is_spot=True, least=least),
    )


def _resource(
    group: Group, pool: spec.NodePool, machine: Machine, disks: LocalDisks | None, names: Names
) -> TerraformResource:
    # Nodes of these are taken away in the end anyway, and GKE replaces none of them under a job.
    waits = pool.capacity in WAITING
    arguments: dict[str, Any] = {
        "name": group.name,
        "project": names.project,
        "location": names.region,
        "cluster": Expression("google_container_cluster.platform.name"),
        "autoscaling": [_limits(group, pool)],
        "ignore_node_count_changes": True,
        "management": [
            {
                "auto_repair": Said(False, said(pool, "capacity").origins) if waits else True,  # noqa: FBT003 - a leaf's value
                "auto_upgrade": True,
            }
        ],
        "node_config": [_node_config(group, pool, machine, disks, names)],
        "depends_on": [grant("disks")],
        "lifecycle": {"ignore_changes": ["initial_node_count"]},
    }
    if not waits:
        arguments["upgrade_settings"] = [_upgrades(pool)]
    if is_scarce(pool) and not (waits or group.is_spot):
        # A window ends before a training run does. New nodes are of the pool's version until Kubernetes
        # ends its support, or until somebody upgrades the pool while it is empty.
        lasts = Said(True, (*scarcity_origins(pool), *said(pool, "capacity").origins))  # noqa: FBT003 - a leaf's value
        arguments["maintenance_policy"] = [{"exclusion_until_end_of_support": [{"enabled": lasts}]}]
    return TerraformResource(
        layer="cluster",
        type="google_container_node_pool",
        name=group.name.value,
        arguments=arguments | _place(pool, machine, names),
        origins=(pool.spec_path,),
    )


def _limits(group: Group, pool: spec.NodePool) -> dict[str, Any]:
    is_anywhere = is_scarce(pool) or pool.capacity in SPOT
    return {
        "total_min_node_count": group.least,
        "total_max_node_count": said(pool.nodes, "max"),
        # GPUs and spot machines are where they are: take them in any zone.
        "location_policy": Said("ANY" if is_anywhere else "BALANCED", scarcity_origins(pool)),
    }


def _upgrades(pool: spec.NodePool) -> Said:
    # There is no quota for one more GPU node, so one goes before one comes.
    surge, unavailable = (0, 1) if is_scarce(pool) else (1, 0)
    origins = (*scarcity_origins(pool), *said(pool, "capacity").origins)
    return Said({"strategy": "SURGE", "max_surge": surge, "max_unavailable": unavailable}, origins)


def _networks(pool: spec.NodePool, machine: Machine, names: Names) -> tuple[NodeNetwork, ...]:
    """Those beside the nodes' own that are made for the pool's GPUs."""
    if not (pool.gpu and pool.gpu.rdma):
        return ()
    return node_networks(names, devices.networks_of_our_own(machine))


def _place(pool: spec.NodePool, machine: Machine, names: Names) -> dict[str, Any]:
    """Where nodes stand, how near to each other, and how they are come by."""
    arguments: dict[str, Any] = {}
    zone = pool_zone(pool, names)
    if zone:
        arguments["node_locations"] = [names.zone(zone)]
    if pool.capacity == "queued":
        arguments["queued_provisioning"] = [{"enabled": Said(True, said(pool, "capacity").origins)}]  # noqa: FBT003 - a leaf's value
    if pool.gpu and pool.gpu.rdma:
        origins = said(pool.gpu, "rdma").origins
        own = [
            {
                "network": Said(each.network.value, (*each.network.origins, *origins)),
                "subnetwork": Said(each.subnetwork.value, (*each.subnetwork.origins, *origins)),
            }
            for each in _networks(pool, machine, names)
        ]
        arguments["network_config"] = [
            {"additional_node_network_configs": own}
            if own
            else {"accelerator_network_profile": Said("auto", origins)}
        ]
        # The blocks of a reservation are near to each other already, and a queue finds its own place.
        if not pool.reservation and pool.capacity != "queued":
            near = (*origins, *said(pool, "reservation").origins, *said(pool, "capacity").origins)
            arguments["placement_policy"] = [{"type": Said("COMPACT", near)}]
    return arguments


def _node_config(
    group: Group, pool: spec.NodePool, machine: Machine, disks: LocalDisks | None, names: Names
) -> dict[str, Any]:
    shape = shape_origins(pool, "gcp")
    config: dict[str, Any] = {
        "machine_type": Said(machine.machine_type, shape),
        "image_type": "COS_CONTAINERD",
        "service_account": Expression("google_service_account.nodes.email"),
        "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
        "boot_disk": [
            {
                "disk_type": Said(devices.boot_disk(machine), shape),
                "size_gb": GPU_BOOT_DISK_GB if is_scarce(pool) else BOOT_DISK_GB,
            }
        ],
        "boot_disk_kms_key": names.key_of_disks,
        # Without this key the provider sees a difference for ever.
        "metadata": {"disable-legacy-endpoints": "true"},
        "shielded_instance_config": [{"enable_integrity_monitoring": True, "enable_secure_boot": True}],
        "workload_metadata_config": [{"mode": "GKE_METADATA"}],
        "gvnic": [{"enabled": True}],
        "gcfs_config": [{"enabled": True}],
        "tags": [names.node_tag],
        "labels": _labels(pool, machine),
        "taint": Said(_taints(pool, machine), scarcity_origins(pool)),
    }
    if disks:
        config["ephemeral_storage_local_ssd_config"] = [{"local_ssd_count": disks.said(pool)}]
    return config | devices.accelerators(pool, machine, shape) | _rent(group, pool)


def _rent(group: Group, pool: spec.NodePool) -> dict[str, Any]:
    """How a node is paid for."""
    capacity = said(pool, "capacity").origins
    config: dict[str, Any] = {}
    if group.is_spot:
        config["spot"] = Said(True, capacity)  # noqa: FBT003 - a leaf's value
    if pool.capacity == "flex-start":
        config["flex_start"] = Said(True, capacity)  # noqa: FBT003 - a leaf's value
        config["max_run_duration"] = Said(LONGEST_RUN, capacity)
    if pool.capacity in WAITING:
        affinity = {"consume_reservation_type": Said("NO_RESERVATION", capacity)}
        config["reservation_affinity"] = [affinity]
    if pool.reservation:
        reservation = said(pool, "reservation")
        affinity = {
            "consume_reservation_type": Said("SPECIFIC_RESERVATION", reservation.origins),
            "key": Said("compute.googleapis.com/reservation-name", reservation.origins),
            "values": Said([reservation.value], reservation.origins),
        }
        config["reservation_affinity"] = [affinity]
    return config


def _labels(pool: spec.NodePool, machine: Machine) -> dict[str, Any]:
    capacity = said(pool, "capacity")
    labels: dict[str, Any] = {POOL_LABEL: said(pool, "name"), CAPACITY_LABEL: capacity}
    if pool.capacity == "queued":
        labels[QUEUED_LABEL] = Said("true", capacity.origins)
    if pool.gpu and pool.gpu.rdma and not devices.networks_of_our_own(machine):
        labels[devices.RDMA_LABEL] = Said("true", said(pool.gpu, "rdma").origins)
    return labels


def _taints(pool: spec.NodePool, machine: Machine) -> list[dict[str, Any]]:
    """GKE puts the taint of GPUs and TPUs on by itself; saying it keeps it ours."""
    return [{**taint, "effect": taint["effect"].map(_EFFECTS.__getitem__)} for taint in taints(pool, machine)]


def _added_by_gke(pool: spec.NodePool, machine: Machine) -> tuple[Mapping[str, Any], ...]:
    """Tolerations of the taints that GKE puts on, and that nobody else could say."""
    found: list[dict[str, Any]] = []
    if machine.arch == "arm64":
        found.append(_toleration("kubernetes.io/arch", "arm64", shape_origins(pool, "gcp")))
    if pool.capacity == "queued":
        found.append(_toleration(QUEUED_LABEL, "true", said(pool, "capacity").origins))
    return tuple(found)


def _toleration(key: str, value: str, origins: tuple[Origin, ...]) -> dict[str, Any]:
    toleration = {"key": key, "operator": "Equal", "value": value, "effect": "NoSchedule"}
    return {field: Said(each, origins) if field != "operator" else each for field, each in toleration.items()}
