"""The vault that holds the platform's secrets: reached privately, by those who have a role on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.azure.names import VAULT_ZONE, Names
from plinth.ir.said import Expression, Said, said, text, why
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.spec import platform as spec

OFFICER: Final = "Key Vault Secrets Officer"
READER: Final = "Key Vault Secrets User"


def targets(network: spec.Network, names: Names) -> list[Target]:
    """The vault, its private address, its log, and those who may write it: the administrators."""
    reason = why("the platform's secrets are kept in a vault")
    vault = TerraformResource(
        layer="cluster",
        type="azurerm_key_vault",
        name="platform",
        arguments={
            **names.place,
            "name": names.vault,
            "tenant_id": names.tenant,
            "sku_name": "premium",
            "rbac_authorization_enabled": True,
            "purge_protection_enabled": True,
            "soft_delete_retention_days": 90,
            **_reach(network),
            "lifecycle": {"prevent_destroy": True},
        },
        origins=reason,
    )
    log = TerraformResource(
        layer="cluster",
        type="azurerm_monitor_diagnostic_setting",
        name="vault",
        arguments={
            "name": names.platform,
            "target_resource_id": Expression("azurerm_key_vault.platform.id"),
            "log_analytics_workspace_id": Expression("azurerm_log_analytics_workspace.platform.id"),
            "enabled_log": [{"category": "AuditEvent"}],
        },
        origins=reason,
    )
    officers = [
        TerraformResource(
            layer="cluster",
            type="azurerm_role_assignment",
            name=f"vault-{group}",
            arguments={
                "scope": Expression("azurerm_key_vault.platform.id"),
                "role_definition_name": OFFICER,
                "principal_id": Said(group, names.admin_groups.origins),
                "principal_type": "Group",
            },
            origins=names.admin_groups.origins,
        )
        for group in names.admin_groups.value
    ]
    endpoint = private_endpoint(
        "cluster", "vault", "azurerm_key_vault.platform.id", VAULT_ZONE, names, origins=reason
    )
    return [vault, log, endpoint, *officers]


def private_endpoint(
    layer: Any, what: str, resource: str, zone: str, names: Names, *, origins: tuple[Any, ...]
) -> TerraformResource:
    """An address in the network by which a service of Azure's is reached, and its name there."""
    return TerraformResource(
        layer=layer,
        type="azurerm_private_endpoint",
        name=what,
        arguments={
            **names.place,
            "name": text(names.platform, "-", what),
            "subnet_id": names.subnet_id("endpoints"),
            "private_service_connection": [
                {
                    "name": what,
                    "private_connection_resource_id": Expression(resource),
                    "subresource_names": [what],
                    "is_manual_connection": False,
                }
            ],
            "private_dns_zone_group": [{"name": what, "private_dns_zone_ids": [names.private_zone_id(zone)]}],
        },
        origins=origins,
    )


def _reach(network: spec.Network) -> dict[str, Any]:
    """Who reaches the vault from outside: those who reach the control plane."""
    access, allow = said(network, "access"), said(network, "allow")
    is_public = access.map(lambda text: text == "public")
    rules: dict[str, Any] = {"default_action": "Deny", "bypass": "AzureServices"}
    if is_public.value:
        rules["ip_rules"] = Said(sorted(allow.value), (*allow.origins, *access.origins))
    return {"public_network_access_enabled": is_public, "network_acls": [rules]}
