"""What the autoscaler is told of AWS, and may do there.

EKS puts two tags on the autoscaling group below each managed node group: `k8s.io/cluster-autoscaler/enabled`
and `k8s.io/cluster-autoscaler/<cluster>`. The autoscaler finds its groups by them, and its role changes no
group without them.

Source: Cluster Autoscaler on AWS, "IAM Policy", "Auto-Discovery Setup"; EKS, "Managed node groups".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds.aws.policies import allow, inline, policy
from plinth.clouds.aws.pools import spot_first
from plinth.ir.answers import Answer, AutoscalerFacts
from plinth.ir.said import text

if TYPE_CHECKING:
    from plinth.clouds.aws.identities import Identities
    from plinth.clouds.aws.names import Names
    from plinth.ir.needs import Autoscaler
    from plinth.ir.said import Said
    from plinth.spec.platform import Platform

TAG: Final = "k8s.io/cluster-autoscaler"

SEES: Final = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    # A machine that AWS has none of fails here at once; without, it is waited for.
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeTags",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:GetInstanceTypesFromInstanceRequirements",
)
"""Actions that AWS allows on everything or not at all."""

CHANGES: Final = ("autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup")


def answer(
    need: Autoscaler, names: Names, identities: Identities, platform: Platform
) -> Answer[AutoscalerFacts]:
    """A role that changes the size of this cluster's groups, and how they are found."""
    origins = need.origins
    document = _policy(names)
    targets = [
        *identities.role(need.account, origins),
        inline("platform", identities.address(need.account), "nodes", document, origins),
    ]
    found = text(f"--node-group-auto-discovery=asg:tag={TAG}/enabled,{TAG}/", names.cluster)
    facts = AutoscalerFacts(
        arguments=("--cloud-provider=aws", found),
        environment={"AWS_REGION": names.region},
        first=spot_first(platform, names),
    )
    return Answer(targets=tuple(targets), facts=facts, diagnostics=identities.faults(need.account, origins))


def _policy(names: Names) -> Said:
    groups = names.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/eks-", names.platform, "-*")
    own = {f"aws:ResourceTag/{TAG}/enabled": "true", f"aws:ResourceTag/{TAG}/{names.cluster.value}": "owned"}
    return policy(
        allow(SEES, "*"),
        allow(("eks:DescribeNodegroup",), names.arn("eks", "nodegroup/", names.cluster, "/*")),
        allow(CHANGES, groups, Condition={"StringEquals": own}),
    )
