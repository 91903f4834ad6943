"""Networks beside the nodes' own, over which the GPUs of A3 High and A3 Mega reach each other.

Each network card for GPUs is in a network of its own, with one subnetwork and a rule that lets its nodes
speak. They are made once for all pools, as many as the pool with most of them takes. GKE makes those of later
machines by itself.

Source: GKE, "Maximize GPU network bandwidth in Standard mode clusters"; Cluster Toolkit, blueprints
`gke-a3-highgpu` and `gke-a3-megagpu`, for the MTU.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.catalog.machines import machines
from plinth.clouds._unused import unused
from plinth.clouds.gcp.devices import networks_of_our_own
from plinth.clouds.gcp.disks import machine_and_disks
from plinth.clouds.gcp.names import TITLE
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import NodeNetwork
from plinth.ir.pools import shape_origins
from plinth.ir.said import Expression, Said, said, text
from plinth.ir.targets import TerraformResource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plinth.clouds.gcp.names import Names
    from plinth.ir.said import Origin
    from plinth.ir.targets import Target
    from plinth.spec.platform import Platform
    from plinth.spec.pools import NodePool

MTU: Final = 8244
MOST: Final = 8
"""Network cards for GPUs in a machine; the range is cut into as many parts."""

RESERVED: Final = 4
"""Addresses of every subnetwork that Google Cloud keeps. Source: VPC, "Subnets"."""

SMALLEST: Final = 26
"""Google Cloud has no subnetwork below a /29."""

_RANGES: Final = ("nodes", "pods", "services", "control_plane")


class Wanted(Struct, frozen=True, kw_only=True):
    """How many networks the pools of a platform take, and why."""

    count: int
    nodes: int
    """Nodes that may be in them at once."""
    origins: tuple[Origin, ...]


def wanted(platform: Platform, pinned: Mapping[str, str]) -> Wanted:
    """What the pools' machines take; none where no machine has such cards."""
    count, nodes, origins = 0, 0, []
    for pool in platform.node_pools:
        if not (pool.gpu and pool.gpu.rdma):
            continue
        found = machine_and_disks(pool, pinned.get(pool.name))
        if isinstance(found, Diagnostic):
            continue
        own = networks_of_our_own(found[0].machine)
        if own:
            count = max(count, own)
            nodes += _most_nodes(pool)
            origins += [*said(pool.gpu, "rdma").origins, *shape_origins(pool, "gcp")]
    return Wanted(count=count, nodes=nodes, origins=tuple(dict.fromkeys(origins)))


def may_take_networks(pool: NodePool) -> bool:
    """Whether one of the machines that a pool may get takes such networks, whichever it gets in the end."""
    if not (pool.gpu and pool.gpu.rdma):
        return False
    named = pool.machine.gcp if pool.machine else None
    return any(
        networks_of_our_own(row) > 0
        for row in machines("gcp")
        if (row.machine_type == named if named else pool.gpu.model in {None, row.gpu_model})
    )


def _most_nodes(pool: NodePool) -> int:
    # Each of the two pools of GKE may grow to it.
    return pool.nodes.max * (2 if pool.capacity == "spot-then-on-demand" else 1)


def node_networks(names: Names, count: int) -> tuple[NodeNetwork, ...]:
    """The networks of a machine with so many cards. Pods call them as they do in Google's examples."""
    return tuple(
        NodeNetwork(
            name=f"vpc{number}",
            network=text(names.platform, f"-gpu-{number}"),
            subnetwork=text(names.platform, f"-gpu-{number}"),
        )
        for number in range(1, count + 1)
    )


def targets(names: Names, asked: Wanted) -> list[Target]:
    """The networks that the pools of a platform take."""
    if _is_too_small(names.cloud.gpu_networks):
        return []  # said already
    cidr = said(names.cloud, "gpu_networks")
    parts = [Said(str(each), cidr.origins) for each in _parts(cidr.value)]
    made: list[Target] = []
    for number, (network, part) in enumerate(zip(node_networks(names, asked.count), parts, strict=False), 1):
        name = f"gpu-{number}"
        path = Expression(f"google_compute_network.{name}.id")
        arguments: dict[str, dict[str, Any]] = {
            "google_compute_network": {
                "name": network.network,
                "auto_create_subnetworks": False,
                "routing_mode": "REGIONAL",
                "mtu": MTU,
                "depends_on": ["google_project_service.compute"],
            },
            "google_compute_subnetwork": {
                "name": network.subnetwork,
                "region": names.region,
                "network": path,
                "ip_cidr_range": part,
                "private_ip_google_access": True,
                # Enough to see that nodes speak: at these speeds more of it costs more than it tells.
                "log_config": [
                    {
                        "aggregation_interval": "INTERVAL_15_MIN",
                        "flow_sampling": 0.01,
                        "metadata": "EXCLUDE_ALL_METADATA",
                    }
                ],
            },
            "google_compute_firewall": {
                "name": network.network,
                "network": path,
                "description": "Between GPUs",
                "direction": "INGRESS",
                "source_ranges": [part],
                "target_tags": [names.node_tag],
                "allow": [{"protocol": protocol} for protocol in ("icmp", "tcp", "udp")],
            },
        }
        made += [
            TerraformResource(
                layer="network",
                type=kind,
                name=name,
                arguments={**each, "project": names.project},
                origins=asked.origins,
            )
            for kind, each in arguments.items()
        ]
    return made


def faults(platform: Platform, names: Names, asked: Wanted) -> Iterator[Diagnostic]:
    """What is wrong with the range of these networks, or with having them at all."""
    cloud = names.cloud
    if not asked.count:
        yield from unused(
            cloud,
            "gpu_networks",
            "where no pool joins GPUs over networks of ours",
            "remove it; A3 High and A3 Mega have them, where a pool says `rdma`",
        )
        return
    cidr = ipaddress.IPv4Network(cloud.gpu_networks)
    path = cloud.said_path("gpu_networks")
    if not cloud.existing:
        for field in _RANGES:
            other = ipaddress.IPv4Network(getattr(platform.network, field))
            if cidr.overlaps(other):
                yield Diagnostic(
                    code="PLN302",
                    message=f"{field.replace('_', ' ')} `{other}` and gpu networks `{cidr}` overlap",
                    help="give the networks of GPUs another range: `cloud: {gpuNetworks: ...}`",
                    path=path,
                )
    if _is_too_small(cloud.gpu_networks):
        yield Diagnostic(
            code="PLN303",
            message=f"`{cidr}` is too small for {MOST} networks of GPUs",
            help=f"give it /{SMALLEST} or more",
            path=path,
        )
        return
    room = _parts(str(cidr))[0].num_addresses - RESERVED
    if asked.nodes > room:
        yield Diagnostic(
            code="PLN303",
            message=f"`{cidr}` has addresses for {room} nodes in each of {MOST} networks of GPUs, "
            f"and the pools may grow to {asked.nodes}",
            help="give `cloud.gpuNetworks` a larger range",
            path=path,
        )
    if cloud.existing and _host(cloud.existing.network) not in {None, cloud.project}:
        yield Diagnostic(
            code="PLN326",
            message="the network is another project's, and networks of GPUs would have to be there as well",
            help=f"take `h200` or `b200`, whose networks GKE makes by itself, or a network of this project: "
            f"on {TITLE} all networks of a node are in one project",
            path=cloud.existing.said_path("network"),
        )


def _is_too_small(cidr: str) -> bool:
    return ipaddress.IPv4Network(cidr).prefixlen > SMALLEST


def _parts(cidr: str) -> list[ipaddress.IPv4Network]:
    return list(ipaddress.IPv4Network(cidr).subnets(prefixlen_diff=MOST.bit_length() - 1))


def _host(network: str) -> str | None:
    """The project that a network's path names."""
    return network.split("/")[1] if "/" in network else None
