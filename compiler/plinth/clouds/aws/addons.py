"""What EKS runs in the cluster beside ours, in versions that are pinned here, not by the day.

Networking and identities come before nodes, which are not ready without; what needs nodes comes after.

Source: EKS, "Amazon EKS add-ons", the tables of "Manage kube-proxy" and "Manage CoreDNS", as of
2026-07; amazon-vpc-cni-k8s, values of its chart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.clouds.aws.names import Names, letter, reference
from plinth.clouds.aws.policies import attachments, pod_trust, role
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.diagnostics.suggest import did_you_mean
from plinth.ir.needs import ServiceAccount
from plinth.ir.pools import system_pool
from plinth.ir.said import Expression, Said, said, why
from plinth.ir.targets import Target, TerraformResource
from plinth.text.emit import json_line

if TYPE_CHECKING:
    from plinth.clouds.aws.found import Found
    from plinth.ir.needs import Cluster
    from plinth.spec import platform as spec


class Versions(Struct, frozen=True, kw_only=True):
    """The add-ons whose versions follow that of Kubernetes."""

    coredns: str
    kube_proxy: str


KUBERNETES: Final = {
    "1.32": Versions(coredns="v1.11.4-eksbuild.33", kube_proxy="v1.32.13-eksbuild.5"),
    "1.33": Versions(coredns="v1.13.2-eksbuild.4", kube_proxy="v1.33.10-eksbuild.2"),
    "1.34": Versions(coredns="v1.13.2-eksbuild.4", kube_proxy="v1.34.6-eksbuild.2"),
    "1.35": Versions(coredns="v1.13.2-eksbuild.4", kube_proxy="v1.35.3-eksbuild.2"),
    "1.36": Versions(coredns="v1.14.3-eksbuild.3", kube_proxy="v1.36.0-eksbuild.13"),
}
CHANNELS: Final = {"rapid": "1.36", "regular": "1.35", "stable": "1.34"}
"""EKS has no channels; these are the versions that a channel means here."""

VPC_CNI: Final = "v1.21.1-eksbuild.7"
EBS_CSI: Final = "v1.62.0-eksbuild.1"
POD_IDENTITY_AGENT: Final = "v1.3.10-eksbuild.3"

CNI_ACCOUNT: Final = ServiceAccount(namespace="kube-system", name="aws-node")
EBS_ACCOUNT: Final = ServiceAccount(namespace="kube-system", name="ebs-csi-controller-sa")

BEFORE_NODES: Final = [
    f"aws_eks_addon.{name}" for name in ("eks-pod-identity-agent", "kube-proxy", "vpc-cni")
]

CLUSTER_GROUP: Final = "aws_eks_cluster.platform.vpc_config[0].cluster_security_group_id"
"""The group that EKS makes for control plane, nodes and pods."""


def kubernetes(cluster: spec.Cluster) -> Said:
    """The version of Kubernetes: the one that is said, or that of the channel."""
    if cluster.kubernetes:
        return said(cluster, "kubernetes")
    return said(cluster, "channel").map(CHANNELS.__getitem__)


def version_faults(cluster: spec.Cluster) -> list[Diagnostic]:
    """A version of Kubernetes whose add-ons are not known here."""
    if cluster.kubernetes is None or cluster.kubernetes in KUBERNETES:
        return []
    return [
        Diagnostic(
            code="PLN316",
            message=f"the catalogue has no add-ons of EKS for Kubernetes `{cluster.kubernetes}`",
            help=did_you_mean(cluster.kubernetes, KUBERNETES, otherwise=f"it has {', '.join(KUBERNETES)}"),
            path=cluster.said_path("kubernetes"),
        )
    ]


def answer(need: Cluster, names: Names, found: Found, platform: spec.Platform) -> list[Target]:
    """Every add-on, with the roles that two of them take."""
    pool = system_pool(platform)
    nodes = [f"aws_eks_node_group.{pool.name}"] if pool else []
    version = kubernetes(need.cluster)
    roles = why("an add-on has rights of its own, so that nodes do not have them")
    targets: list[Target] = []
    for name, account, granted in (
        ("vpc-cni", CNI_ACCOUNT, "AmazonEKS_CNI_Policy"),
        ("ebs-csi-driver", EBS_ACCOUNT, "AmazonEBSCSIDriverPolicyV2"),
    ):
        targets.append(
            role("cluster", name, names.role(name), pod_trust(account), f"The add-on {name}", roles)
        )
        targets += attachments("cluster", name, [granted], names, roles)
    return [
        *targets,
        _addon("eks-pod-identity-agent", POD_IDENTITY_AGENT),
        _addon("kube-proxy", version.map(lambda minor: KUBERNETES[minor].kube_proxy)),
        _addon(
            "vpc-cni",
            VPC_CNI,
            configuration_values=Said(Expression(_cni_settings(names, found)), names.region.origins),
            pod_identity_association=[_taken("vpc-cni", CNI_ACCOUNT)],
            depends_on=["aws_eks_addon.eks-pod-identity-agent", _attached("vpc-cni", "AmazonEKS_CNI_Policy")],
        ),
        _addon(
            "coredns",
            version.map(lambda minor: KUBERNETES[minor].coredns),
            depends_on=["aws_eks_addon.vpc-cni", *nodes],
        ),
        _addon(
            "aws-ebs-csi-driver",
            EBS_CSI,
            pod_identity_association=[_taken("ebs-csi-driver", EBS_ACCOUNT)],
            depends_on=[_attached("ebs-csi-driver", "AmazonEBSCSIDriverPolicyV2"), *nodes],
        ),
    ]


def _addon(name: str, version: str | Said, **more: Any) -> TerraformResource:
    return TerraformResource(
        layer="cluster",
        type="aws_eks_addon",
        name=name,
        arguments={
            "cluster_name": reference("aws_eks_cluster.platform", "name"),
            "addon_name": name,
            "addon_version": version,
            "resolve_conflicts_on_create": "OVERWRITE",
            "resolve_conflicts_on_update": "OVERWRITE",
            **more,
        },
        origins=why("a cluster on EKS needs this add-on, in a version that is known to work"),
    )


def _taken(role_name: str, account: ServiceAccount) -> dict[str, Any]:
    return {
        "role_arn": reference(f"aws_iam_role.{role_name}", "arn"),
        "service_account": account.name,
    }


def _attached(role_name: str, policy: str) -> str:
    return f"aws_iam_role_policy_attachment.{role_name}-{policy}"


def _cni_settings(names: Names, found: Found) -> str:
    """The add-on's values, which name subnets that only an apply knows.

    Pods have addresses of their own range by custom networking: a configuration for each zone, which
    nodes find by the label of their zone. Prefixes give a node room for all its pods.
    """
    environment = {"ENABLE_PREFIX_DELEGATION": "true"}
    if names.existing_network is not None:
        return _call({"enableNetworkPolicy": '"true"', "env": json_line(environment)})
    environment |= {
        "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true",
        # Pods go out by the network's own gateway: nothing is gained by hiding them behind the node.
        "AWS_VPC_K8S_CNI_EXTERNALSNAT": "true",
        "ENI_CONFIG_LABEL_DEF": "topology.kubernetes.io/zone",
    }
    zones = ", ".join(
        f'"{letter(zone)}" = {{id = {found.subnet("pods", zone)}, securityGroups = [{CLUSTER_GROUP}]}}'
        for zone in names.zones
    )
    config = f'{{create = true, region = "{names.region.value}", subnets = {{{zones}}}}}'
    return _call({"enableNetworkPolicy": '"true"', "eniConfig": config, "env": json_line(environment)})


def _call(values: dict[str, str]) -> str:
    return f"jsonencode({{{', '.join(f'{key} = {value}' for key, value in values.items())}}})"
