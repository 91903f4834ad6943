"""The network with its subnets, the way out, and the private names of what Azure runs for us.

The spec's range of nodes is divided: half of it is for nodes, a quarter for private endpoints; the
last quarter is left for what may come. The control plane has its own range, inside the same network:
it is reached there without a tunnel, by nodes and by people. The network never sees pods' addresses.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from plinth.catalog.regions import known_regions, zones
from plinth.clouds.azure.names import BLOB_ZONE, DATABASE_ZONE, REGISTRY_ZONE, VAULT_ZONE, Names
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Expression, Origin, Said, said, text
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.ir.needs import Network
    from plinth.spec import platform as spec

SMALLEST_NODES: Final = 24
RESERVED: Final = 5
"""Addresses of every subnet that Azure keeps for itself."""

_DELEGATED: Final = {"control-plane": "Microsoft.ContainerService/managedClusters"}
_JOIN: Final = "Microsoft.Network/virtualNetworks/subnets/join/action"


def answer(need: Network, names: Names, platform: spec.Platform) -> Answer[NoFacts]:
    """The whole `network` root."""
    origins = (need.network.spec_path,)
    group = TerraformResource(
        layer="network",
        type="azurerm_resource_group",
        name="platform",
        arguments={
            "name": names.group,
            "location": names.region,
            "tags": names.tags,
            # With it goes all that is in it, also what Terraform never knew of.
            "lifecycle": {"prevent_destroy": True},
        },
        origins=origins,
    )
    targets: list[Target] = [group]
    if names.has_own_network:
        targets += [_network(need, names, origins), _security_group(names, origins)]
        for name, range_ in _ranges(need.network).items():
            targets += _subnet(name, range_, origins)
        targets += _way_out(names, origins)
    for label, zone, zone_origins in _private_zones(platform, origins):
        targets += _private_zone(label, zone, names, zone_origins)
    return Answer(targets=tuple(targets), facts=NoFacts())


def range_faults(platform: spec.Platform) -> list[Diagnostic]:
    """A range of nodes that cannot be divided, or has no room for the nodes."""
    if not platform.cloud.makes_network:
        return []
    network = platform.network
    nodes = ipaddress.IPv4Network(network.nodes)
    path = network.said_path("nodes")
    if nodes.prefixlen > SMALLEST_NODES:
        return [
            Diagnostic(
                code="PLN303",
                message=f"`{nodes}` is too small for Azure, where it is divided between nodes "
                "and private endpoints",
                help=f"give it /{SMALLEST_NODES} or more",
                path=path,
            )
        ]
    wanted, room = sum(pool.nodes.max for pool in platform.node_pools), nodes.num_addresses // 2 - RESERVED
    if wanted > room:
        return [
            Diagnostic(
                code="PLN303",
                message=f"`{nodes}` has room for {room} nodes on Azure, and the pools may grow to {wanted}",
                help="give it a larger range: half of it is for nodes",
                path=path,
            )
        ]
    return []


def zone_faults(cloud: spec.CloudSection) -> list[Diagnostic]:
    """Zones that are named twice, or that the region does not have."""
    wanted, region = said(cloud, "zones").value or (), said(cloud, "region").value
    path = cloud.said_path("zones")
    if len(set(wanted)) != len(wanted):
        return [
            Diagnostic(
                code="PLN207",
                message="a zone is named twice",
                help='name each zone once: `zones: ["1", "2", "3"]`',
                path=path,
            )
        ]
    known = {name.rpartition("-")[2] for name in zones("azure", region)}
    missing = sorted(set(wanted) - known)
    if not missing or region not in known_regions("azure"):
        return []
    return [
        Diagnostic(
            code="PLN312",
            message=f"`{region}` has no zone `{missing[0]}`",
            help=f"it has {', '.join(f'`{each}`' for each in sorted(known))}"
            if known
            else "it has no zones: leave `zones` out, or take a region that has some",
            path=path,
        )
    ]


def _has_database(platform: spec.Platform) -> bool:
    return platform.storage.database is not None and platform.storage.database.existing is None


def _ranges(network: spec.Network) -> dict[str, Said]:
    """The range of each subnet."""
    nodes = said(network, "nodes")

    def part(text: str, *, deeper: int, at: int) -> str:
        return str(list(ipaddress.IPv4Network(text).subnets(prefixlen_diff=deeper))[at])

    return {
        "control-plane": said(network, "control_plane"),
        "endpoints": nodes.map(lambda text: part(text, deeper=2, at=2)),
        "nodes": nodes.map(lambda text: part(text, deeper=1, at=0)),
    }


def _network(need: Network, names: Names, origins: tuple[Origin, ...]) -> TerraformResource:
    return TerraformResource(
        layer="network",
        type="azurerm_virtual_network",
        name="platform",
        arguments={
            **_place(names),
            "name": names.network,
            "address_space": [said(need.network, "nodes"), said(need.network, "control_plane")],
        },
        origins=origins,
    )


def _place(names: Names) -> dict[str, Any]:
    """In this root the group is being made, so its name is asked of it."""
    return {**names.place, "resource_group_name": Expression("azurerm_resource_group.platform.name")}


def _security_group(names: Names, origins: tuple[Origin, ...]) -> TerraformResource:
    # Without a rule of ours, Azure's own let in the network and its load balancers, and nobody else.
    return TerraformResource(
        layer="network",
        type="azurerm_network_security_group",
        name="platform",
        arguments={**_place(names), "name": names.platform},
        origins=origins,
    )


def _subnet(name: str, range_: Said, origins: tuple[Origin, ...]) -> list[Target]:
    arguments: dict[str, Any] = {
        "name": name,
        "resource_group_name": Expression("azurerm_resource_group.platform.name"),
        "virtual_network_name": Expression("azurerm_virtual_network.platform.name"),
        "address_prefixes": [range_],
        "default_outbound_access_enabled": False,
        "private_endpoint_network_policies": "Enabled",
    }
    if name in _DELEGATED:
        delegation = {"name": _DELEGATED[name], "actions": [_JOIN]}
        arguments["delegation"] = [{"name": name, "service_delegation": [delegation]}]
    subnet = TerraformResource(
        layer="network", type="azurerm_subnet", name=name, arguments=arguments, origins=origins
    )
    guarded = TerraformResource(
        layer="network",
        type="azurerm_subnet_network_security_group_association",
        name=name,
        arguments={
            "subnet_id": Expression(f"azurerm_subnet.{name}.id"),
            "network_security_group_id": Expression("azurerm_network_security_group.platform.id"),
        },
        origins=origins,
    )
    return [subnet, guarded]


def _way_out(names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    """Nodes have no public address; what they call outside sees one address that stays.

    The newer kind of NAT gateway is in every zone by itself and takes none; where all nodes are in
    one zone, or the region has none, the older kind is put beside them.
    """
    is_zonal = len(names.zones.value) == 1
    sku = names.zones.map(lambda zones: "StandardV2" if len(zones) > 1 else "Standard")
    zones = {"zones": names.zones} if is_zonal else {}
    address = TerraformResource(
        layer="network",
        type="azurerm_public_ip",
        name="nat",
        arguments={
            **_place(names),
            **zones,
            "name": text(names.platform, "-nat"),
            "allocation_method": "Static",
            "sku": sku,
        },
        origins=origins,
    )
    gateway = TerraformResource(
        layer="network",
        type="azurerm_nat_gateway",
        name="platform",
        arguments={**_place(names), **zones, "name": names.platform, "sku_name": sku},
        origins=origins,
    )
    addressed = TerraformResource(
        layer="network",
        type="azurerm_nat_gateway_public_ip_association",
        name="platform",
        arguments={
            "nat_gateway_id": Expression("azurerm_nat_gateway.platform.id"),
            "public_ip_address_id": Expression("azurerm_public_ip.nat.id"),
        },
        origins=origins,
    )
    used = TerraformResource(
        layer="network",
        type="azurerm_subnet_nat_gateway_association",
        name="nodes",
        arguments={
            "nat_gateway_id": Expression("azurerm_nat_gateway.platform.id"),
            "subnet_id": Expression("azurerm_subnet.nodes.id"),
        },
        origins=origins,
    )
    return [address, gateway, addressed, used]


def _private_zones(
    platform: spec.Platform, origins: tuple[Origin, ...]
) -> list[tuple[str, str, tuple[Origin, ...]]]:
    """Zones in which the platform's own services have private addresses, by a label of ours."""
    zones: list[tuple[str, str, tuple[Origin, ...]]] = [
        ("registry", REGISTRY_ZONE, origins),
        ("vault", VAULT_ZONE, origins),
    ]
    if any(bucket.url is None for bucket in platform.storage.buckets):
        zones.append(("blob", BLOB_ZONE, (platform.storage.said_path("buckets"),)))
    if _has_database(platform):
        zones.append(("database", DATABASE_ZONE, (platform.storage.said_path("database"),)))
    return zones


def _private_zone(
    label: str, zone: str, names: Names, origins: tuple[Origin, ...]
) -> list[TerraformResource]:
    """A zone and its link to the network, in the form of the provider's major version."""
    of_major = {
        4: {
            "private_dns_zone_name": Expression(f"azurerm_private_dns_zone.{label}.name"),
            "resource_group_name": Expression("azurerm_resource_group.platform.name"),
        },
        5: {"private_dns_zone_id": Expression(f"azurerm_private_dns_zone.{label}.id")},
    }
    network: Any = (
        Expression("azurerm_virtual_network.platform.id") if names.has_own_network else names.network_id()
    )
    made = TerraformResource(
        layer="network",
        type="azurerm_private_dns_zone",
        name=label,
        arguments={
            "name": zone,
            "resource_group_name": Expression("azurerm_resource_group.platform.name"),
            "tags": names.tags,
        },
        origins=origins,
    )
    link = TerraformResource(
        layer="network",
        type="azurerm_private_dns_zone_virtual_network_link",
        name=label,
        arguments={
            "name": names.platform,
            "virtual_network_id": network,
            "tags": names.tags,
            **of_major[names.provider_major.value],
        },
        origins=(*origins, *names.provider_major.origins),
    )
    return [made, link]
