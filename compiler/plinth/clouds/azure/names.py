"""Names and ids on Azure: what they are made of, and how long they may be."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from plinth.catalog.regions import zones
from plinth.ir.names import too_long
from plinth.ir.said import Said, said, text

if TYPE_CHECKING:
    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir.needs import Context, ServiceAccount
    from plinth.text.spans import SpecPath

TITLE: Final = "Microsoft Azure"

LONGEST_STORAGE_ACCOUNT: Final = 24
LONGEST_VAULT: Final = 24
LONGEST_REGISTRY: Final = 50
LONGEST_CLUSTER: Final = 63
LONGEST_POOL: Final = 12

SUBNETS: Final = ("control-plane", "endpoints", "nodes")

BLOB_ZONE: Final = "privatelink.blob.core.windows.net"
VAULT_ZONE: Final = "privatelink.vaultcore.azure.net"
DATABASE_ZONE: Final = "privatelink.postgres.database.azure.com"
REGISTRY_ZONE: Final = "privatelink.azurecr.io"

ISSUER: Final = "azurerm_kubernetes_cluster.platform.oidc_issuer_url"
"""Who vouches for the cluster's service accounts, as Terraform knows it where the cluster is made."""

UNPAIRED: Final = frozenset(
    {
        "austriaeast",
        "belgiumcentral",
        "chilecentral",
        "indonesiacentral",
        "israelcentral",
        "italynorth",
        "malaysiawest",
        "mexicocentral",
        "newzealandnorth",
        "polandcentral",
        "qatarcentral",
        "spaincentral",
    }
)
"""Regions without another that Azure would copy to. Source: Azure, "List of Azure regions"."""

_SUFFIX_LENGTH: Final = 6


class Names:
    """Every name of one environment that more than one file of ours writes."""

    def __init__(self, context: Context) -> None:
        cloud = context.platform.cloud
        self.subscription: Said = said(cloud, "subscription_id")
        self.tenant: Said = said(cloud, "tenant_id")
        self.region: Said = said(cloud, "region")
        self.zones: Said = self._zones(said(cloud, "zones"))
        self.admin_groups: Said = said(cloud, "admin_groups").map(sorted)
        self.provider_major: Said = said(cloud, "provider_major")
        self.platform: Said = context.platform_name
        group = said(cloud, "resource_group")
        self.group: Said = group if group.value else self.platform
        existing = getattr(cloud, "existing")  # noqa: B009 - a field of this cloud's section alone
        self.has_own_network: bool = existing is None
        self.network: Said = said(existing, "network") if existing else self.platform
        its_group = said(existing, "resource_group") if existing else None
        self.network_group: Said = its_group if its_group and its_group.value else self.group
        self.cluster = self.platform
        self.node_group = text(self.group, "-nodes")
        self.vault = text(self.platform, "-", self._suffix())
        self.database_server = text(self.platform, "-", self._suffix())
        self.database_host = text(self.database_server, ".postgres.database.azure.com")
        letters = self.platform.map(lambda name: name.replace("-", ""))
        self.storage_account = text(letters, self._suffix())
        self.registry = text(letters, self._suffix())
        self.encryption = text(self.platform, "-encryption")
        self.tags: dict[str, str | Said] = {
            "environment": context.environment,
            "managed-by": "plinth",
            "platform": self.platform,
        }
        self.place: dict[str, object] = {
            "resource_group_name": self.group,
            "location": self.region,
            "tags": self.tags,
        }

    def _zones(self, wanted: Said) -> Said:
        """The zones of nodes, sorted: those that are named, or all that the region is known to have."""
        if wanted.value is not None:
            return wanted.map(sorted)
        known = [name.rpartition("-")[2] for name in zones("azure", self.region.value)]
        return Said(known, (*wanted.origins, *self.region.origins))

    def _suffix(self) -> Said:
        """Names of these kinds are one space over all of Azure: a few letters make ours ours."""
        place = text(self.subscription, "/", self.group)
        return place.map(lambda text: hashlib.sha256(text.encode()).hexdigest()[:_SUFFIX_LENGTH])

    def copied_elsewhere(self) -> Said:
        """Whether the region has another to which Azure copies what is kept in it."""
        return self.region.map(lambda region: region not in UNPAIRED)

    def group_id(self) -> Said:
        """The platform's resource group."""
        return text("/subscriptions/", self.subscription, "/resourceGroups/", self.group)

    def id_of(self, kind: str, name: Said | str) -> Said:
        """A resource of ours as other roots name it; `kind` is `Microsoft.KeyVault/vaults`."""
        return text(self.group_id(), "/providers/", kind, "/", name)

    def network_id(self) -> Said:
        """The virtual network, ours or the one that is there."""
        group = text("/subscriptions/", self.subscription, "/resourceGroups/", self.network_group)
        return text(group, "/providers/Microsoft.Network/virtualNetworks/", self.network)

    def subnet_id(self, name: str) -> Said:
        """One of `SUBNETS` as other roots name it."""
        return text(self.network_id(), "/subnets/", name)

    def private_zone_id(self, name: Said | str) -> Said:
        """A private DNS zone as other roots name it."""
        return self.id_of("Microsoft.Network/privateDnsZones", name)

    def vault_id(self) -> Said:
        """The vault as other roots name it."""
        return self.id_of("Microsoft.KeyVault/vaults", self.vault)

    def faults(self, platform_path: SpecPath) -> tuple[Diagnostic, ...]:
        """Names that Azure would refuse, said before it does."""
        checks = (
            (self.storage_account, LONGEST_STORAGE_ACCOUNT, "a storage account"),
            (self.vault, LONGEST_VAULT, "a key vault"),
            (self.registry, LONGEST_REGISTRY, "a container registry"),
            (self.cluster, LONGEST_CLUSTER, "a cluster"),
        )
        over = [check for check in checks if len(check[0].value) > check[1]]
        # The one that is too long by most: a name that is short enough for it is so for all.
        over.sort(key=lambda check: check[1] - len(check[0].value))
        return tuple(
            too_long(name.value, longest, f"{what} on Azure", platform_path)
            for name, longest, what in over[:1]
        )


def account_name(account: ServiceAccount) -> str:
    """A service account in names of Terraform and of Azure."""
    return f"{account.namespace}-{account.name}"
