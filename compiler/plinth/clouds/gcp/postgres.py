"""The Postgres server of the platform's components, its databases and their users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds._databases import entry_of, existing_facts
from plinth.clouds.gcp.secrets import answer as answer_secret
from plinth.ir.answers import Answer, DatabaseFacts, NoFacts
from plinth.ir.said import Expression, Said, said, text, why
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.clouds.gcp.names import Names
    from plinth.ir import needs

TIERS: Final = {"small": "db-custom-2-7680", "medium": "db-custom-4-15360", "large": "db-custom-8-30720"}
POSTGRES: Final = "POSTGRES_17"
PORT: Final = 5432

FLAGS: Final = {
    "cloudsql.enable_pgaudit": "on",
    "cloudsql.iam_authentication": "on",
    "log_checkpoints": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_duration": "on",
    "log_hostname": "on",
    "log_lock_waits": "on",
    "log_min_duration_statement": "-1",  # a slow statement's text may hold what nobody should read
    "log_min_error_statement": "error",
    "log_min_messages": "error",
    "log_statement": "ddl",
}
"""What the server tells of itself. Source: CIS Google Cloud benchmark, "PostgreSQL Database"."""


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
            "encryption_key_name": names.key("postgres"),
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
                    "database_flags": [{"name": name, "value": value} for name, value in FLAGS.items()],
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
    secret = answer_secret(entry_of(need, names.platform), names)
    if existing:
        return Answer(targets=secret.targets, facts=existing_facts(need, existing, secret.facts))
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
