"""A registry for images: a repository is made by the first push to it, in the form that is set here.

Source: ECR, "Repository creation templates".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.aws.names import Names, reference
from plinth.clouds.aws.policies import allow, inline, policy, role, trust, with_key
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Said, text
from plinth.ir.targets import Target, TerraformResource
from plinth.text.emit import json_line

if TYPE_CHECKING:
    from plinth.ir import needs

UNTAGGED_DAYS: Final = 14

OWN: Final = "images"
"""The repository that is there from the start."""


def answer(need: needs.Registry, names: Names) -> Answer[NoFacts]:
    """One repository, and the form of all others below the platform's name."""
    rules = {
        "rules": [
            {
                "rulePriority": 1,
                "description": "What no tag names any more",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": UNTAGGED_DAYS,
                },
                "action": {"type": "expire"},
            }
        ]
    }
    lifecycle = Said(json_line(rules), ())
    encrypted = [{"encryption_type": "KMS", "kms_key": reference("aws_kms_key.cluster", "arn")}]

    def made(kind: str, name: str, arguments: dict[str, Any]) -> TerraformResource:
        return TerraformResource(
            layer="cluster", type=kind, name=name, arguments=arguments, origins=need.origins
        )

    repository = made(
        "aws_ecr_repository",
        OWN,
        {
            "name": text(names.platform, f"/{OWN}"),
            "image_tag_mutability": "IMMUTABLE",
            "image_scanning_configuration": [{"scan_on_push": True}],
            "encryption_configuration": encrypted,
            "force_delete": False,
        },
    )
    expiry = made(
        "aws_ecr_lifecycle_policy",
        OWN,
        {"repository": reference(f"aws_ecr_repository.{OWN}", "name"), "policy": lifecycle},
    )
    template = made(
        "aws_ecr_repository_creation_template",
        OWN,
        {
            "prefix": names.platform,
            "description": "Images of the platform and its users",
            "applied_for": ["CREATE_ON_PUSH"],
            "custom_role_arn": reference("aws_iam_role.registry", "arn"),
            "image_tag_mutability": "IMMUTABLE",
            "encryption_configuration": encrypted,
            "lifecycle_policy": lifecycle,
            "depends_on": ["aws_iam_role_policy.registry-create"],
        },
    )
    return Answer(targets=(repository, expiry, *_maker(need, names), template), facts=NoFacts())


def _maker(need: needs.Registry, names: Names) -> list[Target]:
    """ECR makes a repository with a key of ours by a role of ours."""
    below = names.arn("ecr", "repository/", names.platform, "/*")
    document = policy(
        allow(("ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"), below),
        with_key(names, "cluster", "kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"),
    )
    trusted = trust({"Service": "ecr.amazonaws.com"})
    return [
        role("cluster", "registry", names.role("registry"), trusted, "Makes repositories", need.origins),
        inline("cluster", "registry", "create", document, need.origins),
    ]
