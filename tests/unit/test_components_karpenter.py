"""Karpenter: where it has a use, what it is told, and what becomes of a pool where it makes nodes."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest
import yaml

from plinth.compilation.inputs import Inputs
from plinth.diagnostics.diagnostic import SpecError
from plinth.ir.commands import OwnNodes
from plinth.ir.lock import Lock
from plinth.pipeline import compile_spec
from support import each_cloud, platforms
from support.each_cloud import CLOUDS, SYSTEM

OVERLAY = "overlays/default/karpenter/"
CLUSTER = "generated/default/terraform/cluster/"
PLATFORM = "generated/default/terraform/platform/"


def document(*pools, cloud="aws", components=None, **more):
    components = {"karpenter": {}} if components is None else components
    return each_cloud.document(cloud, *pools, components=components, **more)


def pool(name="work", least=0, most=5, **more):
    return {"name": name, "cpu": 4, "memory": "16Gi", "nodes": {"min": least, "max": most}, **more}


def gpus(**more):
    return {"name": "work", "gpu": {"model": "l4"}, "nodes": {"max": 3}, **more}


def compiled(*pools, **more):
    return platforms.tree(platforms.compile_bytes(document(*pools, **more)))


def made(kind, *pools, **more):
    return yaml.safe_load(compiled(*pools, **more)[f"{OVERLAY}{kind}-work.yaml"])["spec"]


def requirements(node_pool):
    return {each["key"]: each["values"] for each in node_pool["template"]["spec"]["requirements"]}


def terraform(tree, layer, kind):
    content = tree.get(f"{layer}{kind}.tf.json")
    return json.loads(content)["resource"][kind] if content else {}


def faults(*pools, **more):
    with pytest.raises(SpecError) as caught:
        compiled(*pools, **more)
    return caught.value.diagnostics


def statements(*pools, **more):
    roles = terraform(compiled(*pools, **more), PLATFORM, "aws_iam_role_policy")
    return json.loads(roles["kube-system-karpenter-nodes"]["policy"])["Statement"]


def allowed(action, found):
    return [each for each in found if action in each["Action"]]


@pytest.mark.parametrize(
    ("cloud", "reason"),
    [
        ("azure", "it changes the number of a pool's nodes itself"),
        ("existing", "its nodes are made by whoever made the cluster"),
        ("gcp", "it changes the number of a pool's nodes itself"),
    ],
)
def test_where_nodes_come_without_it_it_is_refused_at_its_line(cloud, reason):
    (fault,) = faults(cloud=cloud)
    assert (fault.code, fault.path) == ("PLN311", ("spec", "components", "karpenter"))
    assert fault.message == f"`karpenter` has no use on this cloud: {reason}"


def test_cluster_autoscaler_is_there_or_karpenter_never_both():
    assert not any("cluster-autoscaler" in path for path in compiled(pool()))
    assert not any("karpenter" in path for path in compiled(pool(), components={}))
    (fault,) = faults(components={"karpenter": {}, "cluster-autoscaler": {}})
    assert (fault.code, fault.path) == ("PLN328", ("spec", "components", "karpenter"))


def test_without_it_nothing_of_it_is_made():
    tree = compiled(pool(), components={})
    assert b"karpenter" not in b"".join(
        content for path, content in tree.items() if "/network/" not in path and not path.endswith(".jsonl")
    )


@pytest.mark.parametrize(
    ("least", "most", "group", "vcpus"),
    [
        pytest.param(0, 5, None, "20", id="all of them come and go"),
        pytest.param(2, 5, 2, "12", id="some are always there"),
        pytest.param(5, 5, 5, None, id="all are always there"),
    ],
)
def test_the_least_number_is_a_group_and_what_is_above_is_karpenters(least, most, group, vcpus):
    tree = compiled(pool(least=least, most=most))
    groups = terraform(tree, CLUSTER, "aws_eks_node_group")
    assert ("work" in groups) == (group is not None)
    assert ("work" in terraform(tree, CLUSTER, "aws_launch_template")) == (group is not None)
    if group:
        size = {"min_size": group, "desired_size": group, "max_size": group}
        assert groups["work"]["scaling_config"] == [size]
        # Nobody else changes it, so Terraform follows the spec.
        assert "ignore_changes" not in groups["work"]["lifecycle"]
    content = tree.get(f"{OVERLAY}nodepool-work.yaml")
    assert (yaml.safe_load(content)["spec"]["limits"] if content else None) == (
        {"cpu": vcpus} if vcpus else None
    )
    assert (f"{OVERLAY}ec2nodeclass-work.yaml" in tree) == (vcpus is not None)


@pytest.mark.parametrize(
    ("capacity", "types"),
    [
        ("on-demand", ["on-demand"]),
        ("spot", ["spot"]),
        # One NodePool of both: the limit holds them together.
        ("spot-then-on-demand", ["on-demand", "spot"]),
    ],
)
def test_how_machines_are_rented(capacity, types):
    node_pool = made("nodepool", pool(capacity=capacity))
    assert requirements(node_pool)["karpenter.sh/capacity-type"] == types
    assert node_pool["limits"] == {"cpu": "20"}
    assert node_pool["template"]["metadata"]["labels"]["plinth.dev/capacity"] == capacity


def test_what_is_reserved_is_taken_and_nothing_else():
    wanted = pool(reservation="cr-0123456789abcdef0")
    assert requirements(made("nodepool", wanted))["karpenter.sh/capacity-type"] == ["reserved"]
    terms = [{"id": "cr-0123456789abcdef0"}]
    assert made("ec2nodeclass", wanted)["capacityReservationSelectorTerms"] == terms
    reservation = "arn:aws:ec2:us-east-1:123456789012:capacity-reservation/cr-0123456789abcdef0"
    assert [reservation] in [each["Resource"] for each in allowed("ec2:RunInstances", statements(wanted))]


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        pytest.param(
            {"name": "work", "gpu": {"model": "h200", "count": 8, "rdma": True}}, "gpu", id="a fast network"
        ),
        pytest.param(
            {"name": "work", "gpu": {"model": "l4", "sharing": {"mps": 4}}}, "gpu", id="shared GPUs"
        ),
        pytest.param(
            {"name": "work", "cpu": 4, "memory": "16Gi", "reservation": "my-reservation"},
            "reservation",
            id="a reservation by its name",
        ),
    ],
)
def test_nodes_that_it_cannot_make_are_refused_unless_they_are_always_there(wanted, place):
    (fault,) = faults({**wanted, "nodes": {"min": 1, "max": 2}})
    assert fault.code == "PLN329"
    assert fault.path[:4] == ("spec", "nodePools", "work", place)
    tree = compiled({**wanted, "nodes": {"min": 2, "max": 2}})
    assert "work" in terraform(tree, CLUSTER, "aws_eks_node_group")
    assert f"{OVERLAY}nodepool-work.yaml" not in tree


@pytest.mark.parametrize("wanted", [pool(least=1), pool(least=1, capacity="spot"), gpus()])
def test_nodes_of_a_group_and_of_karpenter_have_the_same_labels_and_taints(wanted):
    node_pool = made("nodepool", wanted)
    least = copy.deepcopy(wanted)
    least["nodes"]["min"] = 1
    group = terraform(compiled(least), CLUSTER, "aws_eks_node_group")["work"]
    assert node_pool["template"]["metadata"]["labels"] == group["labels"]
    effects = {"NO_SCHEDULE": "NoSchedule"}
    taints = [{**each, "effect": effects[each["effect"]]} for each in group["taint"]]
    assert node_pool["template"]["spec"].get("taints", []) == taints


def test_the_machine_is_the_one_of_the_lock():
    tree = compiled(gpus())
    pinned = yaml.safe_load(tree["plinth.lock.yaml"])["environments"]["default"]["nodePools"]["work"]
    node_pool = yaml.safe_load(tree[f"{OVERLAY}nodepool-work.yaml"])["spec"]
    assert requirements(node_pool)["node.kubernetes.io/instance-type"] == [pinned["machine"]]


def test_a_node_starts_as_one_of_a_group_does():
    tree = compiled(gpus(localSsd="200Gi"))
    node_class = yaml.safe_load(tree[f"{OVERLAY}ec2nodeclass-work.yaml"])["spec"]
    template = terraform(compiled(gpus(localSsd="200Gi"), components={}), CLUSTER, "aws_launch_template")[
        "work"
    ]
    (disk,), (mapping,) = node_class["blockDeviceMappings"], template["block_device_mappings"]
    assert disk["deviceName"] == mapping["device_name"]
    assert disk["ebs"]["volumeSize"] == f"{mapping['ebs'][0]['volume_size']}Gi"
    assert disk["ebs"]["encrypted"] is True
    assert disk["ebs"]["kmsKeyID"] == "arn:aws:kms:us-east-1:123456789012:alias/acme-ml-cluster"
    (options,) = template["metadata_options"]
    assert options["http_tokens"] == node_class["metadataOptions"]["httpTokens"] == "required"
    hops = options["http_put_response_hop_limit"]
    assert hops == node_class["metadataOptions"]["httpPutResponseHopLimit"] == 1
    assert node_class["instanceStorePolicy"] == "RAID0"
    assert "latest" not in node_class["amiSelectorTerms"][0]["alias"]


def test_a_scarce_node_is_left_to_its_job():
    disruption = made("nodepool", gpus())["disruption"]
    assert disruption["consolidationPolicy"] == "WhenEmpty"
    assert {"nodes": "0", "reasons": ["Drifted", "Underutilized"]} in disruption["budgets"]
    assert made("nodepool", gpus())["template"]["spec"]["expireAfter"] == "Never"
    assert made("nodepool", pool())["disruption"]["consolidationPolicy"] == "WhenEmptyOrUnderutilized"


def closed(schema):
    """A schema that takes no field that it does not name, as the API does of what is sent to it strictly."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if "properties" in schema:
        found.setdefault("additionalProperties", False)
    return found


@platforms.needs_mirror
@pytest.mark.parametrize(
    "wanted",
    [
        pool(),
        pool(least=1, capacity="spot"),
        pool(reservation="cr-0123456789abcdef0"),
        pool(arch="arm64"),
        gpus(capacity="spot-then-on-demand", localSsd="200Gi"),
        {"name": "work", "accelerator": {"model": "inferentia2"}, "nodes": {"max": 2}},
    ],
)
def test_its_objects_are_what_its_kinds_take(wanted):
    """The rules in CEL apart, which a real API server judges."""
    published = (platforms.mirror() / "karpenter" / "1.14.1" / "crds.yaml").read_text(encoding="utf-8")
    schemas = {
        crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        for crd in yaml.safe_load_all(published)
    }
    tree = compiled(wanted)
    for kind in ("EC2NodeClass", "NodePool"):
        spec = yaml.safe_load(tree[f"{OVERLAY}{kind.lower()}-work.yaml"])["spec"]
        jsonschema.validate(spec, closed(schemas[kind]["properties"]["spec"]))


@pytest.mark.parametrize(("least", "replicas"), [(1, 1), (2, 2), (3, 2)])
def test_it_runs_on_the_pool_that_is_always_there(least, replicas):
    system = {**SYSTEM, "nodes": {"min": least, "max": 4}}
    operations = yaml.safe_load(compiled(system=system)[f"{OVERLAY}patch-deployment-karpenter.yaml"])
    changes = {each["path"]: each["value"] for each in operations}
    assert changes["/spec/replicas"] == replicas
    assert changes["/spec/template/spec/nodeSelector/plinth.dev~1pool"] == "system"


def test_pods_that_ask_for_no_pool_go_to_the_first():
    tree = compiled(pool(), pool("more"))
    weights = {
        name: yaml.safe_load(tree[f"{OVERLAY}nodepool-{name}.yaml"])["spec"].get("weight", 0)
        for name in ("system", "work", "more")
    }
    assert weights == {"system": 100, "work": 0, "more": 0}


def notebook(tree):
    settings = yaml.safe_load(tree["overlays/default/jupyterhub/configmap-hub-plinth.yaml"])["data"][
        "plinth.json"
    ]
    (profile,) = json.loads(settings)["traits"]["KubeSpawner"]["profile_list"]
    return profile["kubespawner_override"]


@pytest.mark.parametrize("pools", [[], ["work"]])
def test_a_notebook_is_not_moved_to_empty_a_node(pools):
    google = {"provider": "google", "hostedDomain": "acme.com", "credentials": {"secret": "sign-in"}}
    hub = {
        "identity": {"domain": "ml.acme.com", "admins": ["platform@acme.com"], "signIn": google},
        "tiers": [{"name": "cpu", "cpu": 2, "memory": "6Gi", "pools": pools}],
    }
    with_it = notebook(compiled(pool(), components={"jupyterhub": {}, "karpenter": {}}, **hub))
    assert with_it["extra_annotations"] == {"karpenter.sh/do-not-disrupt": "true"}
    assert "extra_annotations" not in notebook(compiled(pool(), components={"jupyterhub": {}}, **hub))


@pytest.mark.parametrize("declared", [True, False])
def test_workflows_may_make_its_profile_where_there_is_one(declared):
    tree = compiled(components={"karpenter": {}} if declared else {}, ci={"github": "acme/ml-platform"})
    document = json.loads(terraform(tree, PLATFORM, "aws_iam_role_policy")["ci-roles"]["policy"])
    found = allowed("iam:CreateInstanceProfile", document["Statement"])
    profiles = "arn:aws:iam::123456789012:instance-profile/acme-ml-*"
    assert [each["Resource"] for each in found] == ([profiles] if declared else [])


def test_people_can_patch_what_becomes_of_a_pool():
    patch = {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "work"},
        "spec": {"disruption": {"consolidateAfter": "1h"}},
    }
    data = document(pool(), components={"karpenter": {"patches": ["patches/slow.yaml"]}})
    inputs = Inputs(lock=Lock(), patch={"patches/slow.yaml": patch}.__getitem__, vendored=lambda *_: None)
    (compilation,) = compile_spec(data, "platform.yaml", inputs).compilations
    (found,) = (
        each.body for each in compilation.objects if (each.key.kind, each.key.name) == ("NodePool", "work")
    )
    assert found["spec"]["disruption"]["consolidateAfter"] == "1h"


@pytest.mark.parametrize(
    ("components", "nodes"),
    [({"karpenter": {}}, OwnNodes(application="karpenter", label="karpenter.sh/nodepool")), ({}, None)],
)
def test_a_teardown_waits_for_the_machines_that_it_made(components, nodes):
    (compilation,) = platforms.compile_bytes(document(components=components)).compilations
    assert compilation.commands.own_nodes == nodes


def test_nothing_without_the_clusters_tag_is_changed():
    found = statements(pool())
    for each in [
        *allowed("ec2:TerminateInstances", found),
        *allowed("ec2:CreateTags", found),
        *allowed("ec2:CreateLaunchTemplate", found),
    ]:
        tags = each["Condition"]["StringEquals"]
        assert "owned" in {
            tags.get(f"aws:{of}Tag/kubernetes.io/cluster/acme-ml") for of in ("Request", "Resource")
        }
    makes_profiles = {
        "iam:CreateInstanceProfile",
        "iam:AddRoleToInstanceProfile",
        "iam:DeleteInstanceProfile",
    }
    assert not any(makes_profiles & set(each["Action"]) for each in found)


@pytest.mark.parametrize(("capacity", "is_allowed"), [("on-demand", False), ("spot", True)])
def test_the_role_for_spot_machines_is_made_where_there_are_any(capacity, is_allowed):
    found = allowed("iam:CreateServiceLinkedRole", statements(pool(capacity=capacity)))
    assert bool(found) == is_allowed


@pytest.mark.parametrize(
    ("existing", "env", "is_looked_for"), [({"network": "shared"}, "0", True), (None, "1", False)]
)
def test_in_somebody_elses_network_its_subnets_are_looked_for(existing, env, is_looked_for, monkeypatch):
    monkeypatch.setitem(CLOUDS, "aws", CLOUDS["aws"] | ({"existing": existing} if existing else {}))
    tree = compiled()
    data = json.loads(tree[f"{CLUSTER}aws_subnets.tf.json"])["data"]["aws_subnets"]
    assert ("karpenter" in data) == is_looked_for
    if is_looked_for:
        (by_network, by_tag) = data["karpenter"]["filter"]
        assert by_network["name"] == "vpc-id"
        assert by_tag == {"name": "tag:karpenter.sh/discovery", "values": ["acme-ml"]}
        (condition,) = data["karpenter"]["lifecycle"]["postcondition"]
        assert condition["condition"] == "${length(self.ids) > 0}"
    # Pods have addresses of a node's first interface there, and none of it in a network of ours.
    operations = yaml.safe_load(tree[f"{OVERLAY}patch-deployment-karpenter.yaml"])
    place = next(each["path"] for each in operations if each["value"] == "RESERVED_ENIS")
    changes = {each["path"]: each["value"] for each in operations if each["op"] == "replace"}
    assert changes[place.replace("/name", "/value")] == env


@pytest.mark.parametrize(
    "system",
    [{**SYSTEM, "nodes": {"min": 0, "max": 3}}, {**SYSTEM, "capacity": "spot"}],
    ids=["none", "spot"],
)
def test_it_has_nodes_that_it_does_not_make(system):
    (fault,) = faults(system=system)
    assert (fault.code, fault.path) == ("PLN310", ("spec", "nodePools"))


def test_only_its_rules_may_write_into_the_queue():
    tree = compiled()
    queue = terraform(tree, PLATFORM, "aws_sqs_queue")["karpenter"]
    assert queue["sqs_managed_sse_enabled"] is True
    rules = {rule["name"] for rule in terraform(tree, PLATFORM, "aws_cloudwatch_event_rule").values()}
    policy = json.loads(terraform(tree, PLATFORM, "aws_sqs_queue_policy")["karpenter"]["policy"])
    (sends,) = allowed("sqs:SendMessage", policy["Statement"])
    senders = sends["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert {each.rpartition("/")[2] for each in senders} == rules
    assert len(rules) == len(terraform(tree, PLATFORM, "aws_cloudwatch_event_target"))
