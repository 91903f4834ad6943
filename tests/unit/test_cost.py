"""What is counted, and at which price. Every sum here was made by hand, from the price tables' own figures."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.ir.graph import build
from plinth.ir.money import Monthly, cents
from plinth.ir.said import Expression
from plinth.ir.targets import TerraformResource
from plinth.plan.costs import cost_lines, costs_json
from plinth.reports.cost import Environment, costs
from plinth.reports.cost_change import cost_changes
from plinth.reports.cost_show import as_markdown, as_text
from plinth.spec.pools import NodePool
from support.platforms import compile_bytes, example

HOURS = Decimal(176)
REGIONS = {"gcp": "us-central1", "aws": "us-east-1", "azure": "eastus2", "existing": None}


def pool(name="gpu", *, fewest=0, most=1, capacity="on-demand"):
    return NodePool.model_validate(
        {"name": name, "nodes": {"min": fewest, "max": most}, "capacity": capacity}
    )


def pin(machine, price=None):
    return (
        {"machine": machine, "onDemandUsdPerHour": price, "pricedOn": "2026-08-03"}
        if price
        else {"machine": machine}
    )


def resource(kind, name="platform", /, **arguments):
    return TerraformResource(layer="cluster", type=kind, name=name, arguments=arguments, origins=())


def priced(cloud, *pools, resources=(), objects=(), hours=HOURS, region=None, name="dev"):
    """The cost of one environment; pools are pairs of a pool and its pin."""
    platform = SimpleNamespace(
        cloud=SimpleNamespace(provider=cloud, region=region or REGIONS[cloud]),
        node_pools=tuple(each for each, _ in pools),
    )
    pins = {each.name: chosen for each, chosen in pools if chosen}
    given_one = Environment(name=name, platform=platform, pins=pins, graph=build(resources), objects=objects)
    (found,) = costs([given_one], hours)
    return found


def near(amount, by_hand, within=Decimal("0.02")):
    return abs(amount - Decimal(by_hand)) <= within * Decimal(by_hand)


def amounts(monthly):
    return tuple(str(cents(each)) for each in (monthly.floor, monthly.expected, monthly.ceiling))


# The example: machines.csv has n2d-standard-4 at 0.168984, n2d-standard-8 spot at 0.097824, and an N1 with a T4
# spot at 0.24201. Beside them: a cluster 0.10, an address 0.005, NAT 0.0014 for each node, disks of 100 GiB
# (200 with a GPU) at 0.10, and Postgres with a standby: 2 x (2 or 4 vCPU x 0.0413 + 7.5 or 15 GiB x 0.007).
DEV_FIXED = 0.10 * 730 + 0.005 * 730 + 2 * (2 * 0.0413 + 7.5 * 0.007) * 730
PROD_FIXED = 0.10 * 730 + 0.005 * 730 + 2 * (4 * 0.0413 + 15 * 0.007) * 730


@pytest.mark.parametrize(
    ("name", "floor", "expected", "ceiling"),
    [
        pytest.param(
            "dev",
            1 * 730 * 0.168984 + DEV_FIXED + 1 * 730 * 0.0014 + 100 * 0.10,
            (730 + 2 * 176) * 0.168984 + 4 * 176 * 0.097824 + 3 * 176 * 0.24201 + DEV_FIXED
            + 0.0014 * (554 * 1 + 176 * 10) + 0.10 * (100 * (730 + 6 * 176) + 200 * 3 * 176) / 730,
            730 * (3 * 0.168984 + 4 * 0.097824 + 3 * 0.24201) + DEV_FIXED
            + 0.0014 * 730 * 10 + 0.10 * (7 * 100 + 3 * 200),
            id="dev",
        ),
        pytest.param(
            "prod",
            2 * 730 * 0.168984 + PROD_FIXED + 2 * 730 * 0.0014 + 2 * 100 * 0.10,
            (2 * 730 + 3 * 176) * 0.168984 + 3 * 176 * 0.24201 + PROD_FIXED
            + 0.0014 * (554 * 2 + 176 * 8) + 0.10 * (100 * (2 * 730 + 3 * 176) + 200 * 3 * 176) / 730,
            730 * (5 * 0.168984 + 3 * 0.24201) + PROD_FIXED + 0.0014 * 730 * 8 + 0.10 * (5 * 100 + 3 * 200),
            id="prod",
        ),
    ],
)  # fmt: skip
def test_the_example_costs_what_a_sum_by_hand_says(name, floor, expected, ceiling):
    found = {each.environment: each for each in _of_example()}[name].total
    assert near(found.floor, floor)
    assert near(found.expected, expected)
    assert near(found.ceiling, ceiling)
    assert abs(float(found.expected) - expected) < 0.01


def _of_example(data=None):
    from plinth.cli.priced import priced as of

    return of(compile_bytes(data or example()).compilations)


@pytest.mark.parametrize(
    ("cloud", "machine", "price", "nodes"),
    [("gcp", "e2-standard-4", "0.134023", 290), ("aws", "m7i.xlarge", "0.2016", 440)],
)
def test_three_system_nodes_of_4_vcpus_cost_what_is_known_of_them(cloud, machine, price, nodes):
    found = priced(cloud, (pool("system", fewest=3, most=3), pin(machine, price)))
    assert near(found.total.floor, nodes)
    assert found.total == Monthly(*[3 * 730 * Decimal(price)] * 3)


@pytest.mark.parametrize(
    ("cloud", "resources"),
    [
        (
            "gcp",
            [
                resource("google_container_cluster"),
                resource("google_compute_router_nat"),
                resource("google_compute_address", address_type="EXTERNAL"),
            ],
        ),
        ("aws", [resource("aws_eks_cluster"), resource("aws_nat_gateway"), resource("aws_eip")]),
        (
            "azure",
            [
                resource("azurerm_kubernetes_cluster", sku_tier="Standard"),
                resource("azurerm_nat_gateway", sku_name="StandardV2"),
                resource("azurerm_public_ip", sku="Standard"),
            ],
        ),
    ],
)
def test_what_stands_beside_the_nodes_of_a_base_platform_is_100_to_140_a_month(cloud, resources):
    service = ("Service gateway", {"kind": "Service", "spec": {"type": "LoadBalancer"}})
    nodes = (pool("system", fewest=3, most=3), None)
    found = priced(cloud, nodes, resources=resources, objects=[service])
    assert {each.fee for each in found.fees} == {
        "control plane",
        "NAT gateway",
        "public address",
        "load balancer",
    }
    assert 97 <= found.total.floor <= 140
    assert len({found.total.floor, found.total.expected, found.total.ceiling}) == 1


@pytest.mark.parametrize(
    ("cloud", "machine", "price", "on_demand", "spot"),
    [("gcp", "g2-standard-8", "0.853624", 150, 84), ("aws", "g6.2xlarge", "0.9776", 172, 72)],
)
def test_a_tier_with_one_l4_in_working_hours_costs_what_is_known_of_it(
    cloud, machine, price, on_demand, spot
):
    (found,) = priced(cloud, (pool(capacity="spot"), pin(machine, price))).pools
    assert round(found.on_demand.expected) == on_demand
    assert round(found.spot.expected) == spot
    assert found.monthly == found.spot
    assert found.spot.floor == 0


def test_an_idle_gpu_pool_costs_nothing():
    found = priced(
        "gcp",
        (pool(most=8), pin("g2-standard-8", "0.853624")),
        resources=[
            resource(
                "google_container_node_pool",
                "gpu",
                node_config=[{"boot_disk": [{"disk_type": "pd-balanced", "size_gb": 200}]}],
            )
        ],
    )
    assert found.total.floor == 0
    assert [(each.fee, each.pool, amounts(each.monthly)) for each in found.fees] == [
        ("boot disks", "gpu", ("0.00", "38.58", "160.00"))
    ]


CAPACITIES = ("on-demand", "spot", "spot-then-on-demand", "queued", "flex-start")
MACHINES = ("n2d-standard-4", "g2-standard-8", "n1-standard-4+nvidia-tesla-t4:1")


@given(
    pools=st.lists(
        st.tuples(
            st.integers(0, 50), st.integers(1, 100), st.sampled_from(CAPACITIES), st.sampled_from(MACHINES)
        ),
        max_size=5,
    ),
    price=st.decimals(0, 100, places=6),
    hours=st.decimals(0, 730, places=1),
)
def test_the_floor_is_never_above_what_is_expected_nor_that_above_the_ceiling(pools, price, hours):
    chosen = [
        (pool(f"p{n}", fewest=fewest, most=fewest + more, capacity=capacity), pin(machine, str(price)))
        for n, (fewest, more, capacity, machine) in enumerate(pools)
    ]
    found = priced("gcp", *chosen, resources=[resource("google_compute_router_nat")], hours=hours)
    for each in (found.total, found.on_demand, found.spot, *(each.monthly for each in found.pools)):
        assert each.floor <= each.expected <= each.ceiling
    assert cost_changes([found], [found]) == ()


@pytest.mark.parametrize(
    ("capacity", "by_hand"),
    [
        # g2-standard-8: 0.853624 on demand, 0.479872 spot; one node always, one more at times
        pytest.param("on-demand", ("623.15", "773.38", "1246.29"), id="on demand"),
        pytest.param("queued", ("623.15", "773.38", "1246.29"), id="queued"),
        pytest.param("spot", ("350.31", "434.76", "700.61"), id="spot"),
        pytest.param("spot-then-on-demand", ("350.31", "434.76", "1246.29"), id="spot, and at worst none"),
    ],
)
def test_a_pool_is_counted_as_its_nodes_are_rented(capacity, by_hand):
    chosen = pool(fewest=1, most=2, capacity=capacity)
    found = priced("gcp", (chosen, pin("g2-standard-8", "0.853624")))
    assert amounts(found.total) == by_hand


def test_disks_of_a_pool_whose_nodes_come_in_two_ways_are_counted_once():
    disk = {"ebs": {"volumeType": "gp3", "volumeSize": "200Gi"}}
    nodes = {
        "kind": "EC2NodeClass",
        "metadata": {"name": "gpu"},
        "spec": {"blockDeviceMappings": [disk]},
    }
    template = resource(
        "aws_launch_template",
        "gpu",
        block_device_mappings=[{"ebs": [{"volume_type": "gp3", "volume_size": 200}]}],
    )
    alone, both = (
        priced("aws", (pool(most=3), None), resources=some, objects=[("EC2NodeClass/gpu", nodes)])
        for some in ([], [template])
    )
    assert [(each.fee, each.pool, amounts(each.monthly)) for each in alone.fees] == [
        ("boot disks", "gpu", ("0.00", "11.57", "48.00"))
    ]
    assert [each.monthly for each in both.fees] == [each.monthly for each in alone.fees]


def test_disks_of_a_pool_of_two_groups_are_counted():
    disks = [{"ebs": [{"volume_type": "gp3", "volume_size": 200}]}]
    groups = [
        resource("aws_launch_template", f"gpu_{capacity}", block_device_mappings=disks)
        for capacity in ("spot", "on-demand")
    ]
    found = priced("aws", (pool(most=3, capacity="spot-then-on-demand"), None), resources=groups)
    assert [(each.fee, each.pool, amounts(each.monthly)) for each in found.fees] == [
        ("boot disks", "gpu", ("0.00", "11.57", "48.00"))
    ]


def test_the_price_is_the_one_that_is_pinned():
    found = priced("gcp", (pool(), pin("g2-standard-8", "2")))
    assert found.pools[0].on_demand_usd_h == 2
    assert found.total.ceiling == 1460


def test_what_has_no_price_is_named_and_not_guessed():
    found = priced(
        "aws",
        (pool("new"), pin("trn2.48xlarge")),
        (pool("fast", capacity="spot"), pin("g7e.2xlarge", "3.36")),
        (pool("odd"), None),
        resources=[
            resource("aws_db_instance", "postgres", instance_class="db.m7g.large"),
            resource(
                "aws_launch_template",
                "other",
                block_device_mappings=[{"ebs": [{"volume_type": "gp3", "volume_size": 100}]}],
            ),
            resource(
                "aws_launch_template",
                "new",
                block_device_mappings=[{"ebs": [{"volume_type": "io2", "volume_size": 100}]}],
            ),
            resource(
                "aws_launch_template", "fast", block_device_mappings=[{"ebs": [{"volume_type": "gp3"}]}]
            ),
            resource("aws_vpc_endpoint", "ecr", vpc_endpoint_type=Expression("local.kind"), subnet_ids=["a"]),
        ],
    )
    assert found.not_counted == (
        "pool `new`: the catalogue has no price of `trn2.48xlarge`",
        "what spot saves in pool `fast`: the catalogue has no spot price of `g7e.2xlarge`",
        "pool `odd`: the catalogue has no price of a machine",
        "endpoints: `aws_vpc_endpoint.ecr`, (computed)",
        "boot disks: `aws_launch_template.fast`, gp3",
        "boot disks: `aws_launch_template.new`, io2",
        "boot disks: `aws_launch_template.other`, which has no pool's name",
        "database server: `aws_db_instance.postgres`, db.m7g.large",
    )
    assert found.fees == ()
    assert amounts(found.total) == ("0.00", "591.36", "2452.80")
    shown = as_text([found], HOURS)
    row = next(line for line in shown.splitlines() if "trn2.48xlarge" in line)
    assert row.split() == ["new", "trn2.48xlarge", "on-demand", "0..1", "-", "-", "-", "-", "-"]
    assert "not counted: pool `new`: the catalogue has no price of `trn2.48xlarge`" in shown


def test_a_pool_is_known_by_the_name_that_its_cloud_allows():
    found = priced(
        "azure",
        (pool("gpu-a", fewest=1, most=2), None),
        (pool("system", fewest=1, most=1), None),
        resources=[
            resource(
                "azurerm_kubernetes_cluster",
                sku_tier="Free",
                default_node_pool=[{"name": "system", "os_disk_type": "Ephemeral", "os_disk_size_gb": 64}],
            ),
            resource(
                "azurerm_kubernetes_cluster_node_pool",
                "gpu_a",
                name="gpua",
                os_disk_type="Managed",
                os_disk_size_gb=128,
            ),
        ],
    )
    assert [(each.fee, each.pool, amounts(each.monthly)) for each in found.fees] == [
        ("boot disks", "gpu-a", ("19.71", "24.46", "39.42"))
    ]


def test_nat_is_by_nodes_up_to_a_most_and_an_endpoint_by_zones():
    nat = [resource("google_compute_router_nat")]
    few = priced("gcp", (pool(fewest=2, most=10), None), resources=nat)
    assert amounts(few.total) == ("2.04", "4.02", "10.22")
    many = priced("gcp", (pool(fewest=40, most=100), None), resources=nat)
    assert amounts(many.total) == ("32.12", "32.12", "32.12")
    endpoints = [
        resource("aws_vpc_endpoint", "ecr", vpc_endpoint_type="Interface", subnet_ids=["a", "b", "c"]),
        resource("aws_vpc_endpoint", "s3", vpc_endpoint_type="Gateway"),
    ]
    assert amounts(priced("aws", resources=endpoints).total) == ("21.90", "21.90", "21.90")


def test_load_balancers_of_a_cloud_that_charges_for_five_together_are_counted_once():
    services = [
        (f"Service {n}", {"kind": "Service", "spec": {"type": kind}})
        for n, kind in enumerate(("ClusterIP", "LoadBalancer", "LoadBalancer"))
    ]
    assert amounts(priced("gcp", objects=services).total)[0] == "18.25"
    assert amounts(priced("aws", objects=services).total)[0] == "32.85"


def test_a_data_source_of_somebody_elses_cluster_costs_the_platform_nothing():
    found = TerraformResource(
        layer="cluster", block="data", type="aws_eks_cluster", name="theirs", arguments={}, origins=()
    )
    assert priced("aws", resources=[found]).fees == ()


def test_another_region_is_counted_at_the_reference_regions_prices_and_says_so():
    found = priced("gcp", (pool(), pin("g2-standard-8", "0.853624")), region="europe-west4")
    assert (
        "list prices of us-central1, machines as of 2026-08-03; this environment is in europe-west4\n"
        in as_text([found], HOURS)
    )


def test_a_cluster_that_is_there_already_has_no_prices_and_nothing_to_sum():
    found = priced("existing", (pool(fewest=2, most=2), None))
    assert found.total == Monthly()
    assert as_text([found], HOURS).startswith(
        "dev (existing), USD a month\n  not counted: anything: Plinth knows no prices of `existing`\n\n"
    )
    assert "|" not in as_markdown([found], HOURS)


def test_no_pools_and_no_environments_cost_nothing():
    assert priced("gcp").total == Monthly()
    assert costs([]) == ()
    assert as_text([], HOURS).startswith("idle floor: ")


def test_a_change_is_told_by_environment_pool_and_fee_with_the_sum():
    was = priced(
        "gcp", (pool(most=1), pin("g2-standard-8", "1")), resources=[resource("google_container_cluster")]
    )
    now = priced(
        "gcp",
        (pool(fewest=1, most=2), pin("g2-standard-8", "1")),
        resources=[resource("google_container_cluster")],
    )
    new = priced("gcp", resources=[resource("google_container_cluster")], name="prod")
    changes = cost_changes([was], [now, new])
    assert list(cost_lines(changes)) == [
        "~ dev: idle floor 73.00 -> 803.00 (+730.00), expected 249.00 -> 979.00 (+730.00), ceiling 803.00 -> 1,533.00 (+730.00)",
        "    gpu: idle floor 0.00 -> 730.00 (+730.00), expected 176.00 -> 906.00 (+730.00), ceiling 730.00 -> 1,460.00 (+730.00)",
        "+ prod: idle floor 0.00 -> 73.00 (+73.00), expected 0.00 -> 73.00 (+73.00), ceiling 0.00 -> 73.00 (+73.00)",
        "    control plane: idle floor 0.00 -> 73.00 (+73.00), expected 0.00 -> 73.00 (+73.00), ceiling 0.00 -> 73.00 (+73.00)",
        "  together: idle floor 73.00 -> 876.00 (+803.00), expected 249.00 -> 1,052.00 (+803.00), ceiling 803.00 -> 1,606.00 (+803.00)",
    ]
    document = costs_json(changes)
    assert [each["environment"] for each in document["environments"]] == ["dev", "prod"]
    assert document["total"]["floor"] == {"before": "73.00", "after": "876.00", "change": "803.00"}
    assert [each["pool"] for each in document["environments"][0]["pools"]] == ["gpu"]
    gone = cost_changes([now], [])
    assert next(cost_lines(gone)).startswith("- dev: idle floor 803.00 -> 0.00 (-803.00), ")
    assert costs_json(()) == {}


def test_amounts_are_rounded_once_half_to_even():
    assert [str(cents(Decimal(each))) for each in ("0.125", "0.135", "-0.001", "2.5")] == [
        "0.12",
        "0.14",
        "0.00",
        "2.50",
    ]
