"""The control plane, the identities that it and its nodes have, and its logs.

Nodes are private always. With `access: private` the control plane has no public address either: it
is reached from within the network, and from anywhere by `az aks command invoke`, behind Azure's own
IAM. There are no local accounts: who administers is in an Entra group that the spec names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.azure import pools, vault
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Expression, Said, origins_of, said, text, why
from plinth.ir.targets import Target, TerraformResource
from plinth.spec.platform import parse_window

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.clouds.azure.names import Names
    from plinth.ir.needs import Cluster, Context
    from plinth.spec import platform as spec

LEAST_WINDOW_HOURS: Final = 4

LOGS: Final = (
    "cloud-controller-manager",
    "cluster-autoscaler",
    "guard",
    "kube-apiserver",
    "kube-audit-admin",
    "kube-controller-manager",
    "kube-scheduler",
)
KEPT_DAYS: Final = 30

_CHANNELS: Final = {"rapid": "rapid", "regular": "stable", "stable": "patch"}
"""AKS calls the newest minor version rapid and the one before it stable; `patch` stays within one."""

_DAYS: Final = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}

_RIGHTS: Final = (
    ("network", "Network Contributor"),  # load balancers, and the control plane's own addresses
    ("kubelet", "Managed Identity Operator"),  # gives nodes theirs
)


def answer(need: Cluster, names: Names, context: Context, pinned: Mapping[str, str]) -> Answer[NoFacts]:
    """The cluster with its identities, its logs, and the vault beside it."""
    platform = context.platform
    targets: list[Target] = [*_identities(names), *_logs(names), *vault.targets(need.network, names)]
    default = pools.default_pool(platform, names, pinned)
    if default is not None:  # what is wrong with it is said by the answers to the pools
        targets.append(_cluster(need, names, platform, default))
    if platform.layout == "layered":
        targets.append(_as_seen_by_the_platform(names))
    return Answer(targets=tuple(targets), facts=NoFacts())


def maintenance_faults(cluster: spec.Cluster) -> list[Diagnostic]:
    """Windows that AKS would refuse."""
    if cluster.maintenance is None:
        return []
    for start, end in ((start, end) for _, start, end in map(parse_window, cluster.maintenance.weekly)):
        hours = (end - start) / 60
        if hours < LEAST_WINDOW_HOURS:
            return [
                Diagnostic(
                    code="PLN314",
                    message=f"a maintenance window of {hours:g} hours is too short for AKS",
                    help=f"give it {LEAST_WINDOW_HOURS} hours or more: `sat 02:00-08:00`",
                    path=cluster.maintenance.said_path("weekly"),
                )
            ]
    return []


def _identities(names: Names) -> list[Target]:
    made: list[Target] = [
        TerraformResource(
            layer="cluster",
            type="azurerm_user_assigned_identity",
            name=name,
            arguments={**names.place, "name": text(names.platform, "-", name)},
            origins=why(reason),
        )
        for name, reason in (
            ("cluster", "the control plane acts under a name of its own"),
            ("kubelet", "nodes have a name of their own, which pulls images and can do nothing else"),
        )
    ]
    scopes = {
        "network": names.network_id(),
        "kubelet": Expression("azurerm_user_assigned_identity.kubelet.id"),
    }
    made += [
        TerraformResource(
            layer="cluster",
            type="azurerm_role_assignment",
            name=f"cluster-{name}",
            arguments={
                "scope": scopes[name],
                "role_definition_name": role,
                "principal_id": Expression("azurerm_user_assigned_identity.cluster.principal_id"),
                "principal_type": "ServicePrincipal",
            },
            origins=why("the control plane puts load balancers into the network and gives nodes their name"),
        )
        for name, role in _RIGHTS
    ]
    return made


def _logs(names: Names) -> list[Target]:
    workspace = TerraformResource(
        layer="cluster",
        type="azurerm_log_analytics_workspace",
        name="platform",
        arguments={
            **names.place,
            "name": names.platform,
            "sku": "PerGB2018",
            "retention_in_days": KEPT_DAYS,
            "local_authentication_enabled": False,
        },
        origins=why("the control plane and the vault say somewhere what was done to them"),
    )
    setting = TerraformResource(
        layer="cluster",
        type="azurerm_monitor_diagnostic_setting",
        name="cluster",
        arguments={
            "name": names.platform,
            "target_resource_id": Expression("azurerm_kubernetes_cluster.platform.id"),
            "log_analytics_workspace_id": Expression("azurerm_log_analytics_workspace.platform.id"),
            "log_analytics_destination_type": "Dedicated",
            "enabled_log": [{"category": category} for category in LOGS],
        },
        origins=why("the control plane says what was done to it"),
    )
    return [workspace, setting]


def _cluster(
    need: Cluster, names: Names, platform: spec.Platform, default: dict[str, Any]
) -> TerraformResource:
    return TerraformResource(
        layer="cluster",
        type="azurerm_kubernetes_cluster",
        name="platform",
        arguments=_identity(names)
        | {"default_node_pool": [default]}
        | _network(need, names)
        | _access(need, names)
        | _versions(need.cluster)
        | _operations(platform),
        origins=(need.cluster.spec_path,),
    )


def _identity(names: Names) -> dict[str, Any]:
    kubelet = "azurerm_user_assigned_identity.kubelet"
    return {
        **names.place,
        "name": names.cluster,
        "dns_prefix": names.cluster,
        "node_resource_group": names.node_group,
        "disk_encryption_set_id": Expression("azurerm_disk_encryption_set.platform.id"),
        "sku_tier": "Standard",
        "identity": [
            {
                "type": "UserAssigned",
                "identity_ids": [Expression("azurerm_user_assigned_identity.cluster.id")],
            }
        ],
        "kubelet_identity": [
            {
                "client_id": Expression(f"{kubelet}.client_id"),
                "object_id": Expression(f"{kubelet}.principal_id"),
                "user_assigned_identity_id": Expression(f"{kubelet}.id"),
            }
        ],
        "oidc_issuer_enabled": True,
        "workload_identity_enabled": True,
        "depends_on": [
            "azurerm_role_assignment.cluster-disks",
            *(f"azurerm_role_assignment.cluster-{name}" for name, _ in _RIGHTS),
        ],
        "lifecycle": {
            "ignore_changes": [
                "kubernetes_version",
                "default_node_pool[0].node_count",
                "default_node_pool[0].orchestrator_version",
            ],
            "prevent_destroy": True,
        },
        "timeouts": [{"create": "90m", "update": "90m", "delete": "90m"}],
    }


def _network(need: Cluster, names: Names) -> dict[str, Any]:
    services = said(need.network, "services")
    return {
        "network_profile": [
            {
                "network_plugin": "azure",
                "network_plugin_mode": "overlay",
                "network_data_plane": "cilium",
                "network_policy": "cilium",
                "load_balancer_sku": "standard",
                "outbound_type": "userAssignedNATGateway",
                "pod_cidr": said(need.network, "pods"),
                "service_cidr": services,
                "dns_service_ip": services.map(_tenth_address),
            }
        ],
        "api_server_access_profile": [
            {
                "virtual_network_integration_enabled": True,
                "subnet_id": names.subnet_id("control-plane"),
                **_allowed(need.network),
            }
        ],
    }


def _allowed(network: spec.Network) -> dict[str, Any]:
    """Ranges hold for the public address alone: what has none refuses the field."""
    access, allow = said(network, "access"), said(network, "allow")
    if access.value == "private":
        return {}
    return {"authorized_ip_ranges": Said(sorted(allow.value), (*allow.origins, *access.origins))}


def _tenth_address(services: str) -> str:
    first, _, _ = services.partition("/")
    outer, _, last = first.rpartition(".")
    return f"{outer}.{int(last) + 10}"


def _access(need: Cluster, names: Names) -> dict[str, Any]:
    is_private = said(need.network, "access").map(lambda text: text == "private")
    return {
        "private_cluster_enabled": is_private,
        "private_cluster_public_fqdn_enabled": False,
        # The declared way in where there is no address to reach: by the resource manager, behind IAM.
        "run_command_enabled": is_private,
        "local_account_disabled": True,
        "role_based_access_control_enabled": True,
        "azure_active_directory_role_based_access_control": [
            {
                "azure_rbac_enabled": True,
                "admin_group_object_ids": names.admin_groups,
                "tenant_id": names.tenant,
            }
        ],
    }


def _versions(cluster: spec.Cluster) -> dict[str, Any]:
    channel = said(cluster, "channel").map(_CHANNELS.__getitem__)
    arguments: dict[str, Any] = {
        "automatic_upgrade_channel": channel,
        "node_os_upgrade_channel": "NodeImage",
    }
    if cluster.kubernetes:
        arguments["kubernetes_version"] = said(cluster, "kubernetes")
    if cluster.maintenance:
        # Each of the two has one day a week: the first that is said, and the last.
        weekly = said(cluster.maintenance, "weekly")
        arguments["maintenance_window_auto_upgrade"] = [_window(weekly.map(lambda windows: windows[0]))]
        arguments["maintenance_window_node_os"] = [_window(weekly.map(lambda windows: windows[-1]))]
    return arguments


def _window(window: Said) -> dict[str, Any]:
    day, start, end = parse_window(window.value)
    return {
        "frequency": "Weekly",
        "interval": 1,
        "day_of_week": Said(_DAYS[day], window.origins),
        "start_time": Said(f"{start // 60:02}:{start % 60:02}", window.origins),
        "duration": Said((end - start) // 60, window.origins),
        "utc_offset": "+00:00",
    }


def _operations(platform: spec.Platform) -> dict[str, Any]:
    return {
        "azure_policy_enabled": True,
        "cost_analysis_enabled": True,
        "image_cleaner_enabled": True,
        "image_cleaner_interval_hours": 48,
        "node_provisioning_profile": [{"mode": "Manual"}],
        "storage_profile": [{"blob_driver_enabled": True}],
        "key_vault_secrets_provider": [{"secret_rotation_enabled": True}],
        "oms_agent": [
            {
                "log_analytics_workspace_id": Expression("azurerm_log_analytics_workspace.platform.id"),
                "msi_auth_for_monitoring_enabled": True,
            }
        ],
        "auto_scaler_profile": [
            {
                "expander": _expander(platform),
                "balance_similar_node_groups": True,
                # A notebook has a volume of its own; a node that it left must not stay for a cache.
                "skip_nodes_with_local_storage": False,
                "skip_nodes_with_system_pods": True,
            }
        ],
    }


def _expander(platform: spec.Platform) -> str | Said:
    """How the autoscaler tells pools apart that would all do. AKS takes one way, not several in a row."""
    first = pools.spot_first(platform)
    return Said("priority", origins_of(first)) if first else "least-waste"


def _as_seen_by_the_platform(names: Names) -> TerraformResource:
    """What the `platform` root has to ask: the issuer's address has a part that nobody chose."""
    return TerraformResource(
        layer="platform",
        block="data",
        type="azurerm_kubernetes_cluster",
        name="platform",
        arguments={"name": names.cluster, "resource_group_name": names.group},
        origins=why("who vouches for the cluster's service accounts is known where the cluster is"),
    )
