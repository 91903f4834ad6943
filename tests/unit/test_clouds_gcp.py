"""What Google Cloud makes of pools, people and keys, and what it refuses, by the spec alone."""

from __future__ import annotations

import ipaddress
import itertools
import json

import pytest
import yaml

from plinth.clouds.gcp.keys import AGENTS
from plinth.diagnostics.diagnostic import SpecError
from support import platforms

CLOUD = "provider: gcp, project: acme-ml-dev, projectNumber: 123456789012, region: us-central1"
SYSTEM = "    - {name: system, cpu: 4, memory: 16Gi, nodes: {min: 1, max: 3}}"


def spec(*lines, pools=(), cloud="", people="admins: [platform@acme.com]"):
    """A small platform: `cloud` adds to its cloud, `lines` to its spec."""
    return "\n".join(
        (
            "apiVersion: plinth.dev/v1alpha1",
            "kind: Platform",
            "metadata: {name: acme-ml}",
            "spec:",
            f"  cloud: {{{CLOUD}{cloud and ', '}{cloud}}}",
            "  repository: {url: https://github.com/acme/ml-platform.git}",
            "  nodePools:",
            SYSTEM,
            *(f"    - {pool}" for pool in pools),
            f"  identity: {{domain: ml.acme.com, {people}}}",
            "  upstreams: remote",
            "  components: {}",
            *(f"  {line}" for line in lines),
        )
    ).encode()


def resources(text, layer="cluster"):
    """`type.name` to its arguments, of one root."""
    root = f"generated/default/terraform/{layer}/"
    found = {}
    for path, content in platforms.tree(platforms.compile_bytes(text)).items():
        if path.startswith(root):
            for kind, named in json.loads(content).get("resource", {}).items():
                found |= {f"{kind}.{name}": arguments for name, arguments in named.items()}
    return found


def pool(asked, name, cloud=""):
    return resources(spec(pools=[asked], cloud=cloud))[f"google_container_node_pool.{name}"]


def faults(text):
    with pytest.raises(SpecError) as refused:
        platforms.compile_bytes(text)
    return refused.value.diagnostics


ZONE = "poolZones: [{name: p, zone: b}]"


@pytest.mark.parametrize(
    ("asked", "cloud", "code", "says"),
    [
        pytest.param(
            "{name: p, gpu: {model: l4}, capacity: flex-start, nodes: {min: 1, max: 2}}",
            "",
            "PLN326",
            "keeps 1 nodes",
            id="flex-start that is kept",
        ),
        pytest.param(
            "{name: p, gpu: {model: l4}, capacity: queued, nodes: {min: 2, max: 2}}",
            "",
            "PLN326",
            "keeps 2 nodes",
            id="a queue that is kept",
        ),
        pytest.param(
            "{name: p, cpu: 8, memory: 32Gi, capacity: queued, nodes: {max: 2}}",
            "",
            "PLN326",
            "no GPU or TPU to wait for",
            id="a queue for processors",
        ),
        pytest.param(
            "{name: p, gpu: {model: h100-80gb, count: 8, rdma: true}, nodes: {max: 2}}",
            "zones: [a], gpuNetworks: 10.0.128.0/20",
            "PLN302",
            "nodes `10.0.0.0/16` and gpu networks `10.0.128.0/20` overlap",
            id="networks of GPUs among the nodes",
        ),
        pytest.param(
            "{name: p, gpu: {model: h100-80gb, count: 8, rdma: true}, nodes: {max: 2}}",
            "zones: [a], gpuNetworks: 192.168.0.0/27",
            "PLN303",
            "`192.168.0.0/27` is too small for 8 networks of GPUs",
            id="networks of GPUs that cannot be cut",
        ),
        pytest.param(
            "{name: p, gpu: {model: h100-80gb, count: 8, rdma: true}, nodes: {max: 29}}",
            "zones: [a], gpuNetworks: 192.168.0.0/24",
            "PLN303",
            "addresses for 28 nodes in each of 8 networks of GPUs, and the pools may grow to 29",
            id="networks of GPUs that are too small",
        ),
        pytest.param(
            "{name: p, gpu: {model: h100-80gb, count: 8, rdma: true}, capacity: spot-then-on-demand, nodes: {max: 15}}",
            "zones: [a], gpuNetworks: 192.168.0.0/24",
            "PLN303",
            "and the pools may grow to 30",
            id="two pools in networks that are too small",
        ),
        pytest.param(
            "{name: p, gpu: {model: h100-80gb, count: 8, rdma: true}, nodes: {max: 2}}",
            "zones: [a], existing: {network: projects/acme-net/global/networks/shared, subnetwork: "
            "projects/acme-net/regions/us-central1/subnetworks/ml}",
            "PLN326",
            "the network is another project's",
            id="networks of GPUs beside one that is shared",
        ),
        pytest.param(
            "{name: p, gpu: {model: l4, rdma: true}, machine: {gcp: g2-standard-8}, nodes: {max: 2}}",
            ZONE,
            "PLN305",
            "asks for RDMA, and `g2-standard-8` has none",
            id="rdma without a network for it",
        ),
        pytest.param(
            "{name: p, gpu: {model: h200, count: 8, rdma: true}, capacity: spot, nodes: {max: 2}}",
            "",
            "PLN326",
            "its zone is not said",
            id="rdma in any zone",
        ),
        pytest.param(
            "{name: p, gpu: {model: l4}, reservation: training, nodes: {max: 2}}",
            "zones: [a, b]",
            "PLN326",
            "its zone is not said",
            id="a reservation in two zones",
        ),
        pytest.param(
            "{name: p, gpu: {model: l4}, nodes: {max: 2}}",
            "poolZones: [{name: q, zone: b}]",
            "PLN306",
            "no node pool `q`",
            id="the zone of no pool",
        ),
        pytest.param(
            "{name: p, cpu: 8, memory: 32Gi, localSsd: 20Ti, nodes: {max: 2}}",
            "",
            "PLN305",
            "sells no machine with local ssd",
            id="more disks than a machine takes",
        ),
        pytest.param(
            "{name: p, machine: {gcp: e2-standard-4}, localSsd: 375Gi, nodes: {max: 2}}",
            "",
            "PLN305",
            "`e2-standard-4` takes no `375Gi`",
            id="a machine that takes no disks",
        ),
        pytest.param(
            f"{{name: {'p' * 36}, cpu: 8, memory: 32Gi, capacity: spot-then-on-demand, nodes: {{max: 2}}}}",
            "",
            "PLN313",
            f"`{'p' * 36}-spot` is 41 characters long",
            id="no room for -spot",
        ),
    ],
)
def test_a_pool_that_gke_would_refuse_is_refused(asked, cloud, code, says):
    (fault,) = faults(spec(pools=[asked], cloud=cloud))
    assert fault.code == code
    assert says in fault.message


def test_two_pools_cannot_both_be_the_one_that_is_tried_first():
    text = spec(
        pools=[
            "{name: p, cpu: 8, memory: 32Gi, capacity: spot-then-on-demand, nodes: {max: 2}}",
            "{name: p-spot, cpu: 8, memory: 32Gi, nodes: {max: 2}}",
        ]
    )
    (fault,) = faults(text)
    assert (fault.code, fault.path) == ("PLN326", ("spec", "nodePools", "p-spot", "name"))


def test_a_machine_that_is_hardly_given_on_demand_is_a_warning():
    result = platforms.compile_bytes(spec(pools=["{name: p, gpu: {model: b200, count: 8}, nodes: {max: 2}}"]))
    told = [each for each in result.diagnostics if each.code == "PLN326"]
    assert [each.severity for each in told] == ["warning"]


@pytest.mark.parametrize(
    ("line", "cloud", "code", "says"),
    [
        pytest.param(
            "budget: {monthly: 100, notify: [a@acme.com]}", "", "PLN202", "billing account", id="nobody pays"
        ),
        pytest.param(
            "budget: {monthly: 100, notify: [a@b.cc, b@b.cc, c@b.cc, d@b.cc, e@b.cc, f@b.cc]}",
            "billingAccount: 012345-6789AB-CDEF01",
            "PLN315",
            "writes to 5",
            id="too many addresses",
        ),
    ],
)
def test_a_budget_that_has_no_place_is_refused(line, cloud, code, says):
    (fault,) = faults(spec(line, cloud=cloud))
    assert fault.code == code
    assert says in fault.message


@pytest.mark.parametrize(
    "cloud",
    [
        pytest.param("securityGroup: admins@acme.com", id="a group of another name"),
        pytest.param('billingAccount: "0123456789"', id="no billing account"),
        pytest.param("existing: {network: shared}", id="a network without its subnetwork"),
        pytest.param("adminGroups: [platform]", id="a group without its domain"),
    ],
)
def test_a_malformed_field_of_the_cloud_is_refused(cloud):
    (fault,) = faults(spec(cloud=cloud))
    assert fault.path[:2] == ("spec", "cloud")


def test_spot_is_tried_first_by_a_pool_that_pods_cannot_tell_from_the_other():
    found = resources(
        spec(pools=["{name: p, gpu: {model: l4}, capacity: spot-then-on-demand, nodes: {min: 1, max: 4}}"])
    )
    first, then = (found[f"google_container_node_pool.{name}"] for name in ("p-spot", "p"))
    (spot,), (plain,) = first["node_config"], then["node_config"]
    assert (spot["spot"], plain.get("spot")) == (True, None)
    assert (spot["labels"], spot["taint"]) == (plain["labels"], plain["taint"])
    assert [each["autoscaling"][0]["total_min_node_count"] for each in (first, then)] == [1, 0]
    assert [each["autoscaling"][0]["total_max_node_count"] for each in (first, then)] == [4, 4]


def test_nobody_upgrades_a_pool_under_a_long_job():
    kept = pool("{name: p, gpu: {model: l4}, nodes: {max: 2}}", "p")
    assert kept["maintenance_policy"] == [{"exclusion_until_end_of_support": [{"enabled": True}]}]
    for asked in (
        "{name: p, cpu: 8, memory: 32Gi, nodes: {max: 2}}",
        "{name: p, gpu: {model: l4}, capacity: spot, nodes: {max: 2}}",
        "{name: p, gpu: {model: l4}, capacity: flex-start, nodes: {max: 2}}",
    ):
        assert "maintenance_policy" not in pool(asked, "p")


@pytest.mark.parametrize(
    ("asked", "machine", "disks"),
    [
        pytest.param("cpu: 8, memory: 32Gi, localSsd: 375Gi", "n2d-standard-8", 1, id="one"),
        pytest.param("cpu: 8, memory: 32Gi, localSsd: 1Ti", "n2d-standard-8", 4, id="three, which is four"),
        pytest.param(
            "gpu: {model: l4, count: 2}, localSsd: 375Gi", "g2-standard-24", 2, id="as many as GPUs"
        ),
        pytest.param("gpu: {model: a100-80gb}, localSsd: 100Gi", "a2-ultragpu-1g", 1, id="built in"),
    ],
)
def test_scratch_disks_come_in_numbers_that_the_machine_takes(asked, machine, disks):
    (config,) = pool(f"{{name: p, {asked}, nodes: {{max: 2}}}}", "p")["node_config"]
    assert config["machine_type"] == machine
    assert config["ephemeral_storage_local_ssd_config"] == [{"local_ssd_count": disks}]


def test_nodes_of_a_reservation_stand_in_its_zone():
    made = pool("{name: p, gpu: {model: l4}, reservation: training, nodes: {max: 2}}", "p", ZONE)
    assert made["node_locations"] == ["us-central1-b"]
    assert made["node_config"][0]["reservation_affinity"] == [
        {
            "consume_reservation_type": "SPECIFIC_RESERVATION",
            "key": "compute.googleapis.com/reservation-name",
            "values": ["training"],
        }
    ]


HIGH = "{name: p, gpu: {model: h100-80gb, count: 8, rdma: true}, nodes: {max: 2}}"
MEGA = (
    "{name: p, gpu: {model: h100-80gb, count: 8, rdma: true}, machine: {gcp: a3-megagpu-8g}, nodes: {max: 2}}"
)


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        pytest.param(HIGH, 4, id="A3 High"),
        pytest.param(MEGA, 8, id="A3 Mega"),
        pytest.param(
            HIGH.replace("h100-80gb", "h200").replace("nodes", "capacity: spot, nodes"), 0, id="A3 Ultra"
        ),
        pytest.param(HIGH.replace(", rdma: true", ""), 0, id="GPUs of one node alone"),
    ],
)
def test_gpus_of_different_nodes_reach_each_other_over_networks_that_pods_can_join(asked, count):
    text = spec(pools=[asked], cloud=ZONE)
    made, cluster = resources(text, "network"), resources(text)
    networks = {
        each["name"]: each["mtu"]
        for name, each in made.items()
        if name.startswith("google_compute_network.gpu-")
    }
    assert networks == {f"acme-ml-gpu-{number}": 8244 for number in range(1, count + 1)}
    assert cluster["google_container_cluster.platform"].get("enable_multi_networking", False) == (count > 0)
    (place,) = cluster["google_container_node_pool.p"].get("network_config", [{}])
    joined = place.get("additional_node_network_configs", [])
    assert [each["network"] for each in joined] == list(networks)
    start = "overlays/default/gpu-networks/gkenetworkparamset-"
    objects = [
        yaml.safe_load(content)
        for path, content in sorted(platforms.tree(platforms.compile_bytes(text)).items())
        if path.startswith(start)
    ]
    assert [
        {"network": each["spec"]["vpc"], "subnetwork": each["spec"]["vpcSubnet"]} for each in objects
    ] == joined


def test_networks_of_gpus_are_apart_and_their_nodes_may_speak():
    made = resources(spec(pools=[MEGA], cloud=ZONE), "network")
    ranges = {
        name.rpartition(".")[2]: ipaddress.IPv4Network(each["ip_cidr_range"])
        for name, each in made.items()
        if name.startswith("google_compute_subnetwork.gpu-")
    }
    assert len(ranges) == 8
    for one, other in itertools.combinations(ranges.values(), 2):
        assert not one.overlaps(other)
    for name, cidr in ranges.items():
        rule = made[f"google_compute_firewall.{name}"]
        assert rule["source_ranges"] == [str(cidr)]
        assert {each["protocol"] for each in rule["allow"]} == {"icmp", "tcp", "udp"}


@pytest.mark.parametrize(
    ("asked", "is_there"),
    [
        pytest.param(HIGH, True, id="A3 High"),
        pytest.param(
            HIGH.replace("h100-80gb", "h200").replace("nodes", "capacity: spot, nodes"), False, id="H200"
        ),
        pytest.param(HIGH.replace(", rdma: true", ""), False, id="no RDMA"),
        pytest.param(
            HIGH.replace("model: h100-80gb", "memory: 80Gi"), True, id="any GPU, which may be one of them"
        ),
    ],
)
def test_objects_for_networks_are_there_where_a_pool_may_take_some(asked, is_there):
    tree = platforms.tree(platforms.compile_bytes(spec(pools=[asked], cloud=ZONE)))
    assert any(path.startswith("overlays/default/gpu-networks/") for path in tree) == is_there


def test_a_tpu_is_said_by_its_machine_alone():
    (config,) = pool("{name: p, accelerator: {model: tpu-v5e, count: 4}, nodes: {max: 2}}", "p")[
        "node_config"
    ]
    assert config["machine_type"] == "ct5lp-hightpu-4t"
    assert "guest_accelerator" not in config
    assert [each["key"] for each in config["taint"]] == ["google.com/tpu"]


def test_every_key_is_for_one_agent_of_the_project():
    found = resources(spec("storage: {database: {}}"))
    grants = {
        name.partition(".")[2]: made["member"]
        for name, made in found.items()
        if name.startswith("google_kms_crypto_key_iam_member")
    }
    assert set(grants) == set(AGENTS)
    assert len(set(grants.values())) == len(AGENTS)
    assert (
        grants["buckets"] == "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    )


def test_administrators_are_people_but_for_those_that_are_groups():
    people = "admins: [platform@acme.com, ada.b@acme.com, ada_b@acme.com]"
    found = resources(spec(people=people, cloud="adminGroups: [platform@acme.com]"))
    members = {made["member"] for made in found.values() if made.get("role") == "roles/container.admin"}
    assert members == {"group:platform@acme.com", "user:ada.b@acme.com", "user:ada_b@acme.com"}


def test_a_branch_of_the_repository_plans_and_only_its_environment_applies():
    found = resources(spec("ci: {github: acme/ml-platform}"), "platform")
    pool_of_ci = "iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/acme-ml-ci"
    users = {
        name.partition(".")[2]: made["member"]
        for name, made in found.items()
        if made.get("role") == "roles/iam.workloadIdentityUser"
    }
    assert users == {
        "ci-plan": f"principalSet://{pool_of_ci}/attribute.repository/acme/ml-platform",
        "ci-apply": f"principal://{pool_of_ci}/subject/repo:acme/ml-platform:environment:default",
    }
    roles = {made["role"] for made in found.values() if "role" in made}
    assert roles.isdisjoint({"roles/owner", "roles/editor", "roles/viewer"})


def test_of_a_network_that_is_there_nothing_is_made():
    cloud = "existing: {network: shared, subnetwork: ml, pods: ml-pods, services: ml-services}"
    network = resources(spec("storage: {database: {}}", cloud=cloud), "network")
    kinds = {name.partition(".")[0] for name in network}
    assert kinds == {"google_project_service", "google_dns_managed_zone"}
    cluster = resources(spec(cloud=cloud))["google_container_cluster.platform"]
    assert cluster["network"] == "projects/acme-ml-dev/global/networks/shared"
    assert cluster["subnetwork"] == "projects/acme-ml-dev/regions/us-central1/subnetworks/ml"
    assert cluster["ip_allocation_policy"] == [
        {"cluster_secondary_range_name": "ml-pods", "services_secondary_range_name": "ml-services"}
    ]


def test_another_domain_has_a_certificate_of_another_name():
    named = {
        resources(spec().replace(b"ml.acme.com", domain), "platform")[
            "google_certificate_manager_certificate.platform"
        ]["name"]
        for domain in (b"ml.acme.com", b"ai.acme.com")
    }
    assert len(named) == 2
