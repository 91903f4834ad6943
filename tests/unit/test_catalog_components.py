"""What the catalogue knows of upstreams, and how versions sort."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.catalog import CatalogError
from plinth.catalog.components import (
    ChartSource,
    FileSource,
    GitSource,
    components,
    load,
    version_key,
    versions,
)
from plinth.catalog.facts import crd_facts, digest, entry, entry_text, object_facts
from plinth.catalog.objects import ObjectKey

SHIPPED = [(name, version) for name in components() for version in versions(name)]

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop", "labels": {}},
    "spec": {
        "template": {
            "metadata": {"annotations": {"a": "b"}},
            "spec": {
                "serviceAccountName": "web",
                "initContainers": [{"name": "wait", "image": "busybox:1"}],
                "containers": [
                    {"name": "web", "image": "web:1", "env": []},
                    {"name": "log", "image": "log:2"},
                ],
            },
        }
    },
}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"b": "", "a": ""}}
SOURCE = {"kind": "file", "url": "https://example.com/web.yaml"}


def write(folder, component, version, changes=None):
    item = {**entry(component, version, SOURCE, [DEPLOYMENT, CONFIG]), **(changes or {})}
    path = folder / "components" / component / f"{version}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(entry_text(item), encoding="utf-8")


def test_what_the_package_knows():
    assert [f"{name} {version}" for name, version in SHIPPED] == [
        "argo-cd 3.4.7",
        "argo-cd 3.5.1",
        "cert-manager 1.19.4",
        "cert-manager 1.20.2",
        "cert-manager 1.21.1",
        "external-secrets 2.9.0",
        "jupyterhub 4.4.0",
        "karpenter 1.14.1",
        "training-operator 1.7.0",
        "training-operator 1.9.2",
    ]


@pytest.mark.parametrize(("component", "version"), SHIPPED)
def test_every_entry_can_be_read_and_holds_together(component, version):
    upstream = load(component, version)
    assert list(upstream.objects) == sorted(upstream.objects)
    crds = {key.name for key in upstream.objects if key.kind == "CustomResourceDefinition"}
    assert {crd.name for crd in upstream.crds} == crds
    assert upstream.images()
    for image in upstream.images():
        assert image.rpartition(":")[2] not in ("latest", "main", "set-by-chartpress")


@pytest.mark.parametrize(
    ("component", "version", "source"),
    [
        pytest.param(
            "training-operator",
            "1.7.0",
            GitSource(
                repository="https://github.com/kubeflow/training-operator",
                commit="5525468b9057a6e608f5093b49f4fdb91e985658",
                ref="v1.7.0",
                path="manifests/overlays/standalone",
            ),
            id="a kustomization",
        ),
        pytest.param(
            "argo-cd",
            "3.5.1",
            FileSource(
                url="https://raw.githubusercontent.com/argoproj/argo-cd/"
                "109ca7ca71139e514114499d294a492e7910a965/manifests/install.yaml"
            ),
            id="a release file",
        ),
        pytest.param(
            "cert-manager",
            "1.21.1",
            ChartSource(
                repository="https://charts.jetstack.io",
                name="cert-manager",
                version="v1.21.1",
                namespace="cert-manager",
                release="cert-manager",
            ),
            id="a published chart",
        ),
        pytest.param(
            "karpenter",
            "1.14.1",
            ChartSource(
                repository="oci://public.ecr.aws/karpenter",
                name="karpenter",
                version="1.14.1",
                namespace="kube-system",
                release="karpenter",
            ),
            id="a chart in a registry",
        ),
    ],
)
def test_where_a_version_comes_from(component, version, source):
    assert load(component, version).source == source


def test_a_patch_can_be_proven_without_the_manifest():
    facts = load("argo-cd", "3.5.1").objects[ObjectKey("apps", "Deployment", "", "argocd-server")]
    assert facts.api_version == "apps/v1"
    assert facts.pod.pointer("argocd-server") == "/spec/template/spec/containers/0"
    assert "env" in facts.pod.containers[0].keys
    assert facts.pod.service_account == "argocd-server"


def test_crds_too_large_for_a_client_side_apply_are_told():
    large = {
        crd.name for name, version in SHIPPED for crd in load(name, version).crds if crd.size_bytes > 262_144
    }
    assert large == {
        "applicationsets.argoproj.io",
        "clustersecretstores.external-secrets.io",
        "secretstores.external-secrets.io",
        "pytorchjobs.kubeflow.org",
    }


def test_what_is_known_in_part_is_told():
    assert load("jupyterhub", "4.4.0").incomplete == ("ConfigMap/hub", "Secret/hub")
    assert load("argo-cd", "3.5.1").incomplete == ()
    sizes = {crd.name: crd for crd in load("training-operator", "1.9.2").crds}
    assert not sizes["pytorchjobs.kubeflow.org"].size_is_minimum
    assert sizes["tfjobs.kubeflow.org"].size_is_minimum


def test_an_unknown_version_is_a_key_error():
    assert versions("no-such-component") == ()
    with pytest.raises(KeyError):
        load("argo-cd", "0.0.1")
    with pytest.raises(KeyError):
        load("../components/argo-cd", "3.5.1")


def test_a_plugin_brings_components_and_versions(tmp_path):
    ours = load("argo-cd", "3.5.1")
    folders = (tmp_path / "ours", tmp_path / "theirs")
    write(folders[0], "web", "1.9.0")
    write(folders[1], "web", "1.10.0")
    write(folders[1], "queue", "1.0.0")
    assert components(folders) == ("queue", "web")
    assert versions("web", folders) == ("1.9.0", "1.10.0")
    assert load("web", "1.10.0", folders).source == FileSource(url="https://example.com/web.yaml")
    assert load("argo-cd", "3.5.1") is ours


def test_two_folders_with_one_version_are_a_fault(tmp_path):
    folders = (tmp_path / "a", tmp_path / "b")
    for folder in folders:
        write(folder, "web", "1.0.0")
    with pytest.raises(CatalogError, match=r"web 1\.0\.0 is in "):
        load("web", "1.0.0", folders)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"format": 2}, id="another format"),
        pytest.param({"version": "1.0.1"}, id="another place"),
        pytest.param({"source": {"kind": "tar"}}, id="unknown source"),
        pytest.param({"source": {"kind": "file"}}, id="source without address"),
        pytest.param({"objects": [{"kind": "Pod"}]}, id="object without name"),
    ],
)
def test_a_broken_file_is_named(tmp_path, changes):
    write(tmp_path, "web", "1.0.0", changes)
    with pytest.raises(CatalogError, match=r"components.web.1\.0\.0\.json"):
        load("web", "1.0.0", (tmp_path,))


def test_facts_survive_the_file(tmp_path):
    write(tmp_path, "web", "1.0.0")
    upstream = load("web", "1.0.0", (tmp_path,))
    config, web = upstream.objects.values()
    assert (config.key, config.data_keys) == (ObjectKey("", "ConfigMap", "", "web"), {"a", "b"})
    assert (web.has_annotations, web.has_labels, web.pod.has_annotations) == (False, True, True)
    assert [item.name for item in web.pod.containers] == ["web", "log"]
    assert web.pod.containers[0].keys == {"name", "image", "env"}
    assert web.pod.pointer("log") == "/spec/template/spec/containers/1"
    assert web.pod.pointer("wait") == "/spec/template/spec/initContainers/0"
    with pytest.raises(KeyError):
        web.pod.pointer("sidecar")
    assert upstream.images() == ("busybox:1", "log:2", "web:1")


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        pytest.param(
            "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration",
            {"webhooks": [{"name": "a.io", "failurePolicy": "Ignore"}, {"name": "b.io"}]},
            {"webhooks": 2, "webhookNames": ["a.io", "b.io"], "failurePolicy": ["Ignore", "Fail"]},
            id="webhooks; Fail is the API's default",
        ),
        pytest.param(
            "rbac.authorization.k8s.io/v1/ClusterRole",
            {"aggregationRule": {"clusterRoleSelectors": []}},
            {"aggregated": True},
            id="aggregated role",
        ),
        pytest.param(
            "v1/PersistentVolumeClaim",
            {"spec": {"resources": {"requests": {"storage": "1Gi"}}}},
            {"storage": "1Gi"},
            id="claim",
        ),
        pytest.param(
            "v1/Secret",
            {"data": {"b": ""}, "stringData": {"a": ""}},
            {"data": ["a", "b"]},
            id="secret: names of keys, no values",
        ),
        pytest.param(
            "batch/v1/CronJob",
            {"spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": []}}}}}},
            {
                "pod": {
                    "path": "/spec/jobTemplate/spec/template/spec",
                    "keys": ["containers"],
                    "annotations": False,
                }
            },
            id="pod of a CronJob",
        ),
        pytest.param("batch.volcano.sh/v1alpha1/Job", {"spec": {"tasks": []}}, {}, id="another group's Job"),
        pytest.param(
            "v1/ServiceAccount",
            {"metadata": {"name": "x", "annotations": {"helm.sh/hook": "pre-install"}}},
            {"hook": "pre-install", "meta": ["annotations"]},
            id="hook",
        ),
        pytest.param(
            "apiregistration.k8s.io/v1/APIService",
            {"metadata": {"name": "x", "annotations": {"cert-manager.io/inject-ca-from": "a/b"}}},
            {"caInjection": "cert-manager.io/inject-ca-from", "meta": ["annotations"]},
            id="who fills in the CA",
        ),
    ],
)
def test_facts_of_one_object(kind, body, expected):
    version, _, kind = kind.rpartition("/")
    facts = object_facts({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, **body})
    known = {"group", "version", "kind", "namespace", "name", "digest"}
    assert {name: value for name, value in facts.items() if name not in known} == {"meta": [], **expected}


def test_a_crd_is_as_large_as_published():
    crd = {
        "metadata": {"name": "cars.example.com"},
        "spec": {
            "group": "example.com",
            "names": {"kind": "Car", "plural": "cars"},
            "scope": "Namespaced",
            "conversion": {"strategy": "Webhook"},
            "versions": [
                {"name": "v2", "served": True, "storage": True},
                {"name": "v1", "served": True, "storage": False},
                {"name": "v0", "served": False, "storage": False},
            ],
        },
    }
    facts = crd_facts(crd, {"cars.example.com": 5000}, is_stripped=True)
    assert (facts["versions"], facts["storage"], facts["conversion"]) == (["v2", "v1"], "v2", True)
    assert facts["bytes"] == 5000
    assert "stripped" not in facts
    assert crd_facts(crd, {}, is_stripped=True)["stripped"]
    assert crd_facts(crd, {"cars.example.com": 10})["bytes"] == len(json.dumps(crd, separators=(",", ":")))


def test_an_entry_does_not_depend_on_the_order_of_objects_or_keys():
    shuffled = [dict(reversed(CONFIG.items())), dict(reversed(DEPLOYMENT.items()))]
    assert entry("web", "1", SOURCE, shuffled) == entry("web", "1", SOURCE, [DEPLOYMENT, CONFIG])
    assert digest({"a": 1, "b": "é"}) == digest({"b": "é", "a": 1})


def test_two_objects_of_one_key_are_a_fault():
    with pytest.raises(CatalogError, match="apps/Deployment shop/web"):
        entry("web", "1", SOURCE, [DEPLOYMENT, DEPLOYMENT])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"kind": "Pod", "apiVersion": "v1"}, id="no name"),
        pytest.param({"kind": "Pod", "metadata": {"name": "x"}}, id="no version"),
    ],
)
def test_what_is_no_object_is_a_fault(body):
    with pytest.raises(CatalogError, match="lacks"):
        entry("web", "1", SOURCE, [body])


def test_versions_sort_as_people_read_them():
    ordered = [
        "0.1.2",
        "1.9.2",
        "1.10.0-alpha.2",
        "1.10.0-alpha.10",
        "1.10.0-beta.1",
        "1.10.0-rc.2",
        "v1.10.0",
        "1.10.1",
        "1.36.1",
        "1.36.1-aws",
        "1.36.1-azure",
        "4.5.3-4.8.2",
        "26.03",
        "26.03.1-rc.2",
        "26.03.1",
        "26.7.0",
    ]
    shuffled = list(ordered)
    random.Random(0).shuffle(shuffled)  # noqa: S311 - an order of rows, no secret
    assert sorted(shuffled, key=version_key) == ordered


@given(st.lists(st.text(alphabet="0123456789.-vrcabeta", max_size=12), unique=True))
def test_any_text_has_a_place_among_versions(texts):
    other_way = texts[::-1]
    assert sorted(other_way, key=version_key) == sorted(texts, key=version_key)
