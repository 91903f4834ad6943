"""The roots: their state, the providers they may use, and the tools they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds._roots import IN_FILES, settings
from plinth.clouds.azure.names import LONGEST_STORAGE_ACCOUNT
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.names import too_long
from plinth.ir.said import Said, origins_of, said, text
from plinth.ir.targets import Target, TerraformBlock

if TYPE_CHECKING:
    from plinth.clouds.azure.names import Names
    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir.needs import Roots
    from plinth.ir.targets import Layer
    from plinth.spec import platform as spec

STATE_CONTAINER: Final = "tfstate"

AZURERM: Final = ">= 4.65, < 6"  # 4.65: credentials are federated to an identity by its new name
AZURERM_OF: Final = {4: ">= 4.65, < 5", 5: ">= 5.0, < 6"}

RESOURCE_PROVIDERS: Final = (
    "Microsoft.Compute",
    "Microsoft.Consumption",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.DBforPostgreSQL",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.OperationsManagement",
    "Microsoft.PolicyInsights",
    "Microsoft.Storage",
)
"""What a platform is made of; a subscription knows none of these until it is asked to."""


def answer(need: Roots, names: Names) -> Answer[NoFacts]:
    """A `terraform` and a `provider` block for each root."""
    targets: list[Target] = []
    for layer in need.layers:
        backend, state_origins = _backend(need, names, layer)
        azurerm = {"source": "hashicorp/azurerm", "version": _version(layer, need, names)}
        targets.append(
            settings(layer, backend=backend, backend_origins=state_origins, provider={"azurerm": azurerm})
        )
        targets.append(
            TerraformBlock(
                layer=layer,
                kind="provider",
                name="azurerm",
                arguments={
                    "features": [{}],
                    "subscription_id": names.subscription,
                    "tenant_id": names.tenant,
                    # Storage has no keys that a provider could use.
                    "storage_use_azuread": True,
                    "resource_provider_registrations": "none",
                    "resource_providers_to_register": list(RESOURCE_PROVIDERS),
                },
                origins=origins_of((names.subscription, names.tenant)),
            )
        )
    return Answer(targets=tuple(targets), facts=NoFacts())


def state_account(state: spec.State) -> Said:
    """The storage account that holds states: the bucket's letters and digits, for it knows no others."""
    return said(state, "bucket").map(lambda name: "".join(filter(str.isalnum, name)))


def state_faults(platform: spec.Platform) -> tuple[Diagnostic, ...]:
    """A name for the states' storage account that Azure would refuse."""
    if platform.state is None:
        return ()
    name, path = state_account(platform.state).value, platform.state.said_path("bucket")
    if len(name) > LONGEST_STORAGE_ACCOUNT:
        return (too_long(name, LONGEST_STORAGE_ACCOUNT, "a storage account on Azure", path),)
    return ()


def _version(layer: Layer, need: Roots, names: Names) -> Said | str:
    """The root with the network links private DNS zones to it, which the majors write each in its own way."""
    has_network = layer == "network" or "network" not in need.layers
    return names.provider_major.map(AZURERM_OF.__getitem__) if has_network else AZURERM


def _backend(need: Roots, names: Names, layer: Layer) -> tuple[dict[str, Any], tuple[Any, ...]]:
    state = need.context.platform.state
    if state is None:
        return IN_FILES, ()
    account = state_account(state)
    key = text(names.platform, "/", need.context.environment, "/", layer, ".tfstate")
    backend = {
        "storage_account_name": account,
        "container_name": STATE_CONTAINER,
        "key": key,
        "tenant_id": names.tenant,
        "use_azuread_auth": True,
    }
    return {"azurerm": backend}, account.origins
