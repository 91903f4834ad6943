"""Node pools: managed node groups, each with a launch template of ours.

A pool that takes spot machines first is two groups, for a group has one way of renting. The number of
nodes is the autoscaler's: it finds the groups by tags, and what a node of an empty group would have
by tags as well.

Where Karpenter is asked for, a group is the nodes that are always there, and `elastic` has the others.

Source: EKS, "Customize managed nodes with launch templates"; Cluster Autoscaler on AWS, "Auto-discovery".
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from plinth.catalog.mig import mig_profiles
from plinth.clouds.aws import elastic
from plinth.clouds.aws.addons import BEFORE_NODES
from plinth.clouds.aws.launch import efa_interfaces, template
from plinth.clouds.aws.names import LONGEST_NODE_GROUP, TITLE, Names, reference
from plinth.clouds.aws.nodes import READY
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import Answer, PoolFacts
from plinth.ir.machine_choice import machine_for
from plinth.ir.names import too_long
from plinth.ir.pools import (
    CAPACITY_LABEL,
    EFA_RESOURCE,
    POOL_LABEL,
    is_scarce,
    pool_facts,
    scarcity_origins,
    shape_origins,
    taints,
)
from plinth.ir.said import Expression, Said, origins_of, said, text, value_of
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.catalog.machines import Machine
    from plinth.clouds.aws.found import Found
    from plinth.ir.needs import NodePool
    from plinth.spec import platform as spec_platform
    from plinth.spec import pools as spec

NOT_HERE: Final = ("queued", "flex-start")

_EFFECTS: Final = {"NoSchedule": "NO_SCHEDULE"}
_TEMPLATE: Final = "k8s.io/cluster-autoscaler/node-template"
_GPU_LABEL: Final = "k8s.amazonaws.com/accelerator"


class Group(Struct, frozen=True, kw_only=True):
    """One managed node group of a pool."""

    name: str
    capacity: str
    """`on-demand` or `spot`, on the label of its nodes."""
    is_first: bool = True
    """It keeps the pool's least number of nodes."""
    is_fixed: bool = False
    """It has no more than those: others are made beside it."""


def answer(
    need: NodePool, names: Names, found: Found, pinned: Mapping[str, str], platform: spec_platform.Platform
) -> Answer[PoolFacts]:
    """A pool of the machine that its shape asks for, or why there is none."""
    pool = need.pool
    if pool.capacity in NOT_HERE:
        return Answer(facts=pool_facts(pool, None), diagnostics=(_no_queue(pool),))
    chosen = machine_for(pool, cloud="aws", title=TITLE, pinned=pinned.get(pool.name))
    if isinstance(chosen, Diagnostic):
        return Answer(facts=pool_facts(pool, None), diagnostics=(chosen,))
    faults: list[Diagnostic] = []
    targets: list[Target] = []
    groups, facts = _groups(pool), pool_facts(pool, chosen)
    if section := elastic.declared(platform):
        if fault := elastic.fault(pool):
            return Answer(facts=facts, diagnostics=(fault,))
        facts = replace(facts, stay_annotations={elastic.STAY: Said("true", (section.spec_path,))})
        groups = (replace(groups[0], is_fixed=True),) if pool.nodes.min else ()
        labels = _labels(pool, said(pool, "capacity"), chosen.machine)
        targets += elastic.manifests(pool, chosen.machine, labels, names, platform)
    for group in groups:
        made = _node_group(pool, group, chosen.machine, names, found)
        full = str(value_of(made.arguments["node_group_name"]))
        if len(full) > LONGEST_NODE_GROUP:
            what = f"a node group on {TITLE}"
            faults.append(too_long(full, LONGEST_NODE_GROUP, what, pool.said_path("name")))
        targets += template(pool, group.name, chosen.machine, names, found)
        targets.append(made)
        if not group.is_fixed and (pool.nodes.min == 0 or not group.is_first):
            targets += _from_zero(pool, group, chosen.machine)
    if pool.gpu and pool.gpu.rdma:
        facts = replace(facts, rdma_resource=EFA_RESOURCE)
    return Answer(targets=tuple(targets), facts=facts, diagnostics=tuple(faults))


def spot_first(platform: spec_platform.Platform, names: Names) -> tuple[Said, ...]:
    """The spot groups of pools that take spot machines first, as regular expressions over names.

    EKS calls the autoscaling group below a node group by that name, between `eks-` and a UUID.
    """
    found = []
    for pool in platform.node_pools:
        for group in _groups(pool):
            if group.capacity == "spot" and pool.capacity != "spot":
                mark = "" if is_scarce(pool) else "-[0-9a-f]{6}"
                asked = (said(pool, "name"), said(pool, "capacity"))
                origins = (*origins_of(asked), *scarcity_origins(pool))
                end = Said(f"-{group.name}{mark}-[0-9a-f]{{8}}-", origins)
                found.append(text("^eks-", names.platform, end))
    return tuple(found)


def _no_queue(pool: spec.NodePool) -> Diagnostic:
    return Diagnostic(
        code="PLN325",
        message=f"node pool `{pool.name}` is rented as `{pool.capacity}`, which {TITLE} does not offer",
        help="take `spot` or `spot-then-on-demand`, or reserve a capacity block and name its id: "
        "`reservation: cr-...`",
        path=pool.said_path("capacity"),
    )


def _groups(pool: spec.NodePool) -> tuple[Group, ...]:
    if pool.capacity == "spot-then-on-demand":
        return (
            # No pool can have a name with `_`, so these are no other pool's.
            Group(name=f"{pool.name}_spot", capacity="spot"),
            Group(name=f"{pool.name}_on-demand", capacity="on-demand", is_first=False),
        )
    return (Group(name=pool.name, capacity=pool.capacity),)


def _node_group(
    pool: spec.NodePool, group: Group, machine: Machine, names: Names, found: Found
) -> TerraformResource:
    shape = shape_origins(pool, "aws")
    capacity = _capacity(pool, group, machine)
    image = _image(machine)
    # What makes a new group is in its name, so that the new one can be there before the old one goes. There
    # is no quota for devices twice: those go first, and keep their name.
    is_replaced_first = not is_scarce(pool)
    mark = hashlib.sha256(f"{capacity} {image} {machine.name}".encode()).hexdigest()[:6]
    name = said(pool, "name").map(lambda _: group.name)
    full = Said(
        f"{names.platform.value}-{group.name}-{mark}", (*name.origins, *names.platform.origins, *shape)
    )
    plain = Said(f"{names.platform.value}-{group.name}", (*name.origins, *names.platform.origins))
    arguments: dict[str, Any] = {
        "cluster_name": reference("aws_eks_cluster.platform", "name"),
        "node_group_name": full if is_replaced_first else plain,
        "node_role_arn": reference("aws_iam_role.nodes", "arn"),
        "subnet_ids": found.one_zone if pool.gpu and pool.gpu.rdma else found.node_subnets,
        "ami_type": Said(image, shape),
        "capacity_type": Said(capacity, said(pool, "capacity").origins),
        "labels": _labels(pool, _said_capacity(pool, group), machine),
        "taint": [
            {**taint, "effect": taint["effect"].map(_EFFECTS.__getitem__)} for taint in taints(pool, machine)
        ],
        "launch_template": [
            {
                "id": reference(f"aws_launch_template.{group.name}", "id"),
                "version": reference(f"aws_launch_template.{group.name}", "latest_version"),
            }
        ],
        "scaling_config": [_limits(pool, group)],
        "update_config": [{"max_unavailable": 1}],
        "node_repair_config": [{"enabled": True}],
        "timeouts": {"create": "60m", "update": "120m", "delete": "60m"},
        "depends_on": [*BEFORE_NODES, *READY],
        "lifecycle": {"create_before_destroy": is_replaced_first},
    }
    if not group.is_fixed:  # the autoscaler's number
        arguments["lifecycle"]["ignore_changes"] = ["scaling_config[0].desired_size"]
    if capacity != "CAPACITY_BLOCK":
        arguments["instance_types"] = [Said(machine.machine_type, shape)]
    return TerraformResource(
        layer="cluster",
        type="aws_eks_node_group",
        name=group.name,
        arguments=arguments,
        origins=(pool.spec_path,),
    )


def _capacity(pool: spec.NodePool, group: Group, machine: Machine) -> str:
    if pool.reservation and is_block(machine):
        return "CAPACITY_BLOCK"
    return "SPOT" if group.capacity == "spot" else "ON_DEMAND"


def is_block(machine: Machine) -> bool:
    """What is reserved of this machine is a capacity block: AWS rents the largest ones in no other way."""
    return machine.gpu_interconnect in {"nvlink", "neuronlink"}


def _image(machine: Machine) -> str:
    """The image of the nodes; drivers are part of it.

    Source: EKS, "Use EKS-optimized accelerated AMIs".
    """
    arch = "ARM_64" if machine.arch == "arm64" else "x86_64"
    variant = "STANDARD"
    if machine.is_gpu:
        variant = "NVIDIA"
    elif machine.accelerator_count:
        variant = "NEURON"
    return f"AL2023_{arch}_{variant}"


def _labels(pool: spec.NodePool, capacity: Said, machine: Machine) -> dict[str, Said]:
    """Labels of a pool's nodes, whoever makes them."""
    return {
        POOL_LABEL: said(pool, "name"),
        CAPACITY_LABEL: capacity,
        **_gpu_label(pool, machine),
        **_sharing(pool),
    }


def _said_capacity(pool: spec.NodePool, group: Group) -> Said:
    return said(pool, "capacity").map(lambda _: group.capacity)


def _gpu_label(pool: spec.NodePool, machine: Machine) -> dict[str, Said]:
    """By this label the autoscaler knows a node that will have GPUs, and waits until it tells of them."""
    return {_GPU_LABEL: Said(machine.gpu_model, shape_origins(pool, "aws"))} if machine.is_gpu else {}


def _sharing(pool: spec.NodePool) -> dict[str, Said]:
    """How the GPU operator is told to share the GPUs of a node.

    Source: NVIDIA GPU operator, "MIG manager", "Time-slicing GPUs".
    """
    sharing = pool.gpu.sharing if pool.gpu else None
    if sharing is None:
        return {}
    if sharing.mig:
        return {"nvidia.com/mig.config": said(sharing, "mig").map(lambda profile: f"all-{profile}")}
    field, prefix = ("time_slices", "time-slices") if sharing.time_slices else ("mps", "mps")
    return {"nvidia.com/device-plugin.config": said(sharing, field).map(lambda count: f"{prefix}-{count}")}


def _limits(pool: spec.NodePool, group: Group) -> dict[str, Any]:
    least = said(pool.nodes, "min")
    if not group.is_first:
        least = said(pool, "capacity").map(lambda _: 0)
    most = least if group.is_fixed else said(pool.nodes, "max")
    return {"min_size": least, "desired_size": least, "max_size": most}


def _from_zero(pool: spec.NodePool, group: Group, machine: Machine) -> list[Target]:
    """What a node would have that is not there yet: the autoscaler looks at the tags of its group.

    Tags of a managed node group do not reach the group of machines below it, so they are put there.
    """
    resource = machine.device_resource
    wanted: dict[str, Said] = {
        f"label/{POOL_LABEL}": said(pool, "name"),
        f"label/{CAPACITY_LABEL}": _said_capacity(pool, group),
        **{f"label/{key}": value for key, value in _gpu_label(pool, machine).items()},
    }
    for taint in taints(pool, machine):
        wanted[f"taint/{taint['key'].value}"] = Said(
            f"{taint['value'].value}:{taint['effect'].value}", scarcity_origins(pool)
        )
    if resource and machine.accelerator_count:
        count = machine.accelerator_count * _parts(pool, machine)
        origins = (*shape_origins(pool, "aws"), *(said(pool.gpu, "sharing").origins if pool.gpu else ()))
        wanted[f"resources/{resource}"] = Said(str(count), origins)
    if pool.gpu and pool.gpu.rdma:
        origins = (*shape_origins(pool, "aws"), *said(pool.gpu, "rdma").origins)
        wanted[f"resources/{EFA_RESOURCE}"] = Said(str(efa_interfaces(machine)), origins)
    below = f"aws_eks_node_group.{group.name}.resources[0].autoscaling_groups[0].name"
    return [
        TerraformResource(
            layer="cluster",
            type="aws_autoscaling_group_tag",
            name=f"{group.name}-{key.translate(_PLAIN)}",
            arguments={
                "autoscaling_group_name": Expression(below),
                "tag": [{"key": f"{_TEMPLATE}/{key}", "value": value, "propagate_at_launch": False}],
            },
            origins=(pool.spec_path,),
        )
        for key, value in wanted.items()
    ]


def _parts(pool: spec.NodePool, machine: Machine) -> int:
    """For how many pods each device of a node is one: where they share it, as many as it has parts."""
    sharing = pool.gpu.sharing if pool.gpu else None
    if sharing is None:
        return 1
    if sharing.mig:
        return mig_profiles(machine.gpu_model)[sharing.mig]
    return sharing.time_slices or sharing.mps or 1


_PLAIN: Final = str.maketrans("/.", "--")
