from __future__ import annotations

from msgspec.structs import replace

from plinth.checks.duplicate_objects import CHECK
from plinth.ir.targets import Base, ObjectKey
from support.compiled import only, remote, said, vendored, with_object, with_targets
from support.platforms import needs_mirror

KUBEFLOW = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kubeflow"}}


def crds_of(component, other):
    """Gives `component` the CRDs of `other` on top of its own."""

    def change(target):
        if not isinstance(target, Base) or target.component != component:
            return target
        more = next(base for base in remote()[0].graph.of(Base) if base.component == other).upstream
        crds = {key: facts for key, facts in more.objects.items() if key.kind == "CustomResourceDefinition"}
        own = target.upstream
        return replace(target, upstream=replace(own, objects=own.objects | crds, crds=own.crds + more.crds))

    return change


def test_ours_and_upstreams_in_two_applications():
    found = only(CHECK, with_object(remote()[0], KUBEFLOW))

    assert "`Namespace kubeflow` is in the Applications `mlflow` and `training-operator`" in found.message
    assert found.severity == "error"
    assert found.path == ("spec", "components", "training-operator")
    assert found.related[0].path == ("spec", "components", "mlflow")


@needs_mirror
def test_ours_and_upstreams_at_hand():
    message = "`Namespace kubeflow` is in the Applications `mlflow` and `training-operator`"

    assert message in only(CHECK, with_object(vendored()[0], KUBEFLOW)).message


def test_ours_and_upstreams_in_one_application():
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "hub", "namespace": "jupyterhub"}}

    found = only(CHECK, with_object(remote()[0], body, "jupyterhub"))

    assert "`Service jupyterhub/hub` is in `jupyterhub` twice" in found.message
    assert found.path == ("spec", "components", "jupyterhub")


def test_an_object_without_a_namespace_is_that_of_its_application():
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "mlflow"}}

    assert "`Service mlflow/mlflow`" in only(CHECK, with_object(remote()[0], body)).message


def test_a_custom_kind_of_the_cluster_has_none():
    body = {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ClusterSecretStore",
        "metadata": {"name": "platform"},
    }
    compiled = remote()[0]
    others = tuple(each for each in compiled.objects if each.key.kind != "ClusterSecretStore")
    store = next(each for each in compiled.objects if each.key.kind == "ClusterSecretStore")
    owner = next(each.application for each in compiled.objects if each.application.name == "mlflow")
    twice = replace(compiled, objects=(*others, store, replace(store, application=owner, body=body)))

    assert "`external-secrets.io/ClusterSecretStore platform`" in only(CHECK, twice).message


def test_every_crd_of_two_upstreams():
    found = said(CHECK, with_targets(remote()[0], crds_of("cert-manager", "training-operator")))

    assert len(found) == 6
    assert (
        "CustomResourceDefinition mpijobs.kubeflow.org` is in the Applications `cert-manager-crds`"
        in found[0].message
    )


def test_one_name_in_two_groups_is_two_objects():
    body = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": "mlflow", "namespace": "mlflow"},
    }

    assert said(CHECK, with_object(remote()[0], body)) == ()


def test_the_facts_of_an_object_that_is_at_hand_do_not_count():
    keys = [(each.application.name, each.key) for each in remote()[0].known]

    assert len(keys) == len(set(keys))
    assert ("training-operator", ObjectKey("", "Namespace", "", "kubeflow")) in keys
