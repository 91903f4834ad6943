"""The four tiers of users on three clouds, and the corners of what each cloud sells.

Expected machines are those of public price lists, looked up by hand.
"""

from __future__ import annotations

import pytest

from plinth.catalog.machines import Ask, Choice, NoMatch, choose
from plinth.catalog.mig import mig_profiles

CPU = {"cpu": 4, "memory_gib": 16}
ONE_GPU = {"gpu_count": 1, "gpu_memory_gib": 16, "cpu": 6, "memory_gib": 24}
TWO_L4 = {"gpu_model": "l4", "gpu_count": 2, "oversize": True}
EIGHT = {"gpu_count": 8, "gpu_memory_gib": 16}
EIGHT_JOINED = {"gpu_count": 8, "gpu_memory_gib": 40, "interconnect": "nvlink"}


@pytest.mark.parametrize(
    ("tier", "gcp", "aws", "azure"),
    [
        pytest.param(CPU, "n2d-standard-4", "m7i.xlarge", "Standard_D4as_v5", id="cpu"),
        pytest.param(ONE_GPU, "g2-standard-8", "g6.2xlarge", "Standard_NC8as_T4_v3", id="1xgpu"),
        pytest.param(EIGHT, "g2-standard-96", "g6.48xlarge", "Standard_ND96asr_v4", id="8xgpu"),
        pytest.param(
            EIGHT_JOINED, "a2-highgpu-8g", "p4d.24xlarge", "Standard_ND96asr_v4", id="8xgpu by nvlink"
        ),
    ],
)
def test_a_tier_has_a_machine_on_each_cloud(tier, gcp, aws, azure):
    for cloud, name in {"gcp": gcp, "aws": aws, "azure": azure}.items():
        found = choose(Ask(cloud=cloud, **tier))
        assert isinstance(found, Choice), (cloud, found)
        assert found.machine.name == name


def test_two_gpus_are_a_machine_of_four_on_aws_and_only_where_that_is_wanted():
    assert choose(Ask(cloud="gcp", **TWO_L4)).machine.name == "g2-standard-24"
    assert choose(Ask(cloud="aws", **TWO_L4)).machine.name == "g6.12xlarge"
    refused = choose(Ask(cloud="aws", **TWO_L4 | {"oversize": False}))
    assert isinstance(refused, NoMatch)
    assert (refused.constraint, refused.offered) == ("gpu_count", ("1", "4", "8"))


def test_an_exact_count_comes_before_a_larger_one():
    assert choose(Ask(cloud="aws", gpu_model="l4", gpu_count=4, oversize=True)).machine.gpu_count == 4


def test_nobody_rents_one_a100_on_aws():
    found = choose(Ask(cloud="aws", gpu_model="a100-80gb", gpu_count=1))
    assert isinstance(found, NoMatch)
    assert (found.constraint, found.offered) == ("gpu_count", ("8",))
    assert [each.name for each in found.nearest] == ["p4de.24xlarge"]


@pytest.mark.parametrize(
    ("cloud", "model", "name"),
    [
        pytest.param("gcp", "tpu-v5e", "ct5lp-hightpu-4t", id="TPU"),
        pytest.param("aws", "trainium1", None, id="Trainium is sold by one and by sixteen"),
        pytest.param("azure", "tpu-v5e", None, id="none at all"),
    ],
)
def test_an_accelerator_is_not_a_gpu(cloud, model, name):
    found = choose(Ask(cloud=cloud, accelerator=True, gpu_model=model, gpu_count=4))
    if name is None:
        assert isinstance(found, NoMatch)
    else:
        assert found.machine.name == name
        assert not found.machine.is_gpu


def test_rdma_is_only_where_the_network_has_it():
    assert choose(Ask(cloud="gcp", gpu_model="h200", gpu_count=8, rdma=True)).machine.rdma
    found = choose(Ask(cloud="azure", gpu_model="t4", rdma=True))
    assert (found.constraint, found.wanted) == ("rdma", "rdma")


def test_memory_of_a_gpu_is_what_is_printed_on_it():
    for wanted, sold in ((16, 16), (17, 24), (80, 80)):
        found = choose(Ask(cloud="gcp", gpu_count=1, gpu_memory_gib=wanted, family=("n1", "g2", "a2")))
        assert found.machine.gpu_memory_gib == sold


def test_only_some_gpus_can_be_cut_and_never_into_more_memory_than_they_have():
    assert mig_profiles("t4") == mig_profiles(None) == {}
    for model, memory in {"a100-40gb": 40, "a100-80gb": 80, "h100-80gb": 80, "h200": 141}.items():
        for profile, instances in mig_profiles(model).items():
            sevenths, gigabytes = profile.removesuffix("gb").split("g.")
            assert int(sevenths) * instances <= 7
            assert int(gigabytes) * instances <= memory + 2
