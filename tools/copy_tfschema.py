"""Copy the recorded Terraform provider schemas that the tests need into `tests/data/tfschema/`.

    python tools/copy_tfschema.py --source FOLDER

`FOLDER` holds one `{provider}.json` for each provider, in the reduced format of
`providers schema -json`: names, types and flags, no descriptions, plus what that command does not
tell (`force_new`, `conflicts`, `exactly_one_of`, ...), as `corrected_schemas` corrects it. Each is
copied whole: every type of the recording is one that Plinth emits or is likely to. The copy is
compact, sorted and has one type a line, so a Git diff names the types that a provider release changed.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from corrected_schemas import correct

PROVIDERS = ("aws", "azurerm", "azurerm5", "google", "random")

TARGET = Path(__file__).parents[1] / "tests" / "data" / "tfschema"

TYPE_SECTIONS = ("resources", "data_sources", "ephemeral_resources")


def attributes(mode: str, kind: str, *names: str, **flags: bool) -> dict[str, Any]:
    """Several attributes that differ in name only."""
    return {name: {"mode": mode, "type": kind, **flags} for name in names}


# The recordings hold no ephemeral resource types, which Terraform knows since 1.10 and OpenTofu
# since 1.11. Each is stated here as its provider's source declares it.
EPHEMERAL_RESOURCES: dict[str, dict[str, dict[str, Any]]] = {
    "hashicorp/aws": {
        # Source: terraform-provider-aws,
        # internal/service/secretsmanager/secret_version_ephemeral.go
        "aws_secretsmanager_secret_version": {
            "attributes": {
                **attributes("required", "string", "secret_id"),
                **attributes("optional_computed", "string", "region", "version_id", "version_stage"),
                **attributes("computed", "string", "arn", "created_date"),
                **attributes("computed", "string", "secret_binary", "secret_string", sensitive=True),
            },
            "blocks": {},
        },
    },
    "hashicorp/azurerm": {
        # Source: terraform-provider-azurerm, internal/services/keyvault/key_vault_secret_ephemeral.go
        "azurerm_key_vault_secret": {
            "attributes": {
                **attributes("required", "string", "key_vault_id", "name"),
                **attributes("optional", "string", "version"),
                **attributes("computed", "string", "expiration_date", "not_before_date"),
                **attributes("computed", "string", "value", sensitive=True),
            },
            "blocks": {},
        },
    },
    "hashicorp/google": {
        # Source: terraform-provider-google,
        # google/services/secretmanager/ephemeral_google_secret_manager_secret_version.go
        "google_secret_manager_secret_version": {
            "attributes": {
                **attributes("required", "string", "secret"),
                **attributes("optional_computed", "string", "project"),
                **attributes("optional", "string", "version"),
                **attributes("optional", "bool", "is_secret_data_base64"),
                **attributes("computed", "string", "create_time", "destroy_time", "name"),
                **attributes("computed", "bool", "enabled"),
                **attributes("computed", "string", "secret_data", sensitive=True),
            },
            "blocks": {},
        },
    },
    "hashicorp/random": {
        # Source: terraform-provider-random 3.7.1, internal/provider/ephemeral_password.go
        "random_password": {
            "attributes": {
                **attributes("required", "number", "length"),
                **attributes("optional_computed", "bool", "lower", "numeric", "special", "upper"),
                **attributes(
                    "optional_computed", "number", "min_lower", "min_numeric", "min_special", "min_upper"
                ),
                **attributes("optional", "string", "override_special"),
                **attributes("computed", "string", "bcrypt_hash", "result", sensitive=True),
            },
            "blocks": {},
        },
    },
}

# Data sources that the recordings lack, with what we read of them.
DATA_SOURCES: dict[str, dict[str, dict[str, Any]]] = {
    "hashicorp/azurerm": {
        # Source: terraform-provider-azurerm, internal/services/containers/kubernetes_cluster_data_source.go
        "azurerm_kubernetes_cluster": {
            "attributes": {
                **attributes("required", "string", "name", "resource_group_name"),
                **attributes("optional_computed", "string", "id"),
                **attributes("computed", "string", "node_resource_group", "oidc_issuer_url"),
            },
            "blocks": {},
        },
    },
}


# Types of a recording that Plinth does not emit.
LEFT_OUT: dict[str, frozenset[str]] = {
    "hashicorp/aws": frozenset(
        {
            "aws_acm_certificate_validation",
            "aws_ami",
            "aws_availability_zones",
            "aws_caller_identity",
            "aws_default_network_acl",
            "aws_default_route_table",
            "aws_ec2_capacity_block_reservation",
            "aws_ec2_capacity_reservation",
            "aws_ec2_tag",
            "aws_ecr_pull_through_cache_rule",
            "aws_ecr_repository_policy",
            "aws_efs_access_point",
            "aws_efs_file_system",
            "aws_efs_file_system_policy",
            "aws_efs_mount_target",
            "aws_eks_addon_version",
            "aws_eks_capability",
            "aws_eks_cluster_auth",
            "aws_eks_fargate_profile",
            "aws_elasticache_replication_group",
            "aws_elasticache_subnet_group",
            "aws_fsx_data_repository_association",
            "aws_fsx_lustre_file_system",
            "aws_iam_policy",
            "aws_iam_policy_document",
            "aws_iam_service_linked_role",
            "aws_partition",
            "aws_prometheus_workspace",
            "aws_rds_cluster",
            "aws_rds_cluster_instance",
            "aws_region",
            "aws_s3_bucket_logging",
            "aws_secretsmanager_secret_policy",
            "aws_sns_topic",
            "aws_sns_topic_policy",
            "aws_ssm_parameter",
        }
    ),
}


def render(schema: dict[str, Any]) -> str:
    """The file text: sorted compact JSON, a line for each key and for each type of a section."""
    lines = []
    for key, value in sorted(schema.items()):
        if key in TYPE_SECTIONS and value:
            types = ",\n".join(f"{compact(name)}:{compact(block)}" for name, block in sorted(value.items()))
            lines.append(f"{compact(key)}:{{\n{types}\n}}")
        else:
            lines.append(f"{compact(key)}:{compact(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def compact(value: object) -> str:
    """Sorted JSON without a space."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def asked_source(about: str | None) -> Path:
    """The folder of recorded schemas that the command line names."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="folder of recorded provider schemas")
    source: Path = parser.parse_args().source
    return source


def main() -> None:
    """Write one file for each of `PROVIDERS`."""
    source = asked_source(__doc__)
    TARGET.mkdir(parents=True, exist_ok=True)
    for provider in PROVIDERS:
        schema = json.loads((source / f"{provider}.json").read_text(encoding="utf-8"))
        correct(schema)
        schema["data_sources"] |= DATA_SOURCES.get(schema["provider"], {})
        schema["ephemeral_resources"] = EPHEMERAL_RESOURCES[schema["provider"]]
        for section in TYPE_SECTIONS:
            for name in LEFT_OUT.get(schema["provider"], frozenset()) & schema[section].keys():
                del schema[section][name]
        (TARGET / f"{provider}.json").write_text(render(schema), encoding="utf-8")
        counts = ", ".join(f"{len(schema[section])} {section}" for section in TYPE_SECTIONS)
        print(f"{provider} {schema['version']}: {counts}")


if __name__ == "__main__":
    main()
