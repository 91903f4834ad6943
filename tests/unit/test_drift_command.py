"""`plinth drift` against a stand-in for an API server: what is asked, found, left unknown and never shown."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from plinth.cli import main
from plinth.drift.report import as_json, as_text
from plinth.live.api_server import connect
from plinth.live.kubernetes import Cluster
from plinth.reconcile import cluster as reconcile
from plinth.reconcile.cluster import read_cluster
from plinth.reconcile.desired import Desired
from support.api_server import KINDS, lists_of, serve, status
from support.drift import (
    MLFLOW_LINE,
    PLATFORM,
    fixtures,
    fixtures_crd,
    live_objects,
    needs_fixtures,
    one,
    owned,
    platform,
)

ARGO_CD_IS_REMOTE = {"Application argo-cd", "Application argo-cd-crds"}
"""What the platform of these tests cannot compare: upstream's objects are fetched by Argo CD."""

CLEAN_WITHOUT_A_SECOND_QUESTION = {"hpa-applied-v1-git-now-v2", "mut-nonidempotent"}
"""Recorded cases that only the apply probe finds different, which is not asked when the other finds nothing."""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    return platform(tmp_path_factory.mktemp("drift") / "platform")


@pytest.fixture
def server(compiled, tmp_path, monkeypatch):
    monkeypatch.setattr(reconcile, "SETTLE_S", 0.0)
    with serve(live_objects(compiled)) as found:
        monkeypatch.setenv("KUBECONFIG", str(found.kubeconfig(tmp_path)))
        yield found


@pytest.fixture
def other_server(tmp_path, monkeypatch):
    """One that has nothing of ours but the CRD of the recorded cases."""
    monkeypatch.setattr(reconcile, "SETTLE_S", 0.0)
    with serve([fixtures_crd()]) as found:
        monkeypatch.setenv("KUBECONFIG", str(found.kubeconfig(tmp_path)))
        yield found


@pytest.fixture
def drift(compiled, capsys):
    """Run the command; gives its exit code, its JSON, and what it said."""

    def run(*words, folder=compiled):
        code = main(["drift", "-C", str(folder), "--format", "json", *words])
        out, err = capsys.readouterr()
        return code, json.loads(out), err

    return run


def found(report):
    return [
        (each["class"], each["resource"].get("kind"), each["resource"].get("name"))
        for each in report["findings"]
    ]


def unknown(report):
    return {each["what"] for each in report["unknown"]} - ARGO_CD_IS_REMOTE


def test_what_nobody_touched_is_clean_but_for_what_cannot_be_compared(server, drift):
    code, report, _ = drift()
    assert found(report) == []
    assert {each["what"] for each in report["unknown"]} == ARGO_CD_IS_REMOTE
    assert code == 3  # unknown is never clean
    assert report["summary"]["checked"] == report["summary"]["clean"] == 13


def test_every_kind_is_listed_once_and_what_equals_the_create_probe_is_asked_no_more(server, drift):
    drift()
    assert set(lists_of(server).values()) == {1}
    assert {each.query["fieldManager"] for each in server.probes()} == {"plinth-probe"}
    assert len(server.probes()) == 13


def test_nothing_that_is_asked_changes_the_cluster(server, drift):
    one(server.objects, "Deployment", "mlflow")["spec"]["replicas"] = 5
    server.objects.remove(one(server.objects, "Service", "mlflow"))
    before = copy.deepcopy(server.objects)
    drift()
    assert {each.method for each in server.requests} <= {"GET", "PATCH", "POST"}
    assert {each.query.get("dryRun") for each in server.probes()} == {"All"}
    assert server.objects == before


def test_a_scaled_deployment_is_told_with_who_and_where_it_is_declared(server, drift):
    live = one(server.objects, "Deployment", "mlflow")
    live["spec"]["replicas"] = 5
    owned(live, "kubectl-edit", {"f:spec": {"f:replicas": {}}})
    code, report, _ = drift()
    (finding,) = report["findings"]
    assert code == 2
    assert (finding["class"], finding["layer"], finding["env"]) == ("drift", "manifest", "default")
    assert finding["resource"] == {
        "group": "apps",
        "kind": "Deployment",
        "namespace": "mlflow",
        "name": "mlflow",
    }
    (field,) = finding["fields"]
    assert (field["path"], field["desired"], field["live"]) == ("/spec/replicas", 1, 5)
    assert finding["actors"] == [
        {"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-23T20:14:00Z"}
    ]
    assert finding["origins"] == [
        {"path": "spec.components.mlflow", "file": "platform.yaml", "line": MLFLOW_LINE}
    ]
    assert "argocd app sync mlflow" in finding["remedy"]


def test_a_field_comes_back_to_the_line_that_it_was_made_from(server, drift):
    container = one(server.objects, "Deployment", "mlflow")["spec"]["template"]["spec"]["containers"][0]
    (host,) = (each for each in container["env"] if each["name"] == "PGHOST")
    host["value"] = "elsewhere"
    _, report, _ = drift()
    (finding,) = report["findings"]
    assert [field["path"] for field in finding["fields"]] == [
        "/spec/template/spec/containers/[name=mlflow]/env/[name=PGHOST]/value"
    ]
    assert finding["origins"] == [
        {"path": "spec.storage.database.existing.host", "file": "platform.yaml", "line": 10}
    ]


def test_an_addition_is_found_and_cannot_be_taken_back_by_applying(server, drift):
    one(server.objects, "Service", "mlflow")["metadata"]["labels"]["team"] = "vision"
    code, report, _ = drift()
    (finding,) = report["findings"]
    assert code == 2
    assert finding["class"] == "drift-unmanaged"
    assert [(each["path"], each["hasDesired"], each["live"]) for each in finding["fields"]] == [
        ("/metadata/labels/team", False, "vision")
    ]
    assert "kubectl edit service mlflow -n mlflow" in finding["remedy"]


def test_the_mark_of_argo_cd_is_desired_too(server, drift):
    del one(server.objects, "Service", "mlflow")["metadata"]["annotations"]
    _, report, _ = drift()
    (finding,) = report["findings"]
    (field,) = finding["fields"]
    assert field["path"].startswith("/metadata/annotations")
    assert "mlflow:/Service:mlflow/mlflow" in json.dumps(field["desired"])


def test_the_applications_themselves_are_compared(server, drift):
    live = one(server.objects, "Application", "mlflow")
    live["spec"]["syncPolicy"]["automated"]["selfHeal"] = False
    _, report, _ = drift()
    (finding,) = report["findings"]
    assert (finding["layer"], finding["class"]) == ("argocd", "drift")
    assert "argocd app sync root" in finding["remedy"]


def test_a_missing_object(server, drift):
    server.objects.remove(one(server.objects, "Service", "mlflow"))
    code, report, _ = drift()
    assert (code, found(report)) == (2, [("missing", "Service", "mlflow")])
    assert report["findings"][0]["severity"] == "high"


def test_a_missing_namespace_is_one_finding_that_says_how_much_is_below_it(server, drift):
    server.objects = [
        each
        for each in server.objects
        if "mlflow" not in (each["metadata"].get("namespace"), each["metadata"]["name"])
    ] + [one(server.objects, "Application", "mlflow")]
    code, report, _ = drift()
    assert (code, found(report)) == (2, [("missing", "Namespace", "mlflow")])
    assert report["findings"][0]["reason"] == "4 objects cannot be without it"


def test_a_missing_namespace_that_nothing_here_brings(server, drift, compiled):
    only = [each for each in server.objects if each["kind"] != "Namespace"]
    server.objects = [each for each in only if each["metadata"].get("namespace") != "mlflow"]
    bodies = [each for each in live_objects(compiled) if each["metadata"].get("namespace") == "mlflow"]
    reading = read_cluster(
        Cluster(connect(None)), [wanted_object(each) for each in bodies], env="default", wait=lambda _: None
    )
    (finding,) = reading.findings
    assert (finding.class_, dict(finding.resource)) == (
        "missing",
        {"group": "", "kind": "Namespace", "namespace": "", "name": "mlflow"},
    )
    assert finding.reason == "4 objects cannot be without it"


def test_a_kind_that_is_not_there_is_one_finding(server, drift):
    server.kinds = tuple(each for each in KINDS if each[0] != "argoproj.io")
    code, report, _ = drift()
    assert code == 2
    assert found(report) == [("missing", "AppProject", ""), ("missing", "Application", "")]
    assert {each["reason"] for each in report["findings"]} == {
        "its CRD is not there; 3 objects cannot be",
        "its CRD is not there; 4 objects cannot be",
    }


def test_a_version_that_is_not_served_is_one_error(server, drift):
    server.kinds = tuple(
        (group, "v1" if kind == "Application" else version, kind, *rest)
        for group, version, kind, *rest in KINDS
    )
    _, report, _ = drift()
    assert found(report) == [("error", "Application", "")]
    assert "`v1alpha1` of it is not served, only v1" in report["findings"][0]["reason"]


def test_a_group_whose_server_is_down_is_unknown_and_not_missing(server, drift):
    server.stale_groups = {"argoproj.io"}
    code, report, _ = drift()
    assert (code, found(report)) == (3, [])
    assert unknown(report) == {"kind AppProject", "kind Application"}


def test_a_kind_that_may_not_be_listed_is_unknown_and_the_rest_goes_on(server, drift):
    server.unlisted = {"services"}
    one(server.objects, "Deployment", "mlflow")["spec"]["replicas"] = 5
    code, report, _ = drift()
    assert (code, found(report), unknown(report)) == (
        2,
        [("drift", "Deployment", "mlflow")],
        {"kind Service"},
    )
    (told,) = (each for each in report["unknown"] if each["what"] == "kind Service")
    assert told["reason"] == "the right to list `services` is missing (1 object not compared)"


def test_the_create_probe_alone_is_enough(server, drift):
    server.unprobed = {"deployments": {"patch"}}
    one(server.objects, "Deployment", "mlflow")["spec"]["paused"] = True
    code, report, _ = drift()
    assert (code, unknown(report)) == (2, set())
    assert found(report) == [("drift-unmanaged", "Deployment", "mlflow")]


def test_the_apply_probe_alone_sees_no_additions_and_so_no_cleanness(server, drift):
    server.unprobed = {"deployments": {"create"}}
    code, report, _ = drift()
    assert (code, found(report), unknown(report)) == (3, [], {"Deployment mlflow/mlflow"})
    (told,) = (each for each in report["unknown"] if each["what"] == "Deployment mlflow/mlflow")
    assert told["reason"].startswith("what was added to it cannot be seen: the right to create `deployments`")
    one(server.objects, "Deployment", "mlflow")["spec"]["replicas"] = 5
    assert found(drift()[1]) == [("drift", "Deployment", "mlflow")]


def test_without_any_probe_an_object_is_unknown(server, drift):
    server.unprobed = {"deployments": {"create", "patch"}}
    code, report, _ = drift()
    assert (code, found(report), unknown(report)) == (3, [], {"Deployment mlflow/mlflow"})


def test_a_webhook_that_is_down_makes_an_object_unknown(server, drift):
    server.failing_webhook = {"deployments"}
    code, report, _ = drift()
    assert (code, found(report), unknown(report)) == (3, [], {"Deployment mlflow/mlflow"})
    assert "guard.example.com" in json.dumps(report["unknown"])


def test_what_is_in_order_at_the_second_look_is_not_reported(server, drift):
    good = copy.deepcopy(server.objects)
    one(server.objects, "Deployment", "mlflow")["spec"]["replicas"] = 5
    server.objects.remove(one(server.objects, "Service", "mlflow"))
    server.before_second_look = good
    code, report, _ = drift()
    assert (code, found(report)) == (3, [])
    assert report["summary"]["clean"] == 13


def test_a_stale_tree_is_told_and_the_run_goes_on(server, drift, tmp_path):
    folder = platform(tmp_path / "stale")
    (folder / "platform.yaml").write_text(PLATFORM.replace("postgres.lab", "postgres.new"))
    code, report, _ = drift(folder=folder)
    assert code == 2
    assert [(each["class"], each["layer"]) for each in report["findings"]] == [
        ("drift", "manifest"),
        ("stale", "spec"),
    ]
    assert "overlays/default/mlflow/deployment-mlflow.yaml" in report["findings"][1]["reason"]
    assert "plinth compile" in report["findings"][1]["remedy"]


def test_a_hand_edit_is_stale_and_says_so(server, drift, tmp_path):
    folder = platform(tmp_path / "edited")
    path = folder / "overlays/default/mlflow/service-mlflow.yaml"
    path.write_text(path.read_text().replace("port: 5000", "port: 5001"))
    _, report, _ = drift(folder=folder)
    (finding,) = report["findings"]
    assert finding["class"] == "stale"
    assert finding["reason"] == "edited by hand: overlays/default/mlflow/service-mlflow.yaml"


def test_several_environments_want_a_choice(server, drift, tmp_path):
    folder = platform(
        tmp_path / "two", PLATFORM + "  environments: {dev: {}, prod: {cloud: {cluster: acme-prod}}}\n"
    )
    code, report, _ = drift(folder=folder)
    assert (code, report["schema"]) == (1, "plinth.dev/diagnostics/v1")
    assert "dev, prod" in report["diagnostics"][0]["message"]
    assert drift("--env", "prod", folder=folder)[1]["schema"] == "plinth.dev/drift/v1"
    assert drift("--env", "proud", folder=folder)[0] == 1


def test_no_cluster_asks_none(server, drift):
    code, report, _ = drift("--no-cluster")
    assert (code, report["summary"]["checked"], server.requests) == (0, 0, [])


def test_bad_credentials_are_a_tool_error(server, drift):
    server.unauthorised = True
    code, report, _ = drift()
    assert (code, report["diagnostics"][0]["code"]) == (1, "PLN915")


def test_the_same_finding_has_the_same_id_whatever_its_values_are(server, drift):
    live = one(server.objects, "Deployment", "mlflow")
    live["spec"]["replicas"] = 5
    first = drift()[1]["findings"][0]["id"]
    live["spec"]["replicas"] = 7
    assert drift()[1]["findings"][0]["id"] == first
    live["spec"]["replicas"] = 1
    live["spec"]["revisionHistoryLimit"] = 7
    assert drift()[1]["findings"][0]["id"] != first


def test_two_runs_say_the_same_bytes(server, compiled, capsys):
    one(server.objects, "Deployment", "mlflow")["spec"]["replicas"] = 5
    one(server.objects, "Service", "mlflow")["spec"]["ports"][0]["port"] = 80
    texts = set()
    for _ in range(2):
        main(["drift", "-C", str(compiled)])
        texts.add(capsys.readouterr().out)
    assert len(texts) == 1


def test_nothing_is_said_about_the_way_when_nobody_looks(server, compiled, capsys):
    main(["drift", "-C", str(compiled)])
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "\r" not in out + err
    assert err == ""


def test_on_a_terminal_it_says_how_far_it_is_and_leaves_nothing_of_it(server, compiled):
    ours, theirs = pty.openpty()
    program = "import sys; from plinth.cli import entry; entry()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "drift", "-C", str(compiled)],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=os.environ,
    )
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # the end of a terminal
        while piece := os.read(ours, 4096):
            seen += piece
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    assert b"runs Kubernetes v1.36.3" in seen
    assert b"read 1 of 7 kinds" in seen
    assert b"asked about 13 of 13 objects" in seen
    assert seen.endswith(b"\r\x1b[K")
    assert b"\x1b" not in out


def test_who_asks_no_cluster_does_not_pay_for_its_client(compiled):
    program = (
        "import sys; from plinth.cli import main; main(sys.argv[1:]); "
        "sys.exit('kubernetes' in sys.modules or 'urllib3' in sys.modules)"
    )
    words = ["drift", "-C", str(compiled), "--no-cluster"]
    assert subprocess.run([sys.executable, "-c", program, *words], check=False).returncode == 0


def test_ctrl_c_ends_it_at_once(server, compiled):
    server.busy = 10**6  # it waits seven seconds each time
    # Whoever started the tests may have told them to ignore it, as a shell does in the background.
    heeding = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heeding}; from plinth.cli import entry; entry()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "drift", "-C", str(compiled)],
        env=os.environ,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not server.requests:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err


PLANTED = "Tr0ub4dor-and-3-staples"
PLANTED_FORMS = (
    PLANTED,
    base64.b64encode(PLANTED.encode()).decode(),
    base64.b64encode(PLANTED.encode()).decode()[4:-4],
)


def plant_in_an_environment_variable(server):
    container = one(server.objects, "Deployment", "mlflow")["spec"]["template"]["spec"]["containers"][0]
    container["env"].append({"name": "DB_PASSWORD", "value": PLANTED})


def plant_in_a_reference(server):
    container = one(server.objects, "Deployment", "mlflow")["spec"]["template"]["spec"]["containers"][0]
    (entry,) = (each for each in container["env"] if each["name"] == "PGPASSWORD")
    del entry["valueFrom"]
    entry["value"] = PLANTED


def plant_in_the_last_applied_annotation(server):
    live = one(server.objects, "Service", "mlflow")
    live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = json.dumps(
        {"kind": "Secret", "stringData": {"password": PLANTED}}
    )
    live["spec"]["type"] = "NodePort"


def plant_in_an_annotation(server):
    one(server.objects, "Service", "mlflow")["metadata"]["annotations"]["example.com/api-token"] = PLANTED


def plant_in_a_refusal(server):
    one(server.objects, "Service", "mlflow")["spec"]["type"] = "NodePort"
    server.refused["services"] = status(
        500, "InternalError", f'failed calling webhook "w.example.com": {PLANTED}'
    )


def plant_in_an_unknown_reason(server):
    server.refused["services"] = status(503, "ServiceUnavailable", PLANTED)


@pytest.mark.parametrize(
    "plant",
    [
        plant_in_an_environment_variable,
        plant_in_a_reference,
        plant_in_the_last_applied_annotation,
        plant_in_an_annotation,
        plant_in_a_refusal,
        plant_in_an_unknown_reason,
    ],
    ids=lambda plant: plant.__name__,
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_planted_secret_is_never_printed(plant, form, server, compiled, capsys):
    plant(server)
    assert main(["drift", "-C", str(compiled), "--format", form]) in {2, 3}
    out, err = capsys.readouterr()
    assert "mlflow" in out
    assert not [each for each in PLANTED_FORMS if each in out + err]


def a_secret(**more):
    metadata = {"name": "s", "namespace": "argocd", "uid": "u", "resourceVersion": "7"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", **more}


@pytest.mark.parametrize("live", [PLANTED, "other"])
@pytest.mark.parametrize("field", ["data", "stringData"])
def test_a_secret_is_compared_and_never_shown(server, live, field):
    def value(text):
        return text if field == "stringData" else base64.b64encode(text.encode()).decode()

    wanted = a_secret(**{field: {"k": value("other" if live == PLANTED else PLANTED)}})
    server.objects.append(a_secret(data={"k": base64.b64encode(live.encode()).decode()}))
    reading = read_cluster(
        Cluster(connect(None)), [wanted_object(wanted)], env="default", wait=lambda _: None
    )
    (finding,) = reading.findings
    assert (finding.class_, finding.severity) == ("drift", "critical")
    place = {"because": "of the test"}
    text = repr(reading) + as_text(reading, lambda _: place) + json.dumps(as_json(reading, lambda _: place))
    assert not [each for each in PLANTED_FORMS if each in text]


def wanted_object(body):
    """A desired object with no history, for what the command's own platform does not have."""
    metadata = {
        key: value
        for key, value in body["metadata"].items()
        if key in {"name", "namespace", "labels", "annotations"}
    }
    return Desired(
        env="default",
        layer="manifest",
        application="lab",
        home=metadata.get("namespace", "lab"),
        body={**body, "metadata": metadata},
        origins={"": ("spec.components.mlflow",)},
    )


def row_object(row):
    desired = row["desired"]
    home = row["live"]["metadata"].get("namespace", "lab")
    return Desired(
        env="default",
        layer="manifest",
        application="lab",
        home=home,
        body=desired,
        origins={"": ("spec.lab",)},
    )


@needs_fixtures
@pytest.mark.parametrize("row", fixtures(), ids=lambda row: row["id"])
def test_a_recorded_case_is_told_as_what_it_is(row, other_server):
    other_server.record(row)
    namespace = row["live"]["metadata"].get("namespace")
    if namespace:
        other_server.objects.append(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        )
    reading = read_cluster(Cluster(connect(None)), [row_object(row)], env="default", wait=lambda _: None)
    told = [each.class_ for each in reading.findings] + ["explained"] * len(reading.explained)
    expected = "clean" if row["id"] in CLEAN_WITHOUT_A_SECOND_QUESTION else row["expected"]
    assert reading.unknown == ()
    assert told == ([] if expected == "clean" else [expected])
    assert (reading.checked, reading.clean) == (1, expected == "clean")
