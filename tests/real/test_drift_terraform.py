"""`plinth drift` on plans of the real Terraform core, of roots that were applied and then changed outside."""

from __future__ import annotations

import json

import pytest

from plinth.cli import main
from support import recordings, stub_provider, terraform

SCHEMAS = recordings.oldest()

# One worker applies the root, and serves its provider.
pytestmark = pytest.mark.xdist_group("drift terraform")

NETWORK = "generated/dev/terraform/network"


@pytest.fixture(scope="module", params=sorted(terraform.OVERRIDES))
def tool(request):
    found = terraform.find(request.param)
    if found is None:
        pytest.skip(terraform.missing(request.param))
    return found


@pytest.fixture(scope="module")
def folder(remote_example):
    return remote_example  # drift only reads it


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    return tmp_path_factory.mktemp("live") / "live.json"


@pytest.fixture(scope="module")
def reattach(live):
    with stub_provider.serve(SCHEMAS, live=live) as value:
        yield value


@pytest.fixture(scope="module")
def work(tool, folder, reattach, live, tmp_path_factory):
    """A folder where the network of dev was applied."""
    found = tmp_path_factory.mktemp("work")
    live.write_text("{}")
    terraform.apply(tool, folder / NETWORK, work=found, reattach=reattach)
    return found


@pytest.fixture
def drift(tool, folder, reattach, live, work, tmp_path, capsys):
    """Plan after changes outside, and give what the command makes of the plan."""

    def run(changes, root=None):
        live.write_text(json.dumps(changes))
        plan = terraform.plan(tool, root or folder / NETWORK, work=work, reattach=reattach)
        path = tmp_path / "plan.json"
        path.write_text(json.dumps(plan))
        words = ["drift", "-C", str(folder), "--no-cluster", "--terraform", str(path), "--format", "json"]
        code = main(words)
        return code, json.loads(capsys.readouterr().out)

    return run


def test_what_was_applied_is_clean(drift):
    code, report = drift({})
    assert (code, report["findings"], report["unknown"]) == (0, [], [])
    assert report["summary"]["checked"] == report["summary"]["clean"] > 10


def resource_of(folder, kind):
    tree = json.loads((folder / NETWORK / f"{kind}.tf.json").read_text())
    (name,) = tree["resource"][kind]
    return name, tree["resource"][kind][name]


def test_a_changed_value_is_drift_and_comes_back_to_its_line(drift, folder):
    name, body = resource_of(folder, "google_compute_subnetwork")
    code, report = drift({f"google_compute_subnetwork.{body['name']}": {"private_ip_google_access": False}})
    (finding,) = report["findings"]
    assert (code, finding["class"], finding["env"]) == (2, "drift", "dev")
    assert finding["resource"] == {"address": f"google_compute_subnetwork.{name}"}
    assert [(each["path"], each["desired"], each["live"]) for each in finding["fields"]] == [
        ("/private_ip_google_access", True, False)
    ]
    assert {each.get("path", "").split(".")[0] for each in finding["origins"]} <= {"spec", ""}
    assert finding["origins"]


def test_a_deleted_resource_is_missing(drift, folder):
    name, body = resource_of(folder, "google_compute_router_nat")
    code, report = drift({f"google_compute_router_nat.{body['name']}": None})
    assert code == 2
    assert [(each["class"], each["resource"]["address"]) for each in report["findings"]] == [
        ("missing", f"google_compute_router_nat.{name}")
    ]


def test_a_value_that_only_a_new_resource_can_have_is_immutable_drift(drift, folder):
    name, body = resource_of(folder, "google_compute_router_nat")
    changed = {f"google_compute_router_nat.{body['name']}": {"region": "europe-west1"}}
    _, report = drift(changed)
    told = {each["resource"]["address"]: each["class"] for each in report["findings"]}
    assert told[f"google_compute_router_nat.{name}"] == "drift-immutable"


def test_what_the_cloud_computes_is_nothing(drift, folder):
    _, body = resource_of(folder, "google_compute_subnetwork")
    computed = {"fingerprint": "changed", "creation_timestamp": "x"}
    code, report = drift({f"google_compute_subnetwork.{body['name']}": computed})
    assert (code, report["findings"], report["explained"]) == (0, [], [])


def test_what_nobody_declares_is_explained_and_fails_nothing(drift, folder):
    name, body = resource_of(folder, "google_compute_subnetwork")
    code, report = drift({f"google_compute_subnetwork.{body['name']}": {"stack_type": "IPV4_IPV6"}})
    assert (code, report["findings"]) == (0, [])
    assert [each["resource"] for each in report["explained"]] == [
        {"address": f"google_compute_subnetwork.{name}"}
    ]


def test_a_root_that_was_changed_and_not_applied_is_pending(drift, folder, tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    for path in (folder / NETWORK).glob("*.tf.json"):
        (root / path.name).write_bytes(path.read_bytes())
    path = root / "google_compute_subnetwork.tf.json"
    tree = json.loads(path.read_text())
    (body,) = tree["resource"]["google_compute_subnetwork"].values()
    body["private_ip_google_access"] = False
    path.write_text(json.dumps(tree))
    code, report = drift({}, root)
    (finding,) = report["findings"]
    assert (code, finding["class"]) == (2, "pending")
    assert finding["remedy"] == f"apply the root {NETWORK}"
