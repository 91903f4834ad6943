"""Postgres on RDS, and who may use it.

RDS has no API for users inside a server, and nothing of ours reaches a private server before the
cluster runs. So each database is a server of its own, whose first user is the database's: no
component ever holds the password of another's data. Network, settings and name zone are shared.

The server's own name is known after an apply only. A private DNS name of ours points at it.

Source: RDS, "Working with parameters on your RDS for PostgreSQL DB instance", "Using SSL with PostgreSQL".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds._databases import entry_of, existing_facts
from plinth.clouds.aws import secrets
from plinth.clouds.aws.names import LONGEST_DATABASE, TITLE, Names, reference, tagged
from plinth.clouds.aws.network import pod_blocks
from plinth.clouds.aws.policies import attachments, role, service_trust
from plinth.ir.answers import Answer, DatabaseFacts, NoFacts
from plinth.ir.names import too_long
from plinth.ir.said import Expression, Said, said, spec_path, text, why
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.clouds.aws.found import Found
    from plinth.clouds.aws.identities import Identities
    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir import needs
    from plinth.ir.said import Origin
    from plinth.spec import platform as spec

CLASSES: Final = {"small": "db.m7g.large", "medium": "db.m7g.xlarge", "large": "db.m7g.2xlarge"}
POSTGRES: Final = "17"
"""The major version: minor ones arrive by themselves, in the weekly hours."""
PORT: Final = 5432
KEPT_DAYS: Final = 14
FIRST_GIB: Final = 50
MOST_GIB: Final = 1000
INSIGHT_DAYS: Final = 7
MONITORING_S: Final = 60

SETTINGS: Final = {
    "log_connections": "1",
    "log_disconnections": "1",
    "log_min_duration_statement": "1000",
    "log_statement": "ddl",
    "rds.force_ssl": "1",
}


def server(need: needs.DatabaseServer, names: Names, found: Found, network: spec.Network) -> Answer[NoFacts]:
    """What all servers share: where they are, how they are set, and who reaches them."""
    if need.database.existing:
        return Answer(facts=NoFacts())
    origins = (need.database.spec_path,)

    def made(kind: str, name: str, arguments: dict[str, Any]) -> TerraformResource:
        return TerraformResource(layer="platform", type=kind, name=name, arguments=arguments, origins=origins)

    full = text(names.platform, "-postgres")
    subnets = made(
        "aws_db_subnet_group",
        "postgres",
        {"name": full, "description": "Where databases are", "subnet_ids": found.data_subnets},
    )
    settings = made(
        "aws_db_parameter_group",
        "postgres",
        {
            "name": text(full, f"-{POSTGRES}"),
            "description": "Encrypted connections only; slow statements and changes of tables are logged",
            "family": f"postgres{POSTGRES}",
            "parameter": [{"name": name, "value": value} for name, value in SETTINGS.items()],
            "lifecycle": {"create_before_destroy": True},
        },
    )
    zone = made(
        "aws_route53_zone",
        "databases",
        {
            "name": names.database_zone,
            "comment": "Names of the platform's databases",
            "vpc": [{"vpc_id": found.vpc}],
        },
    )
    trusted = service_trust(names, "monitoring.rds.amazonaws.com")
    return Answer(
        targets=(
            *found.sources("platform"),
            subnets,
            settings,
            zone,
            *_group(network, names, found, origins),
            role(
                "platform",
                "rds-monitoring",
                names.role("rds-monitoring"),
                trusted,
                "Watches servers",
                origins,
            ),
            *attachments(
                "platform", "rds-monitoring", ["service-role/AmazonRDSEnhancedMonitoringRole"], names, origins
            ),
        ),
        facts=NoFacts(),
    )


def _group(network: spec.Network, names: Names, found: Found, origins: tuple[Origin, ...]) -> list[Target]:
    """Pods reach databases, and nobody else does."""
    group = TerraformResource(
        layer="platform",
        type="aws_security_group",
        name="postgres",
        arguments={
            "name": text(names.platform, "-postgres"),
            "description": "The platform's databases",
            "vpc_id": found.vpc,
            "tags": tagged(text(names.platform, "-postgres")),
        },
        origins=origins,
    )
    sources: list[Any] = list(pod_blocks(network))
    if names.existing_network is not None:
        sources = [found.vpc_range]
    rules = [
        TerraformResource(
            layer="platform",
            type="aws_vpc_security_group_ingress_rule",
            name=f"postgres-{index}",
            arguments={
                "security_group_id": reference("aws_security_group.postgres", "id"),
                "description": "Postgres from pods",
                "cidr_ipv4": source,
                "from_port": PORT,
                "to_port": PORT,
                "ip_protocol": "tcp",
            },
            origins=origins,
        )
        for index, source in enumerate(sources)
    ]
    return [group, *rules]


def database(need: needs.Database, names: Names, identities: Identities) -> Answer[DatabaseFacts]:
    """A database and its user. The password is made once, kept in the secret store, and read back."""
    existing = need.server.existing
    secret = secrets.answer(entry_of(need, names.platform), names, identities)
    if existing:
        return Answer(targets=secret.targets, facts=existing_facts(need, existing, secret.facts))
    identifier = text(names.platform, "-", need.name)
    faults: tuple[Diagnostic, ...] = ()
    if len(identifier.value) > LONGEST_DATABASE:
        where = spec_path(need.origins)
        faults = (too_long(identifier.value, LONGEST_DATABASE, f"a database server on {TITLE}", where),)
    facts = DatabaseFacts(
        host=text(need.name, ".", names.database_zone),
        port=Said(PORT, why("Postgres listens on this port")),
        database=Said(need.name, need.origins),
        tls="require",
        secret=secret.facts,
    )
    entry = str(secret.facts.name.value)
    own = _server(need, identifier, entry, names)
    return Answer(targets=(*secret.targets, *own), facts=facts, diagnostics=faults)


def _server(need: needs.Database, identifier: Said, entry: str, names: Names) -> list[Target]:
    origins = (*need.origins, need.server.spec_path)
    password = f"jsondecode(ephemeral.aws_secretsmanager_secret_version.{need.name}.secret_string).password"
    instance = TerraformResource(
        layer="platform",
        type="aws_db_instance",
        name=need.name,
        arguments={
            "identifier": identifier,
            "engine": "postgres",
            "engine_version": POSTGRES,
            "auto_minor_version_upgrade": True,
            "instance_class": said(need.server, "size").map(CLASSES.__getitem__),
            "allocated_storage": FIRST_GIB,
            "max_allocated_storage": MOST_GIB,
            "storage_type": "gp3",
            "storage_encrypted": True,
            "kms_key_id": reference("aws_kms_key.data", "arn"),
            "db_name": _identifier(need.name),
            "username": _identifier(need.name),
            "password_wo": Expression(password),
            "password_wo_version": 1,
            "port": PORT,
            "multi_az": True,
            "publicly_accessible": False,
            "db_subnet_group_name": reference("aws_db_subnet_group.postgres", "name"),
            "vpc_security_group_ids": [reference("aws_security_group.postgres", "id")],
            "parameter_group_name": reference("aws_db_parameter_group.postgres", "name"),
            "ca_cert_identifier": "rds-ca-rsa2048-g1",
            "iam_database_authentication_enabled": True,
            "backup_retention_period": KEPT_DAYS,
            "backup_window": "02:00-03:00",
            "maintenance_window": "sun:03:30-sun:05:30",
            "copy_tags_to_snapshot": True,
            "deletion_protection": True,
            "skip_final_snapshot": False,
            "final_snapshot_identifier": text(identifier, "-final"),
            "enabled_cloudwatch_logs_exports": ["postgresql", "upgrade"],
            "monitoring_interval": MONITORING_S,
            "monitoring_role_arn": reference("aws_iam_role.rds-monitoring", "arn"),
            "performance_insights_enabled": True,
            "performance_insights_kms_key_id": reference("aws_kms_key.data", "arn"),
            "performance_insights_retention_period": INSIGHT_DAYS,
            "depends_on": ["aws_iam_role_policy_attachment.rds-monitoring-AmazonRDSEnhancedMonitoringRole"],
            "lifecycle": {"prevent_destroy": True},
        },
        origins=origins,
    )
    record = TerraformResource(
        layer="platform",
        type="aws_route53_record",
        name=need.name,
        arguments={
            "zone_id": reference("aws_route53_zone.databases", "zone_id"),
            "name": text(need.name, ".", names.database_zone),
            "type": "CNAME",
            "ttl": 60,
            "records": [reference(f"aws_db_instance.{need.name}", "address")],
        },
        origins=origins,
    )
    return [secrets.read_back(entry, need.name, origins), instance, record]


def _identifier(name: str) -> str:
    """RDS takes letters, digits and `_`."""
    return name.replace("-", "_")
