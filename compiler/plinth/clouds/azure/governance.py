"""What is around the platform: its public zone, its budget, and the workflows that may change it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds._unused import unused
from plinth.clouds.azure.identity import AUDIENCE
from plinth.clouds.azure.names import TITLE
from plinth.clouds.azure.vault import OFFICERS, READER
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Expression, Said, said, text
from plinth.ir.targets import Target, TerraformBlock, TerraformResource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plinth.clouds.azure.names import Names
    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir import needs
    from plinth.ir.said import Origin
    from plinth.spec import platform as spec

GITHUB: Final = "https://token.actions.githubusercontent.com"

_THRESHOLDS: Final = (50, 90, 100)


def domain(need: needs.Domain, names: Names) -> Answer[NoFacts]:
    """The zone of the platform's public names. Certificates are asked for from within the cluster."""
    name = said(need.identity, "domain")
    zone = TerraformResource(
        layer="platform",
        type="azurerm_dns_zone",
        name="platform",
        arguments={"name": name, "resource_group_name": names.group, "tags": names.tags},
        origins=name.origins,
    )
    return Answer(targets=(zone,), facts=NoFacts())


def currency_faults(wanted: spec.Budget | None) -> Iterator[Diagnostic]:
    """A budget on Azure has an amount, and no currency but that of the bill."""
    if wanted:
        yield from unused(
            wanted,
            "currency",
            f"on {TITLE}",
            "remove it: `monthly` is in the currency of the subscription's bill",
        )


def budget(need: needs.Budget, names: Names) -> Answer[NoFacts]:
    """Mail about what both resource groups cost: ours, and the one in which AKS keeps its nodes."""
    emails = said(need.budget, "notify")
    resource = TerraformResource(
        layer="platform",
        type="azurerm_consumption_budget_subscription",
        name="platform",
        arguments={
            "name": names.group,
            "subscription_id": text("/subscriptions/", names.subscription),
            "amount": said(need.budget, "monthly"),
            "time_grain": "Monthly",
            # It has to begin in the month in which it is made, and can never begin anew.
            "time_period": [
                {"start_date": Expression("formatdate(\"YYYY-MM-01'T'00:00:00'Z'\", plantimestamp())")}
            ],
            "filter": [
                {"dimension": [{"name": "ResourceGroupName", "values": [names.group, names.node_group]}]}
            ],
            "notification": [
                {
                    "threshold": threshold,
                    "operator": "GreaterThanOrEqualTo",
                    "threshold_type": "Actual",
                    "contact_emails": emails.map(sorted),
                }
                for threshold in _THRESHOLDS
            ],
            "lifecycle": {"ignore_changes": ["time_period"]},
        },
        origins=(need.budget.spec_path,),
    )
    return Answer(targets=(resource,), facts=NoFacts())


def continuous_integration(
    need: needs.ContinuousIntegration, names: Names, context: needs.Context
) -> Answer[NoFacts]:
    """An identity for workflows that apply, and one for those that plan.

    Each is for the jobs of one of GitHub's environments: that with the platform environment's name, and that
    of `NAME-plan`. A branch rule on both says whose jobs they are; the one that applies has reviewers too.
    """
    origins = said(need.ci, "github").origins
    applies = text("repo:", said(need.ci, "github"), ":environment:", context.environment)
    targets = [*_workflow("ci", applies, names, origins)]
    targets += _workflow("ci-plan", text(applies, "-plan"), names, origins)
    targets += [_right("ci", *right, origins) for right in _rights(names)]
    targets += [_right("ci-plan", *right, origins) for right in _reads(names)]
    return Answer(targets=tuple(targets), facts=NoFacts())


def _workflow(name: str, subject: Said, names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    """An identity that jobs with one subject take on."""
    address = f"azurerm_user_assigned_identity.{name}"
    return [
        TerraformResource(
            layer="cluster",
            type="azurerm_user_assigned_identity",
            name=name,
            arguments={**names.place, "name": text(names.platform, f"-{name}")},
            origins=origins,
        ),
        TerraformResource(
            layer="cluster",
            type="azurerm_federated_identity_credential",
            name=name,
            arguments={
                "name": "github",
                "user_assigned_identity_id": Expression(f"{address}.id"),
                "audience": [AUDIENCE],
                "issuer": GITHUB,
                "subject": subject,
            },
            origins=origins,
        ),
        TerraformBlock(
            layer="cluster",
            kind="output",
            name=f"client-id-{name}",
            arguments={"value": Expression(f"{address}.client_id")},
            origins=origins,
        ),
    ]


def _rights(names: Names) -> list[tuple[str, str, Any]]:
    group, subscription = names.group_id(), text("/subscriptions/", names.subscription)
    rights: list[tuple[str, str, Any]] = [
        ("resources", "Contributor", group),
        ("roles", "Role Based Access Control Administrator", group),
        # Which kinds of resources the subscription knows, and the budget, are beyond any group.
        ("subscription", "Reader", subscription),
        ("budget", "Cost Management Contributor", subscription),
        *((what, role, Expression("azurerm_key_vault.platform.id")) for what, role in OFFICERS.items()),
    ]
    if not names.has_own_network:
        rights.append(("network", "Network Contributor", names.network_id()))
    return rights


def _reads(names: Names) -> list[tuple[str, str, Any]]:
    """What a plan looks at: it asks AKS for a kubeconfig, and the vault for what it holds."""
    vault = Expression("azurerm_key_vault.platform.id")
    return [
        ("subscription", "Reader", text("/subscriptions/", names.subscription)),
        ("cluster", "Azure Kubernetes Service Cluster User Role", names.group_id()),
        ("keys", "Key Vault Reader", vault),
        ("secrets", READER, vault),
    ]


def _right(who: str, name: str, role: str, scope: Any, origins: tuple[Origin, ...]) -> TerraformResource:
    return TerraformResource(
        layer="cluster",
        type="azurerm_role_assignment",
        name=f"{who}-{name}",
        arguments={
            "scope": scope,
            "role_definition_name": role,
            "principal_id": Expression(f"azurerm_user_assigned_identity.{who}.principal_id"),
            "principal_type": "ServicePrincipal",
        },
        origins=origins,
    )
