"""A registry whose images the nodes may pull, reached from within the network alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.clouds.azure.names import REGISTRY_ZONE, Names
from plinth.clouds.azure.vault import private_endpoint
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Expression
from plinth.ir.targets import TerraformResource

if TYPE_CHECKING:
    from plinth.ir.needs import Registry

KEPT_DAYS: Final = 30
"""For how long an image that no tag names can still be pulled."""


def answer(need: Registry, names: Names) -> Answer[NoFacts]:
    """The registry, its address in the network, and the nodes' right to pull."""
    registry = TerraformResource(
        layer="cluster",
        type="azurerm_container_registry",
        name="images",
        arguments={
            **names.place,
            "name": names.registry,
            "sku": "Premium",
            "admin_enabled": False,
            "anonymous_pull_enabled": False,
            "public_network_access_enabled": False,
            "data_endpoint_enabled": True,
            "zone_redundancy_enabled": names.zones.map(bool),
            "retention_policy_in_days": KEPT_DAYS,
        },
        origins=need.origins,
    )
    endpoint = private_endpoint(
        "azurerm_container_registry.images",
        "registry",
        REGISTRY_ZONE,
        names,
        layer="cluster",
        origins=need.origins,
    )
    reader = TerraformResource(
        layer="cluster",
        type="azurerm_role_assignment",
        name="kubelet-images",
        arguments={
            "scope": Expression("azurerm_container_registry.images.id"),
            "role_definition_name": "AcrPull",
            "principal_id": Expression("azurerm_user_assigned_identity.kubelet.principal_id"),
            "principal_type": "ServicePrincipal",
        },
        origins=need.origins,
    )
    return Answer(targets=(registry, endpoint, reader), facts=NoFacts())
