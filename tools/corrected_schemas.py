"""What forces a new resource, where the recordings do not know it yet or know it no longer.

Of aws the recording has it for arguments as of 5.31, with some younger ones; what came or changed since is
stated here, as the provider's source has it in 6.x. Both the facts of the diff and the stand-in providers of
the tests are made with this, so the two agree.
"""

from typing import Any

Block = dict[str, Any]

FORCES_NEW: dict[str, dict[str, tuple[str, ...]]] = {
    "hashicorp/aws": {
        # Source: terraform-provider-aws, internal/service/ecr/repository_creation_template.go
        "aws_ecr_repository_creation_template": ("prefix",),
        # Source: terraform-provider-aws, internal/service/eks/access_policy_association.go
        "aws_eks_access_policy_association": ("access_scope.namespaces", "access_scope.type"),
        # Source: terraform-provider-aws, internal/service/kms/key.go
        "aws_kms_key": ("xks_key_id",),
        # Source: terraform-provider-aws, internal/service/ec2/vpc_nat_gateway.go
        "aws_nat_gateway": ("availability_mode", "vpc_id"),
        # Source: terraform-provider-aws, internal/service/secretsmanager/secret_version.go
        "aws_secretsmanager_secret_version": ("secret_string_wo_version",),
        # Source: terraform-provider-aws, internal/service/ec2/vpc_endpoint.go
        "aws_vpc_endpoint": (
            "dns_options.private_dns_preference",
            "dns_options.private_dns_specified_domains",
            "resource_configuration_arn",
            "service_network_arn",
            "service_region",
        ),
    }
}
"""Arguments that only a new resource can have, by provider and type."""

IN_PLACE: dict[str, dict[str, tuple[str, ...]]] = {
    "hashicorp/aws": {
        # Source: terraform-provider-aws, internal/service/eks/cluster.go, pull request 42928
        "aws_eks_cluster": ("remote_network_config",),
        # Source: terraform-provider-aws, internal/service/iam/openid_connect_provider.go
        "aws_iam_openid_connect_provider": ("client_id_list",),
        # Source: terraform-provider-aws, internal/service/ec2/vpc_nat_gateway.go
        "aws_nat_gateway": ("secondary_private_ip_address_count",),
    }
}
"""Arguments that once forced a new resource and are changed in place now."""


def correct(schema: Block) -> None:
    """Set and take away `force_new` in a recording."""
    for kind, paths in FORCES_NEW.get(schema["provider"], {}).items():
        for path in paths:
            _argument(schema, kind, path)["force_new"] = True
    for kind, paths in IN_PLACE.get(schema["provider"], {}).items():
        for path in paths:
            # A recording that has learned it needs no correction any more.
            del _argument(schema, kind, path)["force_new"]


def _argument(schema: Block, kind: str, path: str) -> Block:
    """An attribute or a block of a type; fails where there is none."""
    block: Block = schema["resources"][kind]
    *above, last = path.split(".")
    for name in above:
        block = block["blocks"][name]
    found: Block = {**block.get("attributes", {}), **block.get("blocks", {})}[last]
    return found
