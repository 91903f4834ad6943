"""Keys of the platform's own, with which disks and storage are encrypted.

They never leave the vault's hardware, and the vault makes new ones by itself. What is encrypted
names a key without its version, and follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.ir.said import Expression, Said, text, why
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.clouds.azure.names import Names

USER: Final = "Key Vault Crypto Service Encryption User"
KEYS: Final = ("disks", "storage")

_REASON: Final = why("disks and storage are encrypted with keys of the platform's own")


def targets(names: Names, officers: tuple[str, ...]) -> list[Target]:
    """The keys, the identity that uses them, and how disks are encrypted with one.

    `officers` are the addresses of the rights that whoever applies needs before a key can be made.
    """
    made: list[Target] = [_key(name, officers, names) for name in KEYS]
    identity = TerraformResource(
        layer="cluster",
        type="azurerm_user_assigned_identity",
        name="encryption",
        arguments={**names.place, "name": names.encryption},
        origins=_REASON,
    )
    right = _right(
        "encryption",
        Expression("azurerm_key_vault.platform.id"),
        USER,
        Expression("azurerm_user_assigned_identity.encryption.principal_id"),
    )
    disks = TerraformResource(
        layer="cluster",
        type="azurerm_disk_encryption_set",
        name="platform",
        arguments={
            **names.place,
            "name": names.platform,
            "key_vault_key_id": Expression("azurerm_key_vault_key.disks.versionless_id"),
            "auto_key_rotation_enabled": True,
            "encryption_type": "EncryptionAtRestWithCustomerKey",
            "identity": [
                {
                    "type": "UserAssigned",
                    "identity_ids": [Expression("azurerm_user_assigned_identity.encryption.id")],
                }
            ],
            "depends_on": [right.address],
            "lifecycle": {"prevent_destroy": True},
        },
        origins=_REASON,
    )
    reader = _right(
        "cluster-disks",
        Expression("azurerm_disk_encryption_set.platform.id"),
        "Reader",
        Expression("azurerm_user_assigned_identity.cluster.principal_id"),
    )
    return [*made, identity, right, disks, reader]


def storage_encryption(names: Names) -> dict[str, Any]:
    """How the storage account, in another root than its key, is encrypted with it."""
    identity = names.id_of("Microsoft.ManagedIdentity/userAssignedIdentities", names.encryption)
    return {
        "identity": [{"type": "UserAssigned", "identity_ids": [identity]}],
        "customer_managed_key": [
            {
                "key_vault_key_id": text("https://", names.vault, ".vault.azure.net/keys/storage"),
                "user_assigned_identity_id": identity,
            }
        ],
    }


def _key(name: str, officers: tuple[str, ...], names: Names) -> TerraformResource:
    return TerraformResource(
        layer="cluster",
        type="azurerm_key_vault_key",
        name=name,
        arguments={
            "name": name,
            "key_vault_id": Expression("azurerm_key_vault.platform.id"),
            "key_type": "RSA-HSM",
            "key_size": 3072,
            "key_opts": ["unwrapKey", "wrapKey"],
            # The first version ends after a year; a month before, the vault makes the next one.
            "expiration_date": Expression('timeadd(plantimestamp(), "8760h")'),
            "rotation_policy": [
                {
                    "expire_after": "P1Y",
                    "notify_before_expiry": "P29D",
                    "automatic": [{"time_before_expiry": "P30D"}],
                }
            ],
            "depends_on": list(officers),
            "lifecycle": {"ignore_changes": ["expiration_date"], "prevent_destroy": True},
        },
        origins=(*_REASON, *names.admin_groups.origins),
    )


def _right(name: str, scope: Expression | Said, role: str, principal: Expression) -> TerraformResource:
    return TerraformResource(
        layer="cluster",
        type="azurerm_role_assignment",
        name=name,
        arguments={
            "scope": scope,
            "role_definition_name": role,
            "principal_id": principal,
            "principal_type": "ServicePrincipal",
        },
        origins=_REASON,
    )
