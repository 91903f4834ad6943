"""AWS: what it refuses, what it warns of, and what no golden case can show by itself."""

from __future__ import annotations

import ipaddress
import json

import pytest

from plinth.clouds.aws import addons
from plinth.diagnostics.diagnostic import SpecError
from plinth.text.emit import yaml_text
from plinth.text.nodes import plain, read_yaml
from support import platforms

ADMIN = "arn:aws:iam::123456789012:role/platform"
CLOUD = {"provider": "aws", "accountId": "123456789012", "region": "us-east-1", "admins": [ADMIN]}
SYSTEM = {"name": "system", "cpu": 4, "memory": "16Gi", "nodes": {"min": 1, "max": 3}}


def document(*, name="acme-ml", cloud=None, pools=(), **spec):
    whole = {
        "apiVersion": "plinth.dev/v1alpha1",
        "kind": "Platform",
        "metadata": {"name": name},
        "spec": {
            "cloud": {**CLOUD, **(cloud or {})},
            "repository": {"url": "https://github.com/acme/ml-platform.git"},
            "nodePools": [SYSTEM, *pools],
            "identity": {"domain": "ml.acme.com", "admins": ["platform@acme.com"]},
            "upstreams": "remote",
            "components": {},
            **spec,
        },
    }
    whole["spec"]["cloud"] = {
        key: value for key, value in whole["spec"]["cloud"].items() if value is not None
    }
    return yaml_text(whole).encode()


def refused(data):
    with pytest.raises(SpecError) as caught:
        platforms.compile_bytes(data)
    return [(each.code, each.message, each.help) for each in caught.value.diagnostics]


def root(data, layer, environment="default"):
    """Every resource and data source of a root, by its address."""
    found = {}
    for path, content in platforms.tree(platforms.compile_bytes(data)).items():
        if path.startswith(f"generated/{environment}/terraform/{layer}/"):
            blocks = json.loads(content)
            for block, prefix in (("resource", ""), ("data", "data.")):
                for kind, named in blocks.get(block, {}).items():
                    found |= {f"{prefix}{kind}.{name}": body for name, body in named.items()}
    return found


def on_aws(data):
    """The example with nothing changed but its cloud."""
    node, _ = read_yaml(data, "platform.yaml")
    whole = plain(node)
    whole["spec"]["cloud"] = CLOUD
    whole["spec"]["environments"]["prod"]["cloud"] = {"accountId": "210987654321"}
    return yaml_text(whole).encode()


def test_the_example_compiles_with_nothing_changed_but_its_cloud():
    result = platforms.compile_bytes(on_aws(platforms.example()))
    google = platforms.compile_bytes(platforms.example())
    applications = [
        {path.rpartition("/")[2] for path in platforms.tree(each) if "/argocd/applications/" in path}
        for each in (result, google)
    ]
    # Nodes on GKE tell of their GPUs by themselves, and come and go by themselves.
    assert applications[0] - applications[1] == {"cluster-autoscaler.yaml", "nvidia-device-plugin.yaml"}
    assert applications[1] - applications[0] == set()
    assert not [each for compilation in result.compilations for each in compilation.withheld]


def test_a_missing_account_is_named():
    ((code, message, _),) = refused(document(cloud={"accountId": None}))
    assert code == "PLN202"
    assert "accountId" in message


def test_an_account_is_twelve_digits_in_quotes():
    assert [code for code, _, _ in refused(document(cloud={"accountId": "1234"}))] == ["PLN204"]
    assert [code for code, _, _ in refused(document(cloud={"accountId": 123456789012}))] == ["PLN203"]


def test_a_platform_without_administrators_would_lock_everybody_out():
    assert [code for code, _, _ in refused(document(cloud={"admins": []}))] == ["PLN204"]
    assert [code for code, _, _ in refused(document(cloud={"admins": None}))] == ["PLN308"]


def test_an_unknown_region_is_a_warning():
    result = platforms.compile_bytes(document(cloud={"region": "us-est-1"}))
    (warning,) = result.diagnostics
    assert (warning.code, warning.severity) == ("PLN312", "warning")
    assert "`us-est-1` is not a region of AWS" in warning.message
    assert "us-east-1" in warning.help


@pytest.mark.parametrize("zones", [["a"], ["a", "a"], ["a", "b", "c", "d"]])
def test_a_cluster_is_in_two_or_three_zones(zones):
    assert [code for code, _, _ in refused(document(cloud={"zones": zones}))] == ["PLN204"]


def test_two_environments_in_one_account_are_one_cluster():
    environments = {"dev": {}, "prod": {"cloud": {"region": "eu-west-1"}}}
    (fault,) = refused(document(environments=environments))
    assert fault[0] == "PLN307"
    assert "accountId" in fault[2]


def test_a_name_too_long_for_a_bucket_is_shown_as_it_would_be():
    name = "experiments-of-the-whole-company-in-2026"
    (fault,) = refused(document(name="machine-learning", storage={"buckets": [{"name": name}]}))
    assert fault[0] == "PLN313"
    assert f"`machine-learning-{name}-123456789012` is 70 characters long" in fault[1]
    assert "a bucket on AWS has at most 63" in fault[1]
    assert "7 shorter" in fault[2]


def test_a_name_too_long_for_a_node_group_is_shown_as_it_would_be():
    pool = {**SYSTEM, "name": "notebooks-and-small-jobs-of-everybody"}
    (fault,) = refused(document(name="machine-learning-of-acme-europe", pools=[pool]))
    assert fault[0] == "PLN313"
    assert "`machine-learning-of-acme-europe-notebooks-and-small-jobs-of-everybody-" in fault[1]


def test_aws_sells_no_single_a100():
    pool = {"name": "a100", "gpu": {"model": "a100-80gb"}, "nodes": {"min": 0, "max": 2}}
    (fault,) = refused(document(pools=[pool]))
    assert fault[0] == "PLN305"
    assert fault[1] == "AWS sells no machine with 1 GPU `a100-80gb`, only 8"
    assert "p4de.24xlarge" in fault[2]


@pytest.mark.parametrize(
    ("asked", "machine", "wanted", "has"),
    [
        ({"gpu": {"model": "t4"}}, "m7i.xlarge", "1 GPU `t4`", "none"),
        ({"gpu": {"model": "l4"}}, "g4dn.xlarge", "1 GPU `l4`", "1 GPU `t4`"),
        ({"gpu": {}}, "g4dn.12xlarge", "1 GPU", "4 GPUs `t4`"),
        ({"gpu": {"count": 2, "oversize": True}}, "g4dn.xlarge", "2 GPUs", "1 GPU `t4`"),
        ({"gpu": {}}, "trn1.2xlarge", "1 GPU", "1 accelerator `trainium1`"),
        ({"accelerator": {"model": "trainium1"}}, "m7i.xlarge", "1 accelerator `trainium1`", "none"),
        ({"accelerator": {"model": "t4"}}, "g4dn.xlarge", "1 accelerator `t4`", "1 GPU `t4`"),
        ({"gpu": {"memory": "40Gi"}}, "g4dn.xlarge", "GPUs of `40Gi`", "`16Gi` in each"),
        ({"gpu": {"count": 4, "interconnect": "nvlink"}}, "g4dn.12xlarge", "GPUs joined by `nvlink`", "none"),
        ({"gpu": {"rdma": True}}, "g4dn.xlarge", "RDMA", "none"),
    ],
)
def test_a_named_machine_without_what_the_pool_asks_for_is_refused(asked, machine, wanted, has):
    pool = {"name": "gpu", **asked, "machine": {"aws": machine}, "nodes": {"max": 2}}
    assert refused(document(pools=[pool])) == [
        (
            "PLN305",
            f"node pool `gpu` asks for {wanted}, and `{machine}` has {has}",
            "name another machine, or none: then one is chosen that has what the pool asks for",
        )
    ]


@pytest.mark.parametrize(
    ("asked", "machine"),
    [
        ({}, "g4dn.xlarge"),
        ({"gpu": {"model": "t4", "count": 4, "memory": "16Gi", "rdma": True}}, "g4dn.12xlarge"),
        ({"gpu": {"oversize": True}}, "g4dn.12xlarge"),
        ({"gpu": {"model": "l4"}}, "g6f.4xlarge"),  # half of one
        ({"accelerator": {"model": "trainium1", "count": 16}}, "trn1.32xlarge"),
    ],
)
def test_a_named_machine_with_what_the_pool_asks_for_is_taken(asked, machine):
    pool = {"name": "gpu", **asked, "machine": {"aws": machine}, "nodes": {"max": 2}}
    group = root(document(pools=[pool]), "cluster")["aws_eks_node_group.gpu"]
    assert group["instance_types"] == [machine]


@pytest.mark.parametrize(
    ("machine", "wanted", "told"),
    [
        ("m7i.xlarge", 1, "tier `gpu` wants 1 GPU, and node pool `named` has none in a node"),
        ("trn1.2xlarge", 1, "tier `gpu` wants 1 GPU, and node pool `named` has none in a node"),
        ("g4dn.12xlarge", 8, "tier `gpu` wants 8 GPUs, and node pool `named` has 4 in a node"),
    ],
)
def test_a_tier_wants_no_more_gpus_than_the_machine_that_a_pool_names(machine, wanted, told):
    pool = {"name": "named", "machine": {"aws": machine}, "nodes": {"max": 2}}
    tier = {"name": "gpu", "gpu": {"count": wanted}, "cpu": 2, "memory": "6Gi", "pools": ["named"]}
    assert [fault[:2] for fault in refused(document(pools=[pool], tiers=[tier]))] == [("PLN309", told)]


@pytest.mark.parametrize(("machine", "wanted"), [("g4dn.12xlarge", 4), ("g6f.4xlarge", 1)])
def test_a_tier_may_have_all_gpus_of_the_machine_that_a_pool_names(machine, wanted):
    pool = {"name": "named", "machine": {"aws": machine}, "nodes": {"max": 2}}
    tier = {"name": "gpu", "gpu": {"count": wanted}, "cpu": 2, "memory": "6Gi", "pools": ["named"]}
    assert platforms.compile_bytes(document(pools=[pool], tiers=[tier])).diagnostics == ()


def test_a_machine_of_another_cloud_says_nothing_of_this_one():
    pool = {"name": "gpu", "gpu": {"model": "t4"}, "machine": {"gcp": "e2-standard-4"}, "nodes": {"max": 2}}
    group = root(document(pools=[pool]), "cluster")["aws_eks_node_group.gpu"]
    assert group["instance_types"] == ["g4dn.xlarge"]


@pytest.mark.parametrize("capacity", ["queued", "flex-start"])
def test_what_only_google_cloud_rents_is_refused(capacity):
    pool = {"name": "l4", "gpu": {"model": "l4"}, "capacity": capacity, "nodes": {"max": 2}}
    (fault,) = refused(document(pools=[pool]))
    assert fault[0] == "PLN325"
    assert f"`{capacity}`, which AWS does not offer" in fault[1]


def test_a_version_of_kubernetes_without_known_add_ons_is_refused():
    (fault,) = refused(document(cluster={"kubernetes": "1.19"}))
    assert fault[0] == "PLN316"
    assert "1.36" in fault[2]


def test_what_eks_does_nothing_with_is_told():
    result = platforms.compile_bytes(
        document(
            cluster={
                "kubernetes": "1.34",
                "channel": "stable",
                "maintenance": {"weekly": ["sat 02:00-08:00"]},
            },
            network={"controlPlane": "172.16.9.0/28"},
        )
    )
    told = {each.path[-1]: each for each in result.diagnostics}
    assert set(told) == {"channel", "maintenance", "controlPlane"}
    assert {(each.code, each.severity) for each in told.values()} == {("PLN327", "warning")}
    assert "PodDisruptionBudget" in told["maintenance"].help
    assert all(each.span for each in told.values())


def test_a_channel_alone_chooses_the_version():
    assert platforms.compile_bytes(document(cluster={"channel": "stable"})).diagnostics == ()


def test_a_public_control_plane_names_who_may_reach_it():
    assert [code for code, _, _ in refused(document(network={"access": "public"}))] == ["PLN319"]


def test_a_public_control_plane_is_open_to_those_who_are_named_and_to_no_others():
    # No golden case: a public address is what scanners are to find, whoever asked for it.
    allow = ["203.0.113.0/24", "198.51.100.7/32"]
    made = root(document(network={"access": "public", "allow": allow}), "cluster")
    (reach,) = made["aws_eks_cluster.platform"]["vpc_config"]

    assert reach["endpoint_public_access"] is True
    assert reach["endpoint_private_access"] is True
    assert reach["public_access_cidrs"] == allow
    assert not [address for address in made if address.startswith("aws_vpc_security_group_ingress_rule")]


@pytest.mark.parametrize(
    "network",
    [
        pytest.param({"nodes": "10.0.0.0/12", "pods": "10.32.0.0/16", "services": "10.48.0.0/20"}, id="vpc"),
        pytest.param({"nodes": "10.0.0.0/24"}, id="vpc too small for its subnets"),
        pytest.param({"pods": "10.128.0.0/13"}, id="more pods than a VPC has ranges for"),
    ],
)
def test_ranges_that_no_vpc_has_are_refused(network):
    assert [code for code, _, _ in refused(document(network=network))] == ["PLN303"]


def test_a_bucket_of_another_cloud_is_refused():
    storage = {"buckets": [{"name": "artifacts", "url": "gs://acme-artifacts"}]}
    (fault,) = refused(document(storage=storage))
    assert fault[0] == "PLN204"
    assert "s3://" in fault[2]


@pytest.mark.parametrize("pods", ["10.4.0.0/14", "10.4.0.0/15", "10.4.0.0/16", "10.4.0.0/20"])
@pytest.mark.parametrize("nodes", ["10.0.0.0/16", "10.0.0.0/20", "10.0.0.0/23"])
def test_subnets_are_in_the_ranges_of_the_network_and_apart(nodes, pods):
    # A small range of pods has no room for three nodes more than the pools may have.
    data = document(
        network={"nodes": nodes, "pods": pods}, nodePools=[{**SYSTEM, "nodes": {"min": 1, "max": 1}}]
    )
    made = root(data, "network")
    subnets = {
        address: ipaddress.IPv4Network(body["cidr_block"])
        for address, body in made.items()
        if address.startswith("aws_subnet.")
    }
    blocks = [
        ipaddress.IPv4Network(body["cidr_block"])
        for address, body in made.items()
        if address.startswith("aws_vpc_ipv4_cidr_block_association.")
    ]

    assert len(subnets) == 12
    for address, subnet in subnets.items():
        homes = blocks if "pods" in address else [ipaddress.IPv4Network(nodes)]
        assert any(subnet.subnet_of(home) for home in homes), address
        others = [other for name, other in subnets.items() if name != address]
        assert not any(subnet.overlaps(other) for other in others), address
        assert 16 <= subnet.prefixlen <= 28, address
    assert all(block.prefixlen >= 16 for block in blocks)


def test_a_zone_more_at_the_end_moves_no_subnet():
    two = root(document(cloud={"zones": ["b", "d"]}), "network")
    three = root(document(cloud={"zones": ["b", "d", "a"]}), "network")
    subnets = {address: body for address, body in two.items() if address.startswith("aws_subnet.")}
    assert subnets.items() <= three.items()


def test_no_policy_of_ours_allows_everything():
    storage = {"buckets": [{"name": "artifacts"}], "database": {}}
    data = document(
        storage=storage, components={"mlflow": {"artifacts": "artifacts"}}, ci={"github": "acme/ml-platform"}
    )
    for layer in ("network", "cluster", "platform"):
        for address, body in root(data, layer).items():
            if address.startswith("aws_iam_role_policy."):
                statements = json.loads(body["policy"])["Statement"]
                for statement in (each for each in statements if each["Effect"] == "Allow"):
                    assert "*" not in statement["Action"], address
                    open_to_all = statement["Resource"] == "*"
                    # What only looks, and the channels of sessions, which have no names.
                    assert not open_to_all or all(
                        action.startswith(("ssmmessages:", "autoscaling:Describe", "ec2:Describe", "ec2:Get"))
                        for action in statement["Action"]
                    ), address


@pytest.mark.parametrize(("state", "key"), [(None, "Resource"), ({"bucket": "acme-state"}, "NotResource")])
def test_who_plans_is_another_job_than_who_applies_and_reads_no_object_but_states(state, key):
    data = document(ci={"github": "acme/ml-platform"}, **({"state": state} if state else {}))
    made = root(data, "platform")
    subjects = {}
    for name in ("ci", "ci-plan"):
        (trusted,) = json.loads(made[f"aws_iam_role.{name}"]["assume_role_policy"])["Statement"]
        subjects[name] = trusted["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]
    assert subjects == {
        "ci": "repo:acme/ml-platform:environment:default",
        "ci-plan": "repo:acme/ml-platform:environment:default-plan",
    }
    (denied,) = (
        each
        for each in json.loads(made["aws_iam_role_policy.ci-plan-reads"]["policy"])["Statement"]
        if each["Effect"] == "Deny"
    )
    objects = "arn:aws:s3:::acme-state/*" if state else "*"
    assert denied == {"Effect": "Deny", "Action": ["s3:GetObject*"], key: objects}


def test_pods_take_roles_by_namespace_and_service_account():
    storage = {"buckets": [{"name": "artifacts"}], "database": {}}
    made = root(document(storage=storage, components={"mlflow": {"artifacts": "artifacts"}}), "platform")
    (statement,) = json.loads(made["aws_iam_role.mlflow"]["assume_role_policy"])["Statement"]
    tied = made["aws_eks_pod_identity_association.mlflow"]

    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {
            "aws:RequestTag/kubernetes-namespace": "mlflow",
            "aws:RequestTag/kubernetes-service-account": "mlflow",
        }
    }
    assert (tied["cluster_name"], tied["namespace"], tied["service_account"]) == (
        "acme-ml",
        "mlflow",
        "mlflow",
    )


def test_a_pool_without_devices_is_replaced_by_one_of_another_name():
    """Two node groups cannot have one name, and the new one comes before the old one goes."""

    def group(cpu):
        return root(document(nodePools=[{**SYSTEM, "cpu": cpu}]), "cluster")["aws_eks_node_group.system"]

    small, large = group(4), group(8)
    assert small["lifecycle"]["create_before_destroy"] is True
    assert small["instance_types"] != large["instance_types"]
    assert small["node_group_name"] != large["node_group_name"]
    assert group(4) == small


@pytest.mark.parametrize("minor", addons.KUBERNETES)
def test_each_version_of_kubernetes_has_a_proxy_of_its_own(minor):
    assert addons.KUBERNETES[minor].kube_proxy.startswith(f"v{minor}.")
    assert set(addons.CHANNELS.values()) <= set(addons.KUBERNETES)


def test_the_two_groups_of_a_pool_are_no_other_pool():
    both = {"name": "l4", "gpu": {"model": "l4"}, "capacity": "spot-then-on-demand", "nodes": {"max": 2}}
    other = {"name": "l4-spot", "gpu": {"model": "l4"}, "capacity": "spot", "nodes": {"max": 2}}
    made = root(document(pools=[both, other]), "cluster")
    groups = {address.partition(".")[2] for address in made if address.startswith("aws_eks_node_group.")}
    assert groups == {"system", "l4_spot", "l4_on-demand", "l4-spot"}


def test_an_entry_may_have_any_name():
    credentials = {"secret": "key-of-entries"}
    sign_in = {"provider": "google", "hostedDomain": "acme.com", "credentials": credentials}
    identity = {"domain": "ml.acme.com", "admins": ["platform@acme.com"], "signIn": sign_in}
    tiers = [{"name": "cpu", "cpu": 2, "memory": "6Gi"}]
    made = root(document(identity=identity, tiers=tiers, components={"jupyterhub": {}}), "platform")
    rights = {address.partition(".")[2] for address in made if address.startswith("aws_iam_role_policy.")}
    assert rights >= {"external-secrets-key-of-entries", "external-secrets-key_of_entries"}


def test_partitions_have_arns_of_their_own():
    made = root(document(cloud={"region": "us-gov-west-1"}), "cluster")
    attached = made["aws_iam_role_policy_attachment.nodes-AmazonEKSWorkerNodePolicy"]
    assert attached["policy_arn"] == "arn:aws-us-gov:iam::aws:policy/AmazonEKSWorkerNodePolicy"
