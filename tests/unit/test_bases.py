"""What environments share: a base is made once, and what no overlay touches is one object everywhere."""

from __future__ import annotations

from plinth.catalog.components import components, load, versions
from plinth.catalog.facts import key_of
from plinth.compilation import Bases, Inputs
from plinth.components.cert_manager import COMPONENT as CERT_MANAGER
from plinth.ir.kubernetes import containers, may_hold_pods
from plinth.ir.lock import Lock
from plinth.ir.render import Rendered, overlay_objects
from plinth.ir.said import Because
from plinth.ir.targets import Image, Patch

WHY = (Because("a test needs it"),)


def rendered(kind, name, spec):
    body = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    return Rendered(key_of(body), body)


def pods(*images):
    return {"template": {"spec": {"containers": [{"name": "c", "image": image} for image in images]}}}


def test_a_base_is_made_once_for_all_environments():
    asked = []

    def vendored(component, version):
        asked.append((component, version))
        return ()

    bases = Bases(Inputs(lock=Lock(), patch=lambda _: None, vendored=vendored))
    first = bases.shared(CERT_MANAGER, "1.21.1", is_vendored=True)
    assert bases.shared(CERT_MANAGER, "1.21.1", is_vendored=True) is first
    assert bases.objects(first) is bases.objects(first)
    assert bases.shared(CERT_MANAGER, "1.20.2", is_vendored=True).version == "1.20.2"
    remote = bases.shared(CERT_MANAGER, "1.21.1", is_vendored=False)
    assert (remote.vendored, remote.objects) == (False, None)
    assert asked == [("cert-manager", "1.21.1"), ("cert-manager", "1.20.2")]


def test_an_object_that_no_patch_and_no_image_touches_is_the_same_object():
    web, worker = rendered("Deployment", "web", pods("web:1")), rendered("Deployment", "worker", pods("w:1"))
    other = rendered("StatefulSet", "web", pods("db:1"))
    operations = ({"op": "add", "path": "/spec/replicas", "value": 2},)
    patch = Patch(application="web", target=worker.key, operations=operations, origins=WHY)
    moved = Image(application="web", name="web", tag="2")
    found = {each.key: each.body for each in overlay_objects((web, worker, other), (), [patch], [moved])}
    assert found[web.key]["spec"] == pods("web:2")
    assert found[worker.key]["spec"] == {**pods("w:1"), "replicas": 2}
    assert found[other.key] is other.body
    assert web.body["spec"] == pods("web:1")


def test_beside_an_image_that_moves_the_others_stay_the_same():
    body = rendered("Deployment", "web", pods("web:1", "proxy:1"))
    (moved,) = overlay_objects((body,), (), (), [Image(application="web", name="web", tag="2")])
    before, after = ([each for _, each in containers(one)] for one in (body.body, moved.body))
    assert [each["image"] for each in after] == ["web:2", "proxy:1"]
    assert after[1] is before[1]


def test_no_kind_that_is_passed_by_when_pods_are_looked_for_holds_one():
    known = [load(name, version) for name in components() for version in versions(name)]
    keys = {(key, facts.pod is not None) for upstream in known for key, facts in upstream.objects.items()}
    assert any(not may_hold_pods(key) for key, _ in keys)
    assert [key for key, has_pod in keys if has_pod and not may_hold_pods(key)] == []
