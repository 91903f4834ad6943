"""Overlays and bases: which object a patch picks, and where an upstream comes from."""

from __future__ import annotations

import re

import pytest

from plinth.backends.kustomize import BACKEND, selector
from plinth.catalog.objects import ObjectKey
from plinth.ir.graph import build
from plinth.ir.said import Because
from plinth.ir.targets import Application, Image, Manifest, Patch
from plinth.text.manifests import read_manifests
from support import platforms

WHY = (Because("a test needs it"),)
WEB = ObjectKey("apps", "Deployment", "shop", "web")
APPLICATION = Application(name="web", component="web", version="1", namespace="shop", origins=WHY)


@pytest.mark.parametrize(
    ("key", "target"),
    [
        (WEB, {"group": "apps", "kind": "Deployment", "name": "web", "namespace": "shop"}),
        (ObjectKey("", "Secret", "shop", "web"), {"kind": "Secret", "name": "web", "namespace": "shop"}),
        (ObjectKey("", "Namespace", "", "web"), {"kind": "Namespace", "name": "web"}),
        (
            ObjectKey("rbac.authorization.k8s.io", "Role", "a", "cert-manager:leader"),
            {
                "group": r"rbac\.authorization\.k8s\.io",
                "kind": "Role",
                "name": "cert-manager:leader",
                "namespace": "a",
            },
        ),
    ],
)
def test_a_patch_picks_one_object(key, target):
    assert selector(key) == target
    # Kustomize reads each as an anchored pattern.
    assert re.fullmatch(target["name"], key.name)
    assert re.fullmatch(target.get("group", ""), key.group)


def test_a_dot_in_a_name_is_no_pattern():
    picked = selector(ObjectKey("apiextensions.k8s.io", "CustomResourceDefinition", "", "jobs.example.com"))
    assert not re.fullmatch(picked["name"], "jobsXexample.com")


def emitted(*targets):
    files = BACKEND.emit(build([APPLICATION, *targets]), "dev")
    return {path: made.content.decode() for path, made in files.items()}


def patch(file="", *, key=WEB):
    return Patch(
        application="web", target=key, operations=({"op": "remove", "path": "/a"},), origins=WHY, file=file
    )


def test_patches_of_people_are_told_from_ours():
    files = emitted(patch(), patch("patches/a.yaml"), patch("patches/b.yaml"))
    (kustomization,) = read_manifests(files.pop("overlays/dev/web/kustomization.yaml").encode())
    assert sorted(files) == [
        "overlays/dev/web/patch-deployment-web.yaml",
        "overlays/dev/web/patch-people-deployment-web-2.yaml",
        "overlays/dev/web/patch-people-deployment-web.yaml",
    ]
    assert [each["path"] for each in kustomization["patches"]] == [
        "patch-deployment-web.yaml",
        "patch-people-deployment-web.yaml",
        "patch-people-deployment-web-2.yaml",
    ]


def test_two_objects_of_one_file_name_are_never_one_file():
    one, other = (ObjectKey(group, "Service", "shop", "web") for group in ("", "serving.knative.dev"))
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    with pytest.raises(ValueError, match=r"two files are called overlays/dev/web/service-web\.yaml"):
        emitted(*(Manifest(application="web", key=key, body=body, origins=WHY) for key in (one, other)))


def test_an_image_is_moved_by_tag_or_digest():
    (kustomization,) = read_manifests(
        emitted(
            Image(application="web", name="a", tag="2", origins=WHY),
            Image(application="web", name="b", digest="sha256:0", origins=WHY),
            Image(application="other", name="c", tag="3", origins=WHY),
        )["overlays/dev/web/kustomization.yaml"].encode()
    )
    assert kustomization["images"] == [{"name": "a", "newTag": "2"}, {"name": "b", "digest": "sha256:0"}]


@pytest.mark.parametrize("environment", [0, 1])
def test_no_kustomization_has_what_costs_or_rewrites(environment):
    """No transformer of labels or names, no generator, and no patch file above the folder."""
    compilation = platforms.compile_bytes(platforms.example()).compilations[environment]
    for path, made in compilation.files.items():
        if path.endswith("/kustomization.yaml"):
            (body,) = read_manifests(made.content)
            assert body.keys() <= {
                "apiVersion",
                "kind",
                "resources",
                "patches",
                "images",
                "namespace",
                "helmCharts",
            }
            assert all("/" not in each["path"] for each in body.get("patches", ()))
            assert not (path.startswith("overlays/") and body.keys() & {"namespace", "helmCharts"})
