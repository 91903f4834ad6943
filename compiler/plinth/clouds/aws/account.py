"""What concerns the account as a whole: a budget, and an identity for the workflows that apply.

Source: AWS Budgets; GitHub, "Configuring OpenID Connect in Amazon Web Services".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.aws import elastic
from plinth.clouds.aws.policies import allow, attachments, inline, policy, role, trust
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Said, said, text
from plinth.ir.targets import TerraformResource

if TYPE_CHECKING:
    from plinth.clouds.aws.names import Names
    from plinth.ir import needs

TOLD_AT_PERCENT: Final = (50, 90, 100)

ISSUER: Final = "token.actions.githubusercontent.com"
AUDIENCE: Final = "sts.amazonaws.com"

ROLES: Final = (
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
READS: Final = (
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:ListRolePolicies",
    "iam:ListRoleTags",
)
PROFILES: Final = (
    "iam:AddRoleToInstanceProfile",
    "iam:CreateInstanceProfile",
    "iam:DeleteInstanceProfile",
    "iam:GetInstanceProfile",
    "iam:ListInstanceProfileTags",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:TagInstanceProfile",
    "iam:UntagInstanceProfile",
)
"""What Terraform does with the profile of the nodes that Karpenter makes."""


def budget(need: needs.Budget, names: Names) -> Answer[NoFacts]:
    """Mails at half, at nine tenths and at all of what a month may cost: one account is one platform."""
    wanted = need.budget
    notify = said(wanted, "notify").map(sorted)
    resource = TerraformResource(
        layer="platform",
        type="aws_budgets_budget",
        name="platform",
        arguments={
            "name": names.platform,
            "budget_type": "COST",
            "time_unit": "MONTHLY",
            "limit_amount": said(wanted, "monthly").map(str),
            "limit_unit": said(wanted, "currency"),
            "notification": [
                {
                    "comparison_operator": "GREATER_THAN",
                    "notification_type": "ACTUAL",
                    "threshold": percent,
                    "threshold_type": "PERCENTAGE",
                    "subscriber_email_addresses": notify,
                }
                for percent in TOLD_AT_PERCENT
            ],
        },
        origins=(wanted.spec_path,),
    )
    return Answer(targets=(resource,), facts=NoFacts())


def continuous_integration(
    need: needs.ContinuousIntegration, names: Names, context: needs.Context
) -> Answer[NoFacts]:
    """A role for workflows on the branch of this environment, or in GitHub's environment of its name.

    It may use every service, and of IAM what belongs to the platform: roles that begin with its name.
    """
    origins = (need.ci.spec_path,)
    repository = said(need.ci, "github")
    provider = TerraformResource(
        layer="platform",
        type="aws_iam_openid_connect_provider",
        name="github",
        arguments={"url": f"https://{ISSUER}", "client_id_list": [AUDIENCE]},
        origins=origins,
    )
    branch = said(context.platform.repository, "branch")
    subjects: list[Any] = [
        text("repo:", repository, f":environment:{context.environment}"),
        text("repo:", repository, ":ref:refs/heads/", branch),
    ]
    provider_arn = text("arn:", names.partition, ":iam::", names.account, f":oidc-provider/{ISSUER}")
    trusted = trust(
        {"Federated": provider_arn},
        "sts:AssumeRoleWithWebIdentity",
        condition={"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subjects}},
    )
    made = role("platform", "ci", names.role("ci"), trusted, "Workflows that plan and apply", origins)
    has_profiles = elastic.declared(context.platform) is not None
    document = _roles(names, provider_arn, has_profiles=has_profiles)
    depends = {**made.arguments, "depends_on": ["aws_iam_openid_connect_provider.github"]}
    return Answer(
        targets=(
            provider,
            TerraformResource(
                layer="platform", type=made.type, name=made.name, arguments=depends, origins=origins
            ),
            *attachments("platform", "ci", ["PowerUserAccess"], names, origins),
            inline("platform", "ci", "roles", document, origins),
        ),
        facts=NoFacts(),
    )


def _roles(names: Names, provider: Said, *, has_profiles: bool) -> Said:
    """What Terraform does with the roles of a platform."""
    ours = names.role_arn(names.role("*"))
    services = names.role_arn(Said("aws-service-role/*", ()))
    profiles = text("arn:", names.partition, ":iam::", names.account, ":instance-profile/", names.role("*"))
    return policy(
        allow(ROLES, ours),
        *([allow(PROFILES, profiles)] if has_profiles else ()),
        allow(READS, names.role_arn(Said("*", ()))),
        allow(("iam:CreateServiceLinkedRole",), services),
        allow(("iam:GetOpenIDConnectProvider",), provider),
    )
