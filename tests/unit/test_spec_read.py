"""Reading a spec: types, places, and which faults are told together."""

from __future__ import annotations

import pytest

from plinth.diagnostics.diagnostic import SpecError
from plinth.spec.read import read_spec
from support.specs import SMALL, changed, codes, environments, faults, marked, with_spec


def only(text: str):
    (fault,) = faults(text)
    return fault


def test_a_small_platform_is_read():
    (environment,) = environments(SMALL).values()
    platform = environment.platform
    assert (environment.name, environment.platform_name) == ("default", "acme-ml")
    assert platform.cloud.project_number == 123456789012
    assert [pool.name for pool in platform.node_pools] == ["system", "t4"]
    assert platform.network.pods == "10.1.0.0/16"
    assert platform.components.cert_manager.version is None


def test_sections_know_where_their_values_were_said():
    platform = environments(SMALL)["default"].platform
    pool = platform.node_pools[1]
    assert platform.cloud.origin("project_number") == ("spec", "cloud", "projectNumber")
    assert pool.origin("gpu") == ("spec", "nodePools", "t4", "gpu")
    assert pool.gpu.origin("model") == ("spec", "nodePools", "t4", "gpu", "model")
    assert pool.spec_path == ("spec", "nodePools", "t4")
    assert platform.components.cert_manager.spec_path == ("spec", "components", "cert-manager")


def test_a_default_has_no_origin_and_still_its_path():
    platform = environments(SMALL)["default"].platform
    assert platform.origin("network") is None
    assert platform.network.origin("pods") is None
    assert platform.node_pools[1].nodes.origin("min") is None
    assert platform.node_pools[1].nodes.said_path("min") == ("spec", "nodePools", "t4", "nodes", "min")
    assert platform.node_pools[1].nodes.said_span("min") is None
    assert platform.said_path("node_pools") == ("spec", "nodePools")


@pytest.mark.parametrize(
    ("line", "code", "at", "way_out"),
    [
        pytest.param(
            "cluster: {kubernetes: 1.30}", "PLN203", "1.30", 'quotes: `"1.30"`', id="a version as a number"
        ),
        pytest.param("cluster: {channel: true}", "PLN204", "true", "`rapid`", id="a boolean for a choice"),
        pytest.param("cluster: regular", "PLN203", "regular", "a map", id="text for a map"),
        pytest.param(
            "cluster: {maintenance: {weekly: sat}}", "PLN203", "sat", "a list", id="text for a list"
        ),
        pytest.param(
            "cluster: {maintenance: {weekly: []}}", "PLN204", "[]", "at least 1", id="an empty list"
        ),
        pytest.param(
            "tiers: [{name: a, cpu: x, memory: 1Gi}]", "PLN203", "x", "number", id="text for a number"
        ),
        pytest.param(
            'tiers: [{name: a, cpu: "1", memory: 1Gi}]', "PLN203", '"1"', "quotes", id="a number in quotes"
        ),
        pytest.param(
            "tiers: [{name: 1, cpu: 1, memory: 1Gi}]", "PLN203", "1", 'quotes: `"1"`', id="a number for text"
        ),
        pytest.param(
            "tiers: [{name: a, cpu: 0, memory: 1Gi}]", "PLN204", "0", "more than 0", id="a number too small"
        ),
        pytest.param("tiers: {name: a}", "PLN203", "tiers", "a list", id="a map for a list"),
        pytest.param("upstreams:", "PLN204", "upstreams", "`vendored`", id="nothing for a choice"),
        pytest.param('cluster: {kubernetes: "1.4"}', "PLN204", '"1.4"', "in the form", id="another form"),
        pytest.param(
            "cluster: {maintenance: {weekly: [sat 08:00-02:00]}}",
            "PLN204",
            "sat 08:00-02:00",
            "in UTC",
            id="a window that ends before it begins",
        ),
    ],
)
def test_a_value_of_another_type_is_refused_where_it_stands(line, code, at, way_out):
    text = with_spec(line)
    fault = only(text)
    assert fault.code == code
    assert marked(text, fault.span) == at
    assert way_out in fault.help


def test_numbers_are_shown_as_they_were_written():
    assert only(changed(("{cert-manager: {}}", "{cert-manager: {version: 26.030}}"))).message == (
        "the number `26.030` stands where text is wanted"
    )


def test_what_was_typed_is_cut_and_made_harmless():
    fault = only(changed(("domain: ml.acme.com", f'domain: "{"x" * 300}\\e[2J"')))
    assert len(fault.message) < 120
    assert "\x1b" not in fault.message


@pytest.mark.parametrize(
    ("text", "key", "way_out"),
    [
        pytest.param(changed(("cpu: 4, ", "cpu: 4, memroy: 2, ")), "memroy", "`memory`", id="in an item"),
        pytest.param(changed(("region:", "regoin: 1, region:")), "regoin", "`region`", id="of a cloud"),
        pytest.param(
            changed(("{cert-manager: {}}", "{cert-manager: {versoin: x}}")),
            "versoin",
            "`version`",
            id="of a component",
        ),
        pytest.param(
            with_spec("storage: {database: {sise: small}}"), "sise", "`size`", id="of an optional section"
        ),
        pytest.param(with_spec("nodepool: []"), "nodepool", "`nodePools`", id="of the spec"),
        pytest.param(SMALL + "sepc: {}\n", "sepc", "`spec`", id="of the file"),
        pytest.param(
            with_spec("state: {bucket: acme, zebra: 1}"), "zebra", "known here: bucket", id="like no other"
        ),
        pytest.param(
            with_spec("environments: {dev: {brunch: x}}"),
            "brunch",
            "`branch`",
            id="an environment's own word",
        ),
    ],
)
def test_an_unknown_key_gets_the_one_that_was_meant(text, key, way_out):
    fault = only(text)
    assert (fault.code, fault.message) == ("PLN201", f"unknown key `{key}`")
    assert marked(text, fault.span) == key
    assert way_out in fault.help


@pytest.mark.parametrize(
    ("text", "message", "at"),
    [
        pytest.param(
            changed(("max: 3}}\n  identity", "min: 0}}\n  identity")),
            "`spec.nodePools.t4.nodes` lacks `max`",
            "nodes",
            id="in a pool",
        ),
        pytest.param(
            changed((", region: us-central1", "")), "`spec.cloud` lacks `region`", "cloud", id="of a cloud"
        ),
        pytest.param(
            changed(("provider: gcp, ", "")), "`spec.cloud` lacks `provider`", "cloud", id="the cloud"
        ),
        pytest.param(
            changed(("metadata: {name: acme-ml}\n", "")), "the file lacks `metadata`", None, id="of the file"
        ),
        pytest.param(
            changed(("  components: {cert-manager: {}}\n", "")),
            "`spec` lacks `components`",
            "spec",
            id="of the spec",
        ),
    ],
)
def test_what_is_missing_is_told_at_the_key_of_what_lacks_it(text, message, at):
    fault = only(text)
    assert (fault.code, fault.message) == ("PLN202", message)
    if at:
        assert marked(text, fault.span) == at


def test_everything_that_is_missing_is_told():
    text = changed(("project: acme-ml-dev, projectNumber: 123456789012, region: us-central1", ""))
    assert {fault.message for fault in faults(text.replace("gcp, }", "gcp}"))} == {
        "`spec.cloud` lacks `project`",
        "`spec.cloud` lacks `projectNumber`",
        "`spec.cloud` lacks `region`",
    }


def test_every_bad_item_of_a_list_is_told():
    text = changed(("[platform@acme.com]", "[platform, ok@acme.com, hub]"))
    assert [marked(text, fault.span) for fault in faults(text)] == ["platform", "hub"]


def test_a_value_with_several_types_is_told_once():
    assert codes(with_spec("tiers: [{name: a, cpu: {}, memory: 1Gi}]")) == ["PLN203"]


def test_all_faults_of_the_type_stage_are_told_from_top_to_bottom():
    text = with_spec(
        "network: {nodes: 10.0.0.1/16, acess: private}",
        "cluster: {kubernetes: 1.34, channel: fast}",
        "tiers: [{name: a, cpu: 1}]",
        "storage: {buckets: [{name: A_b}]}",
    )
    assert codes(text) == ["PLN301", "PLN201", "PLN203", "PLN204", "PLN202", "PLN206"]


@pytest.mark.parametrize(
    ("provider", "code"),
    [
        pytest.param("provider: gpc, ", "PLN204", id="mistyped"),
        pytest.param("provider: 1, ", "PLN203", id="a number"),
        pytest.param("provider: , ", "PLN203", id="empty"),
        pytest.param("", "PLN202", id="absent"),
    ],
)
def test_without_its_cloud_nothing_else_of_the_section_is_judged(provider, code):
    assert codes(changed(("provider: gcp, ", provider))) == [code]


def test_other_sections_are_judged_all_the_same():
    text = changed(
        ("provider: gcp", "provider: gpc"), ("cpu: 4", "cpus: 4"), ("cert-manager: {}", "cert-manger: {x: 1}")
    )
    assert [(fault.code, fault.help) for fault in faults(text)] == [
        ("PLN204", "did you mean `gcp`?"),
        ("PLN201", "did you mean `cpu`?"),
        ("PLN306", "did you mean `cert-manager`?"),
    ]


def test_a_component_without_a_section_is_not_left_out_unsaid():
    text = changed(("cert-manager: {}", "cert-manager: "))
    fault = only(text)
    assert fault.code == "PLN203"
    assert marked(text, fault.span) == "cert-manager"
    assert "`cert-manager: {}`" in fault.help


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param("  identity: {domain: ml.acme.com}\n", id="no admins"),
        pytest.param("  identity: {domain: ml.acme.com, admins: []}\n", id="none in the list"),
        pytest.param("", id="no identity"),
    ],
)
def test_a_platform_has_an_administrator(identity):
    line = "  identity: {domain: ml.acme.com, admins: [platform@acme.com]}\n"
    fault = only(changed((line, identity)))
    assert (fault.code, fault.message) == ("PLN308", "the platform has no administrator")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("", "PLN113", id="nothing"),
        pytest.param("- a\n", "PLN203", id="a list"),
        pytest.param("text\n", "PLN203", id="text"),
        pytest.param(SMALL.replace("spec:", "spec: {}\nrest:"), "PLN201", id="an empty spec"),
        pytest.param("apiVersion: plinth.dev/v1\n", "PLN204", id="another version"),
        pytest.param("kind: List\n", "PLN204", id="another kind"),
    ],
)
def test_a_file_that_is_no_platform_is_refused(text, code):
    assert code in codes(text)


def test_a_null_spec_is_refused_and_nothing_breaks():
    assert codes("apiVersion: plinth.dev/v1alpha1\nkind: Platform\nmetadata: {name: a}\nspec:\n") == [
        "PLN203"
    ]


STAGES = (
    ("a: 1\n  a: 2\n", "PLN101"),
    ('  state: {bucket: "https://ci:' + "pw" + '@acme"}\n', "PLN205"),
    ("  environments: {base: {}}\n", "PLN206"),
    ("  cluster: {channel: fast}\n", "PLN204"),
    ("  network: {nodes: 10.1.0.0/20}\n", "PLN302"),
)


@pytest.mark.parametrize("first", range(len(STAGES)))
def test_a_stage_speaks_only_when_the_ones_before_it_are_silent(first):
    text = SMALL + "".join(line for line, _ in reversed(STAGES[first:]))
    assert codes(text) == [STAGES[first][1]]


def test_every_secret_is_told_and_none_is_shown():
    secret = "https://ci:" + "swordfish" + "@git.acme.com/x"
    text = changed(("https://github.com/acme/ml-platform.git", secret)) + f"  state: {{bucket: '{secret}'}}\n"
    told = faults(text)
    assert [fault.code for fault in told] == ["PLN205", "PLN205"]
    assert not [fault for fault in told if "swordfish" in fault.message + fault.help + fault.label]


def test_every_fault_has_a_place_and_a_way_out():
    texts = [SMALL.replace(word, word[:-1], 1) for word in sorted(set(SMALL.split()))]
    told = [fault for text in texts for fault in faults(text)]
    assert len(told) > 20
    assert all(fault.span is not None and fault.help and fault.message for fault in told)


def test_an_environment_has_the_tree_it_was_read_from():
    environment = environments(SMALL)["default"]
    assert environment.document.path == ()
    assert environment.node.value["spec"].path == ("spec",)


def test_the_file_is_named_in_every_place():
    with pytest.raises(SpecError) as caught:
        read_spec(SMALL.replace("gcp", "gpc").encode(), "infra/platform.yaml")
    assert caught.value.diagnostics[0].span.file == "infra/platform.yaml"
