"""What Karpenter is told of AWS, and may do there; a queue of what AWS says of machines; its nodes' identity.

The controller starts machines in this cluster's subnets alone, with the images of EKS, and touches no machine
without the cluster's tag. The profile of its nodes is made here, so it needs no right to make one: those
rights would be as many again.

Source: Karpenter 1.14, "CloudFormation", "Interruption", "Settings"; Service Authorization Reference, EC2;
EC2, "Service-linked role for Spot Instance requests".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.aws import nodes
from plinth.clouds.aws.elastic import OWN_GROUP
from plinth.clouds.aws.found import DISCOVERY
from plinth.clouds.aws.names import reference
from plinth.clouds.aws.policies import allow, inline, policy
from plinth.ir.answers import Answer, ProvisionerFacts
from plinth.ir.pools import SPOT
from plinth.ir.said import Expression, Said, origins_of, said, text
from plinth.ir.targets import Target, TerraformResource
from plinth.text.emit import json_line

if TYPE_CHECKING:
    from plinth.clouds.aws.identities import Identities
    from plinth.clouds.aws.names import Names
    from plinth.clouds.aws.policies import Statement
    from plinth.ir.needs import NodeProvisioner
    from plinth.ir.said import Origin
    from plinth.ir.targets import Layer
    from plinth.spec.platform import Platform

KEPT_S: Final = 300
"""For how long a message waits: a warning that is older is about a machine that is gone."""

EVENTS: Final = {
    "health": ("aws.health", "AWS Health Event"),
    "rebalance": ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
    "spot": ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
    "state": ("aws.ec2", "EC2 Instance State-change Notification"),
}
"""What the queue is told: who says it, and what."""

SEES: Final = (
    "ec2:DescribeCapacityReservations",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceStatus",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribePlacementGroups",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeSubnets",
)
"""Actions that AWS allows on everything or not at all."""

STARTS: Final = ("ec2:CreateFleet", "ec2:RunInstances")
MADE: Final = (
    "fleet",
    "instance",
    "launch-template",
    "network-interface",
    "spot-instances-request",
    "volume",
)
"""What starting a machine makes."""


def answer(
    need: NodeProvisioner, names: Names, identities: Identities, platform: Platform
) -> Answer[ProvisionerFacts]:
    """The queue, the identity of the nodes, and a role for the controller."""
    origins = need.origins
    queue = text("Karpenter-", names.cluster)
    targets = [
        *_tagged_subnets(names, origins),
        *_node_identity(names, origins),
        *_queue(names, queue, origins),
        *identities.role(need.account, origins),
        inline(
            "platform", identities.address(need.account), "nodes", _policy(names, queue, platform), origins
        ),
    ]
    environment = {
        "AWS_REGION": names.region,
        "CLUSTER_NAME": names.cluster,
        "INTERRUPTION_QUEUE": queue,
        # Pods have addresses of another range, so a node's first interface has none to give.
        "RESERVED_ENIS": Said("0" if names.existing_network else "1", origins_of((names.existing_network,))),
    }
    facts = ProvisionerFacts(environment=environment)
    return Answer(targets=tuple(targets), facts=facts, diagnostics=identities.faults(need.account, origins))


def _tagged_subnets(names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    """In a network of somebody else's, a plan that fails where no subnet is marked for Karpenter."""
    if names.existing_network is None:
        return []
    wanted = text(
        "tag the subnets of nodes ", DISCOVERY, "=", names.cluster, ": Karpenter finds them by that"
    )
    return [
        TerraformResource(
            layer="cluster",
            block="data",
            type="aws_subnets",
            name="karpenter",
            arguments={
                "filter": [
                    {"name": "vpc-id", "values": [reference("data.aws_vpc.platform", "id")]},
                    {"name": f"tag:{DISCOVERY}", "values": [names.cluster]},
                ],
                "lifecycle": {
                    "postcondition": [
                        {"condition": Expression("length(self.ids) > 0"), "error_message": wanted}
                    ]
                },
            },
            origins=origins,
        )
    ]


def _node_identity(names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    """A role as that of other nodes, so that the controller can hand over this one and no other."""
    made = nodes.identity(names, "karpenter-nodes", "Nodes that Karpenter makes", origins)
    profile = _resource(
        "cluster",
        "aws_iam_instance_profile",
        "karpenter-nodes",
        {"name": names.role("karpenter-nodes"), "role": reference("aws_iam_role.karpenter-nodes", "name")},
        origins,
    )
    # For groups of its own EKS does this by itself.
    entry = _resource(
        "cluster",
        "aws_eks_access_entry",
        "karpenter-nodes",
        {
            "cluster_name": reference("aws_eks_cluster.platform", "name"),
            "principal_arn": reference("aws_iam_role.karpenter-nodes", "arn"),
            "type": "EC2_LINUX",
        },
        origins,
    )
    return [*made, profile, entry]


def _queue(names: Names, queue: Said, origins: tuple[Origin, ...]) -> list[Target]:
    made: list[Target] = [
        _resource(
            "platform",
            "aws_sqs_queue",
            "karpenter",
            {"name": queue, "message_retention_seconds": KEPT_S, "sqs_managed_sse_enabled": True},
            origins,
        ),
        _resource(
            "platform",
            "aws_sqs_queue_policy",
            "karpenter",
            {"queue_url": reference("aws_sqs_queue.karpenter", "url"), "policy": _senders(names, queue)},
            origins,
        ),
    ]
    for event, (source, detail) in EVENTS.items():
        name = f"karpenter-{event}"
        rule = {
            "name": names.role(name),
            "description": f"{detail}, to Karpenter",
            "event_pattern": json_line({"source": [source], "detail-type": [detail]}),
        }
        target = {
            "rule": reference(f"aws_cloudwatch_event_rule.{name}", "name"),
            "target_id": "karpenter",
            "arn": reference("aws_sqs_queue.karpenter", "arn"),
        }
        made += [
            _resource("platform", "aws_cloudwatch_event_rule", name, rule, origins),
            _resource("platform", "aws_cloudwatch_event_target", name, target, origins),
        ]
    return made


def _senders(names: Names, queue: Said) -> Said:
    """The rules above may send, and nobody else; nothing is said in the clear."""
    arn = names.arn("sqs", queue)
    rules = [names.arn("events", "rule/", names.role(f"karpenter-{event}")) for event in EVENTS]
    return policy(
        allow(
            ("sqs:SendMessage",),
            arn,
            Sid="Events",
            Principal={"Service": "events.amazonaws.com"},
            Condition={"ArnEquals": {"aws:SourceArn": rules}},
        ),
        {
            "Sid": "Encrypted",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )


def _policy(names: Names, queue: Said, platform: Platform) -> Said:
    owned = f"kubernetes.io/cluster/{names.cluster.value}"
    everything = [names.arn("ec2", kind, "/*") for kind in MADE]
    wanted = _tags("Request", owned)
    nodes_role = names.role("karpenter-nodes")
    return policy(
        *_starts(names, owned, platform),
        allow((*STARTS, "ec2:CreateLaunchTemplate"), everything, Condition=wanted),
        allow(
            ("ec2:CreateTags",),
            everything,
            Condition={
                **wanted,
                "StringEquals": {
                    **wanted["StringEquals"],
                    "ec2:CreateAction": ["CreateFleet", "CreateLaunchTemplate", "RunInstances"],
                },
            },
        ),
        allow(
            ("ec2:CreateTags",),
            names.arn("ec2", "instance/*"),
            Condition={
                **_tags("Resource", owned),
                "ForAllValues:StringEquals": {
                    "aws:TagKeys": ["Name", "eks:eks-cluster-name", "karpenter.sh/nodeclaim"]
                },
            },
        ),
        allow(
            ("ec2:DeleteLaunchTemplate", "ec2:TerminateInstances"),
            [names.arn("ec2", kind, "/*") for kind in ("instance", "launch-template")],
            Condition=_tags("Resource", owned),
        ),
        allow(SEES, "*", Condition={"StringEquals": {"aws:RequestedRegion": names.region}}),
        allow(("ssm:GetParameter",), _of_aws(names, "ssm", "parameter/aws/service/eks/optimized-ami/*")),
        allow(("iam:ListInstanceProfiles", "pricing:GetProducts"), "*"),
        allow(
            ("iam:GetInstanceProfile",),
            text("arn:", names.partition, ":iam::", names.account, ":instance-profile/", nodes_role),
        ),
        allow(
            ("iam:PassRole",),
            names.role_arn(nodes_role),
            Condition={"StringEquals": {"iam:PassedToService": names.partition.map(_machines)}},
        ),
        allow(("eks:DescribeCluster",), names.arn("eks", "cluster/", names.cluster)),
        allow(("sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"), names.arn("sqs", queue)),
        *_spot(names, platform),
    )


def _starts(names: Names, owned: str, platform: Platform) -> list[Statement]:
    """What a machine is started of: an image, a place in the network, a template of the controller's."""
    ours = {"aws:ResourceTag/" + DISCOVERY: names.cluster}
    group = {"aws:ResourceTag/" + OWN_GROUP: names.cluster}
    found = [
        allow(STARTS, _of_aws(names, "ec2", "image/*"), Condition={"StringEquals": {"ec2:Owner": "amazon"}}),
        allow(STARTS, _of_aws(names, "ec2", "snapshot/*")),
        allow(STARTS, names.arn("ec2", "subnet/*"), Condition={"StringEquals": ours}),
        allow(STARTS, names.arn("ec2", "security-group/*"), Condition={"StringEquals": group}),
        allow(STARTS, names.arn("ec2", "launch-template/*"), Condition=_tags("Resource", owned)),
    ]
    reserved = [said(pool, "reservation") for pool in platform.node_pools if pool.reservation]
    if reserved:
        found.append(allow(STARTS, [names.arn("ec2", "capacity-reservation/", each) for each in reserved]))
    return found


def _spot(names: Names, platform: Platform) -> list[Statement]:
    """The role by which EC2 rents spot machines: an account has it from the first of them on."""
    asked = [said(pool, "capacity") for pool in platform.node_pools if pool.capacity in SPOT]
    if not asked:
        return []
    service = Said("spot.amazonaws.com", origins_of(asked))
    role = names.role_arn(text("aws-service-role/", service, "/AWSServiceRoleForEC2Spot"))
    condition = {"StringEquals": {"iam:AWSServiceName": service}}
    return [allow(("iam:CreateServiceLinkedRole",), role, Condition=condition)]


def _tags(of: str, owned: str) -> dict[str, Any]:
    """What carries, or is asked to carry, the tags by which Karpenter knows its own."""
    return {
        "StringEquals": {f"aws:{of}Tag/{owned}": "owned"},
        "StringLike": {f"aws:{of}Tag/karpenter.sh/nodepool": "*"},
    }


def _of_aws(names: Names, service: str, resource: str) -> Said:
    """What is there for everybody, and in no account of ours."""
    return text("arn:", names.partition, f":{service}:", names.region, f"::{resource}")


def _machines(partition: str) -> str:
    return "ec2.amazonaws.com.cn" if partition == "aws-cn" else "ec2.amazonaws.com"


def _resource(
    layer: Layer, kind: str, name: str, arguments: dict[str, Any], origins: tuple[Origin, ...]
) -> TerraformResource:
    return TerraformResource(layer=layer, type=kind, name=name, arguments=arguments, origins=origins)
