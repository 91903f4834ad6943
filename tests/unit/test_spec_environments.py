"""Environments: what they change, where it was said, and whose a fault is."""

from __future__ import annotations

import pytest

from support.specs import SMALL, changed, codes, environments, faults, marked, with_spec

PROD = "cloud: {project: acme-ml-prod, projectNumber: 210987654321}"


def with_environments(text: str, base: str = SMALL) -> str:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    return f"{base}  environments:\n{lines}"


def test_without_environments_there_is_one():
    assert list(environments(SMALL)) == ["default"]
    assert list(environments(with_spec("environments:"))) == ["default"]


def test_they_come_by_name():
    found = environments(with_environments(f"prod: {{{PROD}}}\ndev: {{}}"))
    assert list(found) == ["dev", "prod"]
    assert found["prod"].platform.cloud.project == "acme-ml-prod"
    assert found["dev"].platform.cloud.project == "acme-ml-dev"


def test_an_empty_environment_is_the_spec():
    assert environments(with_environments("dev:"))["dev"].platform == environments(SMALL)["default"].platform


def test_what_an_environment_said_has_its_own_path():
    text = with_environments(f"prod: {{{PROD}, nodePools: [{{name: t4, nodes: {{max: 8}}}}]}}")
    platform = environments(text)["prod"].platform
    nodes = platform.node_pools[1].nodes
    assert nodes.max == 8
    assert nodes.origin("max") == ("spec", "environments", "prod", "nodePools", "t4", "nodes", "max")
    assert nodes.spec_path == ("spec", "nodePools", "t4", "nodes")
    assert platform.node_pools[1].gpu.origin("model") == ("spec", "nodePools", "t4", "gpu", "model")
    assert platform.cloud.origin("project") == ("spec", "environments", "prod", "cloud", "project")
    assert platform.cloud.origin("region") == ("spec", "cloud", "region")


def test_an_item_that_only_an_environment_has_is_there_at_its_path():
    text = with_environments("dev: {nodePools: [{name: l4, gpu: {model: l4}, nodes: {max: 1}}]}")
    pools = environments(text)["dev"].platform.node_pools
    assert [pool.name for pool in pools] == ["system", "t4", "l4"]
    assert pools[2].spec_path == ("spec", "environments", "dev", "nodePools", "l4")


def test_named_items_are_removed_keys_nulled_and_other_lists_replaced():
    base = with_spec("network: {allow: [203.0.113.0/24, 198.51.100.0/24]}", "state: {bucket: acme-state}")
    text = with_environments(
        "dev:\n  nodePools: [{name: t4, remove: true}]\n  state: null\n  network: {allow: [192.0.2.0/24]}",
        base,
    )
    platform = environments(text)["dev"].platform
    assert [pool.name for pool in platform.node_pools] == ["system"]
    assert platform.state is None
    assert platform.network.allow == ("192.0.2.0/24",)


def test_a_component_can_be_taken_out():
    text = with_environments("dev: {components: {cert-manager: null}}")
    assert not hasattr(environments(text)["dev"].platform.components, "cert_manager")


def test_a_branch_is_that_of_the_repository():
    base = changed(('ml-platform.git"', 'ml-platform.git", branch: trunk'))
    text = with_environments(f"prod: {{branch: env/prod, {PROD}}}\ndev: {{}}", base)
    found = environments(text)
    assert found["dev"].platform.repository.branch == "trunk"
    repository = found["prod"].platform.repository
    assert repository.branch == "env/prod"
    assert repository.origin("branch") == ("spec", "environments", "prod", "branch")


def test_a_null_branch_is_the_default_one():
    base = changed(('ml-platform.git"', 'ml-platform.git", branch: trunk'))
    assert (
        environments(with_environments("dev: {branch: null}", base))["dev"].platform.repository.branch
        == "main"
    )


def test_a_bad_branch_is_told_where_it_was_said():
    text = with_environments("dev: {branch: HEAD}")
    (fault,) = faults(text)
    assert (fault.code, marked(text, fault.span)) == ("PLN204", "HEAD")


def test_another_provider_replaces_the_whole_cloud():
    text = with_environments("dev: {}\nlab: {cloud: {provider: existing, cluster: lab}}")
    cloud = environments(text)["lab"].platform.cloud
    assert cloud.cluster_key() == ("existing", "lab")
    assert cloud.spec_path == ("spec", "environments", "lab", "cloud")


def test_the_same_provider_said_again_replaces_nothing():
    text = with_environments("prod: {cloud: {provider: gcp, project: acme-ml-prod}}")
    assert environments(text)["prod"].platform.cloud.region == "us-central1"


def test_a_fault_of_the_spec_is_told_once():
    base = changed(("cpu: 4", "cpu: four"))
    (fault,) = faults(with_environments(f"dev: {{}}\nprod: {{{PROD}}}\nlab: {{{PROD}}}", base))
    assert fault.environments == ()


def test_a_fault_that_some_environments_do_not_have_names_the_others():
    base = changed(("cpu: 4", "cpu: four"))
    text = with_environments(
        f"dev: {{}}\nlab: {{{PROD}}}\nprod: {{nodePools: [{{name: system, cpu: 8}}]}}", base
    )
    (fault,) = faults(text)
    assert fault.environments == ("dev", "lab")
    assert fault.span.line == 8


def test_a_fault_of_an_environment_names_it_and_stands_in_it():
    text = with_environments(f"dev: {{}}\nprod: {{nodePools: [{{name: system, nodes: {{min: 5}}}}], {PROD}}}")
    (fault,) = faults(text)
    assert (fault.code, fault.environments) == ("PLN304", ("prod",))
    assert marked(text, fault.span) == "5"
    assert marked(text, fault.related[0].span) == "3"
    assert (fault.span.line, fault.related[0].span.line) == (14, 8)


def test_every_environment_is_looked_at():
    text = with_environments("dev: {nodePools: 1}\nlab: {cluster: 1}\nprod: {cluster: {channel: x}}")
    assert [(fault.code, fault.environments) for fault in faults(text)] == [
        ("PLN203", ("dev",)),
        ("PLN203", ("lab",)),
        ("PLN204", ("prod",)),
    ]


@pytest.mark.parametrize(
    ("environment", "code", "at"),
    [
        pytest.param(
            "dev: {nodePools: [{name: t5, remove: true}]}",
            "PLN208",
            "{name: t5, remove: true}",
            id="removes nothing",
        ),
        pytest.param(
            "dev: {nodePools: [{name: t4, remove: true, cpu: 1}]}",
            "PLN208",
            "{name: t4, remove: true, cpu: 1}",
            id="removes and changes",
        ),
        pytest.param("dev: [a]", "PLN203", "[a]", id="a list"),
        pytest.param("base: {}", "PLN206", "base", id="the compiler's own folder"),
        pytest.param("vendor: {}", "PLN206", "vendor", id="the other one"),
        pytest.param("Dev: {}", "PLN206", "Dev", id="upper case"),
        pytest.param("dev/eu: {}", "PLN206", "dev/eu", id="a path"),
        pytest.param("..: {}", "PLN206", "..", id="a way out of the tree"),
    ],
)
def test_a_change_that_cannot_be_is_told_where_it_stands(environment, code, at):
    text = with_environments(environment)
    (fault,) = faults(text)
    assert (fault.code, marked(text, fault.span)) == (code, at)


@pytest.mark.parametrize("value", ["[dev, prod]", "{}", "dev"])
def test_environments_are_a_map(value):
    assert codes(with_spec(f"environments: {value}")) == ["PLN203"]


def test_two_environments_are_two_clusters():
    text = with_environments("dev: {}\nprod: {branch: env/prod}")
    (fault,) = faults(text)
    assert (fault.code, fault.environments) == ("PLN307", ())
    assert "`dev` and `prod`" in fault.message
    assert marked(text, fault.span) == "acme-ml-dev"
    assert marked(text, fault.related[0].span) == "prod"


def test_the_one_that_said_the_same_project_is_shown():
    text = with_environments("dev: {}\nprod: {cloud: {project: acme-ml-dev}}")
    (fault,) = faults(text)
    assert fault.span.line == 14


def test_two_clusters_of_ones_own_need_two_names():
    cloud = "{cloud: {provider: existing, cluster: lab}}"
    assert codes(with_environments(f"one: {cloud}\ntwo: {cloud}")) == ["PLN307"]
