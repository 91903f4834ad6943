"""The control plane, and the identity that nodes have.

Nodes are private always. With `access: private` the control plane has no public address either;
it is reached by its DNS name, behind the cloud's own IAM, from anywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.gcp.keys import keys
from plinth.clouds.gcp.names import grant
from plinth.clouds.gcp.people import administrators
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Expression, Said, said, text, why
from plinth.ir.targets import TerraformResource
from plinth.spec.platform import parse_window

if TYPE_CHECKING:
    from plinth.clouds.gcp.gpu_networks import Wanted
    from plinth.clouds.gcp.names import Names
    from plinth.ir.needs import Cluster
    from plinth.spec import platform as spec

NODE_ROLE: Final = "roles/container.defaultNodeServiceAccount"
"""Writes logs and metrics, reads monitoring, and nothing else.

Source: GKE, "Use least privilege service accounts".
"""

LEAST_WINDOW_HOURS: Final = 4
LEAST_WEEKLY_HOURS: Final = 12
"""GKE wants 48 hours in every 32 days; those hold each day of the week four times at least."""

_FIRST_MONDAY: Final = 1
"""January 2024 began on a Monday: the day of the month is the weekday's number."""

_DAYS: Final = {"mon": "MO", "tue": "TU", "wed": "WE", "thu": "TH", "fri": "FR", "sat": "SA", "sun": "SU"}


def answer(need: Cluster, names: Names, platform: spec.Platform, fast: Wanted) -> Answer[NoFacts]:
    """The cluster and the account of its nodes; `fast` are the networks of GPUs that nodes are in as well."""
    origins = (need.cluster.spec_path,)
    account = TerraformResource(
        layer="cluster",
        type="google_service_account",
        name="nodes",
        arguments={
            "account_id": names.node_account,
            "project": names.project,
            "display_name": text("Nodes of ", names.platform),
        },
        origins=why("nodes have an account of their own, with fewer rights than the project's default one"),
    )
    role = TerraformResource(
        layer="cluster",
        type="google_project_iam_member",
        name="nodes",
        arguments={
            "project": names.project,
            "role": NODE_ROLE,
            "member": Expression("google_service_account.nodes.member"),
        },
        origins=why("nodes write logs and metrics"),
    )
    cluster = TerraformResource(
        layer="cluster",
        type="google_container_cluster",
        name="platform",
        arguments=_identity(names, platform)
        | _network(need, names)
        | ({"enable_multi_networking": Said(True, fast.origins)} if fast.count else {})  # noqa: FBT003 - a leaf's value
        | _versions(need.cluster)
        | _security(names)
        | _operations(names)
        | {"depends_on": [grant("cluster")]},
        origins=origins,
    )
    targets = (*keys(names), account, role, *administrators(need.identity, names), cluster)
    return Answer(targets=targets, facts=NoFacts())


def maintenance_faults(cluster: spec.Cluster) -> list[Diagnostic]:
    """Windows that GKE would refuse."""
    if cluster.maintenance is None:
        return []
    windows = [parse_window(text) for text in cluster.maintenance.weekly]
    path = cluster.maintenance.said_path("weekly")
    hours = {(start, end) for _, start, end in windows}
    if len(hours) > 1:
        return [
            Diagnostic(
                code="PLN314",
                message="maintenance windows have different hours, and GKE has one window that recurs",
                help="give every day the same hours: `[sat 02:00-08:00, sun 02:00-08:00]`",
                path=path,
            )
        ]
    start, end = hours.pop()
    days = {day for day, _, _ in windows}
    length = (end - start) / 60
    if length < LEAST_WINDOW_HOURS or length * len(days) < LEAST_WEEKLY_HOURS:
        return [
            Diagnostic(
                code="PLN314",
                message=f"{len(days)} windows of {length:g} hours a week are too few for GKE",
                help=f"give it windows of {LEAST_WINDOW_HOURS} hours or more, "
                f"{LEAST_WEEKLY_HOURS} hours a week: GKE wants 48 hours in every 32 days",
                path=path,
            )
        ]
    return []


def _identity(names: Names, platform: spec.Platform) -> dict[str, Any]:
    zones = said(platform.cloud, "zones")
    located = [
        Said(f"{names.region.value}-{zone}", (*zones.origins, *names.region.origins))
        for zone in sorted(zones.value)
    ]
    return {
        "name": names.cluster,
        "project": names.project,
        "location": names.region,
        **({"node_locations": located} if located else {}),
        "deletion_protection": True,
        # Pools are resources of their own; the one that GKE insists on is removed at once.
        "remove_default_node_pool": True,
        "initial_node_count": 1,
        "skip_node_pool_refresh": True,
        "node_config": [
            {
                "service_account": Expression("google_service_account.nodes.email"),
                "shielded_instance_config": [
                    {"enable_integrity_monitoring": True, "enable_secure_boot": True}
                ],
                "workload_metadata_config": [{"mode": "GKE_METADATA"}],
            }
        ],
        "timeouts": {"create": "60m", "update": "60m", "delete": "60m"},
        "lifecycle": {"ignore_changes": ["initial_node_count", "min_master_version", "node_config"]},
    }


def _network(need: Cluster, names: Names) -> dict[str, Any]:
    access, allow = said(need.network, "access"), said(need.network, "allow")
    return {
        "network": names.network_id(),
        "subnetwork": names.subnetwork_id(),
        "networking_mode": "VPC_NATIVE",
        "datapath_provider": "ADVANCED_DATAPATH",
        "enable_intranode_visibility": True,
        "enable_l4_ilb_subsetting": True,
        "ip_allocation_policy": [
            {
                "cluster_secondary_range_name": names.pods_range(),
                "services_secondary_range_name": names.services_range(),
            }
        ],
        "private_cluster_config": [
            {
                "enable_private_nodes": True,
                "enable_private_endpoint": access.map(lambda text: text == "private"),
                "master_ipv4_cidr_block": said(need.network, "control_plane"),
                "master_global_access_config": [{"enabled": False}],
            }
        ],
        "control_plane_endpoints_config": [
            {
                "dns_endpoint_config": [
                    {"allow_external_traffic": access.map(lambda text: text == "private")}
                ],
                "ip_endpoints_config": [{"enabled": True}],
            }
        ],
        "master_authorized_networks_config": [
            {
                "gcp_public_cidrs_access_enabled": False,
                "cidr_blocks": [{"cidr_block": Said(cidr, allow.origins)} for cidr in sorted(allow.value)],
            }
        ],
        "dns_config": [{"cluster_dns": "CLOUD_DNS", "cluster_dns_scope": "CLUSTER_SCOPE"}],
        "gateway_api_config": [{"channel": "CHANNEL_STANDARD"}],
    }


def _versions(cluster: spec.Cluster) -> dict[str, Any]:
    arguments: dict[str, Any] = {"release_channel": [{"channel": said(cluster, "channel").map(str.upper)}]}
    if cluster.kubernetes:
        arguments["min_master_version"] = said(cluster, "kubernetes")
    if cluster.maintenance:
        arguments["maintenance_policy"] = [{"recurring_window": [_window(cluster.maintenance)]}]
    return arguments


def _window(maintenance: spec.Maintenance) -> dict[str, Any]:
    weekly = said(maintenance, "weekly")
    windows = [parse_window(text) for text in weekly.value]
    days = [day for day in _DAYS if day in {day for day, _, _ in windows}]
    _, start, end = windows[0]
    first = _FIRST_MONDAY + list(_DAYS).index(days[0])

    def at(minutes: int) -> Said:
        day, minutes = first + minutes // (24 * 60), minutes % (24 * 60)
        return Said(f"2024-01-{day:02}T{minutes // 60:02}:{minutes % 60:02}:00Z", weekly.origins)

    by_day = ",".join(_DAYS[day] for day in days)
    return {
        "start_time": at(start),
        "end_time": at(end),
        "recurrence": Said(f"FREQ=WEEKLY;BYDAY={by_day}", weekly.origins),
    }


def _security(names: Names) -> dict[str, Any]:
    groups = said(names.cloud, "security_group")
    return {
        **({"authenticator_groups_config": [{"security_group": groups}]} if groups.value else {}),
        # The project's own policy decides, and lets everything in until somebody writes one.
        "binary_authorization": [{"evaluation_mode": "PROJECT_SINGLETON_POLICY_ENFORCE"}],
        "database_encryption": [{"state": "ENCRYPTED", "key_name": names.key("cluster")}],
        "workload_identity_config": [{"workload_pool": names.workload_pool}],
        "enable_shielded_nodes": True,
        "enable_legacy_abac": False,
        "master_auth": [{"client_certificate_config": [{"issue_client_certificate": False}]}],
        "rbac_binding_config": [
            {
                "enable_insecure_binding_system_authenticated": False,
                "enable_insecure_binding_system_unauthenticated": False,
            }
        ],
        "anonymous_authentication_config": [{"mode": "LIMITED"}],
        "security_posture_config": [{"mode": "BASIC"}],
        "node_pool_defaults": [
            # The provider takes this one as text.
            {"node_config_defaults": [{"insecure_kubelet_readonly_port_enabled": "FALSE"}]}
        ],
    }


def _operations(names: Names) -> dict[str, Any]:
    return {
        "resource_labels": names.labels(),
        "logging_config": [
            {
                "enable_components": [
                    "APISERVER",
                    "CONTROLLER_MANAGER",
                    "SCHEDULER",
                    "SYSTEM_COMPONENTS",
                    "WORKLOADS",
                ]
            }
        ],
        "monitoring_config": [
            {
                "enable_components": [
                    "DCGM",
                    "DEPLOYMENT",
                    "POD",
                    "STATEFULSET",
                    "STORAGE",
                    "SYSTEM_COMPONENTS",
                ],
                "managed_prometheus": [{"enabled": True}],
            }
        ],
        "addons_config": [
            {
                "gce_persistent_disk_csi_driver_config": [{"enabled": True}],
                "gcs_fuse_csi_driver_config": [{"enabled": True}],
                "http_load_balancing": [{"disabled": False}],
                "network_policy_config": [{"disabled": True}],  # the data path enforces policies itself
            }
        ],
        "cost_management_config": [{"enabled": True}],
        "vertical_pod_autoscaling": [{"enabled": True}],
        "cluster_autoscaling": [{"enabled": False, "autoscaling_profile": "OPTIMIZE_UTILIZATION"}],
    }
