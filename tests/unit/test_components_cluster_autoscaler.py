"""Cluster Autoscaler: where it is there unasked, in which version, and which groups it takes first."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from plinth.clouds.aws.addons import KUBERNETES
from plinth.compilation.inputs import Inputs
from plinth.diagnostics.diagnostic import SpecError
from plinth.ir.lock import Lock
from plinth.pipeline import compile_spec
from support import platforms
from support.each_cloud import document

OVERLAY = "overlays/default/cluster-autoscaler/"


def pool(name, capacity, **more):
    return {"name": name, "capacity": capacity, "nodes": {"max": 3}, **more}


def compiled(data):
    return platforms.tree(platforms.compile_bytes(data))


def version(data, pinned=None):
    lock = Lock(versions={"default": {"cluster-autoscaler": pinned}} if pinned else {})
    inputs = Inputs(lock=lock, patch=lambda path: {}[path], vendored=lambda _name, _version: None)
    (compilation,) = compile_spec(data, "platform.yaml", inputs).compilations
    return compilation.versions["cluster-autoscaler"]


def deployment(data):
    (pod,) = (
        yaml.safe_load(content)["spec"]["template"]["spec"]
        for path, content in compiled(data).items()
        if path == f"{OVERLAY}deployment-cluster-autoscaler.yaml"
    )
    return pod


def priorities(data):
    content = compiled(data)[f"{OVERLAY}configmap-cluster-autoscaler-priority-expander.yaml"]
    return yaml.safe_load(yaml.safe_load(content)["data"]["priorities"])


def rules(kind):
    return yaml.safe_load(compiled(document())[f"{OVERLAY}{kind}-cluster-autoscaler.yaml"])["rules"]


@pytest.mark.parametrize(
    ("cloud", "is_there"), [("aws", True), ("azure", False), ("existing", False), ("gcp", False)]
)
def test_it_is_there_unasked_where_a_cloud_leaves_the_number_of_nodes_to_it(cloud, is_there):
    assert any(path.startswith(OVERLAY) for path in compiled(document(cloud))) == is_there


@pytest.mark.parametrize("cloud", ["azure", "existing", "gcp"])
def test_asked_for_where_it_has_no_use_it_is_refused(cloud):
    with pytest.raises(SpecError) as caught:
        compiled(document(cloud, components={"cluster-autoscaler": {}}))
    (fault,) = (each for each in caught.value.diagnostics if each.severity == "error")
    assert (fault.code, fault.path) == ("PLN311", ("spec", "components", "cluster-autoscaler"))
    assert fault.help == "remove it from `components`"


def test_asked_for_where_it_is_there_anyway_it_is_the_same():
    asked = compiled(document(components={"cluster-autoscaler": {}}))
    unasked = compiled(document())
    changed = {path for path in asked | unasked if asked.get(path) != unasked.get(path)}
    assert changed == {"generated/default/index.jsonl"}


@pytest.mark.parametrize("minor", sorted(KUBERNETES))
def test_there_is_a_version_for_every_version_of_kubernetes(minor):
    found = version(document(cluster={"kubernetes": minor}))
    assert found.startswith(f"{minor}.")
    (container,) = deployment(document(cluster={"kubernetes": minor}))["containers"]
    assert container["image"] == f"registry.k8s.io/autoscaling/cluster-autoscaler:v{found}"


@pytest.mark.parametrize(
    ("cluster", "pinned", "expected"),
    [
        pytest.param({}, None, "1.35.2", id="the channel's"),
        pytest.param({"channel": "stable"}, None, "1.34.5", id="another channel's"),
        pytest.param({"kubernetes": "1.34"}, "1.34.5", "1.34.5", id="pinned"),
        pytest.param({"kubernetes": "1.35"}, "1.34.5", "1.35.2", id="pinned before an upgrade"),
    ],
)
def test_its_version_follows_that_of_the_cluster(cluster, pinned, expected):
    assert version(document(cluster=cluster), pinned) == expected


def test_a_version_that_is_asked_for_is_taken():
    components = {"cluster-autoscaler": {"version": "1.34.5"}}
    assert version(document(components=components, cluster={"kubernetes": "1.35"}), "1.35.2") == "1.34.5"


def test_without_pools_that_take_spot_first_there_are_no_priorities():
    data = document("aws", pool("burst", "spot", cpu=8, memory="32Gi"))
    assert not [path for path in compiled(data) if path.startswith(f"{OVERLAY}configmap")]
    (container,) = deployment(data)["containers"]
    assert "--expander=least-waste" in container["args"]


def test_the_spot_group_of_a_pool_that_takes_spot_first_goes_before_all_others():
    data = document(
        "aws",
        pool("burst", "spot-then-on-demand", cpu=8, memory="32Gi"),
        pool("burst-spot-2", "spot", cpu=4, memory="16Gi"),
        pool("l4", "spot-then-on-demand", gpu={"model": "l4"}),
    )
    levels = priorities(data)
    (container,) = deployment(data)["containers"]
    assert "--expander=priority,least-waste" in container["args"]
    first = {
        name
        for name in asg_names(data)
        for level in [
            max(level for level, some in levels.items() if any(re.search(each, name) for each in some))
        ]
        if level == 20
    }
    assert {name.split("_spot")[0] for name in first} == {"eks-acme-ml-burst", "eks-acme-ml-l4"}
    assert len(first) == 2


def asg_names(data):
    """What EKS calls the autoscaling groups: `eks-`, the name of the node group, a UUID."""
    content = json.loads(compiled(data)["generated/default/terraform/cluster/aws_eks_node_group.tf.json"])
    groups = content["resource"]["aws_eks_node_group"].values()
    return [f"eks-{group['node_group_name']}-b2c7f0a1-5d3e-4f6a-9b8c-0123456789ab" for group in groups]


def test_it_runs_on_the_pool_that_is_always_there():
    data = document("aws", pool("burst", "on-demand", cpu=8, memory="32Gi"))
    assert deployment(data)["nodeSelector"] == {"plinth.dev/pool": "system"}


def test_it_may_read_widely_and_change_little():
    changes = {
        (resource, verb)
        for rule in rules("clusterrole")
        for resource in rule["resources"]
        for verb in rule["verbs"]
        if verb not in {"get", "list", "watch"}
    }
    assert changes == {
        ("events", "create"),
        ("events", "patch"),
        ("nodes", "update"),
        ("pods/eviction", "create"),
    }
    for rule in (*rules("clusterrole"), *rules("role")):
        assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
        assert "secrets" not in rule["resources"]


def test_its_role_on_aws_changes_groups_of_its_own_cluster_alone():
    content = compiled(document())["generated/default/terraform/platform/aws_iam_role_policy.tf.json"]
    made = json.loads(content)["resource"]["aws_iam_role_policy"]["cluster-autoscaler-nodes"]
    statements = json.loads(made["policy"])["Statement"]
    (changing,) = (each for each in statements if "autoscaling:SetDesiredCapacity" in each["Action"])
    assert changing["Condition"]["StringEquals"] == {
        "aws:ResourceTag/k8s.io/cluster-autoscaler/acme-ml": "owned",
        "aws:ResourceTag/k8s.io/cluster-autoscaler/enabled": "true",
    }
    assert changing["Resource"].endswith(":autoScalingGroupName/eks-acme-ml-*")
    for statement in statements:
        if statement["Resource"] == "*":
            assert all(":Describe" in action or ":Get" in action for action in statement["Action"])


@pytest.mark.parametrize(
    ("gpu", "each"),
    [
        pytest.param({"model": "t4"}, "1", id="whole"),
        pytest.param({"model": "t4", "sharing": {"timeSlices": 4}}, "4", id="time slices"),
        pytest.param({"model": "t4", "sharing": {"mps": 2}}, "2", id="side by side"),
        pytest.param({"model": "a100-80gb", "count": 8, "sharing": {"mig": "1g.10gb"}}, "56", id="cut"),
    ],
)
def test_a_node_that_is_not_there_yet_has_as_many_gpus_as_pods_can_have(gpu, each):
    content = compiled(document("aws", pool("gpus", "on-demand", gpu=gpu)))
    tags = json.loads(content["generated/default/terraform/cluster/aws_autoscaling_group_tag.tf.json"])
    made = tags["resource"]["aws_autoscaling_group_tag"]["gpus-resources-nvidia-com-gpu"]
    assert [tag["value"] for tag in made["tag"]] == [each]


def test_a_node_with_gpus_says_so_before_they_are_ready():
    """Else the autoscaler takes a node without GPUs for ready, and adds another."""
    content = compiled(document("aws", pool("gpus", "on-demand", gpu={"model": "t4"})))
    groups = json.loads(content["generated/default/terraform/cluster/aws_eks_node_group.tf.json"])
    made = groups["resource"]["aws_eks_node_group"]
    assert made["gpus"]["labels"]["k8s.amazonaws.com/accelerator"] == "t4"
    assert "k8s.amazonaws.com/accelerator" not in made["system"]["labels"]
