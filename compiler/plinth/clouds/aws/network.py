"""The network: its ranges, subnets in every zone, the ways out, and what may come in.

Nodes have the VPC's own range, in quarters: one for each zone, and the last for what is public and for
databases. Pods have a range of their own, so that a subnet never runs out of addresses for nodes.

Source: AWS, "VPC CIDR blocks"; EKS, "Amazon EKS networking requirements", "Custom networking".
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.aws.found import DISCOVERY, INTERNAL, SUBNET_TAG, Found
from plinth.clouds.aws.names import Names, letter, reference, tagged
from plinth.clouds.aws.watched import endpoints, flow_logs
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Said, said, text
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.ir.needs import Network
    from plinth.ir.said import Origin
    from plinth.spec import platform as spec

QUARTERS: Final = 2
"""Bits: a zone has a quarter of a range."""
SMALL: Final = 5
"""Bits: a public subnet, or one of databases, has a 32nd of the VPC's range."""
LARGEST_VPC: Final = 16
SMALLEST_VPC: Final = 23
"""A 32nd of it is a /28, the smallest subnet that AWS has."""
LARGEST_PODS: Final = 14
"""A VPC takes five ranges of a /16: that of nodes, and four quarters of this."""
SMALLEST_PODS: Final = 24
"""A quarter of it has room for the prefixes of two nodes."""

EGRESS: Final = "0.0.0.0/0"


def answer(need: Network, names: Names, found: Found) -> Answer[NoFacts]:
    """The whole `network` root; nothing in a network that is not ours."""
    if names.existing_network is not None:
        return Answer(targets=tuple(found.sources("network")), facts=NoFacts())
    origins = (need.network.spec_path,)
    targets = [*_vpc(need.network, names, origins), *_subnets(need.network, names, origins)]
    targets += _public_routes(names, origins)
    for zone in names.zones:
        targets += _way_out(zone, names, origins)
    targets += endpoints(need.network, names, origins)
    targets += flow_logs(names, origins)
    return Answer(targets=tuple(targets), facts=NoFacts())


def range_faults(network: spec.Network, names: Names) -> list[Diagnostic]:
    """Ranges that no VPC can have."""
    if names.existing_network is not None:
        return []
    limits = (
        ("nodes", "the VPC itself", LARGEST_VPC, SMALLEST_VPC),
        ("pods", "pods on AWS", LARGEST_PODS, SMALLEST_PODS),
        ("services", "services on EKS", 12, 24),
    )
    faults = []
    for field, what, largest, smallest in limits:
        cidr = getattr(network, field)
        if not largest <= ipaddress.IPv4Network(cidr).prefixlen <= smallest:
            faults.append(
                Diagnostic(
                    code="PLN303",
                    message=f"`{cidr}` is no range for {what}",
                    help=f"give it a length from /{largest} to /{smallest}",
                    path=network.said_path(field),
                )
            )
    return faults


def pod_blocks(network: spec.Network) -> list[Said]:
    """The ranges of pods as a VPC takes them: none is larger than a /16."""
    pods = said(network, "pods")
    whole = ipaddress.IPv4Network(pods.value)
    parts = [whole] if whole.prefixlen >= LARGEST_VPC else list(whole.subnets(new_prefix=LARGEST_VPC))
    return [Said(str(part), pods.origins) for part in parts]


def _part(cidr: Said, bits: int, index: int) -> Said:
    """A part of a range by its place, in parts that `bits` more tell apart."""
    return cidr.map(lambda value: str(list(ipaddress.IPv4Network(value).subnets(prefixlen_diff=bits))[index]))


def _vpc(network: spec.Network, names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    def made(kind: str, name: str, arguments: dict[str, Any]) -> TerraformResource:
        return TerraformResource(layer="network", type=kind, name=name, arguments=arguments, origins=origins)

    vpc = made(
        "aws_vpc",
        "platform",
        {
            "cidr_block": said(network, "nodes"),
            "enable_dns_hostnames": True,
            "enable_dns_support": True,
            "tags": tagged(names.network),
        },
    )
    pods = [
        made(
            "aws_vpc_ipv4_cidr_block_association",
            f"pods-{index}",
            {"vpc_id": reference("aws_vpc.platform", "id"), "cidr_block": block},
        )
        for index, block in enumerate(pod_blocks(network))
    ]
    # It cannot be removed, and whoever forgets to name a group gets it: so it lets nothing through.
    default = made(
        "aws_default_security_group",
        "closed",
        {"vpc_id": reference("aws_vpc.platform", "id"), "tags": tagged(text(names.platform, "-closed"))},
    )
    gateway = made(
        "aws_internet_gateway",
        "platform",
        {"vpc_id": reference("aws_vpc.platform", "id"), "tags": tagged(names.platform)},
    )
    return [vpc, *pods, default, gateway]


def _subnets(network: spec.Network, names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    nodes, pods = said(network, "nodes"), said(network, "pods")
    last = 3 << (SMALL - QUARTERS)  # where the fourth quarter begins, in 32nds
    targets: list[Target] = []
    for index, zone in enumerate(names.zones):
        ranges = {
            "nodes": _part(nodes, QUARTERS, index),
            "pods": _part(pods, QUARTERS, index),
            "public": _part(nodes, SMALL, last + index),
            "data": _part(nodes, SMALL, last + 4 + index),
        }
        for use, cidr in ranges.items():
            name = f"{use}-{letter(zone)}"
            tags: dict[str, Any] = tagged(text(names.platform, "-", name)) | {SUBNET_TAG: use}
            if use == "nodes":
                tags |= {INTERNAL: "1", DISCOVERY: names.cluster}
            if use == "public":
                tags["kubernetes.io/role/elb"] = "1"
            arguments: dict[str, Any] = {
                "vpc_id": reference("aws_vpc.platform", "id"),
                "availability_zone": zone,
                "cidr_block": cidr,
                "map_public_ip_on_launch": False,
                "tags": tags,
            }
            if use == "pods":
                arguments["depends_on"] = [
                    f"aws_vpc_ipv4_cidr_block_association.pods-{block}"
                    for block in range(len(pod_blocks(network)))
                ]
            targets.append(
                TerraformResource(
                    layer="network", type="aws_subnet", name=name, arguments=arguments, origins=origins
                )
            )
    return targets


def _public_routes(names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    target = {"gateway_id": reference("aws_internet_gateway.platform", "id")}
    return _routes("public", names, target, [f"public-{letter(zone)}" for zone in names.zones], origins)


def _way_out(zone: Said, names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    """Nodes have no public address: what they call outside sees one address for each zone, which stays."""
    name = letter(zone)
    tags = tagged(text(names.platform, "-nat-", name))
    address = TerraformResource(
        layer="network",
        type="aws_eip",
        name=f"nat-{name}",
        arguments={"domain": "vpc", "tags": tags, "depends_on": ["aws_internet_gateway.platform"]},
        origins=origins,
    )
    gateway = TerraformResource(
        layer="network",
        type="aws_nat_gateway",
        name=name,
        arguments={
            "allocation_id": reference(f"aws_eip.nat-{name}", "id"),
            "subnet_id": reference(f"aws_subnet.public-{name}", "id"),
            "tags": tags,
            "depends_on": ["aws_internet_gateway.platform"],
        },
        origins=origins,
    )
    target = {"nat_gateway_id": reference(f"aws_nat_gateway.{name}", "id")}
    routes = _routes(f"private-{name}", names, target, [f"nodes-{name}", f"pods-{name}"], origins)
    # Databases call nobody: their subnets know the network and nothing else.
    return [address, gateway, *routes, *_table(f"data-{name}", names, [f"data-{name}"], origins)]


def _routes(
    name: str, names: Names, target: dict[str, Any], subnets: list[str], origins: tuple[Origin, ...]
) -> list[Target]:
    route = TerraformResource(
        layer="network",
        type="aws_route",
        name=name,
        arguments={
            "route_table_id": reference(f"aws_route_table.{name}", "id"),
            "destination_cidr_block": EGRESS,
            **target,
        },
        origins=origins,
    )
    return [*_table(name, names, subnets, origins), route]


def _table(name: str, names: Names, subnets: list[str], origins: tuple[Origin, ...]) -> list[Target]:
    table = TerraformResource(
        layer="network",
        type="aws_route_table",
        name=name,
        arguments={
            "vpc_id": reference("aws_vpc.platform", "id"),
            "tags": tagged(text(names.platform, "-", name)),
        },
        origins=origins,
    )
    return [
        table,
        *(
            TerraformResource(
                layer="network",
                type="aws_route_table_association",
                name=subnet,
                arguments={
                    "route_table_id": reference(f"aws_route_table.{name}", "id"),
                    "subnet_id": reference(f"aws_subnet.{subnet}", "id"),
                },
                origins=origins,
            )
            for subnet in subnets
        ),
    ]
