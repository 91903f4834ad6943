from __future__ import annotations

import pytest
from msgspec.structs import replace

from plinth.checks.floating_images import CHECK
from plinth.ir.targets import Base, Image, ObjectKey, Patch
from support.compiled import only, remote, said, vendored, with_object, with_targets
from support.platforms import needs_mirror

HUB = ObjectKey("apps", "Deployment", "jupyterhub", "hub")
PATH = ("spec", "components", "jupyterhub")
DIGEST = f"sha256:{'0123456789abcdef' * 4}"


def pod(image, part="containers"):
    spec = {part: [{"name": "main", "image": image}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "mlflow"}, "spec": spec}


def image_of_hub(tag):
    def change(target):
        return replace(target, tag=tag) if isinstance(target, Image) else target

    return change


def patch_of_hub(**fields):
    return Patch(
        application="jupyterhub",
        target=HUB,
        origins=(PATH,),
        file="patches/hub.yaml",
        **{"operations": (), **fields},
    )


@pytest.mark.parametrize(
    "image",
    [
        "nginx",
        "registry.example:5000/nginx",
        "nginx:latest",
        "nginx:LATEST",
        "nginx:latest-gpu",
        "nginx:main",
        "nginx:master",
        "nginx:main-latest",
        "nginx:edge",
        "nginx:nightly",
        "nginx:dev",
        "quay.io/jupyterhub/k8s-hub:set-by-chartpress",
        "quay.io/jupyterhub/k8s-hub:0.0.1-set.by.chartpress",
        "gcr.io/k8s-staging-kueue/kueue:v0.19.2",
        "us-central1-docker.pkg.dev/k8s-staging-images/kueue/kueue:v0.19.2",
        f"gcr.io/k8s-staging-kueue/kueue@{DIGEST}",
        "gcr.io/istio-testing/pilot:1.30.3",
    ],
)
@pytest.mark.parametrize("part", ["containers", "initContainers", "ephemeralContainers"])
def test_a_floating_image_is_found(image, part):
    found = only(CHECK, with_object(remote()[0], pod(image, part)))

    assert (found.severity, found.path) == ("error", ("spec", "components", "mlflow"))
    assert f"`Pod mlflow/x` would run `{image}`" in found.message


@pytest.mark.parametrize(
    "image",
    [
        "nginx:1.29.1",
        "nginx:1.29.1-alpine",
        f"nginx@{DIGEST}",
        f"nginx:latest@{DIGEST}",
        "registry.example:5000/staging/nginx:v1",
        "nginx:v1-devel",
        "nginx:nightly-2026-06-08",
        "nginx:domain",
        "auto",
        "$(IMAGE)",
        "{{.Image}}",
        "",
    ],
)
def test_an_image_that_says_which_it_is_passes(image):
    assert said(CHECK, with_object(remote()[0], pod(image))) == ()


def test_objects_with_the_same_image_are_said_once():
    once = with_object(remote()[0], pod("nginx"))
    other = pod("nginx") | {"metadata": {"name": "y", "namespace": "mlflow"}}

    assert "`Pod mlflow/x`, `Pod mlflow/y` would run `nginx`" in only(CHECK, with_object(once, other)).message


def test_upstream_is_known_by_the_catalogue_after_our_images():
    assert said(CHECK, with_targets(remote()[0], image_of_hub("4.4.0"))) == ()

    found = only(CHECK, with_targets(remote()[0], image_of_hub("main")))

    assert found.path == PATH
    assert "`apps/Deployment jupyterhub/hub` would run `quay.io/jupyterhub/k8s-hub:main`" in found.message


@needs_mirror
def test_upstream_at_hand_is_looked_at_as_well():
    assert said(CHECK, vendored()[0]) == ()


def test_what_floats_in_the_catalogue_is_mended_by_an_image_of_ours():
    def floating(target):
        if not isinstance(target, Base) or target.component != "jupyterhub":
            return target
        facts = target.upstream.objects[HUB]
        container = replace(facts.pod.containers[0], image="quay.io/jupyterhub/k8s-hub:set-by-chartpress")
        facts = replace(facts, pod=replace(facts.pod, containers=(container,)))
        return replace(
            target, upstream=replace(target.upstream, objects=target.upstream.objects | {HUB: facts})
        )

    compiled = with_targets(remote()[0], floating)
    assert said(CHECK, compiled) == ()

    without = with_targets(compiled, lambda target: None if isinstance(target, Image) else target)
    assert "set-by-chartpress" in only(CHECK, without).message


@pytest.mark.parametrize(
    ("operation", "speaks"),
    [
        ({"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "a/hub:main"}, True),
        ({"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "a/hub:4.4.0"}, False),
        (
            {"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "x", "image": "a/x"}},
            True,
        ),
        ({"op": "add", "path": "/spec/template/spec/volumes/-", "value": {"name": "containers"}}, False),
    ],
)
def test_a_patch_of_an_object_that_is_not_at_hand_is_looked_at(operation, speaks):
    patch = patch_of_hub(operations=(operation,))

    def instead(target):
        # Two patches of one object are one target, but for the file that each came from.
        return target

    assert bool(said(CHECK, with_targets(remote()[0], instead, patch))) is speaks
