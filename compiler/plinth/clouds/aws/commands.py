"""Commands of the AWS CLI for the first hour and the last.

Source: `aws help` of the AWS CLI; Amazon EKS, "Connect kubectl to an EKS cluster".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from plinth.ir.commands import Check, CloudCommands, Command, Making, OwnNodes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plinth.ir.commands import WantedSecret

PROGRAMS: Final = {
    "aws": "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html, "
    "then `aws sso login` or whatever signs you in",
}
PROTECTIONS: Final = {
    "deletion_protection": False,
    "enable_deletion_protection": False,
    "force_destroy": True,
}

KARPENTER: Final = OwnNodes(application="karpenter", label="karpenter.sh/nodepool")

HOME: Final = "us-east-1"
"""The one region whose buckets are made without naming it: S3 refuses its name as a constraint."""

_PUBLIC_ACCESS: Final = (
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
)


def commands(
    *,
    account: str,
    region: str,
    cluster: str,
    cluster_arn: str,
    state_bucket: str | None,
    is_private: bool,
    secrets: Sequence[WantedSecret],
    has_karpenter: bool = False,
) -> CloudCommands:
    """Everything that one account's first hour asks of the AWS CLI.

    `is_private`: the control plane has an address in its network only. `has_karpenter`: nodes come by it.
    """
    in_region = f"--region={region}"
    made = "load balancers, disks and machines" if has_karpenter else "load balancers and disks"
    return CloudCommands(
        programs=PROGRAMS,
        # What the command calls it where it is given no other name.
        context=cluster_arn,
        state=() if state_bucket is None else _state(account, region, state_bucket),
        credentials=(
            Command(
                argv=("aws", "eks", "update-kubeconfig", f"--name={cluster}", in_region),
                purpose="adds the cluster to the kubeconfig",
            ),
        ),
        secrets=tuple(_secret(region, each) for each in secrets if not each.is_generated),
        leftovers=tuple(
            Command(
                argv=(
                    "aws",
                    "resourcegroupstaggingapi",
                    "get-resources",
                    in_region,
                    f"--tag-filters=Key={key},Values={value}",
                    "--query=ResourceTagMappingList[].ResourceARN",
                    "--output=text",
                ),
                purpose=purpose,
            )
            for key, value, purpose in (
                ("elbv2.k8s.aws/cluster", cluster, "load balancers of its controller that are left"),
                (f"kubernetes.io/cluster/{cluster}", "owned", f"{made} that are left"),
            )
        ),
        own_nodes=KARPENTER if has_karpenter else None,
        protections=PROTECTIONS,
        control_plane="aws_eks_cluster",
        way_in="it answers inside its network only: run this from a machine there, or through a tunnel"
        if is_private
        else "it answers to the ranges in `network.allow`, and to those in `cloud.admins`",
    )


def _state(account: str, region: str, bucket: str) -> tuple[Making, ...]:
    # Names of buckets are one space over all accounts: somebody else's must not be taken for ours.
    on = (f"--bucket={bucket}", f"--region={region}")
    ours = (*on, f"--expected-bucket-owner={account}")
    place = () if region == HOME else (f"--create-bucket-configuration=LocationConstraint={region}",)
    s3 = ("aws", "s3api")
    return (
        Making(
            what=f"bucket `{bucket}`",
            check=Check(argv=(*s3, "head-bucket", *ours)),
            commands=(Command(argv=(*s3, "create-bucket", *on, *place), purpose="a bucket for the state"),),
        ),
        Making(
            what=f"no public access to bucket `{bucket}`",
            check=Check(
                argv=(
                    *s3,
                    "get-public-access-block",
                    *ours,
                    f"--query=PublicAccessBlockConfiguration.[{','.join(_PUBLIC_ACCESS)}]",
                    "--output=text",
                ),
                prints="True\tTrue\tTrue\tTrue",
            ),
            commands=(
                Command(
                    argv=(
                        *s3,
                        "put-public-access-block",
                        *ours,
                        "--public-access-block-configuration="
                        + ",".join(f"{each}=true" for each in _PUBLIC_ACCESS),
                    ),
                    purpose="nobody can make it public",
                ),
            ),
        ),
        Making(
            what=f"versions in bucket `{bucket}`",
            check=Check(
                argv=(*s3, "get-bucket-versioning", *ours, "--query=Status", "--output=text"),
                prints="Enabled",
            ),
            commands=(
                Command(
                    argv=(
                        *s3,
                        "put-bucket-versioning",
                        *ours,
                        "--versioning-configuration=Status=Enabled",
                    ),
                    purpose="an overwritten state can be brought back",
                ),
            ),
        ),
    )


def _secret(region: str, wanted: WantedSecret) -> Making:
    shape = json.dumps(dict.fromkeys(wanted.keys, "..."))
    of = (f"--secret-id={wanted.name}", f"--region={region}")
    return Making(
        what=f"value of `{wanted.name}` in Secrets Manager",
        check=Check(
            argv=(
                "aws",
                "secretsmanager",
                "list-secret-version-ids",
                *of,
                "--query=length(Versions[?contains(VersionStages, 'AWSCURRENT')])",
                "--output=text",
            ),
            prints="1",
        ),
        commands=(
            Command(
                argv=(
                    "aws",
                    "secretsmanager",
                    "put-secret-value",
                    *of,
                    f"--secret-string=file://{wanted.name}.json",
                ),
                purpose=f"{wanted.name}.json holds {shape}",
            ),
        ),
    )
