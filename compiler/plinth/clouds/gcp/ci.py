"""Who the workflows of the repository are: one account that plans, one that applies, and no key.

GitHub signs what a job is. The provider takes that from jobs of the repository alone; the account that
applies is for jobs of the GitHub environment with the platform environment's name, which are those
that somebody has approved and whose branches GitHub restricts.

Source: Google Cloud, "Configure Workload Identity Federation with deployment pipelines"; GitHub,
"OpenID Connect reference".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Expression, Said, said, text
from plinth.ir.targets import TerraformResource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plinth.clouds.gcp.names import Names
    from plinth.ir.needs import ContinuousIntegration
    from plinth.ir.said import Origin
    from plinth.ir.targets import Target

ISSUER: Final = "https://token.actions.githubusercontent.com"

PLAN_ROLES: Final = (
    "roles/artifactregistry.reader",
    "roles/certificatemanager.viewer",
    "roles/cloudkms.viewer",
    "roles/cloudsql.viewer",
    "roles/compute.viewer",
    "roles/container.clusterViewer",
    "roles/dns.reader",
    "roles/iam.securityReviewer",
    "roles/iam.workloadIdentityPoolViewer",
    "roles/monitoring.viewer",
    "roles/secretmanager.viewer",
    "roles/serviceusage.serviceUsageViewer",
    "roles/storage.bucketViewer",
)
"""What looking at every resource takes; not at objects, nor at the values of secrets."""

APPLY_ROLES: Final = (
    "roles/artifactregistry.admin",
    "roles/certificatemanager.owner",
    "roles/cloudkms.admin",
    "roles/cloudsql.admin",
    "roles/compute.admin",
    "roles/container.admin",
    "roles/dns.admin",
    "roles/iam.serviceAccountAdmin",
    "roles/iam.workloadIdentityPoolAdmin",
    "roles/monitoring.notificationChannelEditor",
    "roles/resourcemanager.projectIamAdmin",
    "roles/secretmanager.admin",
    "roles/servicenetworking.networksAdmin",
    "roles/serviceusage.serviceUsageAdmin",
    "roles/storage.admin",
)
"""What making every resource of a platform takes, and no more: neither owner nor editor."""


def answer(need: ContinuousIntegration, names: Names) -> Answer[NoFacts]:
    """The pool that knows GitHub, and the two accounts."""
    origins = (need.ci.spec_path,)
    repository = said(need.ci, "github")
    subject = text("repo:", repository, ":environment:", names.environment)
    targets: list[Target] = [*_pool(names, repository, origins)]
    targets += _account("plan", names, PLAN_ROLES, _who(names, text("attribute.repository/", repository)))
    targets += _account("apply", names, APPLY_ROLES, _who(names, text("subject/", subject)))
    targets.append(_node_user(names, origins))
    if need.state:
        bucket = said(need.state, "bucket")
        targets += [
            _on_state("plan", bucket, "roles/storage.objectViewer", origins),
            _on_state("apply", bucket, "roles/storage.objectUser", origins),
        ]
    return Answer(targets=tuple(targets), facts=NoFacts())


def _pool(names: Names, repository: Said, origins: tuple[Origin, ...]) -> Iterator[Target]:
    yield TerraformResource(
        layer="platform",
        type="google_iam_workload_identity_pool",
        name="ci",
        arguments={
            "project": names.project,
            "workload_identity_pool_id": text(names.platform, "-ci"),
            "display_name": "Workflows of the platform",
        },
        origins=origins,
    )
    yield TerraformResource(
        layer="platform",
        type="google_iam_workload_identity_pool_provider",
        name="github",
        arguments={
            "project": names.project,
            "workload_identity_pool_id": Expression(
                "google_iam_workload_identity_pool.ci.workload_identity_pool_id"
            ),
            "workload_identity_pool_provider_id": "github",
            "display_name": "GitHub",
            "attribute_mapping": {
                "google.subject": "assertion.sub",
                "attribute.repository": "assertion.repository",
                "attribute.ref": "assertion.ref",
            },
            # Everybody's workflows have the same issuer. A job of a tag is none of these.
            "attribute_condition": _condition(text("repo:", repository), names),
            "oidc": [{"issuer_uri": ISSUER}],
        },
        origins=origins,
    )


def _condition(repository: Said, names: Names) -> Said:
    """Jobs that somebody approved for this environment, of a pull request, or of a branch."""
    return text(
        "assertion.sub == '",
        repository,
        f":environment:{names.environment}' || assertion.sub == '",
        repository,
        ":pull_request' || assertion.sub.startsWith('",
        repository,
        ":ref:refs/heads/')",
    )


def _who(names: Names, which: Said) -> Said:
    kind = "principal" if which.value.startswith("subject/") else "principalSet"
    return text(
        f"{kind}://iam.googleapis.com/projects/",
        names.project_number,
        "/locations/global/workloadIdentityPools/",
        names.platform,
        "-ci/",
        which,
    )


def _account(does: str, names: Names, roles: tuple[str, ...], who: Said) -> Iterator[Target]:
    yield TerraformResource(
        layer="platform",
        type="google_service_account",
        name=f"ci-{does}",
        arguments={
            "account_id": text(names.platform, "-", does),
            "project": names.project,
            "display_name": f"Workflows that {does}",
        },
        origins=who.origins,
    )
    # By its text, the member waits for nothing: the pool has to be there first.
    arguments: dict[str, Any] = {
        "service_account_id": Expression(f"google_service_account.ci-{does}.name"),
        "role": "roles/iam.workloadIdentityUser",
        "member": who,
        "depends_on": ["google_iam_workload_identity_pool.ci"],
    }
    yield TerraformResource(
        layer="platform",
        type="google_service_account_iam_member",
        name=f"ci-{does}",
        arguments=arguments,
        origins=who.origins,
    )
    for role in roles:
        yield TerraformResource(
            layer="platform",
            type="google_project_iam_member",
            name=f"ci-{does}-{role.removeprefix('roles/').replace('.', '-')}",
            arguments={
                "project": names.project,
                "role": role,
                "member": Expression(f"google_service_account.ci-{does}.member"),
            },
            origins=who.origins,
        )


def _node_user(names: Names, origins: tuple[Origin, ...]) -> Target:
    """Whoever makes nodes has to be allowed to have them be somebody."""
    email = names.node_account_email
    return TerraformResource(
        layer="platform",
        type="google_service_account_iam_member",
        name="ci-nodes",
        arguments={
            "service_account_id": text("projects/", names.project, "/serviceAccounts/", email),
            "role": "roles/iam.serviceAccountUser",
            "member": Expression("google_service_account.ci-apply.member"),
        },
        origins=origins,
    )


def _on_state(does: str, bucket: Said, role: str, origins: tuple[Origin, ...]) -> Target:
    return TerraformResource(
        layer="platform",
        type="google_storage_bucket_iam_member",
        name=f"ci-{does}-state",
        arguments={
            "bucket": bucket,
            "role": role,
            "member": Expression(f"google_service_account.ci-{does}.member"),
        },
        origins=origins,
    )
