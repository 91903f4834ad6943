from __future__ import annotations

import copy

import pytest
from msgspec.structs import replace

from plinth.checks.pod_security import CHECK
from plinth.ir.targets import Base
from support.compiled import only, read, remote, said, vendored, with_object
from support.platforms import needs_mirror

CONFINED = """
apiVersion: v1
kind: Pod
metadata: {name: x, namespace: mlflow}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 1001, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: main
      image: a/b:v1
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"""
BARE = """
apiVersion: v1
kind: Pod
metadata: {name: x, namespace: argocd}
spec:
  containers: [{name: main, image: a/b:v1}]
"""
OWN = "containers[main].securityContext"


def changed(text, path, value):
    """The object of a text with a part of it set, on the way to which maps are made; None takes it out."""
    body = copy.deepcopy(read(text))
    *parts, last = path.split("/")
    node = body
    for part in parts:
        node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
    if value is None:
        del node[last]
    else:
        node[last] = value
    return body


def found_in(body):
    """What is wrong with the one pod template of an object, line by line."""
    headline, *lines = only(CHECK, with_object(remote()[0], body)).message.split("\n  - ")
    assert headline.endswith(":")
    return lines


FORBIDDEN = [
    ("spec/hostNetwork", True, "`hostNetwork` is true"),
    ("spec/hostPID", True, "`hostPID` is true"),
    ("spec/hostIPC", True, "`hostIPC` is true"),
    (
        "spec/securityContext/windowsOptions",
        {"hostProcess": True},
        "`securityContext.windowsOptions.hostProcess` is true",
    ),
    ("spec/containers/0/securityContext/privileged", True, f"`{OWN}.privileged` is true"),
    (
        "spec/containers/0/securityContext/capabilities",
        {"drop": ["ALL"], "add": ["SYS_ADMIN"]},
        f"`{OWN}.capabilities.add` has `SYS_ADMIN`",
    ),
    ("spec/volumes", [{"name": "v", "hostPath": {"path": "/"}}], "`volumes[v]` is a `hostPath`"),
    (
        "spec/containers/0/ports",
        [{"containerPort": 80, "hostPort": 8080}],
        "`containers[main].ports` has the `hostPort` 8080",
    ),
    (
        "spec/containers/0/livenessProbe",
        {"httpGet": {"port": 80, "host": "10.0.0.1"}},
        "`containers[main].livenessProbe.httpGet.host` is set",
    ),
    (
        "spec/containers/0/lifecycle",
        {"preStop": {"tcpSocket": {"port": 80, "host": "10.0.0.1"}}},
        "`containers[main].lifecycle.preStop.tcpSocket.host` is set",
    ),
    (
        "spec/containers/0/securityContext/appArmorProfile",
        {"type": "Unconfined"},
        f"`{OWN}.appArmorProfile.type` is `Unconfined`",
    ),
    (
        "metadata/annotations",
        {"container.apparmor.security.beta.kubernetes.io/main": "unconfined"},
        "the annotation `container.apparmor.security.beta.kubernetes.io/main` is `unconfined`",
    ),
    (
        "spec/securityContext/seLinuxOptions",
        {"type": "spc_t"},
        "`securityContext.seLinuxOptions.type` is `spc_t`",
    ),
    (
        "spec/containers/0/securityContext/seLinuxOptions",
        {"user": "root"},
        f"`{OWN}.seLinuxOptions.user` is set",
    ),
    ("spec/containers/0/securityContext/procMount", "Unmasked", f"`{OWN}.procMount` is `Unmasked`"),
    (
        "spec/containers/0/securityContext/seccompProfile",
        {"type": "Unconfined"},
        f"`{OWN}.seccompProfile.type` is `Unconfined`",
    ),
    (
        "spec/securityContext/sysctls",
        [{"name": "kernel.msgmax", "value": "1"}],
        "`securityContext.sysctls` has `kernel.msgmax`",
    ),
]


@pytest.mark.parametrize(("path", "value", "line"), FORBIDDEN)
def test_what_baseline_forbids(path, value, line):
    if path.startswith("spec/containers/0/securityContext/cap"):
        value = {"add": value["add"]}

    assert found_in(changed(BARE, path, value)) == [line]


@pytest.mark.parametrize(("path", "value", "line"), FORBIDDEN)
def test_restricted_forbids_it_too(path, value, line):
    assert line in found_in(changed(CONFINED, path, value))


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        ("spec/volumes", [{"name": "v", "nfs": {"server": "s", "path": "/"}}], "`volumes[v]` is a `nfs`"),
        (
            "spec/containers/0/securityContext/allowPrivilegeEscalation",
            None,
            f"`{OWN}.allowPrivilegeEscalation` is not false",
        ),
        (
            "spec/securityContext/runAsNonRoot",
            None,
            f"`{OWN}.runAsNonRoot` is not true, nor is the pod's",
        ),
        ("spec/containers/0/securityContext/runAsNonRoot", False, f"`{OWN}.runAsNonRoot` is false"),
        ("spec/securityContext/runAsUser", 0, "`securityContext.runAsUser` is 0"),
        ("spec/containers/0/securityContext/runAsUser", 0, f"`{OWN}.runAsUser` is 0"),
        (
            "spec/securityContext/seccompProfile",
            None,
            f"`{OWN}.seccompProfile` is not set, nor is the pod's",
        ),
        (
            "spec/containers/0/securityContext/capabilities",
            {"drop": ["NET_RAW"]},
            f"`{OWN}.capabilities.drop` lacks `ALL`",
        ),
        (
            "spec/containers/0/securityContext/capabilities",
            {"drop": ["ALL"], "add": ["CHOWN"]},
            f"`{OWN}.capabilities.add` has `CHOWN`",
        ),
    ],
)
def test_what_restricted_demands_besides(path, value, line):
    assert found_in(changed(CONFINED, path, value)) == [line]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec/hostNetwork", False),
        ("spec/volumes", [{"name": "v", "emptyDir": {}}, {"name": "w", "ephemeral": {}}]),
        (
            "spec/containers/0/securityContext/capabilities",
            {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        ),
        ("spec/containers/0/livenessProbe", {"httpGet": {"port": 80, "host": ""}}),
        ("spec/containers/0/ports", [{"containerPort": 80, "hostPort": 0}]),
        ("spec/securityContext/appArmorProfile", {"type": "RuntimeDefault"}),
        (
            "metadata/annotations",
            {"container.apparmor.security.beta.kubernetes.io/main": "localhost/mine"},
        ),
        ("spec/securityContext/seLinuxOptions", {"type": "container_t", "level": "s0:c1"}),
        ("spec/containers/0/securityContext/procMount", "Default"),
        ("spec/containers/0/securityContext/seccompProfile", {"type": "Localhost"}),
        ("spec/securityContext/sysctls", [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]),
    ],
)
def test_what_restricted_allows(path, value):
    assert said(CHECK, with_object(remote()[0], changed(CONFINED, path, value))) == ()


def test_a_container_may_say_itself_what_the_pod_does_not():
    body = changed(CONFINED, "spec/securityContext", {})
    own = body["spec"]["containers"][0]["securityContext"]
    own |= {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}

    assert said(CHECK, with_object(remote()[0], body)) == ()


def test_a_pod_of_windows_knows_no_capabilities():
    body = changed(CONFINED, "spec/os", {"name": "windows"})
    body["spec"]["securityContext"] = {"runAsNonRoot": True}
    body["spec"]["containers"][0].pop("securityContext")

    assert said(CHECK, with_object(remote()[0], body)) == ()


@pytest.mark.parametrize("part", ["initContainers", "ephemeralContainers"])
def test_every_container_counts(part):
    body = changed(CONFINED, f"spec/{part}", [{"name": "first", "securityContext": {"privileged": True}}])

    assert f"`{part}[first].securityContext.privileged` is true" in found_in(body)


TEMPLATE = {"spec": {"hostPID": True, "containers": [{"name": "main"}]}}


@pytest.mark.parametrize(
    ("api", "kind", "spec", "place"),
    [
        ("apps/v1", "Deployment", {"template": TEMPLATE}, ""),
        ("apps/v1", "DaemonSet", {"template": TEMPLATE}, ""),
        (
            "batch/v1",
            "CronJob",
            {"jobTemplate": {"spec": {"template": TEMPLATE}}},
            " at `/spec/jobTemplate/spec/template`",
        ),
        (
            "ray.io/v1",
            "RayCluster",
            {"workerGroupSpecs": [{"template": TEMPLATE}]},
            " at `/spec/workerGroupSpecs/0/template`",
        ),
    ],
)
def test_every_template_is_found(api, kind, spec, place):
    metadata = {"name": "x", "namespace": "argocd"}
    body = {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}
    key = f"{api.partition('/')[0]}/{kind} argocd/x"

    found = only(CHECK, with_object(remote()[0], body))

    assert (found.severity, found.path) == ("error", ("spec", "components", "mlflow"))
    assert found.message == (
        f"no pod of `{key}`{place} would start, for `argocd` enforces `baseline`:\n  - `hostPID` is true"
    )


@pytest.mark.parametrize("namespace", ["kube-system", "default"])
def test_a_namespace_without_the_label_admits_all(namespace):
    body = changed(BARE, "metadata/namespace", namespace)
    body["spec"]["hostNetwork"] = True

    assert said(CHECK, with_object(remote()[0], body)) == ()


def test_a_level_that_upstreams_namespace_gets_by_our_patch_counts():
    body = changed(BARE, "metadata/namespace", "kubeflow")
    body["spec"]["hostNetwork"] = True

    assert found_in(body) == ["`hostNetwork` is true"]


def test_an_upstream_that_is_not_at_hand_is_not_judged():
    assert all(base.objects is None for base in remote()[0].graph.of(Base))
    assert said(CHECK, remote()[0]) == ()


@needs_mirror
def test_the_training_operator_of_1_7_does_not_run_where_pods_are_restricted():
    def restricted(each):
        if (each.key.kind, each.key.name) != ("Namespace", "kubeflow"):
            return each
        metadata = {"name": "kubeflow", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}
        return replace(each, body={**each.body, "metadata": metadata})

    compiled = vendored()[0]
    found = only(CHECK, replace(compiled, objects=tuple(restricted(each) for each in compiled.objects)))

    assert found.path == ("spec", "components", "training-operator")
    headline, *lines = found.message.split("\n  - ")
    assert headline == (
        "no pod of `apps/Deployment kubeflow/training-operator` would start,"
        " for `kubeflow` enforces `restricted`:"
    )
    assert lines == [
        "`containers[training-operator].securityContext.runAsNonRoot` is not true, nor is the pod's",
        "`containers[training-operator].securityContext.seccompProfile` is not set, nor is the pod's",
        "`containers[training-operator].securityContext.capabilities.drop` lacks `ALL`",
    ]
