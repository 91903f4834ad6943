"""Every single change that is tried on AWS, and what Terraform is to do about it, written by hand.

Rows are as in `support.single_changes`. `but` and `because` are where the documentation has the provider's own code
decide against its schema.

Source: terraform-provider-aws 6, "Forces new resource" in the documentation of each resource, and `ForceNew` and
`CustomizeDiff` in its code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.changed_platform import REMOVED, Platform

if TYPE_CHECKING:
    from support.changed_platform import Actions

PLATFORM: Final = Platform(
    '{provider: aws, accountId: "123456789012", region: us-east-1, zones: [a, b],'
    ' admins: ["arn:aws:iam::123456789012:role/platform"]}'
)
spec, argument = PLATFORM.spec, PLATFORM.argument


def every(kind: str, names: str) -> list[str]:
    """Addresses of one type."""
    return [f"{kind}.{name}" for name in names.split()]


# Network.
VPC, FLOW_LOG, GATEWAY = "aws_vpc.platform", "aws_flow_log.platform", "aws_internet_gateway.platform"
SUBNETS: Final = every("aws_subnet", "data-a data-b nodes-a nodes-b pods-a pods-b public-a public-b")
TABLES: Final = every("aws_route_table", "data-a data-b private-a private-b public")
ENDPOINT_GROUP: Final = "aws_security_group.endpoints"
ENDPOINT_RULES: Final = every("aws_vpc_security_group_ingress_rule", "endpoints-nodes endpoints-pods")
INSIDE: Final = every("aws_vpc_endpoint", "ec2 ecr-api ecr-dkr eks eks-auth logs secretsmanager sts")
IN_THE_VPC: Final = [
    *(VPC, FLOW_LOG, ENDPOINT_GROUP, "aws_default_security_group.closed", "aws_vpc_endpoint.s3"),
    *(*SUBNETS, *TABLES, *ENDPOINT_RULES, *INSIDE),
    *every("aws_nat_gateway", "a b"),
    *every("aws_route", "private-a private-b public"),
    *every("aws_route_table_association", "data-a data-b nodes-a nodes-b pods-a pods-b public-a public-b"),
    *every("aws_vpc_ipv4_cidr_block_association", "pods-0 pods-1 pods-2 pods-3"),
]
"""All that has to be where the network is."""

# Cluster.
CLUSTER: Final = "aws_eks_cluster.platform"
CPU, GPU = "aws_eks_node_group.cpu", "aws_eks_node_group.gpu"
CPU_TEMPLATE: Final = "aws_launch_template.cpu"
SCALING: Final = every(
    "aws_autoscaling_group_tag",
    "gpu-label-k8s-amazonaws-com-accelerator gpu-label-plinth-dev-capacity gpu-label-plinth-dev-pool"
    " gpu-resources-nvidia-com-gpu"
    " gpu-taint-nvidia-com-gpu",
)
"""What tells the autoscaler of a group that may be empty: each names the group behind the pool."""
GPU_ANEW: Final[Actions] = dict.fromkeys(SCALING, "replace")
ENTRY, ACCESS = (
    f"{kind}.admin-role-platform" for kind in ("aws_eks_access_entry", "aws_eks_access_policy_association")
)
ALLOWED: Final = "aws_vpc_security_group_ingress_rule.allowed-0"
IMAGES, EXPIRY = "aws_ecr_repository.images", "aws_ecr_lifecycle_policy.images"
BEFORE_NODES: Final = every("aws_eks_addon", "eks-pod-identity-agent kube-proxy vpc-cni")
AFTER_NODES: Final = every("aws_eks_addon", "aws-ebs-csi-driver coredns")

# Data.
ARTIFACTS: Final = "aws_s3_bucket.artifacts"
SECRET, VERSION = (
    f"{kind}.acme-postgres-mlflow"
    for kind in ("aws_secretsmanager_secret", "aws_secretsmanager_secret_version")
)
POSTGRES, FLAGS, PLACES = (
    "aws_db_instance.mlflow",
    "aws_db_parameter_group.postgres",
    "aws_db_subnet_group.postgres",
)
CERTIFICATE, ZONE = "aws_acm_certificate.public", "aws_route53_zone.public"
PROOFS: Final = every("aws_route53_record", "proof-domain proof-hub")
WRITER: Final = "aws_eks_pod_identity_association.mlflow"


def beside(bucket: str) -> list[str]:
    """What each bucket has beside it."""
    kinds = (
        "lifecycle_configuration notification ownership_controls policy public_access_block"
        " server_side_encryption_configuration versioning"
    )
    return [f"aws_s3_bucket_{kind}.{bucket}" for kind in kinds.split()]


def whole(bucket: str) -> list[str]:
    """A bucket with all that it has beside it."""
    return [f"aws_s3_bucket.{bucket}", *beside(bucket)]


OF_THE_SPEC = [
    # Network. A network and its parts are where they are; what a gateway is attached to can be changed.
    spec({"network.nodes": "10.16.0.0/19"}, {**dict.fromkeys(IN_THE_VPC, "replace"), GATEWAY: "update"}),
    spec({"network.services": "10.48.0.0/19"}, {CLUSTER: "refused"}),
    spec({"network.access": "public"}, {CLUSTER: "update", ALLOWED: "delete"}),
    spec(
        {"network.allow": ["198.51.100.0/24", "203.0.113.0/24"]},
        {ALLOWED: "update", "aws_vpc_security_group_ingress_rule.allowed-1": "create"},
    ),
    spec({"network.allow": []}, {ALLOWED: "delete"}),
    # Cluster.
    spec({"cluster.kubernetes": "1.35"}, {CLUSTER: "update", "aws_eks_addon.kube-proxy": "update"}),
    spec({"cluster.maintenance": REMOVED}, {}),
    spec(
        {"cloud.admins": ["arn:aws:iam::123456789012:role/people"]},
        {
            **dict.fromkeys((ENTRY, ACCESS), "delete"),
            "aws_eks_access_entry.admin-role-people": "create",
            "aws_eks_access_policy_association.admin-role-people": "create",
        },
    ),
    # Pools. Where machines are easily had, the new ones come first.
    spec({"nodePools.cpu.nodes.max": 8}, {CPU: "update"}),
    spec({"nodePools.gpu.nodes.min": 1}, {GPU: "update", **dict.fromkeys(SCALING, "delete")}),
    spec({"nodePools.cpu.cpu": 8}, {CPU: "create-then-delete"}),
    spec({"nodePools.cpu.machine": {"aws": "m6i.xlarge"}}, {CPU: "create-then-delete"}),
    spec({"nodePools.gpu.capacity": "on-demand"}, {GPU: "replace", **GPU_ANEW}),
    spec({"nodePools.gpu.gpu.model": "l4"}, {GPU: "replace", **GPU_ANEW}),
    spec({"nodePools.gpu.gpu.count": 4}, {GPU: "replace", **GPU_ANEW}),
    spec(
        {"nodePools.gpu": REMOVED},
        dict.fromkeys((GPU, "aws_launch_template.gpu", *SCALING), "delete"),
    ),
    spec(
        {"nodePools.cpu.name": "main"},
        {
            **dict.fromkeys((CPU, CPU_TEMPLATE), "delete"),
            **dict.fromkeys(("aws_eks_node_group.main", "aws_launch_template.main"), "create"),
        },
    ),
    # Data. A bucket that leaves the spec takes `prevent_destroy` with it.
    spec({"storage.buckets.datasets": REMOVED}, dict.fromkeys(whole("datasets"), "delete")),
    spec(
        {"storage.buckets.datasets.name": "data"},
        {**dict.fromkeys(whole("datasets"), "delete"), **dict.fromkeys(whole("data"), "create")},
    ),
    spec({"storage.database.size": "medium"}, {POSTGRES: "update"}),
    spec(
        {"identity.domain": "ml.acme.dev"},
        {
            CERTIFICATE: "create-then-delete",
            **dict.fromkeys((ZONE, *PROOFS), "replace"),
            "aws_cloudwatch_log_group.questions": "replace",
            "aws_cloudwatch_log_resource_policy.questions": "update",
            "aws_kms_key.questions": "update",
            "aws_route53_key_signing_key.public": "replace",
            "aws_route53_hosted_zone_dnssec.public": "replace",
            "aws_route53_query_log.public": "replace",
        },
    ),
]

OF_CLUSTERS = [
    argument("refused", CLUSTER, {"name": "other"}),
    # A pool comes before the old one goes, and so does all that it rests on.
    argument(
        "create-then-delete",
        CLUSTER,
        {"name": "other"},
        given={"lifecycle.prevent_destroy": False},
        also={
            **dict.fromkeys((CPU, *BEFORE_NODES), "create-then-delete"),
            **dict.fromkeys((GPU, *AFTER_NODES, ENTRY, ACCESS, ALLOWED), "replace"),
            **GPU_ANEW,
        },
    ),
    argument("refused", CLUSTER, {"role_arn": "arn:aws:iam::123456789012:role/other"}),
    argument("refused", CLUSTER, {"kubernetes_network_config[0].ip_family": "ipv6"}),
    argument("no-op", CLUSTER, {"bootstrap_self_managed_addons": True}),
    argument("no-op", CLUSTER, {"access_config[0].bootstrap_cluster_creator_admin_permissions": True}),
    argument(
        "update",
        CLUSTER,
        {"encryption_config": REMOVED},
        but={CLUSTER: "refused"},
        because="encryption cannot be taken off, which the provider decides by what it was",
    ),
    argument("update", CLUSTER, {"vpc_config[0].public_access_cidrs": ["198.51.100.0/24"]}),
    argument("update", CLUSTER, {"upgrade_policy[0].support_type": "EXTENDED"}),
    argument("update", CLUSTER, {"deletion_protection": False}),
    argument(
        "no-op",
        CLUSTER,
        {"enabled_cluster_log_types": ["scheduler", "controllerManager", "authenticator", "audit", "api"]},
    ),
    argument(
        "update",
        CLUSTER,
        {"remote_network_config": [{"remote_node_networks": [{"cidrs": ["10.200.0.0/16"]}]}]},
    ),
    argument("replace", ENTRY, {"principal_arn": "arn:aws:iam::123456789012:role/other"}),
    argument("update", ENTRY, {"kubernetes_groups": ["readers"]}),
    argument("replace", ACCESS, {"access_scope": [{"type": "namespace", "namespaces": ["mlflow"]}]}),
    argument("replace", ACCESS, {"policy_arn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"}),
    argument("replace", "aws_eks_addon.coredns", {"addon_name": "other"}),
    argument("update", "aws_eks_addon.coredns", {"addon_version": "v1.13.2-eksbuild.5"}),
    argument("create-then-delete", "aws_eks_addon.kube-proxy", {"addon_name": "other"}),
    argument("replace", IMAGES, {"name": "acme/other"}, also={EXPIRY: "replace"}),
    argument("replace", IMAGES, {"encryption_configuration[0].encryption_type": "AES256"}),
    argument("update", IMAGES, {"image_tag_mutability": "MUTABLE"}),
    argument("replace", EXPIRY, {"policy": '{"rules":[]}'}),
    argument("replace", "aws_ecr_repository_creation_template.images", {"prefix": "other"}),
    argument("update", "aws_ecr_repository_creation_template.images", {"description": "of the platform"}),
]

OF_POOLS = [
    argument("create-then-delete", CPU, {"instance_types": ["m7i.xlarge", "m6i.xlarge"]}),
    argument(
        "replace",
        CPU,
        {"instance_types": ["m6i.xlarge"]},
        given={"lifecycle.create_before_destroy": False},
    ),
    argument("create-then-delete", CPU, {"disk_size": 100}),
    argument("create-then-delete", CPU, {"subnet_ids": ["subnet-1"]}),
    argument("create-then-delete", CPU, {"node_role_arn": "arn:aws:iam::123456789012:role/other"}),
    argument("create-then-delete", CPU, {"remote_access": [{"ec2_ssh_key": "people"}]}),
    argument("replace", GPU, {"ami_type": "BOTTLEROCKET_x86_64_NVIDIA"}, also=GPU_ANEW),
    argument("replace", GPU, {"node_group_name": "other"}, also=GPU_ANEW),
    argument("no-op", CPU, {"scaling_config[0].desired_size": 3}),
    argument("update", CPU, {"labels": {"team": "ml"}}),
    argument("update", GPU, {"taint": []}),
    argument("update", CPU, {"update_config[0].max_unavailable": 2}),
    argument("update", CPU, {"version": "1.34"}),
    argument("update", GPU, {"launch_template[0].version": "3"}),
    argument("create-then-delete", CPU_TEMPLATE, {"name": "other"}, also={CPU: "create-then-delete"}),
    argument(
        "update",
        CPU_TEMPLATE,
        {"block_device_mappings[0].ebs[0].volume_size": 200},
        but={CPU_TEMPLATE: "update", CPU: "update"},
        because="a changed template has a new version, whose number the provider leaves to the apply",
    ),
    argument("replace", SCALING[0], {"tag[0].key": "other"}),
    argument("update", SCALING[0], {"tag[0].value": "on-demand"}),
    # What nodes may do is named by each pool, and by what waits for it.
    argument(
        "create-then-delete",
        "aws_iam_role.nodes",
        {"name": "other"},
        also={
            **dict.fromkeys(
                (
                    CPU,
                    "aws_iam_role_policy_attachment.nodes-AmazonEC2ContainerRegistryPullOnly",
                    "aws_iam_role_policy_attachment.nodes-AmazonEKSWorkerNodePolicy",
                ),
                "create-then-delete",
            ),
            **dict.fromkeys((GPU, "aws_iam_role_policy.nodes-sessions"), "replace"),
            **GPU_ANEW,
        },
    ),
    argument("update", "aws_iam_role.nodes", {"max_session_duration": 7200}),
]

OF_NETWORKS = [
    argument("update", GATEWAY, {"tags": {"Name": "other"}}),
    argument(
        "replace",
        "aws_subnet.data-a",
        {"availability_zone": "us-east-1c"},
        also={"aws_route_table_association.data-a": "replace"},
    ),
    argument("update", "aws_subnet.data-a", {"map_public_ip_on_launch": True}),
    argument(
        "replace",
        "aws_nat_gateway.a",
        {"connectivity_type": "private"},
        also={"aws_route.private-a": "update"},
    ),
    argument(
        "replace",
        "aws_nat_gateway.a",
        {"availability_mode": "regional"},
        also={"aws_route.private-a": "update"},
    ),
    argument("update", "aws_nat_gateway.a", {"secondary_allocation_ids": ["eipalloc-1"]}),
    argument(
        "replace",
        "aws_eip.nat-a",
        {"network_border_group": "us-east-1-wl1-bos-wlz-1"},
        also={"aws_nat_gateway.a": "replace", "aws_route.private-a": "update"},
    ),
    argument("replace", "aws_route.private-a", {"destination_cidr_block": "10.0.0.0/8"}),
    argument("update", "aws_route.private-a", {"nat_gateway_id": "nat-1"}),
    argument("update", "aws_route_table_association.data-a", {"route_table_id": "rtb-1"}),
    argument(
        "replace",
        ENDPOINT_GROUP,
        {"description": "of the network"},
        also={**dict.fromkeys(ENDPOINT_RULES, "replace"), **dict.fromkeys(INSIDE, "update")},
    ),
    argument("update", ENDPOINT_RULES[0], {"cidr_ipv4": "10.0.0.0/8"}),
    argument("update", ENDPOINT_RULES[0], {"to_port": 8443}),
    argument("replace", FLOW_LOG, {"traffic_type": "REJECT"}),
    argument("replace", FLOW_LOG, {"max_aggregation_interval": 60}),
    argument("replace", "aws_vpc_endpoint.s3", {"service_name": "com.amazonaws.us-east-1.dynamodb"}),
    argument("replace", "aws_vpc_endpoint.sts", {"service_region": "us-east-2"}),
    argument("update", "aws_vpc_endpoint.sts", {"private_dns_enabled": False}),
    argument("replace", "aws_vpc_ipv4_cidr_block_association.pods-0", {"cidr_block": "10.68.0.0/16"}),
]

OF_DATA = [
    argument("refused", ARTIFACTS, {"bucket": "acme-other"}),
    argument("refused", ARTIFACTS, {"object_lock_enabled": True}),
    # A bucket's name is its id, which is not known before it is there.
    argument(
        "replace",
        ARTIFACTS,
        {"bucket": "acme-other"},
        given={"lifecycle.prevent_destroy": False},
        also=dict.fromkeys(beside("artifacts"), "replace"),
    ),
    argument("update", ARTIFACTS, {"force_destroy": True}),
    argument("no-op", ARTIFACTS, {"lifecycle.prevent_destroy": False}),
    argument(
        "update", "aws_s3_bucket_versioning.artifacts", {"versioning_configuration[0].status": "Suspended"}
    ),
    argument("replace", "aws_s3_bucket_versioning.artifacts", {"expected_bucket_owner": "123456789012"}),
    argument("update", "aws_s3_bucket_public_access_block.artifacts", {"block_public_acls": False}),
    argument("refused", "aws_kms_key.data", {"multi_region": True}),
    argument("update", "aws_kms_key.data", {"enable_key_rotation": False}),
    argument("replace", "aws_kms_alias.data", {"name": "alias/acme-other"}),
    argument(
        "replace",
        "aws_kms_key.dnssec",
        {"customer_master_key_spec": "RSA_2048"},
        also={"aws_route53_key_signing_key.public": "replace"},
    ),
    argument("refused", POSTGRES, {"engine": "mariadb"}),
    argument("refused", POSTGRES, {"username": "other"}),
    argument("refused", POSTGRES, {"db_name": "other"}),
    argument("refused", POSTGRES, {"storage_encrypted": False}),
    argument("refused", POSTGRES, {"availability_zone": "us-east-1a"}),
    argument("update", POSTGRES, {"identifier": "other"}),
    argument("update", POSTGRES, {"engine_version": "18"}),
    argument("update", POSTGRES, {"multi_az": False}),
    argument("update", POSTGRES, {"deletion_protection": False}),
    argument("update", POSTGRES, {"password_wo_version": 2}),
    argument("no-op", POSTGRES, {"password_wo": "another expression"}),
    argument("no-op", POSTGRES, {"port": "5432"}),
    argument("create-then-delete", FLAGS, {"family": "postgres18"}),
    argument("create-then-delete", FLAGS, {"name": "acme-postgres-18"}, also={POSTGRES: "update"}),
    argument("update", FLAGS, {"parameter[0].value": "0"}),
    argument("replace", PLACES, {"name": "other"}, also={POSTGRES: "update"}),
    argument("update", PLACES, {"description": "of the platform"}),
    argument("replace", SECRET, {"name": "other"}, also={VERSION: "replace"}),
    argument("update", SECRET, {"recovery_window_in_days": 30}),
    argument("replace", VERSION, {"secret_string_wo_version": 2}),
    argument("no-op", VERSION, {"secret_string_wo": "another expression"}),
    argument("replace", WRITER, {"service_account": "other"}),
    argument("update", WRITER, {"role_arn": "arn:aws:iam::123456789012:role/other"}),
    argument(
        "replace",
        "aws_iam_role.mlflow",
        {"path": "/platform/"},
        also={WRITER: "update"},
    ),
    argument("replace", "aws_iam_role_policy.mlflow-artifacts", {"name": "other"}),
    argument("update", "aws_iam_role_policy.mlflow-artifacts", {"policy": "{}"}),
    argument("update", "aws_route53_record.mlflow", {"ttl": 300}),
    argument("no-op", "aws_route53_record.mlflow", {"ttl": "60"}),
    argument(
        "create-then-delete",
        CERTIFICATE,
        {"validation_method": "EMAIL"},
        also=dict.fromkeys(PROOFS, "replace"),
    ),
]

ROWS: Final = (*OF_THE_SPEC, *OF_CLUSTERS, *OF_POOLS, *OF_NETWORKS, *OF_DATA)
CHANGES: Final = {each.name: each for each in ROWS}
