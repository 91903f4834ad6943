"""Entries of the vault, and who may read them.

What nobody has to know is generated: the value goes from an ephemeral resource into a write-only
argument, so that no plan and no state ever holds it. An entry that a person fills begins with an
empty one, since a vault has no entry without a value and a role needs something to stand on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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

_FORMS: Final[dict[str, dict[str, Any]]] = {
    "password": {"length": 32, "special": False},
    # 64 decimal digits are 32 bytes of hexadecimal to those who want that, and 212 bits of chance.
    "hex": {"length": 64, "special": False, "upper": False, "lower": False},
}


def answer(need: Secret, names: Names) -> Answer[SecretFacts]:
    """An entry; its value generated, or left for a person to put there."""
    origins = (*need.origins, *need.name.origins)
    made, value = _value(need, origins)
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


def password(name: str, form: str, origins: tuple[Origin, ...]) -> TerraformResource:
    """A value that nobody knows."""
    return TerraformResource(
        layer="platform",
        block="ephemeral",
        type="random_password",
        name=name,
        arguments=_FORMS[form],
        origins=origins,
    )


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


def _value(need: Secret, origins: tuple[Origin, ...]) -> tuple[list[Target], Expression | str]:
    if need.made_by == "person":
        return [], "{}"
    made: list[Target] = []
    fields: list[str] = []
    for index, key in enumerate(need.keys):
        if key.form is None:
            fields.append(f'"{key.name}" = "{key.value}"')
            continue
        resource = password(f"{need.name.value}-{index}", key.form, origins)
        fields.append(f'"{key.name}" = ephemeral.random_password.{resource.name}.result')
        made.append(resource)
    return made, Expression(f"jsonencode({{{', '.join(fields)}}})")
