"""Object storage, each bucket with all that keeps it closed, encrypted and recoverable.

Source: S3, "Security best practices", "Enabling Amazon S3 server access logging".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.aws.names import LONGEST_BUCKET, TITLE, Names, reference
from plinth.clouds.aws.policies import policy
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import Answer, BucketFacts
from plinth.ir.names import too_long
from plinth.ir.said import Said, said, text
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.ir import needs
    from plinth.ir.said import Origin

KEPT_DAYS: Final = 30
"""For how long an overwritten or deleted object can be brought back."""
UPLOAD_DAYS: Final = 7

SCHEME: Final = "s3://"


def answer(need: needs.Bucket, names: Names) -> Answer[BucketFacts]:
    """A bucket of ours, or one that is there already."""
    wanted = need.bucket
    if wanted.url:
        return Answer(facts=BucketFacts(url=said(wanted, "url")), diagnostics=_foreign(need))
    name = names.bucket(said(wanted, "name"))
    faults: tuple[Diagnostic, ...] = ()
    if len(name.value) > LONGEST_BUCKET:
        path = wanted.said_path("name")
        faults = (too_long(name.value, LONGEST_BUCKET, f"a bucket on {TITLE}", path),)
    return Answer(
        targets=tuple(_bucket(wanted.name, name, names, (wanted.spec_path,))),
        facts=BucketFacts(url=text(SCHEME, name)),
        diagnostics=faults,
    )


def _foreign(need: needs.Bucket) -> tuple[Diagnostic, ...]:
    url = str(need.bucket.url)
    if url.startswith(SCHEME):
        return ()
    return (
        Diagnostic(
            code="PLN204",
            message=f"`{url}` is no bucket of {TITLE}",
            help=f"write `{SCHEME}name`: pods have rights in the environment's own cloud alone",
            path=need.bucket.said_path("url"),
        ),
    )


def _bucket(address: str, name: Said, names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    bucket = reference(f"aws_s3_bucket.{address}", "id")

    def part(kind: str, arguments: dict[str, Any]) -> TerraformResource:
        return TerraformResource(
            layer="platform",
            type=f"aws_s3_bucket{kind}",
            name=address,
            arguments=arguments,
            origins=origins,
        )

    closed = dict.fromkeys(
        ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"), True
    )
    encryption = {
        "apply_server_side_encryption_by_default": [
            {"sse_algorithm": "aws:kms", "kms_master_key_id": reference("aws_kms_key.data", "arn")}
        ],
        # A key of its own for each object would be a call to KMS for each.
        "bucket_key_enabled": True,
    }
    return [
        part("", {"bucket": name, "force_destroy": False, "lifecycle": {"prevent_destroy": True}}),
        part("_public_access_block", {"bucket": bucket, **closed}),
        part(
            "_ownership_controls", {"bucket": bucket, "rule": [{"object_ownership": "BucketOwnerEnforced"}]}
        ),
        part("_versioning", {"bucket": bucket, "versioning_configuration": [{"status": "Enabled"}]}),
        part("_server_side_encryption_configuration", {"bucket": bucket, "rule": [encryption]}),
        part(
            "_lifecycle_configuration",
            {
                "bucket": bucket,
                "rule": [
                    {
                        "id": "leftovers",
                        "status": "Enabled",
                        "filter": [{"prefix": ""}],
                        "abort_incomplete_multipart_upload": [{"days_after_initiation": UPLOAD_DAYS}],
                        "noncurrent_version_expiration": [{"noncurrent_days": KEPT_DAYS}],
                    }
                ],
                "depends_on": [f"aws_s3_bucket_versioning.{address}"],
            },
        ),
        part(
            "_policy",
            {
                "bucket": bucket,
                "policy": _encrypted_only(name, names),
                "depends_on": [f"aws_s3_bucket_public_access_block.{address}"],
            },
        ),
        # Events are free, and whoever wants to know of objects needs no change here.
        part("_notification", {"bucket": bucket, "eventbridge": True}),
    ]


def _encrypted_only(name: Said, names: Names) -> Said:
    arn = names.bucket_arn(name)
    return policy(
        {
            "Sid": "EncryptedInTransit",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, text(arn, "/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )
