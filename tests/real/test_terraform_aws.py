"""Roots on AWS, applied one after the other, and read back from their states and plans."""

from __future__ import annotations

import json

import pytest

from support import golden, recordings, stub_provider, terraform
from support.roots import of_tree, written

LAYERS = ("network", "cluster", "platform")


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.xdist_group(f"aws-{name}")) for name in terraform.OVERRIDES],
)
def applied(request, served, tmp_path_factory):
    """The state and the next plan of each root of a platform with every kind of secret, applied in order."""
    tool = terraform.find(request.param)
    if tool is None:
        pytest.skip(terraform.missing(request.param))
    (case,) = [case for case in golden.cases() if case.name == "cloud-aws-identity"]
    roots = of_tree(case.compiled())
    reattach = served(recordings.oldest())
    found = {}
    for layer in LAYERS:
        work = tmp_path_factory.mktemp(layer)
        root = written(roots[f"default/{layer}"], work / "files")
        terraform.apply(tool, root, work=work, reattach=reattach)
        plan = terraform.plan(tool, root, work=work, reattach=reattach)
        found[layer] = ((work / "state").read_text(encoding="utf-8"), plan)
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_what_was_applied_needs_no_change(applied, layer):
    _, plan = applied[layer]
    assert terraform.actions(plan) == {}


@pytest.mark.parametrize("layer", LAYERS)
def test_no_password_is_kept_in_a_state_or_a_plan(applied, layer):
    state, plan = applied[layer]
    assert stub_provider.NEVER_STORED not in state
    assert stub_provider.NEVER_STORED not in json.dumps(plan)


def test_pods_are_in_a_subnet_of_their_own_in_each_zone(applied):
    _, plan = applied["cluster"]
    cni = terraform.planned(plan)["aws_eks_addon.vpc-cni"]
    settings = json.loads(cni["configuration_values"])
    subnets = [zone["id"] for zone in settings["eniConfig"]["subnets"].values()]

    assert list(settings["eniConfig"]["subnets"]) == ["a", "b", "c"]
    assert settings["eniConfig"]["region"] == "us-east-1"
    assert len(set(subnets)) == 3
    assert settings["env"]["AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"] == "true"


def test_a_public_name_of_each_host_is_proven(applied):
    _, plan = applied["platform"]
    names = {
        after["name"]
        for address, after in terraform.planned(plan).items()
        if address.startswith("aws_route53_record.proof-")
    }
    assert names == {"_proof.ml.acme.com", "_proof.hub.ml.acme.com"}
