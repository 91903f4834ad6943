"""Who a service account is to Azure, and what it may do there.

An identity of Azure's trusts tokens that the cluster gives to one service account. Its client id is
known only after an apply, and has to stand in the service account's manifest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds.azure.names import ISSUER, Names, account_name
from plinth.ir.answers import Answer, IdentityFacts
from plinth.ir.outputs import output_value
from plinth.ir.said import Expression, Said, said, text, why
from plinth.ir.targets import Target, TerraformBlock, TerraformResource

if TYPE_CHECKING:
    from plinth.ir.needs import Context, Identity, ServiceAccount

AUDIENCE: Final = "api://AzureADTokenExchange"
CLIENT_ID: Final = "azure.workload.identity/client-id"
USE: Final = "azure.workload.identity/use"


def principal_id(account: ServiceAccount) -> Expression:
    """The identity of a service account as role assignments name it."""
    return Expression(f"azurerm_user_assigned_identity.{account_name(account)}.principal_id")


def answer(need: Identity, names: Names, context: Context) -> Answer[IdentityFacts]:
    """An identity that the service account may take on, and its rights on buckets."""
    account = account_name(need.account)
    address = f"azurerm_user_assigned_identity.{account}"
    issuer = ISSUER if context.platform.layout == "single" else f"data.{ISSUER}"
    targets: list[Target] = [
        TerraformResource(
            layer="platform",
            type="azurerm_user_assigned_identity",
            name=account,
            arguments={**names.place, "name": text(names.platform, "-", account)},
            origins=need.origins,
        ),
        TerraformResource(
            layer="platform",
            type="azurerm_federated_identity_credential",
            name=account,
            arguments={
                "name": "kubernetes",
                "user_assigned_identity_id": Expression(f"{address}.id"),
                "audience": [AUDIENCE],
                "issuer": Expression(issuer),
                "subject": f"system:serviceaccount:{need.account.namespace}:{need.account.name}",
            },
            origins=need.origins,
        ),
        TerraformBlock(
            layer="platform",
            kind="output",
            name=f"client-id-{account}",
            arguments={"value": Expression(f"{address}.client_id")},
            origins=need.origins,
        ),
    ]
    targets += [
        TerraformResource(
            layer="platform",
            type="azurerm_role_assignment",
            name=f"{account}-{wanted.name}",
            arguments={
                "scope": Expression(f"azurerm_storage_container.{wanted.name}.id"),
                "role_definition_name": "Storage Blob Data Contributor",
                "principal_id": principal_id(need.account),
                "principal_type": "ServicePrincipal",
            },
            origins=(*need.origins, *said(wanted, "name").origins),
        )
        for wanted in need.writes
        if wanted.url is None  # who may write elsewhere is said where that is
    ]
    client_id, waits = output_value(context, f"client-id-{account}", need.origins)
    return Answer(
        targets=tuple(targets),
        facts=IdentityFacts(
            annotations={CLIENT_ID: client_id},
            pod_labels={USE: Said("true", why("Azure gives tokens to pods that carry this label"))},
        ),
        waits=waits,
    )
