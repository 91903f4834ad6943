"""The Postgres server, its databases, and the secret that opens them.

Azure's API makes databases and no users in them, and nothing of ours reaches the server from where
Terraform runs. So every component signs in as the server's administrator, whose password nobody
chose and nobody sees; each has an entry of its own that holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds._databases import entry_name, existing_facts
from plinth.clouds._secrets import password
from plinth.clouds.azure.names import DATABASE_ZONE
from plinth.clouds.azure.secrets import entry
from plinth.clouds.azure.vault import private_endpoint
from plinth.ir.answers import Answer, DatabaseFacts, NoFacts, SecretFacts
from plinth.ir.said import Expression, Said, said, text, why
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.clouds.azure.names import Names
    from plinth.ir import needs
    from plinth.ir.said import Origin

SKUS: Final = {
    "small": "GP_Standard_D2ds_v5",
    "medium": "GP_Standard_D4ds_v5",
    "large": "GP_Standard_D8ds_v5",
}
POSTGRES: Final = "17"
PORT: Final = 5432
STORAGE_MB: Final = 131_072
KEPT_DAYS: Final = 30
ADMINISTRATOR: Final = "plinth"

_READ_BACK: Final = "jsondecode(ephemeral.azurerm_key_vault_secret.postgres.value).password"


def server(need: needs.DatabaseServer, names: Names) -> Answer[NoFacts]:
    """A Postgres server that only the platform's network reaches."""
    if need.database.existing:
        return Answer(facts=NoFacts())
    origins = (need.database.spec_path,)
    made = TerraformResource(
        layer="platform",
        type="azurerm_postgresql_flexible_server",
        name="postgres",
        arguments={
            **names.place,
            "name": names.database_server,
            "version": POSTGRES,
            "sku_name": said(need.database, "size").map(SKUS.__getitem__),
            "storage_mb": STORAGE_MB,
            "auto_grow_enabled": True,
            "backup_retention_days": KEPT_DAYS,
            "geo_redundant_backup_enabled": names.copied_elsewhere(),
            "public_network_access_enabled": False,
            "administrator_login": ADMINISTRATOR,
            "administrator_password_wo": Expression(_READ_BACK),
            "administrator_password_wo_version": 1,
            "authentication": [{"password_auth_enabled": True, "active_directory_auth_enabled": False}],
            **_standby(names),
            "lifecycle": {
                "prevent_destroy": True,
                "ignore_changes": ["storage_mb", "zone", *(_STANDBY_DRIFT if names.zones.value else ())],
            },
            "timeouts": [{"create": "90m", "update": "90m", "delete": "60m"}],
        },
        origins=origins,
    )
    endpoint = private_endpoint(
        "azurerm_postgresql_flexible_server.postgres",
        "postgresqlServer",
        DATABASE_ZONE,
        names,
        layer="platform",
        origins=origins,
    )
    targets = (*_administrator(names, origins), made, endpoint, *_settings(origins))
    return Answer(targets=targets, facts=NoFacts())


_STANDBY_DRIFT: Final = ("high_availability[0].standby_availability_zone",)


def _standby(names: Names) -> dict[str, object]:
    """A second server that takes over: in another zone where there is one."""
    mode = names.zones.map(lambda zones: "ZoneRedundant" if len(zones) > 1 else "SameZone")
    return {"high_availability": [{"mode": mode}]} if names.zones.value else {}


def _administrator(names: Names, origins: tuple[Origin, ...]) -> tuple[Target, ...]:
    """The password is made once, kept in the vault, and read back from there."""
    value = Expression(
        f'jsonencode({{"username" = "{ADMINISTRATOR}", '
        '"password" = ephemeral.random_password.postgres.result})'
    )
    return (
        password("postgres", "password", origins),
        *entry("postgres", text(names.platform, "-postgres"), value, None, names, origins),
        TerraformResource(
            layer="platform",
            block="ephemeral",
            type="azurerm_key_vault_secret",
            name="postgres",
            arguments={
                "name": Expression("azurerm_key_vault_secret.postgres.name"),
                "key_vault_id": names.vault_id(),
                # Known once the entry is there: nothing is read before.
                "version": Expression("azurerm_key_vault_secret.postgres.version"),
            },
            origins=origins,
        ),
    )


def _settings(origins: tuple[Origin, ...]) -> list[Target]:
    settings = {"connection_throttle.enable": "on", "log_checkpoints": "on", "require_secure_transport": "on"}
    return [
        TerraformResource(
            layer="platform",
            type="azurerm_postgresql_flexible_server_configuration",
            name=name.replace(".", "-").replace("_", "-"),
            arguments={
                "name": name,
                "server_id": Expression("azurerm_postgresql_flexible_server.postgres.id"),
                "value": value,
            },
            origins=origins,
        )
        for name, value in settings.items()
    ]


def answer(need: needs.Database, names: Names) -> Answer[DatabaseFacts]:
    """A database, and the entry that lets its component in."""
    existing = need.server.existing
    name = entry_name(need, names.platform)
    value: Expression | str = "{}"  # a person fills it
    if not existing:
        value = Expression(f'jsonencode({{"username" = "{ADMINISTRATOR}", "password" = {_READ_BACK}}})')
    targets = entry(name.value, name, value, need.reader, names, (*need.origins, *name.origins))
    secret = SecretFacts(name=name, remote=name)
    if existing:
        return Answer(targets=targets, facts=existing_facts(need, existing, secret))
    made = TerraformResource(
        layer="platform",
        type="azurerm_postgresql_flexible_server_database",
        name=need.name,
        arguments={
            "name": need.name,
            "server_id": Expression("azurerm_postgresql_flexible_server.postgres.id"),
            "charset": "UTF8",
            "lifecycle": {"prevent_destroy": True},
        },
        origins=need.origins,
    )
    facts = DatabaseFacts(
        host=names.database_host,
        port=Said(PORT, why("Postgres listens on this port")),
        database=Said(need.name, need.origins),
        tls="require",
        secret=secret,
    )
    return Answer(targets=(*targets, made), facts=facts)
