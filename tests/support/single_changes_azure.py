"""Every single change that is tried on Azure, and what Terraform is to do about it, written by hand.

Rows are as in `support.single_changes`. `but` and `because` are where the documentation has the provider's own code
decide against its schema.

Source: terraform-provider-azurerm 4, "Changing this forces a new resource" in the documentation of each resource, and
`CustomizeDiff` in its code.
"""

from __future__ import annotations

from typing import Final

from support.changed_platform import REMOVED, Platform

PLATFORM: Final = Platform(
    "{provider: azure, subscriptionId: 11111111-2222-3333-4444-555555555555,"
    " tenantId: 66666666-7777-8888-9999-000000000000, region: eastus, zones: ['1', '2'],"
    " adminGroups: [aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee]}"
)
spec, argument = PLATFORM.spec, PLATFORM.argument

CLUSTER: Final = "azurerm_kubernetes_cluster.platform"
GPU: Final = "azurerm_kubernetes_cluster_node_pool.gpu"
GROUP, NETWORK = "azurerm_resource_group.platform", "azurerm_virtual_network.platform"
NODES, CONTROL, ENDPOINTS = (f"azurerm_subnet.{name}" for name in ("nodes", "control-plane", "endpoints"))
NAT, ADDRESS = "azurerm_nat_gateway.platform", "azurerm_public_ip.nat"
NAT_ADDRESS, NAT_NODES = (
    "azurerm_nat_gateway_public_ip_association.platform",
    "azurerm_subnet_nat_gateway_association.nodes",
)
ACCOUNT: Final = "azurerm_storage_account.platform"
ARTIFACTS, DATASETS = (f"azurerm_storage_container.{name}" for name in ("artifacts", "datasets"))
WRITER: Final = "azurerm_role_assignment.mlflow-mlflow-artifacts"
POSTGRES: Final = "azurerm_postgresql_flexible_server.postgres"
VAULT, IMAGES = "azurerm_key_vault.platform", "azurerm_container_registry.images"
ENTRY: Final = "azurerm_key_vault_secret.acme-postgres-mlflow"
READER: Final = "azurerm_role_assignment.acme-postgres-mlflow"
IDENTITY, TRUST = (
    "azurerm_user_assigned_identity.mlflow-mlflow",
    "azurerm_federated_identity_credential.mlflow-mlflow",
)
ADMINS: Final = "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee"

OF_THE_SPEC = [
    spec({"network.nodes": "10.16.0.0/19"}, dict.fromkeys((NETWORK, NODES, ENDPOINTS), "update")),
    spec({"network.services": "10.48.0.0/19"}, {CLUSTER: "refused"}),
    spec(
        {"network.pods": "10.32.0.0/13"},
        {CLUSTER: "update"},
        but={CLUSTER: "refused"},
        because="a range for pods is there for good, which the provider decides by what it was",
    ),
    spec({"network.controlPlane": "172.16.0.16/28"}, dict.fromkeys((NETWORK, CONTROL), "update")),
    spec({"network.access": "public"}, {CLUSTER: "refused"}),
    spec({"network.allow": ["198.51.100.0/24", "203.0.113.0/24"]}, {VAULT: "update"}),
    spec({"cluster.kubernetes": "1.35"}, {}),
    spec({"cluster.channel": "rapid"}, {CLUSTER: "update"}),
    spec({"cluster.maintenance": REMOVED}, {CLUSTER: "update"}),
    # The system pool is part of the cluster, and is cycled under a temporary name.
    spec({"nodePools.cpu.nodes.max": 8}, {CLUSTER: "update"}),
    spec({"nodePools.cpu.machine": {"azure": "Standard_D8s_v5"}}, {CLUSTER: "update"}),
    spec(
        {"nodePools.cpu.name": "main"},
        {CLUSTER: "update"},
        but={CLUSTER: "refused"},
        because="only the temporary name may come and go, which the provider decides by comparing the two",
    ),
    spec({"nodePools.gpu.nodes.min": 1}, {GPU: "update"}),
    spec({"nodePools.gpu.capacity": "on-demand"}, {GPU: "replace"}),
    spec({"nodePools.gpu.gpu.count": 4}, {GPU: "update"}),
    spec({"nodePools.gpu": REMOVED}, {GPU: "delete"}),
    spec({"nodePools.gpu.name": "t4"}, {GPU: "delete", "azurerm_kubernetes_cluster_node_pool.t4": "create"}),
    spec({"storage.buckets.datasets": REMOVED}, {DATASETS: "delete"}),
    spec(
        {"storage.buckets.datasets.name": "data"},
        {DATASETS: "delete", "azurerm_storage_container.data": "create"},
    ),
    spec({"storage.database.size": "medium"}, {POSTGRES: "update"}),
    spec(
        {"cloud.adminGroups": [ADMINS]},
        {
            CLUSTER: "update",
            **{
                f"azurerm_role_assignment.{role}-{group}": action
                for role in ("keys", "secrets")
                for group, action in (("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "delete"), (ADMINS, "create"))
            },
        },
    ),
]

OF_CLUSTERS = [
    argument("refused", CLUSTER, {"dns_prefix": "other"}),
    argument("refused", CLUSTER, {"node_resource_group": "other"}),
    argument("refused", CLUSTER, {"network_profile[0].load_balancer_sku": "basic"}),
    argument("refused", CLUSTER, {"network_profile[0].dns_service_ip": "10.48.0.11"}),
    argument("refused", CLUSTER, {"private_dns_zone_id": "None"}),
    argument("refused", CLUSTER, {"role_based_access_control_enabled": False}),
    argument("update", CLUSTER, {"sku_tier": "Free"}),
    argument("update", CLUSTER, {"image_cleaner_interval_hours": 24}),
    argument("no-op", CLUSTER, {"kubernetes_version": "1.33"}),
    argument("replace", GPU, {"priority": "Regular"}),
    argument("replace", GPU, {"eviction_policy": "Deallocate"}),
    argument("replace", GPU, {"spot_max_price": 1}),
    argument("replace", GPU, {"gpu_driver": "None"}),
    argument("replace", GPU, {"gpu_instance": "MIG1g"}),
    argument("replace", GPU, {"os_type": "Windows"}),
    argument("create-then-delete", GPU, {"name": "other"}, given={"lifecycle.create_before_destroy": True}),
    argument("update", GPU, {"vm_size": "Standard_NC8as_T4_v3"}),
    argument("update", GPU, {"node_labels": {"team": "ml"}}),
    argument("no-op", GPU, {"node_count": 2}),
    argument(
        "replace",
        IMAGES,
        {"zone_redundancy_enabled": False},
        also={
            "azurerm_private_endpoint.registry": "replace",
            "azurerm_role_assignment.kubelet-images": "replace",
        },
    ),
    argument("update", IMAGES, {"retention_policy_in_days": 7}),
]

OF_NETWORKS = [
    argument("refused", GROUP, {"location": "westeurope"}),
    argument("update", GROUP, {"tags": {"team": "ml"}}),
    argument("replace", NAT, {"sku_name": "Standard"}, also={NAT_ADDRESS: "replace", NAT_NODES: "replace"}),
    argument("update", NAT, {"idle_timeout_in_minutes": 10}),
    argument("replace", ADDRESS, {"zones": ["1"]}, also={NAT_ADDRESS: "replace"}),
    argument("replace", ADDRESS, {"sku": "Standard"}, also={NAT_ADDRESS: "replace"}),
    argument("update", ADDRESS, {"idle_timeout_in_minutes": 10}),
    argument(
        "replace",
        NODES,
        {"name": "other"},
        also={NAT_NODES: "replace", "azurerm_subnet_network_security_group_association.nodes": "replace"},
    ),
    argument("update", NODES, {"address_prefixes": ["10.16.0.0/22"]}),
]

OF_DATA = [
    argument("refused", ACCOUNT, {"name": "acmeother"}),
    argument("refused", ACCOUNT, {"is_hns_enabled": True}),
    argument("refused", ACCOUNT, {"infrastructure_encryption_enabled": False}),
    argument("refused", ACCOUNT, {"account_tier": "Premium"}),
    argument(
        "update",
        ACCOUNT,
        {"account_replication_type": "LRS"},
        but={ACCOUNT: "refused"},
        because="zones are not left again, which the provider decides by comparing the two",
    ),
    argument("update", ACCOUNT, {"min_tls_version": "TLS1_3"}),
    argument("refused", ARTIFACTS, {"name": "other"}),
    argument("update", ARTIFACTS, {"container_access_type": "blob"}),
    argument("replace", WRITER, {"role_definition_name": "Storage Blob Data Reader"}),
    argument("refused", POSTGRES, {"geo_redundant_backup_enabled": False}),
    argument("refused", POSTGRES, {"location": "westeurope"}),
    argument(
        "update",
        POSTGRES,
        {"version": "16"},
        but={POSTGRES: "refused"},
        because="a version goes up alone, which the provider decides by comparing the two",
    ),
    argument("update", POSTGRES, {"backup_retention_days": 7}),
    argument("no-op", POSTGRES, {"storage_mb": 262144}),
    argument("update", POSTGRES, {"administrator_password_wo_version": 2}),
    argument("refused", VAULT, {"name": "acme-other"}),
    argument("update", VAULT, {"soft_delete_retention_days": 30}),
    argument("replace", ENTRY, {"name": "other"}, also={READER: "replace"}),
    argument("update", ENTRY, {"value_wo_version": 2}),
    argument("no-op", ENTRY, {"content_type": "text/plain"}),
    argument("replace", IDENTITY, {"name": "other"}, also={TRUST: "replace", WRITER: "replace"}),
    argument("update", IDENTITY, {"tags": {"team": "ml"}}),
    argument("replace", TRUST, {"name": "other"}),
    argument("update", TRUST, {"subject": "system:serviceaccount:mlflow:other"}),
]

ROWS: Final = (*OF_THE_SPEC, *OF_CLUSTERS, *OF_NETWORKS, *OF_DATA)
CHANGES: Final = {each.name: each for each in ROWS}
