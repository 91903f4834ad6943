"""What is desired of a cluster: which objects, with which mark, from which lines, and what is left alone."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from plinth.cli.drift import _withheld
from plinth.ir import graph as graphs
from plinth.ir.targets import Application, Base, ObjectKey, Patch
from plinth.live.api_server import connect
from plinth.live.kubernetes import Cluster
from plinth.reconcile.cluster import read_cluster
from plinth.reconcile.desired import TRACKING, Desired, tracked, wanted
from plinth.reconcile.origins import of_fields
from support.api_server import serve
from support.drift import PLATFORM
from support.platforms import compile_bytes, mirror, needs_mirror


@pytest.fixture(scope="module")
def compilation():
    (found,) = compile_bytes(PLATFORM.encode()).compilations
    return found


@pytest.fixture(scope="module")
def vendored():
    text = PLATFORM.replace("upstreams: remote", "upstreams: vendored")
    (found,) = compile_bytes(text.encode(), mirror()).compilations
    return found


def no_crds(_component, _version):
    return None


def names(objects):
    return {(each.body["kind"], each.body["metadata"]["name"]) for each in objects}


def one(objects, kind, name):
    (found,) = (
        each for each in objects if (each.body["kind"], each.body["metadata"]["name"]) == (kind, name)
    )
    return found


def with_targets(compilation, change):
    targets = [change(each) for each in compilation.graph.targets]
    graph = graphs.build(targets)
    withheld = tuple(each for each in graph.of(Application) if each.withheld)
    return replace(compilation, graph=graph, withheld=withheld)


@pytest.mark.parametrize(
    ("version", "kind", "namespace", "mark"),
    [
        ("apps/v1", "Deployment", "lab", "web:apps/Deployment:lab/x"),
        ("apps/v1", "Deployment", None, "web:apps/Deployment:home/x"),
        ("v1", "Service", "lab", "web:/Service:lab/x"),
        (
            "rbac.authorization.k8s.io/v1",
            "ClusterRole",
            None,
            "web:rbac.authorization.k8s.io/ClusterRole:home/x",
        ),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, None),
    ],
)
def test_the_mark_of_argo_cd(version, kind, namespace, mark):
    """Source: Argo CD, util/argo/resource_tracking and the repo-server: a CRD is not marked."""
    metadata = {"name": "x"} | ({"namespace": namespace} if namespace else {})
    body = {"apiVersion": version, "kind": kind, "metadata": metadata}
    annotations = tracked(body, "web", "home")["metadata"].get("annotations", {})
    assert annotations == ({TRACKING: mark} if mark else {})
    assert body["metadata"] == metadata


def test_other_annotations_stay():
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x", "annotations": {"a": "b"}}}
    assert tracked(body, "web", "home")["metadata"]["annotations"]["a"] == "b"


def test_what_argo_cd_fetches_is_unknown_and_what_is_ours_is_compared(compilation):
    found = wanted(compilation, no_crds)
    assert {each.what for each in found.unknown} == {"Application argo-cd", "Application argo-cd-crds"}
    assert ("Deployment", "mlflow") in names(found.objects)
    assert ("Namespace", "argocd") in names(found.objects)
    assert {("AppProject", "platform"), ("Application", "mlflow"), ("Application", "root")} <= names(
        found.objects
    )


def test_an_application_that_waits_is_not_desired_and_is_named(compilation):
    def change(target):
        if isinstance(target, Application) and target.name == "mlflow":
            return replace(target, withheld=("a bucket",))
        return target

    found = wanted(with_targets(compilation, change), no_crds)
    assert ("Deployment", "mlflow") not in names(found.objects)
    (application,) = found.withheld
    finding = _withheld("default", application)
    assert (finding.class_, finding.severity) == ("pending", "info")
    assert "a bucket" in finding.reason


@needs_mirror
def test_vendored_everything_is_desired(vendored):
    crds = (
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "a.b"},
        },
    )
    found = wanted(vendored, lambda _component, _version: crds)
    assert found.unknown == ()
    assert {("Deployment", "argocd-server"), ("CustomResourceDefinition", "a.b")} <= names(found.objects)
    assert one(found.objects, "Secret", "argocd-secret").ignored == ("/data",)
    assert one(found.objects, "ConfigMap", "argocd-cm").ignored == ()


@needs_mirror
def test_crds_that_are_not_at_hand_are_unknown(vendored):
    assert {each.what for each in wanted(vendored, no_crds).unknown} == {"Application argo-cd-crds"}


@needs_mirror
def test_what_a_mirror_leaves_out_in_part_is_unknown(vendored):
    def change(target):
        return replace(target, incomplete=("Secret/argocd-secret",)) if isinstance(target, Base) else target

    found = wanted(with_targets(vendored, change), no_crds)
    assert ("Secret", "argocd-secret") not in names(found.objects)
    assert "Secret argocd-secret" in {each.what for each in found.unknown}


@needs_mirror
def test_a_patched_field_comes_from_its_patch_and_the_rest_from_the_component(vendored):
    key = ObjectKey("apps", "Deployment", "argocd", "argocd-server")
    patch = Patch(
        application="argo-cd",
        target=key,
        operations=({"op": "replace", "path": "/spec/replicas", "value": 3},),
        origins=(("spec", "components", "argo-cd", "patches"),),
        file="patches/argo.yaml",
    )
    merge = replace(patch, operations=(), merge={"spec": {"paused": False}}, file="patches/more.yaml")
    graph = graphs.build((*vendored.graph.targets, patch, merge))
    desired = one(wanted(replace(vendored, graph=graph), no_crds).objects, "Deployment", "argocd-server")
    patched = ("spec.components.argo-cd.patches",)
    assert of_fields(["/spec/replicas"], desired.body, desired.origins) == patched
    assert of_fields(["/spec/paused"], desired.body, desired.origins) == patched
    rest = of_fields(["/spec/template/metadata"], desired.body, desired.origins)
    assert rest == ("because Argo CD brings everything else into the cluster",)


BODY = {
    "spec": {
        "containers": [{"name": "a"}, {"name": "b", "ports": [{"containerPort": 80}, {"containerPort": 81}]}],
        "finalizers": ["x", "y/z"],
    }
}


@pytest.mark.parametrize(
    ("path", "wanted_origin"),
    [
        ("/spec/containers/[name=b]", "spec.b"),
        ("/spec/containers/[name=b]/ports/[containerPort=81,protocol=TCP]", "spec.port"),
        ("/spec/containers/[name=b]/ports/1/name", "spec.port"),
        ("/spec/containers/[name=b]/ports/[containerPort=99,protocol=TCP]", "spec.port"),
        ("/spec/containers/[name=c]", "spec.containers"),
        ("/spec/containers/7", "spec.containers"),
        ("/spec/finalizers/[=y~1z]", "spec.z"),
        ("/metadata/labels/x", "spec.whole"),
        ("", "spec.whole"),
    ],
)
def test_the_closest_part_says_where_a_field_comes_from(path, wanted_origin):
    origins = {
        "": ("spec.whole",),
        "/spec/containers": ("spec.containers",),
        "/spec/containers/1": ("spec.b",),
        "/spec/containers/1/ports/1": ("spec.port",),
        "/spec/finalizers/1": ("spec.z",),
    }
    origins = {key: some for key, some in origins.items() if path or not key}
    found = of_fields([path], BODY, origins)
    assert found[0] == wanted_origin


def lab(body, **more):
    return Desired(
        env="default",
        layer="manifest",
        application="lab",
        home="lab",
        body=body,
        origins={"": ("spec.lab",)},
        **more,
    )


@pytest.fixture
def server(tmp_path, monkeypatch):
    with serve([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}}]) as found:
        monkeypatch.setenv("KUBECONFIG", str(found.kubeconfig(tmp_path)))
        yield found


def read(*objects):
    return read_cluster(Cluster(connect(None)), objects, env="default", wait=lambda _: None)


def a_job(annotations=None, **spec):
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "annotations": annotations or {}},
        "spec": spec,
    }


@pytest.mark.parametrize(
    "body",
    [
        a_job({"argocd.argoproj.io/hook": "PreSync"}),
        a_job({"helm.sh/hook": "post-install"}),
        a_job(ttlSecondsAfterFinished=60),
        {**a_job({"argocd.argoproj.io/hook": "Sync"}), "apiVersion": "v1", "kind": "ConfigMap"},
    ],
)
def test_what_ends_by_itself_may_be_gone(server, body):
    reading = read(lab(body))
    assert (reading.findings, reading.unknown, len(reading.explained)) == ((), (), 1)


def test_a_job_that_stays_may_not(server):
    assert [each.class_ for each in read(lab(a_job(backoffLimit=1))).findings] == ["missing"]


def test_what_gets_a_name_from_the_server_is_no_object_that_could_be_looked_for(server):
    body = {**a_job(), "metadata": {"generateName": "j-"}}
    assert (read(lab(body)).findings, read(lab(body)).checked) == ((), 0)


def test_a_namespace_on_what_has_none_is_left_out(server):
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "r", "namespace": "lab"},
        "rules": [],
    }
    server.objects.append({**role, "metadata": {"name": "r", "uid": "u", "resourceVersion": "1"}})
    reading = read(lab(role))
    assert (reading.findings, reading.clean) == ((), 1)
    assert "namespace" not in server.probes()[0].body["metadata"]


def test_what_argo_cd_is_told_to_leave_alone_is_as_it_is(server):
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "type": "Opaque",
        "data": {"own": "b2xk"},
    }
    live = {**secret, "metadata": {"name": "s", "namespace": "lab"}, "data": {"made": "bmV3", "by": "aXQ="}}
    server.objects.append(live)
    assert [each.class_ for each in read(lab(secret)).findings] == ["drift"]
    reading = read(lab(secret, ignored=("/data",)))
    assert (reading.findings, reading.clean) == ((), 1)
    assert server.probes()[-1].body["data"] == live["data"]


def test_what_argo_cd_is_told_to_leave_alone_may_be_missing_on_either_side(server):
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}}
    server.objects.append(
        {**config, "metadata": {"name": "c", "namespace": "lab"}, "data": {"a": "1", "b~/c": "2"}}
    )
    assert read(lab(config, ignored=("/data/b~0~1c", "/spec/x/y"))).clean == 1
    assert read(lab(config, ignored=("/data/other",))).clean == 0


def test_a_crd_that_is_missing_takes_its_objects_with_it(server):
    server.kinds = tuple(each for each in server.kinds if each[2] != "Widget")
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.lab.example.com"},
        "spec": {"group": "lab.example.com", "names": {"kind": "Widget", "plural": "widgets"}},
    }
    widgets = [
        {"apiVersion": "lab.example.com/v1", "kind": "Widget", "metadata": {"name": name}}
        for name in ("a", "b")
    ]
    (finding,) = read(lab(crd), *(lab(each) for each in widgets)).findings
    assert (finding.class_, finding.resource["kind"]) == ("missing", "CustomResourceDefinition")
    assert finding.reason == "2 objects cannot be without it"
