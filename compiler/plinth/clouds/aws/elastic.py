"""The part of a pool that comes and goes, where Karpenter makes it: a NodePool and an EC2NodeClass.

A node of Karpenter's is what a node of the pool's group would be: the machine that the lock has, the same
labels and taints, the same disk, the same metadata service. What neither kind can say is refused here.

The limit is one of vCPUs: with a single machine it is one of nodes, and Karpenter's scheduler counts by it
what it is about to make. A limit of `nodes` it holds against what is there already, and bursts go past it.

Nothing expires and nothing busy is moved for a newer image: a job that runs for weeks is not ours to end.

Source: Karpenter 1.14, "NodePools", "NodeClasses", "Disruption", and its CRDs;
kubernetes-sigs/karpenter#2915 for limits of `nodes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.aws.found import DISCOVERY
from plinth.clouds.aws.launch import ROOT_DISK, disk_gib
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.pools import is_scarce, scarcity_origins, shape_origins, system_pool, taints
from plinth.ir.said import Said, origins_of, said, text, why
from plinth.ir.targets import Manifest, ObjectKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.catalog.machines import Machine
    from plinth.clouds.aws.names import Names
    from plinth.ir.said import Origin
    from plinth.spec import pools as spec
    from plinth.spec.platform import ComponentSection, Platform

APPLICATION: Final = "karpenter"

OWN_GROUP: Final = "aws:eks:cluster-name"
"""On the security group that EKS makes for control plane and nodes, and on no other."""

IMAGE: Final = "al2023@v20260903"
"""The images that EKS made on one day: for each version of Kubernetes, with and without drivers.

A day that is named here moves no node by itself. Source: amazon-eks-ami, releases.
"""

STAY: Final = "karpenter.sh/do-not-disrupt"
"""On a pod that holds its node."""

IDLE: Final = "10m"
"""For how long a node is empty before it goes: as long as Cluster Autoscaler waits."""

CAPACITY_TYPES: Final = {
    "on-demand": ["on-demand"],
    "spot": ["spot"],
    # Karpenter takes the cheaper one, and the other where there is none of it.
    "spot-then-on-demand": ["on-demand", "spot"],
}

FIRST_WEIGHT: Final = 100


def declared(platform: Platform) -> ComponentSection | None:
    """The section of the component that makes nodes, None where groups have an autoscaler."""
    return platform.component("karpenter")


def fault(pool: spec.NodePool) -> Diagnostic | None:
    """A pool whose nodes Karpenter cannot make, but for those that are always there."""
    if pool.nodes.min == pool.nodes.max:
        return None
    gpu = pool.gpu
    if gpu and gpu.rdma:
        reason, path = "its nodes stand close together, with a network of their own", gpu.said_path("rdma")
    elif gpu and gpu.sharing:
        reason = "it counts whole GPUs, and would make a node for every pod that shares one"
        path = gpu.said_path("sharing")
    elif pool.reservation and not pool.reservation.startswith("cr-"):
        reason, path = "it takes a reservation by its id, `cr-...`", pool.said_path("reservation")
    else:
        return None
    return Diagnostic(
        code="PLN329",
        message=f"Karpenter cannot make the nodes of pool `{pool.name}`: {reason}",
        help="name the id that EC2 shows for the reservation"
        if path[-1] == "reservation"
        else f"keep all nodes: `nodes: {{min: {pool.nodes.max}, max: {pool.nodes.max}}}`; "
        "or leave out `karpenter`, and groups grow by themselves",
        path=path,
        at_key=path[-1] != "reservation",
    )


def manifests(
    pool: spec.NodePool, machine: Machine, labels: Mapping[str, Any], names: Names, platform: Platform
) -> list[Manifest]:
    """What Karpenter makes nodes of a pool by; nothing where all of its nodes are always there."""
    section = declared(platform)
    if section is None or pool.nodes.min == pool.nodes.max:
        return []
    counted = (said(pool.nodes, "min"), said(pool.nodes, "max"))
    origins = (pool.spec_path, *origins_of(counted), section.spec_path)
    return [
        # Removed in the reverse: the class stays until the last node is gone, and Karpenter until then.
        _object("karpenter.k8s.aws", "EC2NodeClass", pool, 1, _node_class(pool, machine, names), origins),
        _object("karpenter.sh", "NodePool", pool, 2, _node_pool(pool, machine, labels, platform), origins),
    ]


def _object(
    group: str, kind: str, pool: spec.NodePool, wave: int, body: dict[str, Any], origins: tuple[Origin, ...]
) -> Manifest:
    annotations = {
        "argocd.argoproj.io/sync-options": "SkipDryRunOnMissingResource=true",
        "argocd.argoproj.io/sync-wave": str(wave),
    }
    return Manifest(
        application=APPLICATION,
        key=ObjectKey(group, kind, "", pool.name),
        body={
            "apiVersion": f"{group}/v1",
            "kind": kind,
            "metadata": {"name": said(pool, "name"), "annotations": annotations},
            "spec": body,
        },
        origins=origins,
    )


def _node_class(pool: spec.NodePool, machine: Machine, names: Names) -> dict[str, Any]:
    body: dict[str, Any] = {
        "amiSelectorTerms": [{"alias": IMAGE}],
        "instanceProfile": names.role("karpenter-nodes"),
        "subnetSelectorTerms": [{"tags": {DISCOVERY: names.cluster}}],
        "securityGroupSelectorTerms": [{"tags": {OWN_GROUP: names.cluster}}],
        "blockDeviceMappings": [
            {
                "deviceName": ROOT_DISK,
                "rootVolume": True,
                "ebs": {
                    "volumeType": "gp3",
                    "volumeSize": Said(f"{disk_gib(machine)}Gi", shape_origins(pool, "aws")),
                    "encrypted": True,
                    "kmsKeyID": names.arn("kms", names.alias("cluster")),
                    "deleteOnTermination": True,
                },
            }
        ],
        # One hop ends at the node: pods have identities of their own and cannot take the node's.
        "metadataOptions": {
            "httpEndpoint": "enabled",
            "httpProtocolIPv6": "disabled",
            "httpPutResponseHopLimit": 1,
            "httpTokens": "required",
        },
        "detailedMonitoring": True,
        "tags": {
            "Name": text(names.platform, "-", said(pool, "name")),
            **names.tags,
        },
    }
    if pool.local_ssd:
        body["instanceStorePolicy"] = said(pool, "local_ssd").map(lambda _: "RAID0")
    if pool.reservation:
        body["capacityReservationSelectorTerms"] = [{"id": said(pool, "reservation")}]
    return body


def _node_pool(
    pool: spec.NodePool, machine: Machine, labels: Mapping[str, Any], platform: Platform
) -> dict[str, Any]:
    shape = shape_origins(pool, "aws")
    capacity = said(pool, "capacity").map(CAPACITY_TYPES.__getitem__)
    if pool.reservation:
        capacity = said(pool, "reservation").map(lambda _: ["reserved"])
    template: dict[str, Any] = {
        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": said(pool, "name")},
        "requirements": [
            _in("karpenter.sh/capacity-type", capacity),
            _in("kubernetes.io/arch", Said([machine.arch], shape)),
            _in("kubernetes.io/os", ["linux"]),
            _in("node.kubernetes.io/instance-type", Said([machine.machine_type], shape)),
        ],
        "expireAfter": "Never",
    }
    if kept_for := taints(pool, machine):
        template["taints"] = kept_for
    body: dict[str, Any] = {
        "template": {"metadata": {"labels": labels}, "spec": template},
        "limits": {"cpu": _vcpus(pool, machine)},
        "disruption": _disruption(pool),
    }
    always = system_pool(platform)
    if always is not None and always.name == pool.name:
        # A pod that asks for no pool goes here, in whatever order Karpenter looks at the others.
        body["weight"] = Said(
            FIRST_WEIGHT, (*said(pool, "name").origins, *why("pods that ask for no pool go to the first"))
        )
    return body


def _in(key: str, values: Any) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": values}


def _vcpus(pool: spec.NodePool, machine: Machine) -> Said:
    """As many vCPUs as the nodes have that are not always there."""
    above = pool.nodes.max - pool.nodes.min
    counted = (said(pool.nodes, "min"), said(pool.nodes, "max"))
    return Said(f"{machine.vcpu * above:.0f}", (*origins_of(counted), *shape_origins(pool, "aws")))


def _disruption(pool: spec.NodePool) -> dict[str, Any]:
    """Empty nodes go, however many; those that a device makes scarce are left to their jobs."""
    budgets: list[dict[str, Any]] = [{"nodes": "100%", "reasons": ["Empty"]}]
    if is_scarce(pool):
        policy = "WhenEmpty"
        budgets.append({"nodes": "0", "reasons": ["Drifted", "Underutilized"]})
    else:
        policy = "WhenEmptyOrUnderutilized"
        budgets.append({"nodes": "1", "reasons": ["Drifted", "Underutilized"]})
    origins = scarcity_origins(pool)
    return {
        "consolidationPolicy": Said(policy, origins),
        "consolidateAfter": IDLE,
        "budgets": [Said(each, origins) for each in budgets],
    }
