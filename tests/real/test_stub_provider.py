"""The stub provider, the runner and our own schema checker, tried on one small root.

What core says and what `tf_schema` says stand side by side, so that neither is believed alone.
"""

from __future__ import annotations

import copy
import json
import zipfile

import pytest

from support import module_plans, recordings, stub_provider, terraform, tf_schema

SCHEMAS = recordings.oldest()

USER_TEXT = '${file("/etc/hostname")} and %{ if true }'

PRINCIPAL = (
    "principal://iam.googleapis.com/projects/123456789012/locations/global/"
    "workloadIdentityPools/acme-ml.svc.id.goog/subject/ns/mlflow/sa/mlflow"
)

ROOT = {
    "//": "Written by hand: every feature of Terraform JSON that Plinth relies on, once.",
    "terraform": {
        "required_version": ">= 1.11",
        "backend": {"gcs": {"bucket": "acme-tfstate", "prefix": "dev"}},
        "required_providers": {
            "google": {"source": "hashicorp/google", "version": ">= 7.38, < 8"},
            "random": {"source": "hashicorp/random", "version": ">= 3.7"},
        },
    },
    "provider": {"google": {"project": "acme-ml", "region": "europe-west4"}},
    "data": {
        "google_project": {
            "current": {},
            "read_by_apply": {"project_id": "${google_service_account.nodes.unique_id}"},
        }
    },
    "ephemeral": {
        "random_password": {"mlflow": {"length": 32, "special": False}},
        "google_secret_manager_secret_version": {
            "mlflow": {
                "secret": "${google_secret_manager_secret_version.mlflow.secret}",
                "version": "${google_secret_manager_secret_version.mlflow.version}",
            }
        },
    },
    "resource": {
        "google_compute_network": {
            "main": {
                "name": "main",
                "auto_create_subnetworks": False,
                "description": USER_TEXT.replace("${", "$${").replace("%{", "%%{"),
            }
        },
        "google_compute_subnetwork": {
            "nodes": {
                "name": "nodes",
                "network": "${google_compute_network.main.id}",
                "ip_cidr_range": "10.0.0.0/20",
                "private_ip_google_access": True,
                "secondary_ip_range": [
                    {"range_name": "pods", "ip_cidr_range": "10.4.0.0/14"},
                    {"range_name": "services", "ip_cidr_range": "10.8.0.0/20"},
                ],
            }
        },
        "google_container_cluster": {
            "main": {
                "name": "main",
                "location": "europe-west4",
                "network": "${google_compute_network.main.id}",
                "subnetwork": "${google_compute_subnetwork.nodes.id}",
                "remove_default_node_pool": True,
                "initial_node_count": 1,
                "ip_allocation_policy": [
                    {"cluster_secondary_range_name": "pods", "services_secondary_range_name": "services"}
                ],
                "workload_identity_config": [{"workload_pool": "acme-ml.svc.id.goog"}],
                "lifecycle": {"ignore_changes": ["initial_node_count", 'resource_labels["asmv"]']},
            }
        },
        "google_container_node_pool": {
            "cpu": {
                "name": "cpu",
                "cluster": "${google_container_cluster.main.id}",
                "autoscaling": [{"total_min_node_count": 0, "total_max_node_count": 3}],
                "node_config": [
                    {
                        "machine_type": "e2-standard-4",
                        "service_account": "${google_service_account.nodes.email}",
                        "taint": [{"key": "pool", "value": "cpu", "effect": "NO_SCHEDULE"}],
                    }
                ],
                "lifecycle": {"ignore_changes": ["node_config[0].resource_labels"]},
            }
        },
        "google_service_account": {"nodes": {"account_id": "acme-nodes"}},
        "google_project_iam_member": {
            "nodes": {
                "project": "acme-ml",
                "role": "roles/container.defaultNodeServiceAccount",
                "member": "${google_service_account.nodes.member}",
            },
            "mlflow": {
                "project": "acme-ml",
                "role": "roles/storage.objectUser",
                "member": PRINCIPAL,
                "depends_on": ["google_container_cluster.main"],
            },
        },
        "google_secret_manager_secret": {
            "mlflow": {"secret_id": "mlflow-db", "replication": [{"auto": [{}]}]}
        },
        "google_secret_manager_secret_version": {
            "mlflow": {
                "secret": "${google_secret_manager_secret.mlflow.id}",
                "secret_data_wo": "${ephemeral.random_password.mlflow.result}",
                "secret_data_wo_version": 1,
            }
        },
        "google_sql_user": {
            "mlflow": {
                "name": "mlflow",
                "instance": "mlflow",
                "password_wo": "${ephemeral.google_secret_manager_secret_version.mlflow.secret_data}",
                "password_wo_version": 1,
            }
        },
    },
    "output": {"project_number": {"value": "${data.google_project.current.number}"}},
}

NETWORK = ("resource", "google_compute_network", "main")
SUBNETWORK = ("resource", "google_compute_subnetwork", "nodes")
CLUSTER = ("resource", "google_container_cluster", "main")
NODE_POOL = ("resource", "google_container_node_pool", "cpu")
VERSION = ("resource", "google_secret_manager_secret_version", "mlflow")
USER = ("resource", "google_sql_user", "mlflow")

ABSENT = object()


def edited(*edits):
    """`ROOT` with some (path, value) changed; `ABSENT` takes the path away."""
    root = copy.deepcopy(ROOT)
    for path, value in edits:
        *outer, last = path
        place = root
        for step in outer:
            place = place[step]
        if value is ABSENT:
            del place[last]
        else:
            place[last] = value
    return root


@pytest.fixture(scope="module")
def reattach():
    with stub_provider.serve(SCHEMAS) as value:
        yield value


@pytest.fixture(scope="module", params=list(terraform.OVERRIDES))
def tool(request):
    return terraform.find(request.param) or pytest.skip(terraform.missing(request.param))


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    def write_root(content):
        folder = tmp_path_factory.mktemp("root")
        (folder / "main.tf.json").write_text(json.dumps(content), encoding="utf-8")
        return folder

    return write_root


@pytest.fixture(scope="module")
def applied(tool, write, reattach, tmp_path_factory):
    """A work folder whose state holds `ROOT`, applied."""
    work = tmp_path_factory.mktemp("work")
    terraform.apply(tool, write(ROOT), work=work, reattach=reattach)
    return work


# Core, fed by the stub -------------------------------------------------------------------------


def test_core_finds_the_root_valid_whatever_the_caller_exports(tool, write, reattach, tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CLI_ARGS", "-no-such-flag")
    assert terraform.planned(terraform.plan(tool, write(ROOT), work=tmp_path, reattach=reattach))


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        pytest.param((*NETWORK, "mttu"), 1460, '"mttu"', id="unknown attribute"),
        pytest.param((*SUBNETWORK, "network"), ABSENT, '"network" is required', id="missing attribute"),
        pytest.param(
            (*SUBNETWORK, "network"),
            "${google_compute_network.other.id}",
            "Reference to undeclared resource",
            id="unknown reference",
        ),
        pytest.param((*NETWORK, "description"), "${google_compute_subnetwork.nodes.id}", "Cycle", id="cycle"),
        pytest.param(
            (*CLUSTER, "lifecycle", "ignore_changes"), ["labels"], '"labels"', id="unknown ignored path"
        ),
        pytest.param(
            (*CLUSTER, "ip_allocation_policy"), [{}, {}], "ip_allocation_policy", id="too many blocks"
        ),
        pytest.param(
            (*USER, "name"),
            "${ephemeral.random_password.mlflow.result}",
            "ephemeral value",
            id="ephemeral value where it would be stored",
        ),
    ],
)
def test_core_refuses(tool, write, reattach, tmp_path, *, path, value, error):
    with pytest.raises(terraform.CommandError) as refused:
        terraform.plan_as_far_as_it_goes(tool, write(edited((path, value))), work=tmp_path, reattach=reattach)
    errors = module_plans.errors_of_run(refused.value.result.output)
    said = [f"{each['summary']}: {each['detail']}" for each in errors]
    assert any(error in found for found in said), said


def test_a_plan_holds_values_and_says_which_wait_for_apply(tool, write, reattach, tmp_path):
    plan = terraform.plan(tool, write(ROOT), work=tmp_path, reattach=reattach)
    after, unknown = terraform.planned(plan), terraform.unknown(plan)
    ranges = after["google_compute_subnetwork.nodes"]["secondary_ip_range"]

    assert set(terraform.actions(plan).values()) == {("create",)}
    assert after["google_compute_network.main"]["description"] == USER_TEXT
    assert [item["range_name"] for item in ranges] == ["pods", "services"]
    assert after["google_project_iam_member.mlflow"]["member"] == PRINCIPAL
    assert unknown["google_compute_network.main"]["id"] is True
    assert unknown["google_compute_subnetwork.nodes"]["network"] is True
    assert "description" not in unknown["google_compute_network.main"]
    assert plan["planned_values"]["outputs"]["project_number"]["value"].startswith("data.google_project.")


def test_what_was_applied_needs_no_change(tool, write, reattach, applied):
    plan = terraform.plan(tool, write(ROOT), work=applied, reattach=reattach)
    after = terraform.planned(plan)
    email = "acme-nodes@acme-ml.iam.gserviceaccount.com"

    assert terraform.actions(plan) == {}
    assert "resource_drift" not in plan
    assert after["google_container_node_pool.cpu"]["node_config"][0]["service_account"] == email
    assert after["google_project_iam_member.nodes"]["member"] == f"serviceAccount:{email}"


@pytest.mark.parametrize(
    ("path", "value", "actions"),
    [
        pytest.param((*NETWORK, "name"), "other", ("delete", "create"), id="of the resource"),
        pytest.param(
            (*NODE_POOL, "node_config", 0, "spot"), True, ("delete", "create"), id="of a nested block"
        ),
        pytest.param(
            (*NODE_POOL, "placement_policy"), [{"type": "COMPACT"}], ("delete", "create"), id="a new block"
        ),
        pytest.param(
            (*NODE_POOL, "node_config", 0, "machine_type"), "e2-standard-8", ("update",), id="in place"
        ),
    ],
)
def test_only_what_forces_it_replaces(tool, write, reattach, applied, *, path, value, actions):
    plan = terraform.plan(tool, write(edited((path, value))), work=applied, reattach=reattach)
    assert terraform.actions(plan)[".".join(path[1:3])] == actions


def test_no_secret_reaches_a_plan_or_a_state(tool, write, reattach, applied):
    rotated = edited(((*VERSION, "secret_data_wo_version"), 2), ((*USER, "password_wo_version"), 2))
    plan = terraform.plan(tool, write(rotated), work=applied, reattach=reattach)
    with zipfile.ZipFile(applied / "plan") as archive:
        stored = [archive.read(name) for name in archive.namelist()]
    stored += [json.dumps(plan).encode(), (applied / "state").read_bytes()]

    assert terraform.actions(plan).keys() >= {
        "google_secret_manager_secret_version.mlflow",
        "google_sql_user.mlflow",
    }
    assert not any(stub_provider.NEVER_STORED.encode() in data for data in stored)


def test_a_provider_that_nobody_serves_is_looked_for_nowhere(tool, write, reattach, tmp_path):
    root = write(edited((("terraform", "required_providers", "helm"), {"source": "hashicorp/helm"})))
    with pytest.raises(terraform.CommandError, match="/nonexistent"):
        terraform.plan(tool, root, work=tmp_path, reattach=reattach)


# Our own checker -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schemas():
    return tf_schema.load(SCHEMAS)


def test_the_checker_finds_the_root_valid(schemas):
    assert tf_schema.check(ROOT, schemas) == []


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        pytest.param(
            ("resource", "google_teapot"), {"a": {}}, "google_teapot: unknown type", id="type of resource"
        ),
        pytest.param(("resources",), {}, "resources: unknown section", id="section"),
        pytest.param(
            ("provider", "google", "zones"), "a", "provider.google.zones: unknown argument", id="provider"
        ),
        pytest.param(
            (*NETWORK, "mttu"), 1460, "google_compute_network.main.mttu: unknown argument", id="argument"
        ),
        pytest.param(
            (*SUBNETWORK, "network"),
            ABSENT,
            "google_compute_subnetwork.nodes.network: required, but not set",
            id="required",
        ),
        pytest.param(
            (*NETWORK, "self_link"),
            "x",
            "google_compute_network.main.self_link: computed by the provider, cannot be set",
            id="computed",
        ),
        pytest.param(
            (*NETWORK, "mtu"),
            "1460",
            "google_compute_network.main.mtu: number expected, not a string",
            id="type",
        ),
        pytest.param(
            (*SUBNETWORK, "secondary_ip_range", 1),
            {"range_name": 4},
            "google_compute_subnetwork.nodes.secondary_ip_range[1].range_name: string expected, not a number",
            id="type in a block",
        ),
        pytest.param(
            (*NODE_POOL, "node_config", 0, "labels"),
            {"a.b/c": True},
            'google_container_node_pool.cpu.node_config[0].labels["a.b/c"]: string expected, not a bool',
            id="type in a map",
        ),
        pytest.param(
            (*NODE_POOL, "node_config", 0, "tags"),
            "a",
            "google_container_node_pool.cpu.node_config[0].tags: list expected, not a string",
            id="list",
        ),
        pytest.param(
            (*CLUSTER, "ip_allocation_policy"),
            [{}, {}],
            "google_container_cluster.main.ip_allocation_policy: at most 1 allowed, 2 given",
            id="too many blocks",
        ),
        pytest.param(
            ("resource", "google_secret_manager_secret", "mlflow", "replication"),
            [],
            "google_secret_manager_secret.mlflow.replication: at least 1 needed, 0 given",
            id="too few blocks",
        ),
        pytest.param(
            (*CLUSTER, "ip_allocation_policy"),
            "${local.policy}",
            "google_container_cluster.main.ip_allocation_policy[0]: block expected, not a string",
            id="expression for a block",
        ),
        pytest.param(
            (*USER, "password"),
            "x",
            "google_sql_user.mlflow.password: conflicts with password_wo",
            id="conflict",
        ),
        pytest.param(
            (*USER, "password_wo_version"),
            ABSENT,
            "google_sql_user.mlflow.password_wo: needs password_wo_version",
            id="required together",
        ),
        pytest.param(
            (*VERSION, "secret_data_wo"),
            ABSENT,
            "google_secret_manager_secret_version.mlflow: "
            "exactly one of secret_data, secret_data_wo needed, 0 given",
            id="one of two",
        ),
        pytest.param(
            (*SUBNETWORK, "log_config"),
            [{}],
            "google_compute_subnetwork.nodes: at least one of log_config.0.aggregation_interval, "
            "log_config.0.filter_expr, log_config.0.flow_sampling, log_config.0.metadata needed, 0 given",
            id="at least one, in a block",
        ),
        pytest.param(
            (*NODE_POOL, "lifecycle", "ignore_changes"),
            ["node_config[0].lables"],
            "google_container_node_pool.cpu.lifecycle.ignore_changes: "
            "no `node_config[0].lables` in the schema",
            id="ignored path",
        ),
        pytest.param(
            (*CLUSTER, "lifecycle", "prevent_destory"),
            True,
            "google_container_cluster.main.lifecycle.prevent_destory: unknown argument",
            id="lifecycle",
        ),
        pytest.param(
            ("ephemeral", "random_password", "mlflow", "result"),
            "x",
            "ephemeral.random_password.mlflow.result: computed by the provider, cannot be set",
            id="ephemeral",
        ),
    ],
)
def test_the_checker_refuses(schemas, path, value, fault):
    assert tf_schema.check(edited((path, value)), schemas) == [fault]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param((*NETWORK, "mtu"), "${var.mtu}", id="expression of any type"),
        pytest.param((*NETWORK, "mtu"), None, id="null is absent"),
        pytest.param((*NETWORK, "timeouts"), {"create": "30m"}, id="single block as an object"),
        pytest.param(
            (*SUBNETWORK, "secondary_ip_range"), {"range_name": "pods"}, id="one block as an object"
        ),
        pytest.param((*SUBNETWORK, "for_each"), "${toset([])}", id="for_each"),
        pytest.param((*NETWORK, "lifecycle"), {"ignore_changes": "all"}, id="ignore all"),
        pytest.param(
            (*SUBNETWORK, "dynamic"),
            {"secondary_ip_range": {"for_each": [1], "content": {"range_name": "a"}}},
            id="dynamic block",
        ),
        pytest.param(
            ("resource", "google_secret_manager_secret", "mlflow"),
            {"secret_id": "a", "dynamic": {"replication": {"for_each": [1], "content": {"auto": [{}]}}}},
            id="dynamic block where one is needed",
        ),
        pytest.param((*NODE_POOL, "node_config", 0, "tags"), ["a", None], id="null in a list"),
        pytest.param(
            ("resource", "google_compute_firewall"),
            {
                "a": {
                    "name": "a",
                    "network": "a",
                    "allow": [{"protocol": "tcp"}],
                    "source_tags": ["a"],
                    "source_service_accounts": [],
                }
            },
            id="empty list has no rival",
        ),
    ],
)
def test_the_checker_stays_silent(schemas, path, value):
    assert tf_schema.check(edited((path, value)), schemas) == []
