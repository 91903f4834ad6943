"""Answer a platform's needs on Microsoft Azure.

Three Terraform roots: `network` (resource group, network, way out, private names), `cluster` (control
plane, identities, pools, registry, vault, logs) and `platform` (buckets, Postgres, secrets, rights).
Names are a function of the spec, and an id on Azure is made of names, so a root writes the ids of
what another one made instead of reading its state.

Source: facts of the azurerm provider 4.65 to 5.x and of the AKS API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from plinth.clouds import Answers, Cloud, Needed, device_plugins, rdma_origins
from plinth.clouds.azure.answers import AzureAnswers
from plinth.clouds.azure.pools import spot_first
from plinth.ir.said import origins_of, why
from plinth.spec import Section
from plinth.spec.fields import Field
from plinth.spec.platform import CloudSection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.ir.needs import Context
    from plinth.spec.platform import Platform

_GUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_RESOURCE_NAME = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9_])?$"


class ExistingAzure(Section):
    """What is there already inside the subscription."""

    network: Annotated[str, Field(pattern=_RESOURCE_NAME)] = Field(
        description="A virtual network with the subnets `nodes`, `control-plane` and `endpoints`; "
        "nodes have a NAT gateway there."
    )
    resource_group: Annotated[str, Field(pattern=_RESOURCE_NAME)] | None = Field(
        default=None, description="The network's resource group; the platform's own where absent."
    )


class AzureSection(CloudSection):
    """A subscription of Azure; one environment has one resource group in it to itself."""

    cluster_field: ClassVar[str] = "subscription_id"

    provider: Literal["azure"]
    subscription_id: Annotated[str, Field(pattern=_GUID)] = Field(
        description="The subscription's id: `az account show --query id`."
    )
    tenant_id: Annotated[str, Field(pattern=_GUID)] = Field(
        description="The Entra tenant's id: `az account show --query tenantId`."
    )
    region: Annotated[str, Field(pattern=r"^[a-z]{2,30}[0-9]?$")] = Field(
        description="`eastus2`, `westeurope`, ..."
    )
    zones: tuple[Literal["1", "2", "3"], ...] | None = Field(
        default=None,
        description="The region's zones to put nodes in, in quotes; all that it has where absent.",
    )
    admin_groups: tuple[Annotated[str, Field(pattern=_GUID)], ...] = Field(
        min_length=1,
        description="Object ids of the Entra groups that administer the cluster and the vault. At least one: "
        "the cluster has no local account to fall back on.",
    )
    resource_group: Annotated[str, Field(pattern=_RESOURCE_NAME)] | None = Field(
        default=None, description="The platform's resource group; it has the platform's name where absent."
    )
    provider_major: Literal[4, 5] = Field(
        default=4,
        description="The major version of Terraform's azurerm provider for the root that holds the network: "
        "one of its types has no form that both majors take.",
    )
    existing: ExistingAzure | None = Field(
        default=None, description="What is there already; nothing where absent."
    )

    def cluster_key(self) -> tuple[str, ...]:
        # Every name inside a resource group is a function of the platform's name alone.
        return ("azure", self.subscription_id, *([self.resource_group] if self.resource_group else []))


class Azure(Cloud):
    """Microsoft Azure."""

    name = "azure"
    Section = AzureSection

    def needed(self, platform: Platform) -> Iterable[Needed]:
        yield from device_plugins(platform, self.name)
        if fast := rdma_origins(platform):
            origins = (*fast, *why("without a device plugin no pod can ask for InfiniBand"))
            yield Needed(component="rdma-shared-device-plugin", origins=origins)
        if first := spot_first(platform):
            origins = (
                *origins_of(first),
                *why("AKS's autoscaler reads there which pools it should grow first"),
            )
            yield Needed(component="autoscaler-priorities", origins=origins)

    def answering(self, context: Context, pinned: Mapping[str, str]) -> Answers:
        return AzureAnswers(context, pinned)


CLOUD = Azure()
