"""What the devices of a node need on GKE: drivers, ways to share them, disks, networks.

Source: GKE, "About GPUs", "About GPU sharing strategies", "Plan TPUs", and "Allocate network
resources by using DRANET".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.ir.pools import shape_origins
from plinth.ir.said import Said, said

if TYPE_CHECKING:
    from plinth.catalog.machines import Machine
    from plinth.ir.said import Origin
    from plinth.spec import pools as spec

RDMA_LABEL: Final = "cloud.google.com/gke-networking-dra-driver"
"""Nodes with it have the driver that gives their RDMA networks to pods."""

NETWORKS_OF_OUR_OWN: Final = ("gpudirect-tcpx", "gpudirect-tcpxo")
"""Kinds of RDMA for which GKE makes no networks by itself."""

TPU_TOPOLOGY: Final = {1: "1x1", 4: "2x2", 8: "2x4"}
"""How the chips of one TPU v5e machine are laid out, by their number."""

_HYPERDISK_FAMILIES: Final = frozenset({"a4", "a4x", "c4", "c4a", "c4d", "g4", "n4"})
_HYPERDISK_MACHINES: Final = frozenset({"a3-ultragpu-8g"})

_NEW_GPUS: Final = frozenset({"nvidia-b200", "nvidia-gb200", "nvidia-rtx-pro-6000"})
"""GPUs that the driver which a GKE version has by default may be too old for."""


def boot_disk(machine: Machine) -> str:
    """The kind of disk that the machine boots from; the newest take no persistent disks."""
    is_new = machine.family in _HYPERDISK_FAMILIES or machine.machine_type in _HYPERDISK_MACHINES
    return "hyperdisk-balanced" if is_new else "pd-balanced"


def accelerators(pool: spec.NodePool, machine: Machine, shape: tuple[Origin, ...]) -> dict[str, Any]:
    """The GPUs of a node as a part of its configuration. A TPU's machine says it all by its name."""
    if not (machine.is_gpu and machine.accelerator):
        return {}
    driver = "LATEST" if machine.accelerator in _NEW_GPUS else "DEFAULT"
    gpu: dict[str, Any] = {
        "type": Said(machine.accelerator, shape),
        "count": Said(machine.accelerator_count, shape),
        "gpu_driver_installation_config": [{"gpu_driver_version": Said(driver, shape)}],
    }
    sharing = pool.gpu.sharing if pool.gpu else None
    if sharing and sharing.mig:
        gpu["gpu_partition_size"] = said(sharing, "mig")
    elif sharing:
        field, strategy = ("mps", "MPS") if sharing.mps else ("time_slices", "TIME_SHARING")
        clients = said(sharing, field)
        gpu["gpu_sharing_config"] = [
            {
                "gpu_sharing_strategy": Said(strategy, clients.origins),
                "max_shared_clients_per_gpu": clients,
            }
        ]
    return {"guest_accelerator": [gpu]}


def networks_of_our_own(machine: Machine) -> int:
    """How many networks a machine's GPUs take that GKE does not make by itself."""
    kind, _, networks = (machine.rdma or "").partition(":")
    return int(networks) if kind in NETWORKS_OF_OUR_OWN else 0


def labels_of_gke(pool: spec.NodePool, machine: Machine) -> dict[str, Said]:
    """Labels that GKE puts on by itself and without which it gives a pod none of the devices."""
    if machine.device_resource != "google.com/tpu" or not machine.accelerator:
        return {}
    shape = shape_origins(pool, "gcp")
    topology = TPU_TOPOLOGY.get(machine.accelerator_count)
    labels = {"cloud.google.com/gke-tpu-accelerator": Said(machine.accelerator, shape)}
    if topology:
        labels["cloud.google.com/gke-tpu-topology"] = Said(topology, shape)
    return labels
