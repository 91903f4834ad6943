"""The table of machines and the rule that picks one."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from plinth.catalog import CatalogError
from plinth.catalog.machine_table import DATA
from plinth.catalog.machines import (
    Ask,
    Choice,
    NoMatch,
    choose,
    choose_from,
    gpu_models,
    machines,
    read_machines,
)

CLOUDS = ("aws", "azure", "gcp")


def chosen(**ask):
    answer = choose(Ask(**ask))
    assert isinstance(answer, Choice), answer
    return answer.machine


def refused(**ask):
    answer = choose(Ask(**ask))
    assert isinstance(answer, NoMatch), answer
    return answer


def names(rows):
    return [row.name for row in rows]


def rows(**changes):
    """The catalogue's own rows; `changes` replaces columns of gcp's smallest T4 machine."""
    found = json.loads(DATA.read_bytes(), parse_float=Decimal)["machines"]
    for row in found:
        if row["machine"] == "n1-standard-4+nvidia-tesla-t4:1":
            row.update(changes)
    return found


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        pytest.param({"gpu_model": "t4", "gpu_count": 1}, "n1-standard-4+nvidia-tesla-t4:1", id="cheapest"),
        pytest.param({"gpu_model": "t4"}, "n1-standard-4+nvidia-tesla-t4:1", id="a model alone is one GPU"),
        pytest.param({"gpu_model": "t4", "gpu_count": 2}, "n1-standard-16+nvidia-tesla-t4:2", id="attached"),
        pytest.param({"gpu_model": "t4", "cpu": 6}, "n1-standard-8+nvidia-tesla-t4:1", id="cpu"),
        pytest.param({"gpu_count": 1}, "g2-standard-4", id="any GPU is of a preferred family"),
        pytest.param({"cpu": 4, "memory_gib": 16}, "n2d-standard-4", id="a pool says the printed size"),
        pytest.param(
            {"cpu": 4, "memory_gib": 16, "nominal": False}, "n2d-standard-8", id="a tier says what pods get"
        ),
        pytest.param({"cpu": 4, "family": ("n2", "e2")}, "n2-standard-4", id="family in the given order"),
        pytest.param({"cpu": 4, "arch": "arm64"}, "c4a-standard-4", id="arm only by name"),
        pytest.param(
            {"gpu_model": "a100-40gb", "gpu_count": 8, "interconnect": "nvlink"}, "a2-highgpu-8g", id="link"
        ),
        pytest.param(
            {"gpu_model": "l4", "cpu": Decimal("7.5"), "memory_gib": 30}, "g2-standard-8", id="decimal"
        ),
    ],
)
def test_google_cloud(ask, name):
    assert chosen(cloud="gcp", **ask).name == name


@pytest.mark.parametrize(
    ("cloud", "ask", "name"),
    [
        pytest.param("aws", {"cpu": 4, "memory_gib": 16}, "m7i.xlarge", id="m7i before a cheaper m6i"),
        pytest.param("aws", {"cpu": 2, "memory_gib": 8}, "m7i.large", id="no burstable unasked"),
        pytest.param("aws", {"cpu": 2, "family": ("t3",), "burstable": True}, "t3.medium", id="burstable"),
        pytest.param("aws", {"cpu": 3.6, "gpu_model": "t4", "nominal": False}, "g4dn.xlarge", id="measured"),
        pytest.param("aws", {"cpu": 3.7, "gpu_model": "t4", "nominal": False}, "g4dn.2xlarge", id="daemons"),
        pytest.param("aws", {"gpu_model": "v100-16gb"}, "p3.2xlarge", id="legacy by its model"),
        pytest.param("azure", {"cpu": 4, "memory_gib": 16}, "Standard_D4as_v5", id="azure cpu"),
        pytest.param("azure", {"gpu_count": 1}, "Standard_NC4as_T4_v3", id="azure gpu"),
    ],
)
def test_other_clouds(cloud, ask, name):
    assert chosen(cloud=cloud, **ask).name == name


def test_an_attached_accelerator_is_told_from_the_machine_it_is_attached_to():
    machine = chosen(cloud="gcp", gpu_model="t4", gpu_count=2)
    assert (machine.machine_type, machine.accelerator, machine.accelerator_count) == (
        "n1-standard-16",
        "nvidia-tesla-t4",
        2,
    )
    assert machine.family == "n1"
    assert machine.on_demand_usd_h == Decimal("1.459996")


@pytest.mark.parametrize("cloud", CLOUDS)
def test_attached_accelerators_are_named_as_the_columns_say(cloud):
    for machine in machines(cloud):
        if "+" in machine.name:
            expected = f"{machine.machine_type}+{machine.accelerator}:{machine.accelerator_count}"
            assert machine.name == expected


def test_a_count_that_nobody_rents_names_the_shapes_around_it():
    answer = refused(cloud="gcp", gpu_model="t4", gpu_count=3)
    assert (answer.constraint, answer.wanted, answer.offered) == ("gpu_count", "3", ("1", "2", "4"))
    assert names(answer.nearest) == ["n1-standard-16+nvidia-tesla-t4:2", "n1-standard-32+nvidia-tesla-t4:4"]


def test_a_count_above_all_names_the_largest():
    answer = refused(cloud="gcp", gpu_model="t4", gpu_count=9)
    assert names(answer.nearest) == ["n1-standard-32+nvidia-tesla-t4:4"]


def test_bare_metal_and_shares_of_a_gpu_are_never_offered():
    assert refused(cloud="aws", gpu_model="t4", gpu_count=8).offered == ("1", "4")
    assert refused(cloud="aws", gpu_model="l4", gpu_count=2).offered == ("1", "4", "8")


def test_a_burstable_family_alone_does_not_ask_for_burstable_machines():
    assert refused(cloud="aws", cpu=2, family=("t3",)).constraint == "family"


def test_a_gpu_of_any_model_is_not_one_that_few_images_run_on():
    amd = [row for row in machines("azure") if row.gpu_model == "mi300x"]
    assert choose_from(amd, Ask(cloud="azure", gpu_count=8)) == NoMatch("cloud", "azure", (), ())


def test_an_unknown_model_names_the_likeliest_first():
    answer = refused(cloud="gcp", gpu_model="t5")
    assert (answer.constraint, answer.offered[0]) == ("gpu_model", "t4")
    assert set(answer.offered) == set(gpu_models("gcp")) - {"p100", "v100-16gb"}
    assert answer.nearest[0].name == "n1-standard-4+nvidia-tesla-t4:1"


def test_a_model_sold_with_two_sizes_of_memory_must_say_which():
    assert refused(cloud="azure", gpu_model="a100").offered[:2] == ("a100-40gb", "a100-80gb")


@pytest.mark.parametrize(
    ("ask", "constraint", "wanted", "last", "nearest"),
    [
        pytest.param({"cpu": 1000}, "cpu", "1000", "96", "m1-megamem-96", id="cpu"),
        pytest.param(
            {"gpu_model": "l4", "memory_gib": 999},
            "memory_gib",
            "999Gi",
            "128Gi",
            "g2-standard-32",
            id="memory",
        ),
        pytest.param(
            {"gpu_model": "l4", "gpu_count": 2, "interconnect": "nvlink"},
            "interconnect",
            "nvlink",
            "pcie",
            "g2-standard-24",
            id="link",
        ),
        pytest.param({"arch": "riscv64"}, "arch", "riscv64", "amd64", "n2d-standard-4", id="arch"),
        pytest.param({"local_ssd_gib": 375}, "local_ssd_gib", "375Gi", "0Gi", "n2d-standard-4", id="ssd"),
    ],
)
def test_the_first_part_that_leaves_nothing_is_named(ask, constraint, wanted, last, nearest):
    answer = refused(cloud="gcp", **ask)
    assert (answer.constraint, answer.wanted, answer.offered[-1]) == (constraint, wanted, last)
    assert answer.nearest[0].name == nearest


def test_a_cloud_without_machines_says_so():
    assert refused(cloud="existing", cpu=1) == NoMatch("cloud", "existing", (), ())


def test_a_processor_pool_gets_no_accelerator_and_a_gpu_pool_no_other_device():
    for cloud in CLOUDS:
        assert chosen(cloud=cloud, cpu=1).gpu_count == 0
        assert chosen(cloud=cloud, gpu_count=8).device_resource == "nvidia.com/gpu"
        assert not {"tpu-v5e", "trainium1", "inferentia2"} & set(gpu_models(cloud))
    assert chosen(cloud="azure", gpu_model="mi300x", gpu_count=8).device_resource == "amd.com/gpu"


ASKS = st.fixed_dictionaries(
    {
        "cloud": st.sampled_from(CLOUDS),
        "gpu_model": st.sampled_from([None, "t4", "l4", "a100-80gb", "t5"]),
        "gpu_count": st.sampled_from([None, 1, 2, 3, 8]),
        "cpu": st.none() | st.integers(1, 128),
        "memory_gib": st.none() | st.integers(1, 1024),
        "nominal": st.booleans(),
        "interconnect": st.sampled_from([None, "nvlink"]),
        "family": st.sampled_from([(), ("e2",), ("g6", "g5")]),
    }
).map(lambda said: Ask(**said))


@given(ask=ASKS, random=st.randoms(use_true_random=False))
def test_the_answer_does_not_depend_on_the_order_of_rows(ask, random):
    shuffled = list(machines(ask.cloud))
    random.shuffle(shuffled)
    assert choose_from(shuffled, ask) == choose(ask)


@given(ask=ASKS, random=st.randoms(use_true_random=False))
def test_equal_prices_leave_no_choice_to_the_order_of_rows(ask, random):
    tied = [replace(row, on_demand_usd_h=Decimal(1)) for row in machines(ask.cloud)]
    shuffled = list(tied)
    random.shuffle(shuffled)
    assert choose_from(shuffled, ask) == choose_from(tied, ask)


@given(ask=ASKS)
def test_what_is_chosen_has_what_was_asked(ask):
    answer = choose(ask)
    if isinstance(answer, NoMatch):
        return
    for machine in (answer.machine, *answer.runners_up):
        assert machine.cloud == ask.cloud
        assert machine.vcpu >= (ask.cpu or 0)
        assert machine.memory_gib >= (ask.memory_gib or 0)
        assert ask.gpu_model in (None, machine.gpu_model)
        assert machine.gpu_count == (ask.gpu_count or (1 if ask.gpu_model else 0))
        assert not ask.family or machine.family in ask.family
        if not ask.nominal:
            assert machine.usable_cpu_m >= (ask.cpu or 0) * 1000


def test_the_catalogue_passes_its_own_checks_and_is_complete():
    assert {cloud: len(machines(cloud)) for cloud in CLOUDS} == {"aws": 82, "azure": 61, "gcp": 82}
    assert {"t4", "l4", "a100-40gb", "a100-80gb", "h100-80gb"} <= set(gpu_models("gcp"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param(
            {"spot_usd_h": Decimal("0.9")}, "spot 0.9 is above on-demand", id="spot above on-demand"
        ),
        pytest.param({"on_demand_usd_h": 3, "spot_usd_h": 1}, "3.00 USD for a t4", id="dear"),
        pytest.param({"on_demand_usd_h": Decimal("0.1"), "spot_usd_h": 0}, "0.10 USD for a t4", id="cheap"),
        pytest.param({"gpu_count": 12}, "nobody sells 12 GPUs", id="twelve GPUs"),
        pytest.param({"memory_gib": 1000}, "1000 GiB for 4 vCPUs", id="memory"),
        pytest.param({"as_of": "in August"}, "in August", id="no date"),
        pytest.param({"machine": "n1-standard-8+nvidia-tesla-t4:1"}, "is there twice", id="twice"),
        pytest.param({"vcpu": "four"}, "four", id="no number"),
    ],
)
def test_a_broken_row_is_named(changes, said):
    with pytest.raises(CatalogError) as caught:
        read_machines(rows(**changes))
    assert said in str(caught.value)
    assert "gcp n1-standard-" in str(caught.value)


def test_a_share_of_a_gpu_and_a_chip_of_another_kind_may_come_in_other_numbers():
    by_name = {row.name: row for cloud in CLOUDS for row in machines(cloud)}
    assert by_name["Standard_NV6ads_A10_v5"].gpu_count == pytest.approx(1 / 6, abs=1e-4)
    assert by_name["Standard_NV6ads_A10_v5"].accelerator_count == 1
    assert by_name["inf2.48xlarge"].gpu_count == 12
    assert by_name["trn2.48xlarge"].on_demand_usd_h is None


@pytest.mark.parametrize(
    ("name", "family", "generation"),
    [
        ("n2d-standard-4", "n2d", 2),
        ("g4dn.xlarge", "g4dn", 4),
        ("Standard_D4as_v5", "Das_v5", 5),
        ("Standard_ND96isr_H100_v5", "NDisr_H100_v5", 5),
        ("Standard_M64s", "Ms", 1),
    ],
)
def test_the_family_is_the_name_without_the_size(name, family, generation):
    machine = next(row for cloud in CLOUDS for row in machines(cloud) if row.name == name)
    assert (machine.family, machine.generation) == (family, generation)
