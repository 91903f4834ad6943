"""The control plane: EKS, private unless said otherwise, with the people who are let in.

Nodes are private always. With `access: private` the control plane has no public address; it is
reached from inside the network: from ranges that are allowed, or by Session Manager through a node.

Source: EKS, "Create an Amazon EKS cluster", "Grant IAM users access with access entries".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds._unused import unused
from plinth.clouds.aws import addons, nodes
from plinth.clouds.aws.disks import storage_class
from plinth.clouds.aws.names import TITLE, Names, reference
from plinth.clouds.aws.policies import attachments, key, role, trust, used_by_disks, used_by_logs
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Expression, Said, said, why
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plinth.clouds.aws.found import Found
    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir.needs import Cluster
    from plinth.ir.said import Origin
    from plinth.spec import platform as spec

LOGS: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
KEPT_DAYS: Final = 365

ADMIN_POLICY: Final = "AmazonEKSClusterAdminPolicy"


def answer(need: Cluster, names: Names, found: Found, platform: spec.Platform) -> Answer[NoFacts]:
    """The cluster with its add-ons, the identity of its nodes, and who administers it."""
    if addons.version_faults(need.cluster):
        return Answer(facts=NoFacts())  # said already
    origins = (need.cluster.spec_path,)
    targets: list[Target] = [
        *found.sources("cluster"),
        *_key(names, origins),
        *_logs(names, origins),
        *_identity(names, origins),
        _cluster(need, names, found, origins),
        *_allowed(need.network, origins),
        *_admins(platform.cloud, names),
        *nodes.identity(names),
        *addons.answer(need, names, found, platform),
        storage_class(names),
    ]
    return Answer(targets=tuple(targets), facts=NoFacts())


def unused_faults(platform: spec.Platform) -> Iterator[Diagnostic]:
    """What other clouds' control planes have, and EKS has not."""
    cluster = platform.cluster
    yield from unused(
        cluster,
        "maintenance",
        f"on {TITLE}: EKS upgrades nodes only when an apply says so",
        "remove it, and apply when no long job runs; what keeps one whole is a PodDisruptionBudget, since "
        "EKS replaces no node whose pods may not go",
    )
    if cluster.kubernetes:
        yield from unused(
            cluster,
            "channel",
            f"on {TITLE} beside `kubernetes`",
            "remove one of them: EKS has no channels, and takes exactly the version that is said",
        )
    yield from unused(
        platform.network,
        "control_plane",
        f"on {TITLE}",
        "remove it: the control plane has addresses in the subnets of the nodes",
    )


def _key(names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    uses = [used_by_logs(names, names.cluster_logs), used_by_disks(names)]
    return key(
        "cluster", "cluster", "Kubernetes secrets, disks, images and the cluster's logs", uses, names, origins
    )


def _logs(names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    # EKS would make this group by itself, and keep what it writes for ever.
    return [
        TerraformResource(
            layer="cluster",
            type="aws_cloudwatch_log_group",
            name="cluster",
            arguments={
                "name": names.cluster_logs,
                "retention_in_days": KEPT_DAYS,
                "kms_key_id": reference("aws_kms_key.cluster", "arn"),
            },
            origins=origins,
        )
    ]


def _identity(names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    trusted = trust({"Service": "eks.amazonaws.com"}, "sts:AssumeRole", "sts:TagSession")
    return [
        role("cluster", "cluster", names.role("cluster"), trusted, "The control plane", origins),
        *attachments("cluster", "cluster", ["AmazonEKSClusterPolicy"], names, origins),
    ]


def _cluster(need: Cluster, names: Names, found: Found, origins: tuple[Origin, ...]) -> TerraformResource:
    access = said(need.network, "access")
    is_public = access.map(lambda text: text == "public")
    reach: dict[str, Any] = {
        "subnet_ids": found.node_subnets,
        "endpoint_private_access": True,
        "endpoint_public_access": is_public,
    }
    if is_public.value:
        reach["public_access_cidrs"] = said(need.network, "allow").map(list)
    arguments: dict[str, Any] = {
        "name": names.cluster,
        "role_arn": reference("aws_iam_role.cluster", "arn"),
        "version": addons.kubernetes(need.cluster),
        "enabled_cluster_log_types": list(LOGS),
        "deletion_protection": True,
        # Add-ons are resources of their own, in versions that are pinned.
        "bootstrap_self_managed_addons": False,
        "access_config": [
            {"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": False}
        ],
        "vpc_config": [reach],
        "kubernetes_network_config": [
            {"ip_family": "ipv4", "service_ipv4_cidr": said(need.network, "services")}
        ],
        "encryption_config": [
            {
                "resources": ["secrets"],
                "provider": [{"key_arn": reference("aws_kms_key.cluster", "arn")}],
            }
        ],
        # A version beyond its standard support costs six times as much: it is upgraded instead.
        "upgrade_policy": [{"support_type": "STANDARD"}],
        "zonal_shift_config": [{"enabled": True}],
        "timeouts": {"create": "60m", "update": "60m", "delete": "60m"},
        "depends_on": [
            "aws_cloudwatch_log_group.cluster",
            "aws_iam_role_policy_attachment.cluster-AmazonEKSClusterPolicy",
        ],
        # AWS reads the first two back in another form, and they count at creation alone.
        "lifecycle": {
            "ignore_changes": [
                "access_config[0].bootstrap_cluster_creator_admin_permissions",
                "bootstrap_self_managed_addons",
            ],
            "prevent_destroy": True,
        },
    }
    return TerraformResource(
        layer="cluster", type="aws_eks_cluster", name="platform", arguments=arguments, origins=origins
    )


def _allowed(network: spec.Network, origins: tuple[Origin, ...]) -> list[Target]:
    """Ranges that reach the control plane's private address: a VPN, an office, a peered network."""
    if network.access == "public":
        return []
    ranges = said(network, "allow")
    return [
        TerraformResource(
            layer="cluster",
            type="aws_vpc_security_group_ingress_rule",
            name=f"allowed-{index}",
            arguments={
                "security_group_id": Expression(addons.CLUSTER_GROUP),
                "description": "The Kubernetes API from a range that is allowed",
                "cidr_ipv4": Said(cidr, ranges.origins),
                "from_port": 443,
                "to_port": 443,
                "ip_protocol": "tcp",
            },
            origins=origins,
        )
        for index, cidr in enumerate(ranges.value)
    ]


def _admins(cloud: spec.CloudSection, names: Names) -> list[Target]:
    """Who administers the cluster: nobody gets in by having made it."""
    admins = said(cloud, "admins")
    arn = Said(
        f"arn:{names.partition.value}:eks::aws:cluster-access-policy/{ADMIN_POLICY}", names.partition.origins
    )
    targets: list[Target] = []
    for admin in admins.value:
        name = "admin-" + "".join(letter if letter.isalnum() else "-" for letter in admin.split(":", 5)[5])
        principal = Said(admin, admins.origins)
        common = {"cluster_name": reference("aws_eks_cluster.platform", "name"), "principal_arn": principal}
        entry = TerraformResource(
            layer="cluster",
            type="aws_eks_access_entry",
            name=name,
            arguments={**common, "type": "STANDARD"},
            origins=admins.origins,
        )
        rights = TerraformResource(
            layer="cluster",
            type="aws_eks_access_policy_association",
            name=name,
            arguments={
                **common,
                "policy_arn": arn,
                "access_scope": [{"type": "cluster"}],
                "depends_on": [f"aws_eks_access_entry.{name}"],
            },
            origins=(*admins.origins, *why("an administrator may do everything in the cluster")),
        )
        targets += [entry, rights]
    return targets
