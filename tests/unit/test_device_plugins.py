"""Device plugins: where they are there unasked, on which pools, and what they leave to one another."""

from __future__ import annotations

import json

import pytest
import yaml

from plinth.clouds.aws import launch
from plinth.clouds.azure import pools as azure_pools
from plinth.components import efa_device_plugin, rdma_shared_device_plugin
from support import platforms
from support.each_cloud import document

T4 = {"name": "t4", "gpu": {"model": "t4"}, "nodes": {"max": 2}}
TRAINIUM = {"name": "trainium", "accelerator": {"model": "trainium1", "count": 16}, "nodes": {"max": 2}}
H100 = {"name": "h100", "gpu": {"model": "h100-80gb", "count": 8, "rdma": True}, "nodes": {"max": 2}}


def compiled(*arguments, **named):
    return platforms.tree(platforms.compile_bytes(document(*arguments, **named)))


def objects(tree, component, kind):
    start = f"overlays/default/{component}/{kind}-"
    return {
        found["metadata"]["name"]: found
        for path, content in tree.items()
        if path.startswith(start)
        for found in [yaml.safe_load(content)]
    }


def pools_of(daemon_set):
    terms = daemon_set["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    ((term,),) = [
        each.values() for each in terms["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    ]
    (expression,) = term
    return expression["values"]


def group_tags(tree):
    content = json.loads(tree["generated/default/terraform/cluster/aws_autoscaling_group_tag.tf.json"])
    (each,) = [content["resource"]["aws_autoscaling_group_tag"]]
    return {name: made["tag"][0]["value"] for name, made in each.items()}


@pytest.mark.parametrize(
    ("cloud", "pools", "is_there"),
    [
        pytest.param("aws", [T4], False, id="no fast network"),
        pytest.param("aws", [T4, H100], True, id="a fast network"),
        pytest.param("azure", [H100], False, id="the fast network of another cloud"),
        pytest.param("existing", [H100], False, id="whose network nobody knows"),
    ],
)
def test_the_plugin_of_efa_is_there_where_a_pool_has_it(cloud, pools, is_there):
    tree = compiled(cloud, *pools)
    assert any(path.startswith("overlays/default/efa-device-plugin/") for path in tree) == is_there


def test_the_plugin_of_efa_runs_on_the_nodes_that_have_it():
    (made,) = objects(compiled("aws", T4, H100), "efa-device-plugin", "daemonset").values()
    assert pools_of(made) == ["h100"]


def test_on_a_cluster_that_is_there_a_pool_with_rdma_has_efa_where_its_plugin_is_asked_for():
    tree = compiled("existing", T4, H100, components={"efa-device-plugin": {}})
    (made,) = objects(tree, "efa-device-plugin", "daemonset").values()
    assert pools_of(made) == ["h100"]


@pytest.mark.parametrize(
    ("cloud", "pools", "is_there"),
    [
        ("azure", [T4], False),
        ("azure", [T4, H100], True),
        ("aws", [H100], False),
        ("existing", [H100], False),
    ],
)
def test_the_plugin_of_infiniband_is_there_where_a_pool_has_it(cloud, pools, is_there):
    tree = compiled(cloud, *pools)
    assert any(path.startswith("overlays/default/rdma-shared-device-plugin/") for path in tree) == is_there


@pytest.mark.parametrize("cloud", ["azure", "existing"])
def test_the_plugin_of_infiniband_runs_on_the_nodes_that_have_it(cloud):
    tree = compiled(cloud, T4, H100, components={"rdma-shared-device-plugin": {}})
    (made,) = objects(tree, "rdma-shared-device-plugin", "daemonset").values()
    assert pools_of(made) == ["h100"]


def test_a_pod_asks_for_infiniband_as_the_plugin_calls_it():
    """The name is in three places: the plugin's settings, the cloud's facts, a tag for the autoscaler."""
    tree = compiled("azure", T4, H100)
    (settings,) = objects(tree, "rdma-shared-device-plugin", "configmap").values()
    (each,) = json.loads(settings["data"]["config.json"])["configList"]
    resource = f"{each['resourcePrefix']}/{each['resourceName']}"
    assert resource == rdma_shared_device_plugin.RESOURCE == azure_pools.INFINIBAND
    content = json.loads(
        tree["generated/default/terraform/cluster/azurerm_kubernetes_cluster_node_pool.tf.json"]
    )
    made = content["resource"]["azurerm_kubernetes_cluster_node_pool"]
    start = "k8s.io_cluster-autoscaler_node-template_resources_"
    promised = {
        name: {tag.removeprefix(start): value for tag, value in pool["tags"].items() if tag.startswith(start)}
        for name, pool in made.items()
    }
    assert promised == {"h100": {resource.replace("/", "_"): str(each["rdmaHcaMax"])}, "t4": {}}


def test_a_pod_asks_for_efa_as_its_plugin_calls_it():
    assert efa_device_plugin.RESOURCE == launch.EFA_RESOURCE


@pytest.mark.parametrize(
    ("model", "interfaces"), [("h100-80gb", "32"), ("h200", "16"), ("b200", "8"), ("b300", "16")]
)
def test_a_node_that_is_not_there_yet_has_as_many_interfaces_as_cards(model, interfaces):
    pool = {**H100, "name": "fast", "gpu": {**H100["gpu"], "model": model}}
    tree = compiled("aws", pool)
    assert group_tags(tree)["fast-resources-vpc-amazonaws-com-efa"] == interfaces
    templates = json.loads(tree["generated/default/terraform/cluster/aws_launch_template.tf.json"])
    cards = templates["resource"]["aws_launch_template"]["fast"]["network_interfaces"]
    assert str(sum("efa" in each.get("interface_type", "") for each in cards)) == interfaces
    assert len({each["network_card_index"] for each in cards}) == len(cards)


def test_a_machine_whose_first_card_takes_no_efa_has_an_ordinary_interface_there():
    pool = {**H100, "name": "fast", "gpu": {**H100["gpu"], "model": "b300"}}
    templates = json.loads(
        compiled("aws", pool)["generated/default/terraform/cluster/aws_launch_template.tf.json"]
    )
    first, *others = templates["resource"]["aws_launch_template"]["fast"]["network_interfaces"]
    assert (first["network_card_index"], first["device_index"]) == (0, 0)
    assert "interface_type" not in first
    assert {each["interface_type"] for each in others} == {"efa-only"}
    assert not [each for each in others if "associate_public_ip_address" in each]


def test_a_node_without_a_fast_network_promises_none():
    assert not [name for name in group_tags(compiled("aws", T4)) if "efa" in name]


@pytest.mark.parametrize("cloud", ["aws", "azure"])
@pytest.mark.parametrize(("pools", "flag"), [([T4], None), ([T4, H100], False)])
def test_a_pod_with_a_gpu_gets_no_interface_that_it_did_not_ask_for(cloud, pools, flag):
    (made,) = objects(compiled(cloud, *pools), "nvidia-device-plugin", "configmap").values()
    assert yaml.safe_load(made["data"]["config.yaml"])["flags"].get("mofedEnabled") is flag


@pytest.mark.parametrize(("pools", "is_there"), [([T4, H100], False), ([T4, TRAINIUM], True)])
def test_the_plugin_of_neuron_is_there_where_a_pool_has_such_chips(pools, is_there):
    tree = compiled("aws", *pools)
    assert any(path.startswith("overlays/default/neuron-device-plugin/") for path in tree) == is_there


@pytest.mark.parametrize("cloud", ["aws", "existing"])
def test_each_plugin_runs_on_the_nodes_that_have_its_devices(cloud):
    names = ("neuron-device-plugin", "nvidia-device-plugin")
    tree = compiled(cloud, T4, TRAINIUM, components={name: {} for name in names})
    daemon_sets = [objects(tree, name, "daemonset")[name] for name in names]
    assert [pools_of(each) for each in daemon_sets] == [["trainium"], ["t4"]]
    assert [
        [toleration["key"] for toleration in each["spec"]["template"]["spec"]["tolerations"]]
        for each in daemon_sets
    ] == [["aws.amazon.com/neuron"], ["nvidia.com/gpu"]]


def test_a_node_that_is_not_there_yet_has_its_chips():
    tags = group_tags(compiled("aws", TRAINIUM))
    assert tags["trainium-resources-aws-amazon-com-neuron"] == "16"


def test_only_the_plugin_of_neuron_has_a_token():
    tree = compiled("aws", T4, H100, TRAINIUM)
    names = ("efa-device-plugin", "neuron-device-plugin", "nvidia-device-plugin")
    assert [
        objects(tree, name, "daemonset")[name]["spec"]["template"]["spec"]["automountServiceAccountToken"]
        for name in names
    ] == [False, True, False]
    (rights,) = objects(tree, "neuron-device-plugin", "clusterrole").values()
    allowed = {
        (each, verb) for rule in rights["rules"] for each in rule["resources"] for verb in rule["verbs"]
    }
    assert not {each for each in allowed if "*" in each or "secrets" in each or "delete" in each}


def test_no_plugin_has_all_rights_on_the_node_where_devices_are_whole():
    tree = compiled("aws", T4, H100, TRAINIUM)
    for name in ("efa-device-plugin", "neuron-device-plugin", "nvidia-device-plugin"):
        (made,) = objects(tree, name, "daemonset").values()
        (container,) = made["spec"]["template"]["spec"]["containers"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "privileged" not in container["securityContext"]
