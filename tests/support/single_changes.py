"""Every single change that is tried, and what Terraform is to do about it, written by hand.

A row of the spec edits `platform.yaml`, any other one an argument of what was compiled. Resources that a row does not
name stay as they are. `but` and `because` are where the provider's own code decides against its schema.

Source: terraform-provider-google 8.0.0, `ForceNew` and `CustomizeDiff` of each resource.
"""

from __future__ import annotations

from typing import Final

from support.changed_platform import REMOVED, Platform

PLATFORM: Final = Platform(
    "{provider: gcp, project: acme-ml-dev, projectNumber: 123456789012, region: us-central1, zones: [a, b]}"
)
spec, argument = PLATFORM.spec, PLATFORM.argument

CLUSTER: Final = "google_container_cluster.platform"
CPU, GPU = (f"google_container_node_pool.{name}" for name in ("cpu", "gpu"))
NETWORK: Final = "google_compute_network.platform"
NODES: Final = "google_compute_subnetwork.nodes"
NAT, ROUTER, ADDRESS = (
    "google_compute_router_nat.platform",
    "google_compute_router.platform",
    "google_compute_address.nat",
)
ARTIFACTS, DATASETS = "google_storage_bucket.artifacts", "google_storage_bucket.datasets"
WRITER: Final = "google_storage_bucket_iam_member.mlflow-mlflow-artifacts"
POSTGRES: Final = "google_sql_database_instance.postgres"
DATABASE, USER, RECORD = (
    "google_sql_database.mlflow",
    "google_sql_user.mlflow",
    "google_dns_record_set.postgres",
)
RING: Final = "google_kms_key_ring.platform"
_KEYS: Final = ("buckets", "cluster", "disks", "postgres", "registry", "secrets")
KEYS = tuple(f"google_kms_crypto_key.{name}" for name in _KEYS)
GRANTS = tuple(f"google_kms_crypto_key_iam_member.{name}" for name in _KEYS)

OF_THE_SPEC = [
    # Network.
    spec({"network.nodes": "10.16.0.0/19"}, {NODES: "update"}),
    spec(
        {"network.nodes": "10.16.0.0/21"},
        {NODES: "update"},
        but={NODES: "replace", NAT: "update"},
        because="a range can grow and not shrink, which the provider decides by comparing the two",
    ),
    spec({"network.pods": "10.32.0.0/13"}, {NODES: "update"}),
    spec({"network.services": "10.48.0.0/19"}, {NODES: "update"}),
    spec(
        {"network.controlPlane": "172.16.0.16/28"},
        {CLUSTER: "replace", "google_compute_firewall.webhooks": "update"},
    ),
    spec({"network.access": "public"}, {CLUSTER: "update"}),
    spec({"network.allow": ["198.51.100.0/24", "203.0.113.0/24"]}, {CLUSTER: "update"}),
    spec({"network.allow": []}, {CLUSTER: "update"}),
    # Cluster.
    spec({"cluster.kubernetes": "1.35"}, {}),
    spec({"cluster.kubernetes": REMOVED}, {}),
    spec({"cluster.channel": "rapid"}, {CLUSTER: "update"}),
    spec({"cluster.maintenance.weekly": ["mon 02:00-08:00", "sun 02:00-08:00"]}, {CLUSTER: "update"}),
    spec({"cluster.maintenance": REMOVED}, {CLUSTER: "update"}),
    spec({"cloud.zones": ["a", "b", "c"]}, {CLUSTER: "update"}),
    spec({"cloud.zones": REMOVED}, {}),
    # Pools.
    spec({"nodePools.cpu.nodes.max": 8}, {CPU: "update"}),
    spec({"nodePools.gpu.nodes.min": 1}, {GPU: "update"}),
    spec({"nodePools.cpu.cpu": 8}, {CPU: "update"}),
    spec({"nodePools.cpu.memory": "32Gi"}, {CPU: "update"}),
    spec({"nodePools.cpu.machine": {"gcp": "n2-standard-8"}}, {CPU: "update"}),
    spec({"nodePools.gpu.capacity": "on-demand"}, {GPU: "replace"}),
    spec({"nodePools.gpu.gpu.model": "l4"}, {GPU: "replace"}),
    spec({"nodePools.gpu.gpu.count": 2}, {GPU: "replace"}),
    spec({"nodePools.gpu": REMOVED}, {GPU: "delete"}),
    spec({"nodePools.gpu.name": "t4"}, {GPU: "delete", "google_container_node_pool.t4": "create"}),
    # What a provider may choose stays where nothing is said any more: the pool keeps its GPUs.
    spec(
        {
            "nodePools.gpu": {
                "name": "gpu",
                "cpu": 4,
                "memory": "16Gi",
                "capacity": "spot",
                "nodes": {"max": 3},
            }
        },
        {GPU: "update"},
    ),
    # A bucket that leaves the spec takes `prevent_destroy` with it.
    spec({"storage.buckets.datasets": REMOVED}, {DATASETS: "delete"}),
    spec({"storage.buckets.datasets.url": "gs://acme-data"}, {DATASETS: "delete"}),
    spec(
        {"storage.buckets.datasets.name": "data"},
        {DATASETS: "delete", "google_storage_bucket.data": "create"},
    ),
    spec(
        {"storage.buckets": [{"name": "artifacts"}, {"name": "datasets"}, {"name": "models"}]},
        {"google_storage_bucket.models": "create"},
    ),
    # Postgres.
    spec({"storage.database.size": "medium"}, {POSTGRES: "update"}),
    spec(
        {"storage.database": {"existing": {"host": "db.acme.com", "secret": "postgres"}}},
        {
            **dict.fromkeys((POSTGRES, DATABASE, USER, RECORD), "delete"),
            "google_compute_global_address.services": "delete",
            "google_dns_managed_zone.databases": "delete",
            "google_service_networking_connection.services": "delete",
            "google_secret_manager_secret.acme-postgres-mlflow": "delete",
            "google_secret_manager_secret_iam_member.acme-postgres-mlflow": "delete",
            "google_secret_manager_secret_version.acme-postgres-mlflow": "delete",
            "google_secret_manager_secret.postgres": "create",
            "google_secret_manager_secret_iam_member.postgres": "create",
        },
    ),
    # Everything.
    spec(
        {"cloud.projectNumber": 210987654321},
        dict.fromkeys(
            (WRITER, *GRANTS, "google_secret_manager_secret_iam_member.acme-postgres-mlflow"), "replace"
        ),
    ),
    spec(
        {"environments": {"prod": {}}},
        dict.fromkeys(
            (
                *(ADDRESS, ARTIFACTS, CLUSTER, DATASETS),
                *KEYS,
                "google_artifact_registry_repository.images",
                "google_certificate_manager_certificate.platform",
                "google_certificate_manager_dns_authorization.platform",
                "google_compute_global_address.services",
                "google_dns_managed_zone.databases",
                "google_dns_managed_zone.public",
                "google_secret_manager_secret.acme-postgres-mlflow",
            ),
            "update",
        ),
    ),
    spec(
        {"cloud.region": "europe-west1"},
        {
            **dict.fromkeys((NODES, ADDRESS, ROUTER, NAT), "replace"),
            "google_secret_manager_secret.acme-postgres-mlflow": "replace",
            "google_secret_manager_secret_version.acme-postgres-mlflow": "replace",
            # What waits for the ring is not planned where the ring may not go: cluster, pools, registry.
            **dict.fromkeys((RING, ARTIFACTS, DATASETS, POSTGRES), "refused"),
        },
    ),
]

OF_CLUSTERS = [
    argument("replace", CLUSTER, {"name": "other"}, also=dict.fromkeys((CPU, GPU), "replace")),
    argument("replace", CLUSTER, {"location": "us-central1-a"}),
    argument("replace", CLUSTER, {"description": "of the platform"}),
    argument("replace", CLUSTER, {"datapath_provider": "LEGACY_DATAPATH"}),
    argument("replace", CLUSTER, {"default_max_pods_per_node": 64}),
    argument(
        "replace", CLUSTER, {"subnetwork": "projects/acme-ml-dev/regions/us-central1/subnetworks/other"}
    ),
    argument("replace", CLUSTER, {"ip_allocation_policy[0].cluster_secondary_range_name": "more-pods"}),
    argument(
        "replace", CLUSTER, {"master_auth[0].client_certificate_config[0].issue_client_certificate": True}
    ),
    argument("replace", CLUSTER, {"enable_kubernetes_alpha": True}),
    argument("replace", CLUSTER, {"confidential_nodes": [{"enabled": True}]}),
    argument(
        "no-op", CLUSTER, {"node_config[0].service_account": "other@acme-ml-dev.iam.gserviceaccount.com"}
    ),
    argument(
        "update",
        CLUSTER,
        {"enable_l4_ilb_subsetting": False},
        but={CLUSTER: "replace"},
        because="it cannot be switched off again, which the provider decides by what it was",
    ),
    argument(
        "update",
        CLUSTER,
        {"enable_fqdn_network_policy": REMOVED},
        given={"enable_fqdn_network_policy": True},
        but={CLUSTER: "replace"},
        because="it cannot be switched off again, which the provider decides by what it was",
    ),
    argument("no-op", CLUSTER, {"initial_node_count": 2}),
    argument("no-op", CLUSTER, {"timeouts.create": "90m"}),
    argument("no-op", CLUSTER, {"gateway_api_config": REMOVED}),
    argument("update", CLUSTER, {"gateway_api_config[0].channel": "CHANNEL_DISABLED"}),
    argument("update", CLUSTER, {"deletion_protection": False}),
    argument("update", CLUSTER, {"enable_shielded_nodes": False}),
    argument("no-op", CLUSTER, {"enable_shielded_nodes": REMOVED}),
    argument("update", CLUSTER, {"private_cluster_config[0].enable_private_nodes": False}),
    argument("update", CLUSTER, {"private_cluster_config[0].master_global_access_config[0].enabled": True}),
    argument("update", CLUSTER, {"workload_identity_config[0].workload_pool": "acme-other.svc.id.goog"}),
    argument("update", CLUSTER, {"security_posture_config[0].mode": "DISABLED"}),
    argument("update", CLUSTER, {"monitoring_config[0].enable_components": ["SYSTEM_COMPONENTS"]}),
    argument("update", CLUSTER, {"addons_config[0].gcs_fuse_csi_driver_config[0].enabled": False}),
    argument("update", CLUSTER, {"vertical_pod_autoscaling[0].enabled": False}),
    argument("update", CLUSTER, {"binary_authorization": [{"evaluation_mode": "DISABLED"}]}),
    argument("update", CLUSTER, {"resource_labels": {"team": "ml"}}),
    argument(
        "update",
        CLUSTER,
        {
            "database_encryption": [
                {"state": "ENCRYPTED", "key_name": "projects/p/locations/us-central1/keyRings/r/cryptoKeys/k"}
            ]
        },
    ),
]

OF_POOLS = [
    argument("replace", CPU, {"node_config[0].service_account": "other@acme-ml-dev.iam.gserviceaccount.com"}),
    argument(
        "replace",
        CPU,
        {"node_config[0].oauth_scopes": ["https://www.googleapis.com/auth/devstorage.read_only"]},
    ),
    argument("replace", CPU, {"node_config[0].metadata": {"disable-legacy-endpoints": "true", "team": "ml"}}),
    argument("replace", CPU, {"node_config[0].min_cpu_platform": "AMD Milan"}),
    argument("replace", CPU, {"node_config[0].local_ssd_count": 2}),
    argument("replace", CPU, {"node_config[0].shielded_instance_config[0].enable_secure_boot": False}),
    argument(
        "replace",
        CPU,
        {"node_config[0].reservation_affinity": [{"consume_reservation_type": "NO_RESERVATION"}]},
    ),
    argument("replace", CPU, {"placement_policy": [{"type": "COMPACT"}]}),
    argument("replace", CPU, {"max_pods_per_node": 64}),
    argument(
        "replace",
        GPU,
        {
            "node_config[0].guest_accelerator[0].gpu_driver_installation_config[0].gpu_driver_version": "LATEST"
        },
    ),
    argument("no-op", GPU, {"node_config[0].guest_accelerator": REMOVED}),
    argument("no-op", CPU, {"lifecycle.create_before_destroy": True}),
    argument(
        "create-then-delete",
        CPU,
        {"node_config[0].spot": True},
        given={"lifecycle.create_before_destroy": True},
    ),
    argument(
        "no-op",
        CPU,
        {"node_config[0].spot": True},
        given={"lifecycle.ignore_changes": ["node_config[0].spot"]},
    ),
    argument("no-op", CPU, {"initial_node_count": 3}),
    argument(
        "no-op",
        CPU,
        {
            "node_config[0].oauth_scopes": [
                "https://www.googleapis.com/auth/b",
                "https://www.googleapis.com/auth/a",
            ]
        },
        given={
            "node_config[0].oauth_scopes": [
                "https://www.googleapis.com/auth/a",
                "https://www.googleapis.com/auth/b",
            ]
        },
    ),
    argument("update", CPU, {"node_config[0].machine_type": "e2-standard-8"}),
    argument("update", CPU, {"node_config[0].image_type": "UBUNTU_CONTAINERD"}),
    argument("update", CPU, {"node_config[0].boot_disk[0].size_gb": 200}),
    argument("update", CPU, {"node_config[0].boot_disk[0].disk_type": "pd-ssd"}),
    argument("update", CPU, {"node_config[0].labels": {"team": "ml"}}),
    argument("update", CPU, {"node_config[0].tags": ["acme-node", "ml"]}),
    argument("update", GPU, {"node_config[0].taint": REMOVED}),
    argument(
        "update", CPU, {"node_config[0].taint": [{"effect": "NO_SCHEDULE", "key": "team", "value": "ml"}]}
    ),
    argument("update", CPU, {"node_config[0].gvnic[0].enabled": False}),
    argument("update", CPU, {"node_config[0].workload_metadata_config[0].mode": "GCE_METADATA"}),
    argument("update", CPU, {"management[0].auto_upgrade": False}),
    argument("update", CPU, {"upgrade_settings[0].max_surge": 2}),
    argument("update", CPU, {"autoscaling[0].location_policy": "ANY"}),
    argument("update", CPU, {"node_locations": ["us-central1-a"]}),
    argument("update", CPU, {"version": "1.34.1-gke.1"}),
]

OF_NETWORKS = [
    argument("update", NETWORK, {"routing_mode": "GLOBAL"}),
    argument("update", NETWORK, {"mtu": 8896}),
    argument(
        "replace",
        NETWORK,
        {"description": "of the platform"},
        also={
            **dict.fromkeys((NODES, ROUTER), "replace"),
            "google_compute_global_address.services": "replace",
            "google_service_networking_connection.services": "replace",
            NAT: "update",
            "google_compute_firewall.iap_ssh": "update",
            "google_compute_firewall.webhooks": "update",
            "google_dns_managed_zone.databases": "update",
        },
    ),
    argument("update", NODES, {"private_ip_google_access": False}),
    argument("update", NODES, {"log_config[0].flow_sampling": 1}),
    argument("update", NODES, {"log_config": REMOVED}),
    argument("replace", NODES, {"description": "nodes"}, also={NAT: "update"}),
    argument("replace", NODES, {"name": "other"}, also={NAT: "update"}),
    argument("update", NAT, {"max_ports_per_vm": 16384}),
    argument("update", NAT, {"log_config[0].filter": "ALL"}),
    argument("update", NAT, {"source_subnetwork_ip_ranges_to_nat": "ALL_SUBNETWORKS_ALL_IP_RANGES"}),
    argument("update", NAT, {"subnetwork[0].source_ip_ranges_to_nat": ["PRIMARY_IP_RANGE"]}),
    argument("replace", NAT, {"name": "other"}),
    argument("replace", ROUTER, {"name": "other"}, also={NAT: "replace"}),
    argument("update", ROUTER, {"description": "the way out"}),
    argument("replace", ADDRESS, {"name": "other"}, also={NAT: "update"}),
    argument("replace", ADDRESS, {"network_tier": "STANDARD"}, also={NAT: "update"}),
    argument("update", ADDRESS, {"labels": {"team": "ml"}}),
]

OF_DATA = [
    argument("refused", ARTIFACTS, {"name": "acme-other"}),
    argument("refused", ARTIFACTS, {"location": "EU"}),
    argument("refused", ARTIFACTS, {"hierarchical_namespace": [{"enabled": True}]}),
    argument("update", ARTIFACTS, {"storage_class": "NEARLINE"}),
    argument("no-op", ARTIFACTS, {"storage_class": REMOVED}),
    argument("no-op", ARTIFACTS, {"force_destroy": REMOVED}),
    argument("update", ARTIFACTS, {"versioning[0].enabled": False}),
    argument("no-op", ARTIFACTS, {"versioning": REMOVED}),
    argument("update", ARTIFACTS, {"lifecycle_rule[0].condition[0].days_since_noncurrent_time": 60}),
    argument("update", ARTIFACTS, {"lifecycle_rule": REMOVED}),
    argument("no-op", ARTIFACTS, {"public_access_prevention": REMOVED}),
    argument("update", ARTIFACTS, {"public_access_prevention": "inherited"}),
    argument("update", ARTIFACTS, {"uniform_bucket_level_access": False}),
    argument("update", ARTIFACTS, {"force_destroy": True}),
    argument("update", ARTIFACTS, {"labels": {"team": "ml"}}),
    argument("update", ARTIFACTS, {"retention_policy": [{"retention_period": "86400"}]}),
    argument(
        "update",
        ARTIFACTS,
        {"retention_policy[0].is_locked": False},
        given={"retention_policy": [{"retention_period": "86400", "is_locked": True}]},
        but={ARTIFACTS: "refused"},
        because="a lock cannot be taken off, which the provider decides by what it was",
    ),
    argument("no-op", ARTIFACTS, {"lifecycle.prevent_destroy": False}),
    argument("replace", WRITER, {"role": "roles/storage.objectViewer"}),
    argument("refused", POSTGRES, {"name": "acme-other"}),
    argument("refused", POSTGRES, {"region": "us-east1"}),
    argument("update", POSTGRES, {"database_version": "POSTGRES_18"}),
    argument("update", POSTGRES, {"settings[0].availability_type": "ZONAL"}),
    argument("update", POSTGRES, {"settings[0].edition": "ENTERPRISE_PLUS"}),
    argument("update", POSTGRES, {"settings[0].disk_autoresize": False}),
    argument("no-op", POSTGRES, {"settings[0].disk_autoresize": REMOVED}),
    argument("update", POSTGRES, {"settings[0].deletion_protection_enabled": False}),
    argument(
        "update",
        POSTGRES,
        {"settings[0].ip_configuration[0].ssl_mode": "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"},
    ),
    argument("update", POSTGRES, {"settings[0].ip_configuration[0].ipv4_enabled": True}),
    argument(
        "update",
        POSTGRES,
        {"settings[0].ip_configuration[0].private_network": REMOVED},
        but={POSTGRES: "refused"},
        because="a network can be changed and not taken away, which the provider decides by comparing the two",
    ),
    argument("update", POSTGRES, {"settings[0].disk_size": 200}, given={"settings[0].disk_size": 100}),
    argument(
        "update",
        POSTGRES,
        {"settings[0].disk_size": 50},
        given={"settings[0].disk_size": 100},
        but={},
        because="a disk that grows by itself may be larger than is said, so the provider drops the difference",
    ),
    argument(
        "update",
        POSTGRES,
        {"settings[0].disk_size": 50},
        given={"settings[0].disk_size": 100, "settings[0].disk_autoresize": False},
        but={POSTGRES: "refused"},
        because="a disk does not shrink, which the provider decides by comparing the two",
    ),
    argument("update", POSTGRES, {"settings[0].backup_configuration[0].transaction_log_retention_days": 3}),
    argument(
        "update", POSTGRES, {"settings[0].database_flags": [{"name": "max_connections", "value": "200"}]}
    ),
    argument(
        "no-op",
        POSTGRES,
        {"settings[0].database_flags": [{"name": "b", "value": "2"}, {"name": "a", "value": "1"}]},
        given={"settings[0].database_flags": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]},
    ),
    argument("update", POSTGRES, {"deletion_protection": False}),
    argument("replace", DATABASE, {"name": "other"}),
    argument("update", USER, {"password_wo_version": 2}),
    argument("no-op", USER, {"password_wo": "another expression"}),
    argument("replace", USER, {"name": "other"}),
    argument("update", RECORD, {"ttl": 300}),
    argument("no-op", RECORD, {"ttl": "60"}),
]

ROWS: Final = (*OF_THE_SPEC, *OF_CLUSTERS, *OF_POOLS, *OF_NETWORKS, *OF_DATA)
CHANGES: Final = {each.name: each for each in ROWS}
