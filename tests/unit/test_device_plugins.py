"""Device plugins: where they are there unasked, on which pools, and what they leave to one another."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml

from plinth.compilation.inputs import Inputs
from plinth.components import amd_device_plugin
from plinth.ir.lock import Lock
from plinth.pipeline import compile_spec
from support import platforms
from support.each_cloud import document

T4 = {"name": "t4", "gpu": {"model": "t4"}, "nodes": {"max": 2}}
TRAINIUM = {"name": "trainium", "accelerator": {"model": "trainium1", "count": 16}, "nodes": {"max": 2}}
MI300X = {"name": "mi300x", "gpu": {"model": "mi300x", "count": 8}, "nodes": {"max": 2}}
MI300X_MACHINE = "Standard_ND96isr_MI300X_v5"
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
    assert resource == "rdma/ib"
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
    tags = json.loads(
        compiled("aws", H100)["generated/default/terraform/cluster/aws_autoscaling_group_tag.tf.json"]
    )
    keys = {each["tag"][0]["key"] for each in tags["resource"]["aws_autoscaling_group_tag"].values()}
    assert "k8s.io/cluster-autoscaler/node-template/resources/vpc.amazonaws.com/efa" in keys


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


def unmodelled(name, **more):
    return {"name": name, "gpu": {"memory": "80Gi", "count": 8}, "nodes": {"max": 2}, **more}


def overlays(tree):
    return {path.split("/")[2] for path in tree if path.startswith("overlays/default/")}


AMD, NVIDIA = "amd-device-plugin", "nvidia-device-plugin"


@pytest.mark.parametrize(
    ("pools", "plugins"),
    [
        pytest.param([T4], {NVIDIA}, id="NVIDIA"),
        pytest.param([MI300X], {AMD}, id="AMD"),
        pytest.param([T4, MI300X], {AMD, NVIDIA}, id="both"),
        pytest.param([unmodelled("any")], {NVIDIA}, id="any GPU is one of NVIDIA"),
        pytest.param([unmodelled("named", machine={"azure": MI300X_MACHINE})], {AMD}, id="a named machine"),
        pytest.param([], set(), id="no GPU"),
    ],
)
def test_a_plugin_is_there_for_the_gpus_that_pools_have(pools, plugins):
    assert overlays(compiled("azure", *pools)) & {AMD, NVIDIA} == plugins


@pytest.mark.parametrize("machine", [None, {"azure": MI300X_MACHINE}])
def test_a_plugin_for_gpus_has_nodes_to_run_on(machine):
    pool = unmodelled("any", **({"machine": machine} if machine else {}))
    tree = compiled("azure", pool)
    (plugin,) = overlays(tree) & {AMD, NVIDIA}
    assert [pools_of(each) for each in objects(tree, plugin, "daemonset").values()] == [["any"]]


def test_a_pinned_machine_of_amd_does_not_stay_where_any_gpu_will_do():
    lock = Lock(pools={"default": {"any": {"machine": MI300X_MACHINE}}})
    inputs = Inputs(lock=lock, patch=lambda path: {}[path], vendored=lambda _name, _version: None)
    files = compile_spec(document("azure", unmodelled("any")), "platform.yaml", inputs).groups["default"]
    assert overlays(files) & {AMD, NVIDIA} == {NVIDIA}
    path = "generated/default/terraform/cluster/azurerm_kubernetes_cluster_node_pool.tf.json"
    made = json.loads(files[path].content)["resource"]["azurerm_kubernetes_cluster_node_pool"]["any"]
    assert made["vm_size"] != MI300X_MACHINE
    assert made["node_taints"] == ["nvidia.com/gpu=present:NoSchedule"]


@pytest.mark.parametrize("cloud", ["azure", "existing"])
def test_each_plugin_for_gpus_runs_on_the_nodes_of_its_maker(cloud):
    tree = compiled(cloud, T4, MI300X, components={AMD: {}, NVIDIA: {}})
    daemon_sets = [objects(tree, name, "daemonset")[name] for name in (AMD, NVIDIA)]
    assert [pools_of(each) for each in daemon_sets] == [["mi300x"], ["t4"]]


def test_aks_installs_no_driver_for_amd_and_knows_what_an_empty_pool_would_have():
    content = json.loads(
        compiled("azure", T4, MI300X)[
            "generated/default/terraform/cluster/azurerm_kubernetes_cluster_node_pool.tf.json"
        ]
    )
    made = content["resource"]["azurerm_kubernetes_cluster_node_pool"]
    assert {name: pool["gpu_driver"] for name, pool in made.items()} == {"mi300x": "None", "t4": "Install"}
    tag = "k8s.io_cluster-autoscaler_node-template_resources_amd.com_gpu"
    assert {name: pool["tags"].get(tag) for name, pool in made.items()} == {"mi300x": "8", "t4": None}


def test_the_plugin_of_amd_waits_for_a_driver_that_comes_later(tmp_path):
    plugin = tmp_path / "k8s-device-plugin"
    plugin.write_text('#!/bin/sh\necho "started with $*"\n', encoding="utf-8")
    plugin.chmod(0o755)
    script = amd_device_plugin.START.replace("/sys/", f"{tmp_path}/sys/").replace("sleep 15", "sleep 0.05")
    with subprocess.Popen(["sh", "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdout.readline() == "the node has no amdgpu driver yet\n"
            (tmp_path / "sys/class/kfd").mkdir(parents=True)
            assert started.stdout.readline() == "the node has no amdgpu driver yet\n"
            (tmp_path / "sys/module/amdgpu/drivers").mkdir(parents=True)
            output, _ = started.communicate(timeout=60)
        finally:
            started.kill()
    assert output.splitlines()[-1].startswith("started with -logtostderr")
    assert started.returncode == 0
