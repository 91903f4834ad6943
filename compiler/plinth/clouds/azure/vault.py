"""The vault that holds the platform's secrets: reached privately, by those who have a role on it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.azure import keys
from plinth.clouds.azure.names import VAULT_ZONE, Names
from plinth.ir.said import Expression, Said, said, text, why
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.ir.said import Origin
    from plinth.ir.targets import Layer
    from plinth.spec import platform as spec

OFFICERS: Final = {"keys": "Key Vault Crypto Officer", "secrets": "Key Vault Secrets Officer"}
"""Who applies has both, or can write neither."""
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
    officers = tuple(
        TerraformResource(
            layer="cluster",
            type="azurerm_role_assignment",
            name=f"{what}-{group}",
            arguments={
                "scope": Expression("azurerm_key_vault.platform.id"),
                "role_definition_name": role,
                "principal_id": Said(group, names.admin_groups.origins),
                "principal_type": "Group",
            },
            origins=names.admin_groups.origins,
        )
        for group in names.admin_groups.value
        for what, role in OFFICERS.items()
    )
    endpoint = private_endpoint(
        "azurerm_key_vault.platform", "vault", VAULT_ZONE, names, layer="cluster", origins=reason
    )
    able = tuple(each.address for each in officers if each.name.startswith("keys-"))
    return [vault, log, endpoint, *officers, *keys.targets(names, (*able, endpoint.address))]


def private_endpoint(
    resource: str, part: str, zone: str, names: Names, *, layer: Layer, origins: tuple[Origin, ...]
) -> TerraformResource:
    """An address in the network by which a service of Azure's is reached, and its name there.

    `part` is what Azure calls the part of the resource that is reached: `blob`, `vault`, ...
    """
    what = part.lower()
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
                    "private_connection_resource_id": Expression(f"{resource}.id"),
                    "subresource_names": [part],
                    "is_manual_connection": False,
                }
            ],
            "private_dns_zone_group": [{"name": what, "private_dns_zone_ids": [names.private_zone_id(zone)]}],
        },
        origins=origins,
    )


def _reach(network: spec.Network) -> dict[str, Any]:
    """From outside, the ranges that the spec allows reach the vault: Terraform runs there, or inside."""
    allow = said(network, "allow").map(lambda ranges: sorted(filter(_is_public, ranges)))
    rules: dict[str, Any] = {"default_action": "Deny", "bypass": "AzureServices"}
    if allow.value:
        rules["ip_rules"] = allow
    return {"public_network_access_enabled": allow.map(bool), "network_acls": [rules]}


def _is_public(cidr: str) -> bool:
    """Whether the vault's firewall takes the range: it knows addresses of the internet alone."""
    range_ = ipaddress.IPv4Network(cidr)
    return not any(range_.subnet_of(private) for private in _PRIVATE)


_PRIVATE: Final = tuple(
    ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16")
)
