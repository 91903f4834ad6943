"""What types cannot say: names, ranges, counts and references."""

from __future__ import annotations

import pytest

from plinth.diagnostics.diagnostic import SpecError
from plinth.spec.read import read_spec
from support.specs import SMALL, changed, codes, environments, faults, marked, with_spec


def only(text: str):
    (fault,) = faults(text)
    return fault


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param(changed(("name: t4", "name: system")), "node pools", id="pools"),
        pytest.param(
            with_spec("tiers:", "  - {name: a, cpu: 1, memory: 1Gi}", "  - {name: a, cpu: 2, memory: 1Gi}"),
            "tiers",
            id="tiers",
        ),
        pytest.param(with_spec("storage: {buckets: [{name: a}, {name: a}]}"), "buckets", id="buckets"),
    ],
)
def test_of_two_with_one_name_the_second_is_at_fault(text, what):
    fault = only(text)
    assert fault.code == "PLN207"
    assert fault.message.startswith(f"two {what} are called")
    (first,) = fault.related
    assert marked(text, fault.span) == marked(text, first.span)
    assert (first.span.line, first.span.column) < (fault.span.line, fault.span.column)


def test_of_three_with_one_name_two_are_at_fault():
    told = faults(with_spec("storage: {buckets: [{name: a}, {name: a}, {name: a}]}"))
    assert [fault.code for fault in told] == ["PLN207", "PLN207"]
    assert told[0].span != told[1].span
    assert told[0].related == told[1].related


@pytest.mark.parametrize(
    ("network", "code", "at"),
    [
        pytest.param("{controlPlane: 172.16.0.0/18}", "PLN303", "172.16.0.0/18", id="far too large"),
        pytest.param("{nodes: 10.1.0.0/20}", "PLN302", "10.1.0.0/20", id="said meets a default"),
        pytest.param(
            "{nodes: 10.4.0.0/16, pods: 10.4.0.0/16}", "PLN302", "10.4.0.0/16", id="two that are the same"
        ),
        pytest.param("{services: 10.0.128.0/20}", "PLN302", "10.0.128.0/20", id="the later one was said"),
        pytest.param("{controlPlane: 10.0.0.0/28}", "PLN302", "10.0.0.0/28", id="the control plane"),
        pytest.param("{nodes: 8.0.0.0/16}", "PLN301", "8.0.0.0/16", id="on the internet"),
        pytest.param("{nodes: 172.0.0.0/8}", "PLN301", "172.0.0.0/8", id="a private one and more"),
        pytest.param("{nodes: 10.0.0.0/30}", "PLN303", "10.0.0.0/30", id="too few nodes"),
        pytest.param("{pods: 10.1.0.0/22}", "PLN303", "10.1.0.0/22", id="too few pods"),
        pytest.param("{services: 10.2.0.0/28}", "PLN303", "10.2.0.0/28", id="too few services"),
        pytest.param("{controlPlane: 172.16.0.0/27}", "PLN303", "172.16.0.0/27", id="a larger control plane"),
        pytest.param(
            "{controlPlane: 172.16.0.0/29}", "PLN303", "172.16.0.0/29", id="a smaller control plane"
        ),
    ],
)
def test_a_range_that_cannot_be(network, code, at):
    text = with_spec(f"network: {network}")
    told = faults(text)
    assert code in [fault.code for fault in told]
    fault = next(each for each in told if each.code == code)
    assert marked(text, fault.span) == at


@pytest.mark.parametrize(
    "network",
    [
        "{nodes: 10.0.0.0/29}",
        "{pods: 10.1.0.0/21}",
        "{services: 10.2.0.0/27}",
        "{nodes: 10.0.0.0/17, services: 10.0.128.0/17}",
        "{nodes: 100.64.0.0/16, pods: 240.0.0.0/8, services: 192.168.0.0/24}",
        "{allow: [203.0.113.7/32, 8.8.8.0/24]}",
    ],
)
def test_a_range_that_can_be(network):
    assert codes(with_spec(f"network: {network}")) == []


def test_a_default_that_overlaps_is_named_and_has_no_place():
    (related,) = only(with_spec("network: {nodes: 10.1.0.0/20}")).related
    assert related.span is None
    assert related.message == "the range of pods is the default; `pods` sets it"


def test_the_other_of_two_said_ranges_is_shown():
    text = with_spec("network: {nodes: 10.4.0.0/16, pods: 10.4.128.0/17}")
    fault = only(text)
    assert marked(text, fault.span) == "10.4.128.0/17"
    assert marked(text, fault.related[0].span) == "10.4.0.0/16"


def test_pods_of_every_node_have_addresses():
    text = changed(("max: 3}}\n    - ", "max: 30}}\n    - ")) + "  network: {pods: 10.1.0.0/20}\n"
    fault = only(text)
    assert (fault.code, marked(text, fault.span)) == ("PLN303", "10.1.0.0/20")
    assert fault.message == "`10.1.0.0/20` has pod addresses for 16 nodes, and the pools may grow to 33"
    assert fault.help == "give it /18: each node takes a /24"
    assert codes(text.replace("10.1.0.0/20", "10.1.0.0/18")) == []


def test_a_minimum_above_the_maximum_shows_both():
    text = changed(("min: 1, max: 3", "min: 4, max: 3"))
    fault = only(text)
    assert (fault.code, marked(text, fault.span)) == ("PLN304", "4")
    assert marked(text, fault.related[0].span) == "3"


@pytest.mark.parametrize(
    "shape", ["cpu: 4", "memory: 16Gi", "gpu: {model: t4}", "machine: {gcp: e2-standard-4}"]
)
def test_any_shape_is_one(shape):
    assert codes(changed(("cpu: 4, memory: 16Gi", shape))) == []


@pytest.mark.parametrize("shape", ["", "machine: {}, ", "capacity: spot, "])
def test_a_pool_without_a_shape_is_refused(shape):
    assert codes(changed(("cpu: 4, memory: 16Gi, ", shape))) == ["PLN202"]


@pytest.mark.parametrize(
    ("tier", "code", "way_out"),
    [
        pytest.param(
            "{name: a, cpu: 1, memory: 1Gi, pools: [t44]}",
            "PLN306",
            "did you mean `t4`?",
            id="a mistyped pool",
        ),
        pytest.param(
            "{name: a, cpu: 1, memory: 1Gi, pools: [zebra]}",
            "PLN306",
            "there are: `system`, `t4`",
            id="another pool",
        ),
        pytest.param(
            "{name: a, cpu: 1, memory: 1Gi, gpu: {count: 1}}",
            "PLN202",
            "`pools: [t4]`",
            id="a GPU without a pool",
        ),
        pytest.param(
            "{name: a, cpu: 1, memory: 1Gi, gpu: {count: 2}, pools: [t4]}",
            "PLN309",
            "lower",
            id="more GPUs than a node has",
        ),
        pytest.param(
            "{name: a, cpu: 1, memory: 1Gi, gpu: {count: 1}, pools: [system]}",
            "PLN309",
            "lower",
            id="a pool without GPUs",
        ),
    ],
)
def test_a_tier_names_pools_that_can_run_it(tier, code, way_out):
    fault = only(with_spec(f"tiers: [{tier}]"))
    assert fault.code == code
    assert way_out in fault.help


def test_a_pool_by_its_machine_may_have_any_gpu():
    text = changed(("gpu: {model: t4, count: 1}", "machine: {gcp: a2-highgpu-8g}"))
    assert codes(f"{text}  tiers: [{{name: a, cpu: 1, memory: 1Gi, gpu: {{count: 8}}, pools: [t4]}}]\n") == []


def test_a_reference_without_anything_to_name_says_so():
    text = changed((SMALL[SMALL.index("  nodePools") : SMALL.index("  identity")], ""))
    fault = only(f"{text}  tiers: [{{name: a, cpu: 1, memory: 1Gi, pools: [t4]}}]\n")
    assert fault.help == "the platform has no node pool at all"


def test_lists_have_a_longest_length():
    tiers = ", ".join(f"{{name: t{number}, cpu: 1, memory: 1Gi}}" for number in range(65))
    text = with_spec(f"tiers: [{tiers}]")
    fault = only(text)
    assert (fault.code, marked(text, fault.span)) == ("PLN315", "tiers")
    assert codes(text.replace(", {name: t64, cpu: 1, memory: 1Gi}", "")) == []


def test_patches_are_in_their_folder():
    text = changed(("{cert-manager: {}}", "{cert-manager: {patches: [patches/a.yaml, overlays/b.yaml]}}"))
    fault = only(text)
    assert (fault.code, fault.message) == ("PLN204", "`overlays/b.yaml` is not under `patches/`")


def test_an_existing_cluster_takes_no_project():
    cloud = "provider: gcp, project: acme-ml-dev, projectNumber: 123456789012, region: us-central1"
    text = changed((cloud, "provider: existing, cluster: lab"))
    assert environments(text)["default"].platform.cloud.pool_label == "plinth.dev/pool"
    assert codes(changed((cloud, "provider: existing"))) == ["PLN202"]
    assert codes(changed((cloud, "provider: existing, cluster: lab, project: acme-ml-dev"))) == ["PLN201"]


def test_all_rules_are_told_together():
    text = changed(("name: t4", "name: system"), ("min: 1, max: 3", "min: 4, max: 3"))
    text += "  network: {nodes: 10.1.0.0/20}\n  tiers: [{name: a, cpu: 1, memory: 1Gi, pools: [x]}]\n"
    assert codes(text) == ["PLN304", "PLN207", "PLN302", "PLN306"]


def test_ranges_of_a_network_that_nobody_makes_are_not_judged():
    text = (
        "apiVersion: plinth.dev/v1alpha1\nkind: Platform\nmetadata: {name: lab}\nspec:\n"
        "  cloud: {provider: existing, cluster: lab}\n"
        "  repository: {url: https://github.com/acme/lab.git}\n"
        "  identity: {domain: lab.example.com, admins: [lab@example.com]}\n"
        "  nodePools: [{name: big, cpu: 4, memory: 16Gi, nodes: {max: 9000}}]\n"
        "  components: {cert-manager: {}}\n"
    )
    read_spec(text.encode(), "platform.yaml")
    google = "{provider: gcp, project: acme-lab, projectNumber: 1, region: us-central1}"
    with pytest.raises(SpecError) as error:
        read_spec(text.replace("{provider: existing, cluster: lab}", google).encode(), "platform.yaml")
    assert [each.code for each in error.value.diagnostics] == ["PLN303"]
