"""The identity that all nodes have: what a node itself does, and nothing that a pod may want.

Pods cannot reach it: the metadata service answers within one hop, which ends at the node. Session
Manager is the way in to a node and, through it, to a private control plane.

Source: EKS, "Amazon EKS node IAM role"; Systems Manager, "ssmmessages, ssm, and ec2messages".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds.aws.policies import allow, attachments, inline, policy, role, trust
from plinth.ir.said import why

if TYPE_CHECKING:
    from plinth.clouds.aws.names import Names
    from plinth.ir.said import Origin, Said
    from plinth.ir.targets import Target

POLICIES: Final = ("AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy")

CHANNELS: Final = (
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
"""What a node needs to take part in sessions; the policy that AWS keeps reads every parameter as well."""


def identity(
    names: Names,
    name: str = "nodes",
    description: str = "Nodes of the cluster",
    origins: tuple[Origin, ...] = (),
) -> list[Target]:
    """The role of every node, or of those that are told apart by its name."""
    because = (*origins, *why("nodes have a role of their own, with the least that EKS wants"))
    trusted = trust({"Service": "ec2.amazonaws.com"})
    return [
        role("cluster", name, names.role(name), trusted, description, because),
        *attachments("cluster", name, POLICIES, names, because),
        inline("cluster", name, "sessions", _sessions(names), because),
    ]


def _sessions(names: Names) -> Said:
    own = allow(("ssm:UpdateInstanceInformation",), names.arn("ec2", "instance/*"))
    return policy(own, allow(CHANNELS, "*"))  # channels have no names that a policy could tell apart


READY: Final = [f"aws_iam_role_policy_attachment.nodes-{name}" for name in POLICIES]
"""What has to be there before a node starts, or it never joins."""
