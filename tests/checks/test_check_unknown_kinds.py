from __future__ import annotations

import pytest
from msgspec.structs import replace

from plinth.checks.unknown_kinds import CHECK
from plinth.ir.targets import Application, Base
from support.compiled import only, remote, said, with_object, with_targets


def custom(api, kind, name="x"):
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "mlflow"}}


def test_a_kind_that_nothing_brings():
    compiled = with_object(remote()[0], custom("ray.io/v1", "RayCluster", "b"))
    found = only(CHECK, with_object(compiled, custom("ray.io/v1", "RayCluster", "a")))

    assert (found.severity, found.path) == ("error", ("spec", "components", "mlflow"))
    assert found.message == (
        "`ray.io/RayCluster mlflow/a`, `ray.io/RayCluster mlflow/b` would be refused:"
        " no component of the environment brings a CRD for `ray.io/v1` `RayCluster`"
    )


def test_a_kind_whose_component_is_gone():
    def without(target):
        return None if getattr(target, "component", "") == "external-secrets" else target

    found = said(CHECK, with_targets(remote()[0], without))

    # ExternalSecrets of jupyterhub and mlflow, and the store, whose Application is left in the objects.
    assert [each.message.partition(" would")[0].count("`") // 2 for each in found] == [1, 2, 1]
    assert all("brings a CRD for" in each.message for each in found)


def test_a_version_that_is_not_served():
    found = only(CHECK, with_object(remote()[0], custom("external-secrets.io/v1beta1", "ExternalSecret")))

    assert "the CRD serves `v1`, and not `external-secrets.io/v1beta1` `ExternalSecret`" in found.message


def test_a_kind_that_comes_too_late():
    body = custom("kubeflow.org/v1", "TFJob")
    compiled = with_object(remote()[0], body)
    assert said(CHECK, compiled) == ()

    found = only(CHECK, with_object(remote()[0], body, "cert-manager-crds"))

    assert "`cert-manager-crds` is in wave 0, and `training-operator-crds` in wave 0 brings" in found.message


def test_an_application_may_bring_its_own_kind():
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "rayclusters.ray.io"},
        "spec": {
            "group": "ray.io",
            "scope": "Namespaced",
            "names": {"kind": "RayCluster", "plural": "rayclusters"},
            "versions": [{"name": "v1", "served": True}, {"name": "v1alpha1", "served": False}],
        },
    }
    compiled = with_object(remote()[0], crd)

    assert said(CHECK, with_object(compiled, custom("ray.io/v1", "RayCluster"))) == ()
    assert said(CHECK, with_object(compiled, custom("ray.io/v1alpha1", "RayCluster")))


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("v1", "ConfigMap"),
        ("apps/v1", "Deployment"),
        ("rbac.authorization.k8s.io/v1", "Role"),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
        ("argoproj.io/v1alpha1", "AppProject"),
    ],
)
def test_kinds_that_are_always_there(api, kind):
    assert said(CHECK, with_object(remote()[0], custom(api, kind))) == ()


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("argoproj.io/v1alpha1", "Workflow"),
        ("gateway.networking.k8s.io/v1", "Gateway"),
        ("snapshot.storage.k8s.io/v1", "VolumeSnapshot"),
    ],
)
def test_kinds_that_only_look_so(api, kind):
    assert only(CHECK, with_object(remote()[0], custom(api, kind)))


def test_upstreams_objects_are_looked_at_by_their_facts():
    def with_issuer(target):
        if not isinstance(target, Base) or target.component != "training-operator":
            return target
        facts = next(iter(target.upstream.objects.values()))
        key = replace(facts.key, group="ray.io", kind="RayJob", namespace="kubeflow", name="x")
        objects = target.upstream.objects | {key: replace(facts, key=key, api_version="ray.io/v1")}
        return replace(target, upstream=replace(target.upstream, objects=objects))

    found = only(CHECK, with_targets(remote()[0], with_issuer))

    assert found.path == ("spec", "components", "training-operator")
    assert {each.name for each in remote()[0].graph.of(Application)} >= {"training-operator"}
