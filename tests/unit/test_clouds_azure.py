"""What a platform on Azure compiles to where it matters, and what is said where Azure would refuse it."""

from __future__ import annotations

import json

import pytest

from plinth.diagnostics.diagnostic import SpecError
from plinth.pipeline import Inputs, compile_spec

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
TENANT = "22222222-2222-2222-2222-222222222222"
GROUP = "33333333-3333-3333-3333-333333333333"

CLOUD = {"provider": "azure", "subscriptionId": SUBSCRIPTION, "tenantId": TENANT, "region": "eastus2"}
SYSTEM = {"name": "system", "cpu": 4, "memory": "16Gi", "nodes": {"min": 1, "max": 3}}


def spec(*, name="acme-ml", cloud=(), pools=(), **more):
    cloud = {**CLOUD, "adminGroups": [GROUP], **dict(cloud)}
    whole = {
        "cloud": {key: value for key, value in cloud.items() if value is not None},
        "repository": {"url": "https://github.com/acme/ml-platform.git"},
        "nodePools": [SYSTEM, *pools],
        "identity": {"domain": "ml.acme.com", "admins": ["platform@acme.com"]},
        "upstreams": "remote",
        "components": {},
        **more,
    }
    file = {
        "apiVersion": "plinth.dev/v1alpha1",
        "kind": "Platform",
        "metadata": {"name": name},
        "spec": whole,
    }
    return json.dumps(file).encode()


def compiled(data, outputs=()):
    inputs = Inputs(patch=lambda _: None, vendored=lambda _name, _version: (), outputs=dict(outputs))
    return compile_spec(data, "platform.yaml", inputs)


def told(data):
    """Code and message of everything that is said."""
    try:
        found = compiled(data).diagnostics
    except SpecError as error:
        found = error.diagnostics
    return [(each.code, each.message) for each in found]


def resources(data, kind, layer="cluster"):
    files = compiled(data).groups["default"]
    path = f"generated/default/terraform/{layer}/{kind}.tf.json"
    return json.loads(files[path].content)["resource"][kind] if path in files else {}


def pools(*some, **more):
    return resources(spec(pools=some, **more), "azurerm_kubernetes_cluster_node_pool")


def pool(name, **more):
    return {"name": name, "nodes": {"min": 0, "max": 2}, **more}


T4 = {"model": "t4", "count": 1}

# Pools -----------------------------------------------------------------------------------------


def test_the_pool_that_is_always_there_is_part_of_the_cluster():
    (cluster,) = resources(spec(), "azurerm_kubernetes_cluster").values()
    (default,) = cluster["default_node_pool"]
    assert (default["name"], default["min_count"], default["max_count"]) == ("system", 1, 3)
    assert default["vm_size"] == "Standard_D4as_v5"
    assert default["temporary_name_for_rotation"] == "systemtmp"
    assert pools() == {}


def test_a_spot_pool_carries_the_taint_that_aks_puts_on_by_itself_beside_ours():
    (made,) = pools(pool("t4", gpu=T4, capacity="spot")).values()
    assert (made["priority"], made["eviction_policy"], made["spot_max_price"]) == ("Spot", "Delete", -1)
    assert made["node_taints"] == [
        "nvidia.com/gpu=present:NoSchedule",
        "kubernetes.azure.com/scalesetpriority=spot:NoSchedule",
    ]
    assert "upgrade_settings" not in made


def test_pods_for_a_spot_pool_tolerate_both_taints():
    data = spec(
        pools=[pool("t4", gpu=T4, capacity="spot")],
        tiers=[{"name": "gpu", "cpu": 2, "memory": "8Gi", "gpu": {"count": 1}, "pools": ["t4"]}],
        identity={
            "domain": "ml.acme.com",
            "admins": ["platform@acme.com"],
            "signIn": {
                "provider": "google",
                "hostedDomain": "acme.com",
                "credentials": {"secret": "sign-in"},
            },
        },
        components={"jupyterhub": {}},
    )
    overlay = b"".join(
        made.content
        for path, made in compiled(data).groups["default"].items()
        if path.startswith("overlays/default/jupyterhub/")
    ).decode()
    assert "kubernetes.azure.com/scalesetpriority" in overlay
    assert "nvidia.com/gpu" in overlay


def test_spot_then_on_demand_is_two_pools_of_one_label_that_keep_no_more_than_was_asked_for():
    made = pools(pool("a100", gpu={"model": "a100-80gb", "count": 2}, capacity="spot-then-on-demand"))
    spot, rest = made["a100"], made["a100-on-demand"]
    assert (spot["name"], rest["name"]) == ("a100", "a100od")
    assert (spot["priority"], rest.get("priority")) == ("Spot", None)
    assert {each["node_labels"]["plinth.dev/pool"] for each in (spot, rest)} == {"a100"}
    assert [each["node_labels"]["plinth.dev/capacity"] for each in (spot, rest)] == ["spot", "on-demand"]
    assert spot["temporary_name_for_rotation"] != rest["temporary_name_for_rotation"]


def test_only_the_spot_half_keeps_nodes_that_are_always_there():
    kept = {"name": "a100", "nodes": {"min": 1, "max": 2}}
    made = pools({**kept, "gpu": {"model": "a100-80gb", "count": 1}, "capacity": "spot-then-on-demand"})
    assert [made[name]["min_count"] for name in ("a100", "a100-on-demand")] == [1, 0]


@pytest.mark.parametrize(
    ("profile", "size"), [("1g.10gb", "MIG1g"), ("3g.40gb", "MIG3g"), ("7g.80gb", "MIG7g")]
)
def test_a_gpu_is_cut_into_instances_of_the_profile(profile, size):
    gpu = {"model": "a100-80gb", "count": 1, "sharing": {"mig": profile}}
    assert pools(pool("mig", gpu=gpu))["mig"]["gpu_instance"] == size


@pytest.mark.parametrize(
    ("said", "group"),
    [
        ("h100", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/acme-ml"),
        ("subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/capacityReservationGroups/h100", ""),
    ],
)
def test_a_reservation_is_a_group_by_name_or_by_id(said, group):
    made = pools(pool("h100", gpu={"model": "h100-80gb", "count": 8}, reservation=said))["h100"]
    name = f"{group}/providers/Microsoft.Compute/capacityReservationGroups/h100" if group else f"/{said}"
    assert made["capacity_reservation_group_id"] == name


def test_the_system_is_on_the_machines_own_disks_where_they_have_room():
    made = pools(pool("plain", cpu=4, memory="16Gi"), pool("scratch", cpu=4, memory="16Gi", localSsd="128Gi"))
    assert made["plain"]["os_disk_type"] == "Managed"
    assert (made["scratch"]["os_disk_type"], made["scratch"]["os_disk_size_gb"]) == ("Ephemeral", 150)


def test_a_gpu_pool_names_no_zone_for_not_every_zone_has_its_machine():
    made = pools(pool("cpu", cpu=4, memory="16Gi"), pool("t4", gpu=T4))
    assert made["cpu"]["zones"] == ["1", "2", "3"]
    assert "zones" not in made["t4"]


# What Azure would refuse -----------------------------------------------------------------------


def test_a_pool_name_over_twelve_characters_is_refused_with_the_name_as_it_would_be():
    assert told(spec(pools=[pool("a100-eight-gpus", gpu=T4)])) == [
        ("PLN313", "`a100eightgpus` is 13 characters long, and a node pool on Azure has at most 12")
    ]


def test_the_second_pool_of_spot_then_on_demand_has_to_fit_as_well():
    assert told(spec(pools=[pool("a100eight80", gpu=T4, capacity="spot-then-on-demand")])) == [
        ("PLN313", "`a100eight80od` is 13 characters long, and a node pool on Azure has at most 12")
    ]


def test_two_pools_that_differ_by_a_hyphen_are_one_on_azure():
    both = [pool("t-4", gpu=T4), pool("t4", gpu=T4)]
    assert told(spec(pools=both)) == [("PLN207", "node pools `t-4` and `t4` are both called `t4` on Azure")]


def test_a_long_platform_name_is_refused_with_the_longest_name_made_of_it():
    ((code, message),) = told(spec(name="machine-learning-for-all"))
    assert code == "PLN313"
    assert message.startswith("`machine-learning-for-all-")
    assert message.endswith("is 31 characters long, and a key vault on Azure has at most 24")


def test_a_count_of_gpus_that_is_not_sold_is_refused():
    ((code, message),) = told(spec(pools=[pool("t4", gpu={"model": "t4", "count": 8})]))
    assert (code, message) == ("PLN305", "Microsoft Azure sells no machine with 8 GPUs `t4`, only 1, 4")


@pytest.mark.parametrize("way", [{"timeSlices": 4}, {"mps": 4}, {"mig": "1g.10gb"}])
def test_gpus_of_amd_are_not_shared(way):
    gpu = {"model": "mi300x", "count": 8, "sharing": way}
    assert told(spec(pools=[pool("amd", gpu=gpu)])) == [
        ("PLN322", "GPUs `mi300x` are not shared: only NVIDIA's plugin does that")
    ]


@pytest.mark.parametrize("capacity", ["queued", "flex-start"])
def test_capacities_of_google_cloud_are_refused(capacity):
    assert told(spec(pools=[pool("t4", gpu=T4, capacity=capacity)])) == [
        ("PLN305", f"capacity `{capacity}` is rented on Google Cloud only")
    ]


@pytest.mark.parametrize("field", ["subscriptionId", "tenantId", "adminGroups"])
def test_what_only_a_person_can_know_has_to_be_said(field):
    ((code, message),) = told(spec(cloud={field: None}))
    assert code == "PLN202"
    assert field in message


def test_nobody_is_locked_out():
    ((_, message),) = told(spec(cloud={"adminGroups": []}))
    assert message == "an empty list cannot be used here"


def test_an_unknown_region_is_a_warning():
    ((code, message),) = told(spec(cloud={"region": "eastus9"}))
    assert code == "PLN312"
    assert message.startswith("`eastus9` is not a region of Microsoft Azure that the catalogue knows")


def test_a_zone_that_the_region_lacks_is_refused():
    assert told(spec(cloud={"region": "westus", "zones": ["1"]})) == [("PLN312", "`westus` has no zone `1`")]


def test_a_zone_is_named_once():
    assert told(spec(cloud={"zones": ["1", "1"]})) == [("PLN207", "a zone is named twice")]


def test_a_public_control_plane_that_nobody_may_reach_is_refused():
    ((code, _),) = told(spec(network={"access": "public"}))
    assert code == "PLN319"


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ("10.0.0.0/25", "is too small for Azure, where it is divided between nodes and private endpoints"),
        ("10.0.0.0/24", "has room for 123 nodes on Azure, and the pools may grow to 203"),
    ],
)
def test_the_range_of_nodes_has_to_be_large_enough_to_be_divided(nodes, message):
    large = {"name": "burst", "cpu": 4, "memory": "16Gi", "nodes": {"min": 0, "max": 200}}
    assert told(spec(pools=[large], network={"nodes": nodes})) == [("PLN303", f"`{nodes}` {message}")]


def test_a_window_of_three_hours_is_too_short():
    ((code, message),) = told(spec(cluster={"maintenance": {"weekly": ["sat 02:00-05:00"]}}))
    assert (code, message) == ("PLN314", "a maintenance window of 3 hours is too short for AKS")


def test_a_container_has_three_characters_at_least():
    ((code, message),) = told(spec(storage={"buckets": [{"name": "ab"}]}))
    assert (code, message) == ("PLN313", "`ab` is no name for a container on Azure")


def test_a_state_bucket_whose_letters_and_digits_are_too_many_is_refused():
    assert told(spec(state={"bucket": "acme-machine-learning-states"})) == [
        (
            "PLN313",
            "`acmemachinelearningstates` is 25 characters long, and a storage account on Azure has at most 24",
        )
    ]


# Places ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cloud", "nat", "zones", "copies"),
    [
        pytest.param({"region": "eastus2"}, "StandardV2", ["1", "2", "3"], "GZRS", id="zones and a pair"),
        pytest.param({"region": "italynorth"}, "StandardV2", ["1", "2", "3"], "ZRS", id="no pair"),
        pytest.param({"region": "westus"}, "Standard", None, "GRS", id="no zones"),
        pytest.param({"region": "eastus2", "zones": ["2"]}, "Standard", ["2"], "GRS", id="one zone"),
    ],
)
def test_the_region_decides_where_things_are(cloud, nat, zones, copies):
    data = spec(cloud=cloud, storage={"buckets": [{"name": "artifacts"}]})
    (gateway,) = resources(data, "azurerm_nat_gateway", "network").values()
    (cluster,) = resources(data, "azurerm_kubernetes_cluster").values()
    (account,) = resources(data, "azurerm_storage_account", "platform").values()
    assert gateway["sku_name"] == nat
    assert gateway.get("zones") == (zones if nat == "Standard" else None)
    assert cluster["default_node_pool"][0].get("zones") == zones
    assert account["account_replication_type"] == copies


def test_global_names_differ_between_subscriptions():
    other = "44444444-4444-4444-4444-444444444444"
    vaults = {
        resources(spec(cloud={"subscriptionId": each}), "azurerm_key_vault")["platform"]["name"]
        for each in (SUBSCRIPTION, other)
    }
    assert len(vaults) == 2
    assert all(len(name) <= 24 for name in vaults)


def test_a_public_control_plane_lets_in_the_ranges_that_are_named():
    data = spec(network={"access": "public", "allow": ["203.0.113.0/24"]})
    (cluster,) = resources(data, "azurerm_kubernetes_cluster").values()
    (profile,) = cluster["api_server_access_profile"]
    assert (cluster["private_cluster_enabled"], cluster["run_command_enabled"]) == (False, False)
    assert profile["authorized_ip_ranges"] == ["203.0.113.0/24"]


def test_the_vault_opens_to_public_ranges_alone():
    data = spec(network={"allow": ["10.9.0.0/16", "203.0.113.0/24"]})
    (vault,) = resources(data, "azurerm_key_vault").values()
    assert vault["public_network_access_enabled"] is True
    assert vault["network_acls"][0]["ip_rules"] == ["203.0.113.0/24"]
    (closed,) = resources(spec(), "azurerm_key_vault").values()
    assert closed["public_network_access_enabled"] is False


# What is known after an apply ------------------------------------------------------------------


MLFLOW = {
    "storage": {"buckets": [{"name": "artifacts"}], "database": {"engine": "postgres"}},
    "components": {"mlflow": {"artifacts": "artifacts"}},
}


def test_what_carries_a_client_id_waits_until_it_is_recorded():
    (compilation,) = compiled(spec(**MLFLOW)).compilations
    assert {each.name: each.withheld for each in compilation.withheld} == {
        "external-secrets": ("client-id-external-secrets-external-secrets",),
        "mlflow": ("client-id-external-secrets-external-secrets", "client-id-mlflow-mlflow"),
    }


def test_a_recorded_client_id_stands_in_the_service_account():
    recorded = {
        "client-id-external-secrets-external-secrets": "55555555-5555-5555-5555-555555555555",
        "client-id-mlflow-mlflow": "66666666-6666-6666-6666-666666666666",
    }
    result = compiled(spec(**MLFLOW), {"default": recorded})
    (compilation,) = result.compilations
    files = result.groups["default"]
    account = files["overlays/default/mlflow/serviceaccount-mlflow.yaml"].content.decode()
    operator = files[
        "overlays/default/external-secrets/patch-serviceaccount-external-secrets.yaml"
    ].content.decode()
    assert compilation.withheld == ()
    assert 'azure.workload.identity/client-id: "66666666-6666-6666-6666-666666666666"' in account
    assert "55555555-5555-5555-5555-555555555555" in operator


def test_every_address_that_holds_a_client_id_is_an_output():
    files = compiled(spec(**MLFLOW)).groups["default"]
    outputs = json.loads(files["generated/default/terraform/platform/main.tf.json"].content)["output"]
    assert set(outputs) == {"client-id-external-secrets-external-secrets", "client-id-mlflow-mlflow"}


# One spec --------------------------------------------------------------------------------------


@pytest.mark.parametrize("major", [4, 5])
def test_only_the_root_with_the_network_knows_one_major_of_the_provider(major):
    files = compiled(spec(cloud={"providerMajor": major})).groups["default"]

    def version(layer):
        main = json.loads(files[f"generated/default/terraform/{layer}/main.tf.json"].content)
        return main["terraform"]["required_providers"]["azurerm"]["version"]

    assert version("network") == {4: ">= 4.65, < 5", 5: ">= 5.0, < 6"}[major]
    assert {version("cluster"), version("platform")} == {">= 4.65, < 6"}


def test_two_environments_of_one_subscription_need_two_resource_groups():
    environments = {"dev": {}, "prod": {"cloud": {"region": "westeurope"}}}
    ((code, message),) = told(spec(environments=environments))
    assert code == "PLN307"
    assert "dev" in message
    environments["prod"]["cloud"]["resourceGroup"] = "acme-ml-prod"
    assert told(spec(environments=environments)) == []
