"""`plinth drift` against a real API server: what is in order is clean, and every edit is told once.

The objects of a small platform are applied as Argo CD applies them. Then somebody else changes a dozen of them
by other ways, and what is expected of each is written by hand.
"""

from __future__ import annotations

import contextlib
import copy
import json
from urllib.parse import urlencode

import pytest

from plinth.cli import main
from plinth.text.manifests import read_manifests
from rig import missing
from rig.client import ApiError
from rig.control_plane import ADMIN, PROGRAMS, control_plane
from support import golden, platforms
from support.drift import PLATFORM, marked
from support.dry_runs import READ_ONLY, READER, UNASKED, documented, grant, only_dry_runs, unknown_kinds

pytestmark = [platforms.needs_mirror, pytest.mark.xdist_group("drift-on-a-cluster")]

MANAGER = "kubectl-edit"


@pytest.fixture(scope="module")
def cluster():
    """A control plane of its own, without controllers: objects stay as they are written."""
    lacking = missing(*PROGRAMS)
    if lacking:
        pytest.skip(lacking)
    with control_plane() as found:
        yield found


@pytest.fixture(scope="module")
def client(cluster):
    return cluster.client


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("platform")
    (found / "platform.yaml").write_text(PLATFORM.replace("upstreams: remote", "upstreams: vendored"))
    assert main(["vendor", "--mirror", str(platforms.mirror()), "-C", str(found)]) == 0
    assert main(["compile", "-C", str(found)]) == 0
    return found


@pytest.fixture(scope="module")
def applied(cluster, folder):
    """Every object of the platform, applied."""
    crds = [
        body
        for path in sorted(folder.glob("generated/vendor/*/*/crds/*.yaml"))
        if path.name != "kustomization.yaml"
        for body in read_manifests(path.read_bytes())
    ]
    (compilation,) = golden.compiled(folder).compilations
    objects = [
        marked(dict(each.body), each.application.name, each.application.namespace)
        for each in compilation.objects
    ]
    argo = folder / "generated/default/argocd"
    objects += [
        marked(body, "root", "argocd")
        for path in sorted(argo.rglob("*.yaml"))
        if path.name != "kustomization.yaml"
        for body in read_manifests(path.read_bytes())
    ]
    objects.sort(key=lambda body: body["kind"] != "Namespace")
    for body in objects:
        for name in ("uid", "resourceVersion"):
            body["metadata"].pop(name)
    cluster.apply_all([*crds, *objects], manager="argocd-controller")
    return [*crds, *objects]


@pytest.fixture
def drift(cluster, folder, monkeypatch, capsys):
    def run(*words, identity=ADMIN):
        monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig(identity)))
        code = main(["drift", "-C", str(folder), "--format", "json", *words])
        out, err = capsys.readouterr()
        return code, json.loads(out), out + err

    return run


def of(applied, kind, name, namespace=None):
    (found,) = (
        each
        for each in applied
        if (each["kind"], each["metadata"]["name"]) == (kind, name)
        and namespace in {None, each["metadata"].get("namespace")}
    )
    return found


def edit(client, body, operations, *, manager):
    """Change an object as somebody else would, by a JSON patch."""
    path = f"{client.path_of(body)}?{urlencode({'fieldManager': manager})}"
    client.call("PATCH", path, operations, content_type="application/json-patch+json")


def delete(client, body):
    client.call("DELETE", client.path_of(body))


def resource_versions(client, applied):
    paths = [client.path_of(each) for each in applied]
    return {path: client.call("GET", path)["metadata"]["resourceVersion"] for path in paths}


def test_what_was_applied_is_clean_and_nothing_changes_by_asking(client, applied, drift):
    before = resource_versions(client, applied)
    code, report, _ = drift("--context", "rig")
    assert report["findings"] == []
    assert report["unknown"] == []
    assert code == 0
    assert (
        report["summary"]["checked"]
        == report["summary"]["clean"] + report["summary"]["explained"]
        == len(applied)
    )
    assert resource_versions(client, applied) == before


def replace(path, value):
    return {"op": "replace", "path": path, "value": value}


def add(path, value):
    return {"op": "add", "path": path, "value": value}


POD = "/spec/template/spec"

EDITS = {
    # kind and name: operations, class, fields, the line of the spec or the compiler's reason
    ("Deployment", "mlflow"): (
        [replace(f"{POD}/containers/0/image", "ghcr.io/mallory/mlflow:latest")],
        "drift",
        [f"{POD}/containers/[name=mlflow]/image"],
    ),
    ("Deployment", "argocd-server"): (
        [{"op": "remove", "path": f"{POD}/containers/0/args/0"}],
        "drift",
        [f"{POD}/containers/[name=argocd-server]/args"],
    ),
    ("Deployment", "argocd-repo-server"): (
        [replace("/spec/replicas", 5)],
        None,  # upstream leaves it open: an overridden default
        ["/spec/replicas"],
    ),
    ("Deployment", "argocd-redis"): (
        [add(f"{POD}/containers/0/env/-", {"name": "EXTRA", "value": "1"})],
        "drift-unmanaged",
        [f"{POD}/containers/[name=redis]/env/[name=EXTRA]"],
    ),
    ("ServiceAccount", "mlflow"): (
        [add("/metadata/labels", {"team": "vision"})],
        "drift-unmanaged",
        ["/metadata/labels"],
    ),
    ("Service", "mlflow"): (
        [add("/spec/ports/-", {"name": "debug", "port": 9000, "protocol": "TCP", "targetPort": 9000})],
        "drift-unmanaged",
        ["/spec/ports/[port=9000,protocol=TCP]"],
    ),
    ("Role", "argocd-server"): (
        [replace("/rules/0/verbs", ["*"])],
        "drift",
        ["/rules"],
    ),
    ("ConfigMap", "argocd-cm"): (
        [replace("/data/exec.enabled", "true")],
        "drift",
        ["/data/exec.enabled"],
    ),
    ("Application", "mlflow"): (
        [replace("/spec/syncPolicy/automated/selfHeal", False)],  # noqa: FBT003 - JSON
        "drift",
        ["/spec/syncPolicy/automated/selfHeal"],
    ),
    ("NetworkPolicy", "mlflow"): (
        [add("/metadata/annotations/note", "let me in")],
        "drift-unmanaged",
        ["/metadata/annotations/note"],
    ),
    ("Secret", "argocd-secret"): (
        [add("/data", {"admin.password": "aHVudGVyMi1pcy1ub3QtYS1wYXNzd29yZA=="})],
        "ignored",  # Argo CD is told to leave its data alone
        [],
    ),
    ("ConfigMap", "argocd-rbac-cm"): (
        [replace("/data/policy.default", "role:admin")],
        "drift",
        ["/data/policy.default"],
    ),
}


@pytest.fixture
def edited(client, applied):
    """The platform after a dozen edits, put back afterwards."""
    bodies = {key: of(applied, *key) for key in EDITS}
    removed = of(applied, "Service", "argocd-metrics")
    for key, (operations, *_) in EDITS.items():
        edit(client, bodies[key], operations, manager=MANAGER)
    delete(client, removed)
    yield
    for body in (*bodies.values(), removed):
        # What was added is not ours to take back by applying: the object is made anew.
        with contextlib.suppress(ApiError):  # it is gone
            delete(client, body)
    for body in (*bodies.values(), removed):
        finalizers = body["metadata"].get("finalizers")
        if finalizers:
            edit(
                client, body, [{"op": "remove", "path": "/metadata/finalizers"}], manager="argocd-controller"
            )
        client.apply(copy.deepcopy(body), manager="argocd-controller")


def test_every_edit_is_told_once_with_its_class_its_actor_and_its_line(client, applied, edited, drift):
    before = resource_versions(
        client, [each for each in applied if each["metadata"]["name"] != "argocd-metrics"]
    )
    code, report, said = drift()
    found = {(each["resource"]["kind"], each["resource"]["name"]): each for each in report["findings"]}
    assert code == 2
    assert report["unknown"] == []
    assert len(found) == len(report["findings"])
    expected = {key for key, (_, class_, _) in EDITS.items() if class_ != "ignored"}
    assert set(found) == expected | {("Service", "argocd-metrics")}
    assert found["Service", "argocd-metrics"]["class"] == "missing"
    for key in expected:
        _, class_, paths = EDITS[key]
        finding = found[key]
        assert finding["class"] == (class_ or "drift-unmanaged"), key
        assert [field["path"] for field in finding["fields"]] == paths, key
        # Who takes a field away is not recorded.
        actors = [] if key == ("Deployment", "argocd-server") else [MANAGER]
        assert [actor["manager"] for actor in finding["actors"]] == actors, key
        assert finding["origins"], key
    assert (
        found["Deployment", "mlflow"]["severity"] == found["Role", "argocd-server"]["severity"] == "critical"
    )
    (line,) = {each["line"] for each in found["Service", "mlflow"]["origins"]}
    assert PLATFORM.splitlines()[line - 1].strip().startswith("mlflow:")
    assert "hunter2" not in said
    assert "aHVudGVyMi1" not in said
    assert (
        resource_versions(client, [each for each in applied if each["metadata"]["name"] != "argocd-metrics"])
        == before
    )


def test_a_user_with_the_documented_rights_sees_the_same(cluster, applied, drift):
    grant(cluster, documented())
    code, report, _ = drift(identity=READER)
    unknown = unknown_kinds(report)
    assert report["findings"] == []
    assert unknown <= UNASKED
    assert code == (3 if unknown else 0)


def test_a_user_who_may_only_read_is_told_what_is_missing(cluster, applied, drift):
    grant(cluster, READ_ONLY)
    code, report, _ = drift(identity=READER)
    assert (code, report["findings"]) == (3, [])
    assert len(report["unknown"]) == len(applied)
    assert "the right to patch `deployments` is missing" in json.dumps(report["unknown"])


def test_the_command_itself_uses_no_right_but_dry_runs(cluster, applied, drift):
    """An admission policy that lets nothing pass for this user but dry runs, and the command works under it."""
    grant(cluster, documented())
    with only_dry_runs(cluster, of(applied, "Service", "mlflow")):
        _, report, _ = drift(identity=READER)
        assert report["findings"] == []
        assert unknown_kinds(report) <= UNASKED
