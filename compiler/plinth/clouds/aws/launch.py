"""Launch templates: how a machine of a pool starts. Disks, metadata, fast networks, reservations.

Source: EC2, "Configure the Instance Metadata Service options", "Elastic Fabric Adapter"; EKS,
"Create a managed node group with Capacity Blocks".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.aws.addons import CLUSTER_GROUP
from plinth.clouds.aws.names import Names, reference, tagged
from plinth.ir.said import Expression, Said, said, text
from plinth.ir.targets import Target, TerraformResource
from plinth.text.emit import json_line

if TYPE_CHECKING:
    from plinth.catalog.machines import Machine
    from plinth.clouds.aws.found import Found
    from plinth.spec import pools as spec

DISK_GIB: Final = 100
DEVICE_DISK_GIB: Final = 200
"""Images with CUDA are 10 to 20 GB each."""

ROOT_DISK: Final = "/dev/xvda"
NEW_LINE: Final = "\n"

FIRST_CARD_WITHOUT_EFA: Final = frozenset({"p6-b300.48xlarge"})
"""They have one network card more than EFA. Source: EC2, "Maximize network bandwidth", P6-B300."""

LOCAL_DISKS: Final = {
    "apiVersion": "node.eks.aws/v1alpha1",
    "kind": "NodeConfig",
    "spec": {"instance": {"localStorage": {"strategy": "RAID0"}}},
}
"""The disks inside the machine become one, for pods' scratch space. Source: nodeadm, `NodeConfig`."""


def template(pool: spec.NodePool, group: str, machine: Machine, names: Names, found: Found) -> list[Target]:
    """The launch template of a group, with what a fast network needs beside it."""
    full = text(names.platform, "-", said(pool, "name").map(lambda _: group))
    tags = tagged(full)
    arguments: dict[str, Any] = {
        "name": full,
        "description": text("Nodes of the pool ", said(pool, "name")),
        "update_default_version": True,
        "block_device_mappings": [{"device_name": ROOT_DISK, "ebs": [_disk(machine)]}],
        # One hop ends at the node: pods have identities of their own and cannot take the node's.
        "metadata_options": [
            {"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1}
        ],
        "monitoring": [{"enabled": True}],
        "tag_specifications": [
            {"resource_type": kind, "tags": tags} for kind in ("instance", "network-interface", "volume")
        ],
    }
    if pool.local_ssd:
        arguments["user_data"] = said(pool, "local_ssd").map(lambda _: Expression(_encoded()))
    arguments |= _reserved(pool, machine)
    beside: list[Target] = []
    if pool.gpu and pool.gpu.rdma:
        beside = _fast(pool, group, names, found)
        arguments["network_interfaces"] = _cards(pool, group, machine)
        arguments["placement"] = [{"group_name": reference(f"aws_placement_group.{group}", "name")}]
    made = TerraformResource(
        layer="cluster",
        type="aws_launch_template",
        name=group,
        arguments=arguments,
        origins=(pool.spec_path,),
    )
    return [*beside, made]


def efa_interfaces(machine: Machine) -> int:
    """How many interfaces with EFA a machine of a pool with RDMA has: one on each card that takes it."""
    return int((machine.rdma or "efa:1").partition(":")[2] or 1)


def _encoded() -> str:
    """What a node reads when it starts, as an expression that a review can read.

    EKS puts its own part beside ours, so ours is a part of a MIME message. Source: RFC 2046.
    """
    lines = [
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="plinth"',
        "",
        "--plinth",
        "Content-Type: application/node.eks.aws",
        "",
        json_line(LOCAL_DISKS),
        "--plinth--",
        "",
    ]
    return f"base64encode({json_line(NEW_LINE.join(lines))})"


def disk_gib(machine: Machine) -> int:
    """The size of a node's disk."""
    return DEVICE_DISK_GIB if machine.accelerator_count else DISK_GIB


def _disk(machine: Machine) -> dict[str, Any]:
    return {
        "volume_type": "gp3",
        "volume_size": disk_gib(machine),
        "encrypted": "true",  # the provider takes this one as text
        "kms_key_id": reference("aws_kms_key.cluster", "arn"),
        "delete_on_termination": "true",
    }


def _reserved(pool: spec.NodePool, machine: Machine) -> dict[str, Any]:
    """Machines that were reserved before, by the reservation's id."""
    if pool.reservation is None:
        return {}
    reservation = said(pool, "reservation")
    found: dict[str, Any] = {
        "capacity_reservation_specification": [
            {"capacity_reservation_target": [{"capacity_reservation_id": reservation}]}
        ]
    }
    if machine.gpu_interconnect in {"nvlink", "neuronlink"}:
        found["instance_market_options"] = [{"market_type": Said("capacity-block", reservation.origins)}]
        found["instance_type"] = Said(machine.machine_type, reservation.origins)
    return found


def _cards(pool: spec.NodePool, group: str, machine: Machine) -> list[dict[str, Any]]:
    """An interface on every network card, as EFA wants it."""
    assert pool.gpu is not None, "only GPUs have RDMA"  # noqa: S101 - as the caller has seen
    origins = said(pool.gpu, "rdma").origins
    groups = [Expression(CLUSTER_GROUP), reference(f"aws_security_group.{group}-efa", "id")]

    def card(number: int) -> dict[str, Any]:
        return {
            "network_card_index": number,
            "delete_on_termination": "true",
            "security_groups": groups,
        }

    count = efa_interfaces(machine)
    if machine.machine_type not in FIRST_CARD_WITHOUT_EFA:
        return [
            {
                **card(number),
                "description": f"EFA on card {number}",
                "device_index": Said(min(number, 1), origins),
                "interface_type": "efa",
                "associate_public_ip_address": "false",
            }
            for number in range(count)
        ]
    node = {"description": "The node", "device_index": 0, "associate_public_ip_address": "false"}
    return [
        {**card(0), **node},
        *(
            # Alone on its card, and without an address.
            {
                **card(number),
                "description": f"EFA on card {number}",
                "device_index": Said(0, origins),
                "interface_type": "efa-only",
            }
            for number in range(1, count + 1)
        ),
    ]


def _fast(pool: spec.NodePool, group: str, names: Names, found: Found) -> list[Target]:
    """Nodes near one another, and a group in which they speak freely, as EFA wants it."""
    assert pool.gpu is not None, "only GPUs have RDMA"  # noqa: S101 - as the caller has seen
    origins = said(pool.gpu, "rdma").origins
    full = text(names.platform, "-", group, "-efa")

    def made(kind: str, name: str, arguments: dict[str, Any]) -> TerraformResource:
        return TerraformResource(layer="cluster", type=kind, name=name, arguments=arguments, origins=origins)

    own = reference(f"aws_security_group.{group}-efa", "id")
    rules = [
        made(
            f"aws_vpc_security_group_{direction}_rule",
            f"{group}-efa",
            {
                "security_group_id": own,
                "referenced_security_group_id": own,
                "description": "Between the nodes of the pool",
                "ip_protocol": "-1",
            },
        )
        for direction in ("ingress", "egress")
    ]
    return [
        made("aws_placement_group", group, {"name": text(names.platform, "-", group), "strategy": "cluster"}),
        made(
            "aws_security_group",
            f"{group}-efa",
            {
                "name": full,
                "description": "The fast network of a pool",
                "vpc_id": found.vpc,
                "tags": tagged(full),
            },
        ),
        *rules,
    ]
