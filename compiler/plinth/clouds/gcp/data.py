"""Where images and objects live, and who may use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds.gcp.names import LONGEST_BUCKET, TITLE, Names, grant
from plinth.ir.answers import Answer, BucketFacts, IdentityFacts, NoFacts
from plinth.ir.names import too_long
from plinth.ir.said import Expression, said, text
from plinth.ir.targets import TerraformResource

if TYPE_CHECKING:
    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir import needs

KEPT_DAYS: Final = 30
"""For how long an overwritten or deleted object can be brought back."""


def registry(need: needs.Registry, names: Names) -> Answer[NoFacts]:
    """A registry whose images the nodes may pull."""
    repository = TerraformResource(
        layer="cluster",
        type="google_artifact_registry_repository",
        name="images",
        arguments={
            "repository_id": names.platform,
            "project": names.project,
            "location": names.region,
            "format": "DOCKER",
            "description": "Images of the platform and its users",
            "docker_config": [{"immutable_tags": True}],
            "kms_key_name": names.key("registry"),
            "depends_on": [grant("registry")],
        },
        origins=need.origins,
    )
    reader = TerraformResource(
        layer="cluster",
        type="google_artifact_registry_repository_iam_member",
        name="nodes",
        arguments={
            "project": names.project,
            "location": names.region,
            "repository": Expression("google_artifact_registry_repository.images.name"),
            "role": "roles/artifactregistry.reader",
            "member": Expression("google_service_account.nodes.member"),
        },
        origins=need.origins,
    )
    return Answer(targets=(repository, reader), facts=NoFacts())


def bucket(need: needs.Bucket, names: Names) -> Answer[BucketFacts]:
    """A bucket of ours, or one that is there already."""
    wanted = need.bucket
    if wanted.url:
        return Answer(facts=BucketFacts(url=said(wanted, "url")))
    name = names.bucket(said(wanted, "name"))
    faults: tuple[Diagnostic, ...] = ()
    if len(name.value) > LONGEST_BUCKET:
        faults = (too_long(name.value, LONGEST_BUCKET, f"a bucket on {TITLE}", wanted.said_path("name")),)
    resource = TerraformResource(
        layer="platform",
        type="google_storage_bucket",
        name=wanted.name,
        arguments={
            "name": name,
            "project": names.project,
            "location": names.region.map(str.upper),
            "storage_class": "STANDARD",
            "uniform_bucket_level_access": True,
            "public_access_prevention": "enforced",
            "force_destroy": False,
            "versioning": [{"enabled": True}],
            "encryption": [{"default_kms_key_name": names.key("buckets")}],
            "lifecycle_rule": [
                {
                    "action": [{"type": "Delete"}],
                    "condition": [{"days_since_noncurrent_time": KEPT_DAYS, "with_state": "ARCHIVED"}],
                }
            ],
            "lifecycle": {"prevent_destroy": True},
        },
        origins=(wanted.spec_path,),
    )
    return Answer(targets=(resource,), facts=BucketFacts(url=text("gs://", name)), diagnostics=faults)


def identity(need: needs.Identity, names: Names) -> Answer[IdentityFacts]:
    """Rights on buckets, given to the service account by its name."""
    targets = tuple(
        TerraformResource(
            layer="platform",
            type="google_storage_bucket_iam_member",
            name=f"{need.account.namespace}-{need.account.name}-{wanted.name}",
            arguments={
                "bucket": Expression(f"google_storage_bucket.{wanted.name}.name")
                if wanted.url is None
                else said(wanted, "url").map(lambda url: url.removeprefix("gs://").split("/")[0]),
                "role": "roles/storage.objectUser",
                "member": names.principal(need.account),
            },
            origins=(*need.origins, *said(wanted, "name").origins),
        )
        for wanted in need.writes
    )
    return Answer(targets=targets, facts=IdentityFacts())
