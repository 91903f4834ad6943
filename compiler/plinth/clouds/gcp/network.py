"""APIs, the network with its ranges, the way out, and what may come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.gcp.names import PODS_RANGE, SERVICES_RANGE, ZONE_OF_DATABASES, Names
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Expression, Origin, Said, said, text, why
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from plinth.ir.needs import Network
    from plinth.spec.platform import Platform

APIS: Final = (
    "artifactregistry",
    "binaryauthorization",
    "certificatemanager",
    "cloudkms",
    "cloudresourcemanager",
    "compute",
    "container",
    "dns",
    "iam",
    "iamcredentials",
    "logging",
    "monitoring",
    "secretmanager",
    "servicenetworking",
    "sqladmin",
    "storage",
)

APIS_OF_SECTIONS: Final = {"budget": ("billingbudgets",), "ci": ("sts",)}
"""Those that a platform needs for a section of its spec only."""

DATABASES_PREFIX: Final = 20
"""The range that Google's own services, Cloud SQL among them, take from the network."""

IAP_RANGE: Final = "35.235.240.0/20"
"""Where SSH through Identity-Aware Proxy comes from. Source: Google Cloud, "Using IAP for TCP forwarding"."""

WEBHOOK_PORTS: Final = ("8443", "9443", "10250")
"""GKE lets its control plane reach 443 and 10250 alone; admission webhooks listen on these too."""


def answer(need: Network, names: Names, platform: Platform) -> Answer[NoFacts]:
    """The whole `network` root: of a network that is there already, only what is beside it."""
    origins = (need.network.spec_path,)
    targets: list[Target] = [_api(name, names) for name in APIS]
    targets += [
        _api(name, names, (platform.said_path(section),))
        for section, apis in APIS_OF_SECTIONS.items()
        if getattr(platform, section)
        for name in apis
    ]
    if not names.cloud.existing:
        targets += [_network(names, origins), _subnetwork(need, names, origins)]
        targets += _way_out(names, origins)
        targets += _firewall(need, names, origins)
    if platform.storage.database and not platform.storage.database.existing:
        origins = (platform.storage.said_path("database"),)
        targets += [] if names.cloud.existing else _peering(names, origins)
        targets += [_zone_of_databases(names, origins)]
    return Answer(targets=tuple(targets), facts=NoFacts())


def _api(name: str, names: Names, origins: tuple[Origin, ...] = ()) -> TerraformResource:
    return TerraformResource(
        layer="network",
        type="google_project_service",
        name=name,
        arguments={
            "project": names.project,
            "service": f"{name}.googleapis.com",
            # Somebody else in the project may use it: taking the platform down must not.
            "disable_on_destroy": False,
        },
        origins=origins or why("the resources of a platform on Google Cloud need this API"),
    )


def _after_apis(*names: str) -> list[str]:
    return [f"google_project_service.{name}" for name in names]


def _network(names: Names, origins: tuple[Origin, ...]) -> TerraformResource:
    return TerraformResource(
        layer="network",
        type="google_compute_network",
        name="platform",
        arguments={
            "name": names.network,
            "project": names.project,
            "auto_create_subnetworks": False,
            "routing_mode": "REGIONAL",
            "depends_on": _after_apis("compute"),
        },
        origins=origins,
    )


def _subnetwork(need: Network, names: Names, origins: tuple[Origin, ...]) -> TerraformResource:
    return TerraformResource(
        layer="network",
        type="google_compute_subnetwork",
        name="nodes",
        arguments={
            "name": names.subnetwork,
            "project": names.project,
            "region": names.region,
            "network": Expression("google_compute_network.platform.id"),
            "ip_cidr_range": said(need.network, "nodes"),
            "private_ip_google_access": True,
            "secondary_ip_range": [
                {"range_name": PODS_RANGE, "ip_cidr_range": said(need.network, "pods")},
                {"range_name": SERVICES_RANGE, "ip_cidr_range": said(need.network, "services")},
            ],
            "log_config": [
                {
                    "aggregation_interval": "INTERVAL_10_MIN",
                    "flow_sampling": 0.5,
                    "metadata": "INCLUDE_ALL_METADATA",
                }
            ],
        },
        origins=origins,
    )


def _way_out(names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    """Nodes have no public address; what they call outside sees one address that stays."""
    place = {"project": names.project, "region": names.region}
    address = TerraformResource(
        layer="network",
        type="google_compute_address",
        name="nat",
        arguments={
            "name": text(names.platform, "-nat"),
            "address_type": "EXTERNAL",
            **place,
            "depends_on": _after_apis("compute"),
        },
        origins=origins,
    )
    router = TerraformResource(
        layer="network",
        type="google_compute_router",
        name="platform",
        arguments={
            "name": names.platform,
            "network": Expression("google_compute_network.platform.id"),
            **place,
        },
        origins=origins,
    )
    nat = TerraformResource(
        layer="network",
        type="google_compute_router_nat",
        name="platform",
        arguments={
            "name": names.platform,
            **place,
            "router": Expression("google_compute_router.platform.name"),
            "nat_ip_allocate_option": "MANUAL_ONLY",
            "nat_ips": [Expression("google_compute_address.nat.self_link")],
            "source_subnetwork_ip_ranges_to_nat": "LIST_OF_SUBNETWORKS",
            "subnetwork": [
                {
                    "name": Expression("google_compute_subnetwork.nodes.id"),
                    "source_ip_ranges_to_nat": ["ALL_IP_RANGES"],
                }
            ],
            # Image pulls of a large node take thousands of ports for a moment.
            "enable_dynamic_port_allocation": True,
            "enable_endpoint_independent_mapping": False,
            "min_ports_per_vm": 64,
            "max_ports_per_vm": 8192,
            "log_config": [{"enable": True, "filter": "ERRORS_ONLY"}],
        },
        origins=origins,
    )
    return [address, router, nat]


def _firewall(need: Network, names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    def rule(
        name: str, sources: list[str | Said], ports: tuple[str, ...], description: str
    ) -> TerraformResource:
        arguments: dict[str, Any] = {
            "name": text(names.platform, "-", name),
            "project": names.project,
            "network": Expression("google_compute_network.platform.id"),
            "description": description,
            "direction": "INGRESS",
            "source_ranges": sources,
            "target_tags": [names.node_tag],
            "allow": [{"protocol": "tcp", "ports": list(ports)}],
            "log_config": [{"metadata": "EXCLUDE_ALL_METADATA"}],
        }
        return TerraformResource(
            layer="network",
            type="google_compute_firewall",
            name=name.replace("-", "_"),
            arguments=arguments,
            origins=origins,
        )

    return [
        rule("iap-ssh", [IAP_RANGE], ("22",), "SSH to nodes through Identity-Aware Proxy"),
        rule(
            "webhooks",
            [said(need.network, "control_plane")],
            WEBHOOK_PORTS,
            "Admission webhooks from the control plane",
        ),
    ]


def _peering(names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    """A range for Google's own services, and the way to it."""
    address = TerraformResource(
        layer="network",
        type="google_compute_global_address",
        name="services",
        arguments={
            "name": text(names.platform, "-services"),
            "project": names.project,
            "purpose": "VPC_PEERING",
            "address_type": "INTERNAL",
            "prefix_length": DATABASES_PREFIX,
            "network": Expression("google_compute_network.platform.id"),
        },
        origins=origins,
    )
    connection = TerraformResource(
        layer="network",
        type="google_service_networking_connection",
        name="services",
        arguments={
            "network": Expression("google_compute_network.platform.id"),
            "service": "servicenetworking.googleapis.com",
            "reserved_peering_ranges": [Expression("google_compute_global_address.services.name")],
            # The API refuses to remove a peering for days after its last database is gone.
            "deletion_policy": "ABANDON",
            "update_on_creation_fail": True,
            "depends_on": _after_apis("servicenetworking"),
        },
        origins=origins,
    )
    return [address, connection]


def _zone_of_databases(names: Names, origins: tuple[Origin, ...]) -> Target:
    """A zone in which the database has a name that stays."""
    network = names.network_id() if names.cloud.existing else Expression("google_compute_network.platform.id")
    return TerraformResource(
        layer="network",
        type="google_dns_managed_zone",
        name="databases",
        arguments={
            "name": text(names.platform, "-databases"),
            "project": names.project,
            "dns_name": text(names.platform, ".", ZONE_OF_DATABASES),
            "description": "Names of the platform's databases",
            "visibility": "private",
            "private_visibility_config": [{"networks": [{"network_url": network}]}],
            "depends_on": _after_apis("dns"),
        },
        origins=origins,
    )
