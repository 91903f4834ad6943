from __future__ import annotations

import pytest
from msgspec.structs import replace

from plinth.checks.namespaces import CHECK
from plinth.ir.targets import Application, Base, Manifest
from support.compiled import only, remote, said, vendored, with_object, with_targets
from support.platforms import needs_mirror


def config(namespace, name="x"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}


def test_a_namespace_that_nothing_makes():
    compiled = with_object(remote()[0], config("monitoring", "b"))
    found = only(CHECK, with_object(compiled, config("monitoring", "a")))

    assert (found.severity, found.path) == ("error", ("spec", "components", "mlflow"))
    assert found.message == (
        "`ConfigMap monitoring/a`, `ConfigMap monitoring/b` would be refused:"
        " the namespace `monitoring` is made by no object of the environment"
    )


@pytest.mark.parametrize(
    "namespace", ["default", "kube-node-lease", "kube-public", "kube-system", "mlflow", "argocd"]
)
def test_a_namespace_that_is_there(namespace):
    assert said(CHECK, with_object(remote()[0], config(namespace))) == ()


def test_an_object_that_names_none_goes_into_that_of_its_application():
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    assert said(CHECK, with_object(remote()[0], body)) == ()

    def elsewhere(each):
        owner = replace(each.application, namespace="monitoring")
        return replace(each, application=owner) if each.key.name == "x" else each

    compiled = with_object(remote()[0], body)
    moved = replace(compiled, objects=tuple(elsewhere(each) for each in compiled.objects))
    assert "`ConfigMap monitoring/x`" in only(CHECK, moved).message


def test_upstreams_objects_are_looked_at_by_their_facts():
    def without(target):
        is_it = (
            isinstance(target, Manifest)
            and target.key.kind == "Namespace"
            and target.key.name == "jupyterhub"
        )
        return None if is_it else target

    compiled = with_targets(remote()[0], without)
    objects = tuple(
        each for each in compiled.objects if (each.key.kind, each.key.name) != ("Namespace", "jupyterhub")
    )
    found = only(CHECK, replace(compiled, objects=objects))

    assert found.path == ("spec", "components", "jupyterhub")
    assert "more would be refused: the namespace `jupyterhub` is made by no object" in found.message


@needs_mirror
def test_upstreams_objects_at_hand_are_looked_at():
    compiled = vendored()[0]
    objects = tuple(
        each for each in compiled.objects if (each.key.kind, each.key.name) != ("Namespace", "kubeflow")
    )

    assert "the namespace `kubeflow`" in only(CHECK, replace(compiled, objects=objects)).message


def test_a_namespace_that_comes_too_late():
    body = config("mlflow")
    waves = {each.name: each.wave for each in remote()[0].graph.of(Application)}
    assert waves["cert-manager-crds"] < waves["mlflow"]

    found = only(CHECK, with_object(remote()[0], body, "cert-manager-crds"))

    assert (
        f"comes with `mlflow` in wave {waves['mlflow']}, after `cert-manager-crds` in wave 0" in found.message
    )


def test_upstream_may_make_the_namespace_itself():
    bases = {base.component for base in remote()[0].graph.of(Base)}

    assert "training-operator" in bases  # its own manifests bring `kubeflow`
    assert said(CHECK, remote()[0]) == ()
