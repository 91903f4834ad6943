"""Whatever a pod cannot start without is in the tree, is made by something in it, or is known to come.

The example is looked at with its upstreams, vendored from the mirror, and every golden case as it stands.
Upstream objects that are not at hand are known by name.
"""

from __future__ import annotations

import copy

import pytest

from plinth.ir.targets import Base, TerraformResource
from support import judged, platforms
from support.compiled import read, with_object
from support.references import Reference, makes, references

MADE_BY_CONTROLLERS = {
    # The init container of Argo CD's own Redis makes it: `argocd admin redis-initial-password`.
    ("argocd", "Secret/argocd-redis"): {"auth"},
}
MADE_BY_HAND = {
    ("jupyterhub", "Secret/acme-ml-jupyterhub"): {
        "hub.config.ConfigurableHTTPProxy.auth_token",
        "hub.config.CryptKeeper.keys",
        "hub.config.JupyterHub.cookie_secret",
    },
    ("jupyterhub", "Secret/google-sign-in"): {"clientID", "clientSecret"},
    ("mlflow", "Secret/minio"): {"accessKey", "secretKey"},
    ("mlflow", "Secret/mlflow-postgres"): {"password", "username"},
}
"""Where there is no secret store, a person makes these as docs/bootstrap.md says.

By namespace and object, as the one above: the keys of what no tree holds. Reviewed; an entry that nothing
needs fails a test.
"""

AT_HAND = [
    pytest.param(False, id="fetched"),
    pytest.param(True, id="vendored", marks=platforms.needs_mirror),
]


def missing(compiled):
    """Namespace and name of everything that pods need and nothing in the tree brings, with who needs it."""
    there = {
        (each.key.namespace, made): keys if each.is_whole or made.kind != each.key.kind else None
        for each in compiled.known
        for made, keys in makes(each.body)
    }
    # The mirror that the catalogue was made from leaves it out; the real upstream has it.
    left_out = {name for base in compiled.graph.of(Base) for name in base.upstream.incomplete}
    found = {}
    for each in compiled.known:
        for needed in references(each.body) if each.is_whole else ():
            place = (each.key.namespace, needed.whole)
            if str(needed.whole) in left_out:
                continue
            if place not in there:
                found[each.key.namespace, str(needed.whole)] = str(each.key)
            keys = there.get(place, frozenset())
            if needed.key and keys is not None and needed.key not in keys:
                found[each.key.namespace, str(needed)] = str(each.key)
    return found


def expected(compiled):
    """What may be missing there."""
    has_store = any(compiled.graph.of(TerraformResource))  # a cloud where we make things
    return MADE_BY_CONTROLLERS | ({} if has_store else MADE_BY_HAND)


def named(made):
    """Every object of a table, and every key of it."""
    return set(made) | {(place, f"{name}[{key}]") for (place, name), keys in made.items() for key in keys}


@pytest.mark.parametrize("vendored", AT_HAND)
@pytest.mark.parametrize("platform", judged.PLATFORMS)
def test_whatever_a_pod_names_is_there_or_is_known_to_come(platform, vendored):
    for each in judged.environments(platform, vendored=vendored):
        unknown = missing(each.compiled).keys() - named(expected(each.compiled))
        assert unknown == set(), f"{each.name}: {missing(each.compiled)}"


@platforms.needs_mirror
def test_whatever_is_said_to_be_made_elsewhere_is_needed():
    found = {
        key
        for platform in judged.PLATFORMS
        for each in judged.environments(platform, vendored=True)
        for key in missing(each.compiled).keys() & expected(each.compiled)
    }
    assert found == MADE_BY_CONTROLLERS.keys() | MADE_BY_HAND.keys()


@platforms.needs_mirror
def test_what_the_mirror_leaves_out_is_looked_over_where_a_pod_needs_it():
    compiled = example(vendored=True)
    needed = {
        (each.application.component, str(needed.whole))
        for each in compiled.known
        if each.is_whole
        for needed in references(each.body)
    }
    left_out = {
        (base.component, name) for base in compiled.graph.of(Base) for name in base.upstream.incomplete
    }
    assert left_out == {("jupyterhub", "ConfigMap/hub"), ("jupyterhub", "Secret/hub")}
    assert left_out <= needed


def example(*, vendored=False):
    (dev, _) = judged.environments(judged.EXAMPLE, vendored=vendored)
    return dev.compiled


POD = """
apiVersion: v1
kind: Pod
metadata: {name: report, namespace: mlflow}
spec:
  serviceAccountName: mlflow
  imagePullSecrets: [{name: mlflow-database}]
  volumes:
    - {name: v, secret: {secretName: mlflow-database}}
    - {name: w, projected: {sources: [{secret: {name: mlflow-database}}, {serviceAccountToken: {path: t}}]}}
  initContainers: [{name: first, image: "a/b:v1"}]
  containers:
    - name: main
      image: a/b:v1
      envFrom: [{secretRef: {name: mlflow-database}}]
      env: [{name: A, value: b}, {name: C, valueFrom: {secretKeyRef: {name: mlflow-database, key: password}}}]
"""


@pytest.mark.parametrize(
    ("change", "needed"),
    [
        (lambda spec: spec.update(serviceAccountName="gone"), "ServiceAccount/gone"),
        (lambda spec: spec["imagePullSecrets"][0].update(name="gone"), "Secret/gone"),
        (lambda spec: spec["volumes"][0]["secret"].update(secretName="gone"), "Secret/gone"),
        (lambda spec: spec["volumes"][0].update(secret=None, configMap={"name": "gone"}), "ConfigMap/gone"),
        (
            lambda spec: spec["volumes"][0].update(secret=None, persistentVolumeClaim={"claimName": "gone"}),
            "PersistentVolumeClaim/gone",
        ),
        (
            lambda spec: spec["volumes"][1]["projected"]["sources"].append({"configMap": {"name": "gone"}}),
            "ConfigMap/gone",
        ),
        (
            lambda spec: spec["initContainers"][0].update(envFrom=[{"secretRef": {"name": "gone"}}]),
            "Secret/gone",
        ),
        (
            lambda spec: spec["containers"][0]["env"][0].update(
                valueFrom={"configMapKeyRef": {"name": "gone", "key": "a"}}
            ),
            "ConfigMap/gone ConfigMap/gone[a]",
        ),
        (
            lambda spec: spec["containers"][0]["env"][1]["valueFrom"]["secretKeyRef"].update(name="gone"),
            "Secret/gone Secret/gone[password]",
        ),
        (
            lambda spec: spec["containers"][0]["env"][1]["valueFrom"]["secretKeyRef"].update(key="gone"),
            "Secret/mlflow-database[gone]",
        ),
        (
            lambda spec: spec["volumes"][0]["secret"].update(items=[{"key": "gone", "path": "p"}]),
            "Secret/mlflow-database[gone]",
        ),
    ],
)
def test_a_name_that_nothing_bears_is_found(change, needed):
    compiled, body = example(), read(POD)
    before = missing(compiled)
    assert missing(with_object(compiled, body)) == before

    change(body["spec"])
    by = {("mlflow", each): "Pod mlflow/report" for each in needed.split()}
    assert missing(with_object(compiled, body)) == {**before, **by}
    # A job of a custom kind holds its pods deeper.
    job = {
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": body["metadata"],
        "spec": {"pytorchReplicaSpecs": {"Worker": {"template": {"spec": body["spec"]}}}},
    }
    assert missing(with_object(compiled, job)).keys() == {*before, *by}


def test_what_is_optional_may_be_gone():
    compiled, body = example(), read(POD)
    other = copy.deepcopy(body)
    other["spec"]["volumes"][0]["secret"] = {"secretName": "gone", "optional": True}
    assert missing(with_object(compiled, other)) == missing(with_object(compiled, body))


def test_a_certificate_makes_its_secret():
    body = {"kind": "Certificate", "metadata": {"name": "web"}, "spec": {"secretName": "web-tls"}}
    assert list(makes(body)) == [
        (Reference("Certificate", "web"), None),
        (Reference("Secret", "web-tls"), {"ca.crt", "tls.crt", "tls.key"}),
    ]
