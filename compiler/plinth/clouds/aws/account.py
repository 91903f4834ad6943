"""What concerns the account as a whole: a budget, and identities for the workflows that plan and apply.

GitHub signs what a job is. Jobs of the GitHub environment with the platform environment's name apply, for
somebody approved them. Those of `NAME-plan` look and change nothing. A branch rule of either says whose jobs
they are.

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
    from plinth.ir.said import Origin

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
    """A role that applies, and one that plans.

    The first may use every service, and of IAM what belongs to the platform: roles that begin with its name.
    The second reads what is made, and no object but states; a plan reads back the passwords of databases.
    """
    origins = (need.ci.spec_path,)
    provider = TerraformResource(
        layer="platform",
        type="aws_iam_openid_connect_provider",
        name="github",
        arguments={"url": f"https://{ISSUER}", "client_id_list": [AUDIENCE]},
        origins=origins,
    )
    provider_arn = text("arn:", names.partition, ":iam::", names.account, f":oidc-provider/{ISSUER}")
    applies = text("repo:", said(need.ci, "github"), f":environment:{context.environment}")
    roles = _roles(names, provider_arn, has_profiles=elastic.declared(context.platform) is not None)
    return Answer(
        targets=(
            provider,
            _workflow("ci", "Workflows that apply", applies, names, provider_arn, origins),
            *attachments("platform", "ci", ["PowerUserAccess"], names, origins),
            inline("platform", "ci", "roles", roles, origins),
            _workflow("ci-plan", "Workflows that plan", text(applies, "-plan"), names, provider_arn, origins),
            *attachments("platform", "ci-plan", ["ReadOnlyAccess"], names, origins),
            inline("platform", "ci-plan", "reads", _reads(names, need), origins),
        ),
        facts=NoFacts(),
    )


def _workflow(
    name: str, description: str, subject: Said, names: Names, provider: Said, origins: tuple[Origin, ...]
) -> TerraformResource:
    """A role that jobs with one subject take."""
    trusted = trust(
        {"Federated": provider},
        "sts:AssumeRoleWithWebIdentity",
        condition={"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject}},
    )
    made = role("platform", name, names.role(name), trusted, description, origins)
    depends = {**made.arguments, "depends_on": ["aws_iam_openid_connect_provider.github"]}
    return TerraformResource(layer="platform", type=made.type, name=name, arguments=depends, origins=origins)


def _reads(names: Names, need: needs.ContinuousIntegration) -> Said:
    """What a plan reads beyond what is made, and what it has no business with."""
    passwords = names.arn("secretsmanager", "secret:", names.platform, "-postgres-*")
    through: dict[str, Any] = {"kms:ViaService": names.service("secretsmanager")}
    no_objects: dict[str, Any] = {"Effect": "Deny", "Action": ["s3:GetObject*"], "Resource": "*"}
    if need.state:
        states = text("arn:", names.partition, ":s3:::", said(need.state, "bucket"), "/*")
        no_objects = {"Effect": "Deny", "Action": ["s3:GetObject*"], "NotResource": states}
    return policy(
        allow(("secretsmanager:GetSecretValue",), passwords),
        allow(("kms:Decrypt",), names.arn("kms", "key/*"), Condition={"StringEquals": through}),
        no_objects,
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
