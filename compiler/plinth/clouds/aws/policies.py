"""Policies of IAM as the text that AWS takes, and the roles and keys that carry them.

Every ARN of ours follows from the spec, so a policy is plain text in the compiled tree: a review
reads what will be allowed, and no data source has to be asked for it.

Source: AWS, "IAM JSON policy elements reference".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.ir.said import Expression, Origin, Said, settle, text
from plinth.ir.targets import Layer, Target, TerraformResource
from plinth.text.emit import json_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plinth.clouds.aws.names import Names
    from plinth.ir.needs import ServiceAccount

DELETION_DAYS: Final = 30
"""For how long a key that is to be deleted can be brought back: the longest that KMS offers."""

POD_IDENTITY: Final = "pods.eks.amazonaws.com"

Statement = dict[str, Any]


def policy(*statements: Statement) -> Said:
    """A policy as text, from the origins of all that stands in it."""
    data, found = settle({"Version": "2012-10-17", "Statement": list(statements)})
    origins = dict.fromkeys(origin for some in found.values() for origin in some)
    return Said(json_line(data), tuple(origins))


def allow(actions: Iterable[str], resources: Any, **more: Any) -> Statement:
    """A statement that allows actions on resources; `more` are `Condition`, `Sid`."""
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": resources, **more}


def trust(principal: dict[str, Any], *actions: str, condition: dict[str, Any] | None = None) -> Said:
    """Who may take a role."""
    statement: Statement = {
        "Effect": "Allow",
        "Action": list(actions or ("sts:AssumeRole",)),
        "Principal": principal,
    }
    if condition:
        statement["Condition"] = condition
    return policy(statement)


def pod_trust(account: ServiceAccount) -> Said:
    """A role that the pods of one service account take, and no others.

    Source: EKS, "Create IAM role with trust policy required by EKS Pod Identity".
    """
    tags = {
        "aws:RequestTag/kubernetes-namespace": account.namespace,
        "aws:RequestTag/kubernetes-service-account": account.name,
    }
    return trust(
        {"Service": POD_IDENTITY}, "sts:AssumeRole", "sts:TagSession", condition={"StringEquals": tags}
    )


def service_trust(names: Names, service: str, *, own: bool = True) -> Said:
    """A role that a service of AWS takes for this account; not `own` for those that tell no account."""
    condition = {"StringEquals": {"aws:SourceAccount": names.account}} if own else None
    return trust({"Service": service}, condition=condition)


def role(
    layer: Layer, name: str, full: Said, trusted: Said, description: str, origins: tuple[Origin, ...]
) -> TerraformResource:
    """An IAM role."""
    return TerraformResource(
        layer=layer,
        type="aws_iam_role",
        name=name,
        arguments={
            "name": full,
            "description": description,
            "assume_role_policy": trusted,
            "force_detach_policies": True,
        },
        origins=origins,
    )


def inline(
    layer: Layer, role_name: str, name: str, document: Said, origins: tuple[Origin, ...]
) -> TerraformResource:
    """A policy that is a part of one role."""
    return TerraformResource(
        layer=layer,
        type="aws_iam_role_policy",
        name=f"{role_name}-{name}",
        arguments={
            "name": name,
            "role": Expression(f"aws_iam_role.{role_name}.name"),
            "policy": document,
        },
        origins=origins,
    )


def attachments(
    layer: Layer, role_name: str, policies: Sequence[str], names: Names, origins: tuple[Origin, ...]
) -> list[Target]:
    """Policies of AWS's own on a role."""
    return [
        TerraformResource(
            layer=layer,
            type="aws_iam_role_policy_attachment",
            name=f"{role_name}-{name.rpartition('/')[2]}",
            arguments={
                "role": Expression(f"aws_iam_role.{role_name}.name"),
                "policy_arn": names.managed_policy(name),
            },
            origins=origins,
        )
        for name in policies
    ]


def association(
    layer: Layer, role_name: str, account: ServiceAccount, names: Names, origins: tuple[Origin, ...]
) -> TerraformResource:
    """Pods of a service account take a role; nothing in their manifests says so."""
    return TerraformResource(
        layer=layer,
        type="aws_eks_pod_identity_association",
        name=role_name,
        arguments={
            "cluster_name": names.cluster,
            "namespace": account.namespace,
            "service_account": account.name,
            "role_arn": Expression(f"aws_iam_role.{role_name}.arn"),
        },
        origins=origins,
    )


def key(
    layer: Layer,
    purpose: str,
    description: str,
    uses: Iterable[Statement],
    names: Names,
    origins: tuple[Origin, ...],
) -> list[Target]:
    """A key of ours that turns every year, with its alias; `uses` is who may use it beside IAM's word."""
    made = TerraformResource(
        layer=layer,
        type="aws_kms_key",
        name=purpose,
        arguments={
            "description": description,
            "enable_key_rotation": True,
            "deletion_window_in_days": DELETION_DAYS,
            "policy": policy(account_owner(names), *uses),
            "lifecycle": {"prevent_destroy": True},
        },
        origins=origins,
    )
    alias = TerraformResource(
        layer=layer,
        type="aws_kms_alias",
        name=purpose,
        arguments={
            "name": names.alias(purpose),
            "target_key_id": Expression(f"aws_kms_key.{purpose}.key_id"),
        },
        origins=origins,
    )
    return [made, alias]


def account_owner(names: Names) -> Statement:
    """The account owns a key, so that its policies in IAM count. Source: KMS, "Default key policy"."""
    return {
        "Sid": "Account",
        "Effect": "Allow",
        "Principal": {"AWS": text("arn:", names.partition, ":iam::", names.account, ":root")},
        "Action": "kms:*",
        "Resource": "*",
    }


def used_by_logs(names: Names, group: Said) -> Statement:
    """CloudWatch uses a key for one group of logs.

    Source: CloudWatch Logs, "Encrypt log data using AWS KMS".
    """
    return {
        "Sid": "Logs",
        "Effect": "Allow",
        "Principal": {"Service": names.service("logs")},
        "Action": ["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Resource": "*",
        "Condition": {
            "ArnEquals": {"kms:EncryptionContext:aws:logs:arn": names.arn("logs", "log-group:", group)}
        },
    }


def used_by_disks(names: Names) -> Statement:
    """EC2 uses a key for disks of this account, whoever in it asked for them.

    Autoscaling asks by a role of its own that cannot be named before AWS has made it.
    Source: KMS, the policy of the key `aws/ebs`.
    """
    return {
        "Sid": "Disks",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey*",
            "kms:ReEncrypt*",
        ],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"kms:CallerAccount": names.account, "kms:ViaService": names.service("ec2")}
        },
    }


def with_key(names: Names, purpose: str, *actions: str) -> Statement:
    """What a role may do with a key of ours, which a policy names by its alias."""
    return allow(
        actions or ("kms:Decrypt", "kms:GenerateDataKey"),
        names.arn("kms", "key/*"),
        Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": names.alias(purpose)}},
    )
