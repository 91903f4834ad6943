"""Where the platform's data lives: registry, buckets, Postgres; and who may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds.gcp.names import LONGEST_BUCKET, TITLE, Names
from plinth.clouds.gcp.secrets import answer as answer_secret
from plinth.ir.answers import Answer, BucketFacts, DatabaseFacts, IdentityFacts, NoFacts
from plinth.ir.names import too_long
from plinth.ir.needs import Secret, SecretKey
from plinth.ir.said import Expression, Said, said, text, why
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir import needs

TIERS: Final = {"small": "db-custom-2-7680", "medium": "db-custom-4-15360", "large": "db-custom-8-30720"}
POSTGRES: Final = "POSTGRES_17"
PORT: Final = 5432
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


def database_server(need: needs.DatabaseServer, names: Names) -> Answer[NoFacts]:
    """A Postgres server that only the platform's network reaches, and its name there."""
    if need.database.existing:
        return Answer(facts=NoFacts())
    origins = (need.database.spec_path,)
    server = TerraformResource(
        layer="platform",
        type="google_sql_database_instance",
        name="postgres",
        arguments={
            "name": names.database_server,
            "project": names.project,
            "region": names.region,
            "database_version": POSTGRES,
            "deletion_protection": True,
            "settings": [
                {
                    # Postgres 16 and later default to an edition that refuses these tiers.
                    "edition": "ENTERPRISE",
                    "tier": said(need.database, "size").map(TIERS.__getitem__),
                    "availability_type": "REGIONAL",
                    "disk_autoresize": True,
                    "deletion_protection_enabled": True,
                    "ip_configuration": [
                        {
                            "ipv4_enabled": False,
                            "private_network": names.network_id(),
                            "ssl_mode": "ENCRYPTED_ONLY",
                            "enable_private_path_for_google_cloud_services": True,
                        }
                    ],
                    "backup_configuration": [
                        {
                            "enabled": True,
                            "point_in_time_recovery_enabled": True,
                            "start_time": "02:00",
                            "transaction_log_retention_days": 7,
                        }
                    ],
                    "insights_config": [{"query_insights_enabled": True}],
                }
            ],
            "lifecycle": {"prevent_destroy": True},
        },
        origins=origins,
    )
    record = TerraformResource(
        layer="platform",
        type="google_dns_record_set",
        name="postgres",
        arguments={
            "project": names.project,
            "managed_zone": text(names.platform, "-databases"),
            "name": text(names.database_host, "."),
            "type": "A",
            "ttl": 60,
            "rrdatas": [Expression("google_sql_database_instance.postgres.private_ip_address")],
        },
        origins=origins,
    )
    return Answer(targets=(server, record), facts=NoFacts())


def database(need: needs.Database, names: Names) -> Answer[DatabaseFacts]:
    """A database and its user. The password is made once, kept in the secret store, and read back."""
    existing = need.server.existing
    secret = answer_secret(
        Secret(
            name=said(existing, "secret") if existing else text(names.platform, "-postgres-", need.name),
            reader=need.reader,
            made_by="person" if existing else "generated",
            keys=(SecretKey(name="username", value=need.name), SecretKey(name="password", form="password")),
            origins=need.origins,
        ),
        names,
    )
    if existing:
        facts = DatabaseFacts(
            host=said(existing, "host"),
            port=said(existing, "port"),
            database=Said(need.name, need.origins),
            tls="prefer",
            secret=secret.facts,
        )
        return Answer(targets=secret.targets, facts=facts)
    facts = DatabaseFacts(
        host=names.database_host,
        port=Said(PORT, why("Postgres listens on this port")),
        database=Said(need.name, need.origins),
        tls="require",
        secret=secret.facts,
    )
    return Answer(targets=(*secret.targets, *_with_user(need, names, secret.facts.name)), facts=facts)


def _with_user(need: needs.Database, names: Names, entry: Said) -> tuple[Target, ...]:
    """The database and its user, whose password is read back from the entry that holds it."""
    return (
        TerraformResource(
            layer="platform",
            type="google_sql_database",
            name=need.name,
            arguments={
                "name": need.name,
                "project": names.project,
                "instance": Expression("google_sql_database_instance.postgres.name"),
                # Its user owns what is in it, and a user who owns something cannot be dropped.
                "deletion_policy": "ABANDON",
            },
            origins=need.origins,
        ),
        TerraformResource(
            layer="platform",
            block="ephemeral",
            type="google_secret_manager_secret_version",
            name=need.name,
            arguments={
                "project": names.project,
                "secret": entry.map(
                    lambda name: Expression(f"google_secret_manager_secret.{name}.secret_id")
                ),
                "version": entry.map(
                    lambda name: Expression(f"google_secret_manager_secret_version.{name}.version")
                ),
            },
            origins=need.origins,
        ),
        TerraformResource(
            layer="platform",
            type="google_sql_user",
            name=need.name,
            arguments={
                "name": need.name,
                "project": names.project,
                "instance": Expression("google_sql_database_instance.postgres.name"),
                "password_wo": Expression(
                    f"jsondecode(ephemeral.google_secret_manager_secret_version.{need.name}.secret_data).password"
                ),
                "password_wo_version": 1,
                "deletion_policy": "ABANDON",
            },
            origins=need.origins,
        ),
    )


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
