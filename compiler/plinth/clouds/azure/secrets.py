"""Entries of the vault, and who may read them.

What nobody has to know is generated: the value goes from an ephemeral resource into a write-only
argument, so that no plan and no state ever holds it. An entry that a person fills begins with an
empty one, since a vault has no entry without a value and a role needs something to stand on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds._secrets import generated, origins_of_entry
from plinth.clouds.azure.identity import principal_id
from plinth.clouds.azure.vault import READER
from plinth.ir.answers import Answer, SecretFacts, SecretStoreFacts
from plinth.ir.said import Expression, Said, text
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.clouds.azure.names import Names
    from plinth.ir.needs import Secret, ServiceAccount
    from plinth.ir.said import Origin

READER_ACCOUNT: Final = {"name": "external-secrets", "namespace": "external-secrets"}


def answer(need: Secret, names: Names) -> Answer[SecretFacts]:
    """An entry; its value generated, or left for a person to put there."""
    origins = origins_of_entry(need)
    made, value = ([], "{}") if need.made_by == "person" else generated(need)
    targets = (*made, *entry(need.name.value, need.name, value, need.reader, names, origins))
    return Answer(targets=targets, facts=SecretFacts(name=need.name, remote=need.name))


def entry(
    label: str,
    name: Said,
    value: Expression | str,
    reader: ServiceAccount | None,
    names: Names,
    origins: tuple[Origin, ...],
) -> tuple[Target, ...]:
    """An entry with its first value, and its reader's right to it; `label` is its name in Terraform."""
    made = TerraformResource(
        layer="platform",
        type="azurerm_key_vault_secret",
        name=label,
        arguments={
            "name": name,
            "key_vault_id": names.vault_id(),
            "content_type": "application/json",
            "value_wo": value,
            # Written once: a new number here would make a new value, and log everybody out.
            "value_wo_version": 1,
            "tags": names.tags,
            # A person who puts a value there says nothing of these.
            "lifecycle": {"ignore_changes": ["content_type", "expiration_date", "not_before_date", "tags"]},
        },
        origins=origins,
    )
    if reader is None:
        return (made,)
    right = TerraformResource(
        layer="platform",
        type="azurerm_role_assignment",
        name=label,
        arguments={
            "scope": Expression(f"azurerm_key_vault_secret.{label}.resource_versionless_id"),
            "role_definition_name": READER,
            "principal_id": principal_id(reader),
            "principal_type": "ServicePrincipal",
        },
        origins=origins,
    )
    return (made, right)


def store(names: Names) -> Answer[SecretStoreFacts]:
    """The vault, reached as the service account of External Secrets."""
    return Answer(
        facts=SecretStoreFacts(
            provider={
                "azurekv": {
                    "authType": "WorkloadIdentity",
                    "environmentType": "PublicCloud",
                    "serviceAccountRef": READER_ACCOUNT,
                    "tenantId": names.tenant,
                    "vaultUrl": text("https://", names.vault, ".vault.azure.net/"),
                }
            }
        )
    )
