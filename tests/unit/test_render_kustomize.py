"""Our rendering of small trees, held against kustomize on the files that our own backend writes.

Each case is a base and what stands on it. The upstream of a base is vendored by hand, as
`plinth vendor` does it.
"""

from __future__ import annotations

import json

import pytest

from plinth.backends.kustomize import BACKEND
from plinth.catalog.components import load, placed
from plinth.catalog.facts import entry, entry_text, key_of
from plinth.catalog.objects import ObjectKey
from plinth.ir.graph import build
from plinth.ir.render import PatchFailed, base_objects, overlay_objects
from plinth.ir.said import Because
from plinth.ir.targets import Application, Base, Image, Manifest, Patch
from plinth.ir.vendored import files
from support import kustomize

pytestmark = pytest.mark.skipif(kustomize.command() is None, reason=kustomize.MISSING)

WHY = (Because("a test needs it"),)
DIGEST = "sha256:" + "0123456789abcdef" * 4


def body(api, kind, name, namespace=None, **rest):
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def deployment(name="web", namespace=None, **pod):
    template = {"spec": {"containers": [{"name": "web", "image": "example.com/web:1"}], **pod}}
    return body("apps/v1", "Deployment", name, namespace, spec={"replicas": 1, "template": template})


def images(*texts):
    return deployment(containers=[{"name": f"c{index}", "image": text} for index, text in enumerate(texts)])


def account(name, namespace=None):
    return {"kind": "ServiceAccount", "name": name} | ({"namespace": namespace} if namespace else {})


def binding(kind, name, subjects, namespace=None):
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}
    return body("rbac.authorization.k8s.io/v1", kind, name, namespace, roleRef=role, subjects=subjects)


def webhook(kind, service):
    hook = {"name": "a.example.com", "clientConfig": {"service": service}, "sideEffects": "None"}
    return body("admissionregistration.k8s.io/v1", kind, "hooks", webhooks=[hook])


def patch(target, *operations, merge=None, file=""):
    return Patch(
        application="web", target=key_of(target), operations=operations, origins=WHY, merge=merge, file=file
    )


def image(name, **to):
    return Image(application="web", name=name, origins=WHY, **to)


def tree(folder, objects, *targets, namespace=None, operations=None):
    """What we render of a base with targets on it, and what kustomize builds of the files that we write."""
    catalogue = folder / "components" / "web" / "1.json"
    catalogue.parent.mkdir(parents=True)
    source = {"kind": "file", "url": "https://example.com/web.yaml"}
    catalogue.write_text(entry_text(entry("web", "1", source, objects)), encoding="utf-8")
    base = Base(
        component="web",
        version="1",
        upstream=placed(load("web", "1", (folder,)), namespace, frozenset()),
        vendored=True,
        namespace=namespace,
        values={},
        operations=operations or {},
        origins=WHY,
        objects=tuple(objects),
    )
    application = Application(name="web", component="web", version="1", namespace="shop", origins=WHY)
    graph = build([base, application, *targets])
    for path, made in {**files("web", "1", objects, "because"), **BACKEND.emit(graph, "dev")}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(made.content)
    rendered = overlay_objects(base_objects(base), graph.of(Manifest), graph.of(Patch), graph.of(Image))
    ours = {each.key: json.loads(json.dumps(each.body)) for each in rendered}
    return ours, lambda: kustomize.build(folder / "overlays" / "dev" / "web")


NAMESPACES = {
    "a namespace is put on what has none": [deployment(), body("v1", "ConfigMap", "settings")],
    "a namespace is put over another": [deployment(namespace="other")],
    "a namespace itself is called so": [body("v1", "Namespace", "other")],
    "what belongs to the cluster gets none": [
        body("rbac.authorization.k8s.io/v1", "ClusterRole", "reader", rules=[]),
        body("scheduling.k8s.io/v1", "PriorityClass", "high", value=1),
        body("storage.k8s.io/v1", "StorageClass", "fast", provisioner="x"),
    ],
    "a custom kind counts as namespaced": [body("example.com/v1", "Thing", "one", spec={})],
    "a subject follows its account": [
        body("v1", "ServiceAccount", "web"),
        binding("RoleBinding", "web", [account("web")]),
        binding("ClusterRoleBinding", "web", [account("web")]),
    ],
    "a subject follows its account out of a namespace": [
        body("v1", "ServiceAccount", "web", "other"),
        binding("RoleBinding", "web", [account("web", "other")], "other"),
        binding("ClusterRoleBinding", "web", [account("web", "other")]),
    ],
    "a subject of elsewhere stays": [
        body("v1", "ServiceAccount", "web", "other"),
        binding("ClusterRoleBinding", "web", [account("web", "third"), account("strange", "other")]),
        binding("RoleBinding", "strange", [account("strange", "third")]),
    ],
    "the default account follows always": [
        binding("ClusterRoleBinding", "web", [account("default", "other"), account("default")])
    ],
    "people and groups have no namespace": [
        body("v1", "ServiceAccount", "web"),
        binding("RoleBinding", "web", [{"kind": "Group", "name": "shop"}, {"kind": "User", "name": "bob"}]),
    ],
    "whoever is called as an account counts as one": [
        body("v1", "ServiceAccount", "web"),
        binding(
            "RoleBinding", "web", [{"kind": "User", "name": "default"}, {"kind": "Group", "name": "web"}]
        ),
    ],
    "a binding may have no subjects": [binding("RoleBinding", "web", [])],
    "a webhook follows its service": [
        body("v1", "Service", "web", spec={}),
        webhook("ValidatingWebhookConfiguration", {"name": "web"}),
    ],
    "a webhook follows its service out of a namespace": [
        body("v1", "Service", "web", "other", spec={}),
        webhook("MutatingWebhookConfiguration", {"name": "web", "namespace": "other", "path": "/x"}),
    ],
    "a webhook of elsewhere stays": [
        body("v1", "Service", "web", "other", spec={}),
        webhook("MutatingWebhookConfiguration", {"name": "web", "namespace": "third"}),
    ],
    "a webhook may call an address": [
        body(
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
            "hooks",
            webhooks=[{"name": "a.example.com", "clientConfig": {"url": "https://a.example.com"}}],
        )
    ],
}


@pytest.mark.parametrize("objects", NAMESPACES.values(), ids=NAMESPACES)
def test_a_base_in_a_namespace(objects, tmp_path):
    ours, theirs = tree(tmp_path, objects, namespace="shop")
    assert ours == theirs()


IMAGES = {
    "a tag replaces a tag": (image("example.com/web", tag="2"), "example.com/web:1"),
    "a tag is put where there is none": (image("example.com/web", tag="2"), "example.com/web"),
    "a tag replaces a digest": (image("example.com/web", tag="2"), f"example.com/web@{DIGEST}"),
    "a tag replaces both": (image("example.com/web", tag="2"), f"example.com/web:1@{DIGEST}"),
    "a digest replaces a tag": (image("example.com/web", digest=DIGEST), "example.com/web:1"),
    "a digest replaces both": (
        image("example.com/web", digest=DIGEST),
        f"example.com/web:1@sha256:{'0' * 64}",
    ),
    "a tag and a digest stand together": (
        image("example.com/web", tag="2", digest=DIGEST),
        "example.com/web:1",
    ),
    "a longer name is another": (image("example.com/web", tag="2"), "example.com/webber:1"),
    "a longer path is another": (image("example.com/web", tag="2"), "example.com/web/site:1"),
    "a name behind a host is another": (image("web", tag="2"), "example.com/web:1"),
    "a dot is any character": (image("example.com/web", tag="2"), "exampleXcom/web:1"),
    "a port is no tag": (image("example.com:5000/web", tag="2"), "example.com:5000/web"),
}


@pytest.mark.parametrize(("change", "text"), IMAGES.values(), ids=IMAGES)
def test_an_image_of_a_base(change, text, tmp_path):
    ours, theirs = tree(tmp_path, [images(text, "other:1")], change)
    assert ours == theirs()


def test_images_are_changed_wherever_containers_are(tmp_path):
    pod = {
        "containers": [{"name": "a", "image": "web:1"}],
        "initContainers": [{"name": "b", "image": "web:1"}],
    }
    job = body("batch/v1", "CronJob", "job", spec={"jobTemplate": {"spec": {"template": {"spec": pod}}}})
    thing = body(
        "example.com/v1", "Thing", "one", spec={"image": "web:1", "deep": [{"template": {"spec": pod}}]}
    )
    ours, theirs = tree(
        tmp_path, [deployment(**pod), job, thing], image("web", tag="2"), image("other", tag="3")
    )
    assert ours == theirs()
    assert json.dumps(list(ours.values())).count("web:2") == 6


CONFIG = body("v1", "ConfigMap", "settings", "shop", data={"a": "1", "b": "2"})
OWN = body("v1", "ConfigMap", "own", "shop", data={"text": 'yes\n{"a": 1}\n', "number": "0755"})
PATCHES = {
    "operations": [
        patch(
            CONFIG,
            {"op": "test", "path": "/data/a", "value": "1"},
            {"op": "add", "path": "/data/example.com~1key", "value": "on"},
            {"op": "remove", "path": "/data/b"},
            {"op": "move", "path": "/data/moved", "from": "/data/a"},
        )
    ],
    "operations on a list": [
        patch(
            deployment(namespace="shop"),
            {
                "op": "add",
                "path": "/spec/template/spec/containers/-",
                "value": {"name": "log", "image": "log:1"},
            },
            {
                "op": "add",
                "path": "/spec/template/spec/containers/0",
                "value": {"name": "first", "image": "f:1"},
            },
            {"op": "replace", "path": "/spec/template/spec/containers/1/image", "value": "web:2"},
            {"op": "copy", "path": "/spec/copied", "from": "/spec/replicas"},
        )
    ],
    "a merge": [patch(CONFIG, merge={**CONFIG, "data": {"a": None, "c": "3"}}, file="patches/a.yaml")],
    "a merge without a namespace": [
        patch(
            CONFIG,
            merge=body("v1", "ConfigMap", "settings")
            | {"metadata": {"name": "settings", "labels": {"a": "b"}}},
            file="patches/a.yaml",
        )
    ],
    "a merge of numbers": [
        patch(
            deployment(namespace="shop"),
            merge=body("apps/v1", "Deployment", "web", spec={"replicas": 3, "paused": False}),
            file="patches/a.yaml",
        )
    ],
    "a merge of a custom kind": [
        patch(
            body("example.com/v1", "Thing", "one", "shop"),
            merge=body(
                "example.com/v1", "Thing", "one", spec={"a": {"b": None, "n": {"deep": 1}}, "list": None}
            ),
            file="patches/a.yaml",
        )
    ],
    "two files on one object": [
        patch(CONFIG, {"op": "add", "path": "/data/c", "value": "3"}, file="patches/a.yaml"),
        patch(CONFIG, {"op": "replace", "path": "/data/c", "value": "4"}, file="patches/b.yaml"),
    ],
    "ours before a person's": [
        patch(CONFIG, {"op": "add", "path": "/data/c", "value": "3"}),
        patch(CONFIG, {"op": "test", "path": "/data/c", "value": "3"}, file="patches/b.yaml"),
    ],
    "a name that is a part of another": [
        patch(body("v1", "ConfigMap", "set.tings", "shop"), {"op": "add", "path": "/data/c", "value": "3"})
    ],
    "an object of ours": [
        Manifest(application="web", key=key_of(OWN), body=OWN, origins=WHY),
        patch(OWN, {"op": "add", "path": "/data/c", "value": "3"}, file="patches/a.yaml"),
    ],
}
UPSTREAM = [
    CONFIG,
    body("v1", "ConfigMap", "set.tings", "shop", data={"a": "1"}),
    body("v1", "ConfigMap", "set-tings", "shop", data={"a": "1"}),
    body("v1", "ConfigMap", "settings", "other", data={"a": "1"}),
    body("v1", "Secret", "settings", "shop", data={"a": "MQ=="}),
    body("example.com/v1", "Thing", "one", "shop", spec={"a": {"b": 1, "c": 2}, "list": [1]}),
    deployment(namespace="shop"),
]


@pytest.mark.parametrize("targets", PATCHES.values(), ids=PATCHES)
def test_patches_of_an_overlay(targets, tmp_path):
    ours, theirs = tree(tmp_path, UPSTREAM, *targets)
    assert ours == theirs()


def test_operations_of_a_base_come_before_its_namespace(tmp_path):
    key = ObjectKey("", "ConfigMap", "shop", "settings")
    operations = {key: ({"op": "add", "path": "/data/c", "value": "3"},)}
    objects = [
        body("v1", "ConfigMap", "settings", data={"a": "1"}),
        body("v1", "Secret", "settings", data={}),
    ]
    ours, theirs = tree(tmp_path, objects, namespace="shop", operations=operations)
    assert ours == theirs()
    assert ours[key]["data"] == {"a": "1", "c": "3"}


UNFIT = {
    "a test that fails": {"op": "test", "path": "/data/a", "value": "2"},
    "below what is missing": {"op": "add", "path": "/spec/a", "value": "2"},
    "remove what is missing": {"op": "remove", "path": "/data/c"},
}


@pytest.mark.parametrize("operation", UNFIT.values(), ids=UNFIT)
def test_what_kustomize_refuses_is_refused(operation, tmp_path):
    with pytest.raises(PatchFailed, match="ConfigMap shop/settings"):
        tree(tmp_path, [CONFIG], patch(CONFIG, operation))
    with pytest.raises(kustomize.BuildError):
        kustomize.build(tmp_path / "overlays" / "dev" / "web")


def test_a_replaced_key_has_to_be_there(tmp_path):
    """The RFC wants it, and it catches a mistyped path; kustomize would add the key."""
    replace = patch(CONFIG, {"op": "replace", "path": "/data/c", "value": "2"})
    with pytest.raises(PatchFailed, match="nothing is called `c`"):
        tree(tmp_path, [CONFIG], replace)
    assert "c" in kustomize.build(tmp_path / "overlays" / "dev" / "web")[key_of(CONFIG)]["data"]
