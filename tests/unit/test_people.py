"""Patches that people write: what they change, and what is refused with the reason."""

from __future__ import annotations

import re

import pytest

from plinth.catalog.objects import ObjectKey
from plinth.ir.people import PatchFault, read_patch

WEB = ObjectKey("apps", "Deployment", "shop", "web")
LOG = ObjectKey("apps", "Deployment", "shop", "log")
ALSO = ObjectKey("apps", "Deployment", "other", "log")
KNATIVE = ObjectKey("serving.knative.dev", "Service", "shop", "web")
SERVICE = ObjectKey("", "Service", "shop", "web")
ROLE = ObjectKey("rbac.authorization.k8s.io", "ClusterRole", "", "reader")
KNOWN = (WEB, LOG, ALSO, KNATIVE, SERVICE, ROLE)

REPLICAS = {"op": "replace", "path": "/spec/replicas", "value": 2}


def operations(*items, **target):
    return {"target": {"kind": "Deployment", "name": "web"} | target, "operations": list(items) or [REPLICAS]}


def merge(api="apps/v1", kind="Deployment", name="web", **rest):
    namespace = rest.pop("namespace", None)
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


@pytest.mark.parametrize(
    ("data", "target"),
    [
        pytest.param(operations(), WEB, id="operations"),
        pytest.param(operations(name="log", namespace="other"), ALSO, id="operations in a namespace"),
        pytest.param(operations(kind="Service", group=""), SERVICE, id="operations in the core group"),
        pytest.param(operations(kind="Service", group="serving.knative.dev"), KNATIVE, id="in another group"),
        pytest.param(
            operations(kind="ClusterRole", name="reader"), ROLE, id="operations on the cluster's own"
        ),
        pytest.param(merge(spec={"replicas": 2}), WEB, id="a merge patch"),
        pytest.param(merge(name="log", namespace="shop"), LOG, id="a merge patch in a namespace"),
        pytest.param(merge("v1", "Service"), SERVICE, id="a merge patch in the core group"),
        pytest.param(
            merge("serving.knative.dev/v1", "Service"), KNATIVE, id="a merge patch in another group"
        ),
        pytest.param(
            merge(data={"text": "${not} %{a template}", "gone": None}), WEB, id="any text, and null"
        ),
    ],
)
def test_a_patch_finds_its_object(data, target):
    key, found, merged = read_patch(data, KNOWN)
    assert key == target
    assert list(found) == data.get("operations", [])
    assert merged == (None if "operations" in data else data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param([REPLICAS], "it is no map", id="bare operations"),
        pytest.param({}, "neither `operations` nor `apiVersion`", id="nothing"),
        pytest.param(
            {"apiVersion": "v1", "kind": "Pod", "metadata": "x"}, "neither", id="metadata is a text"
        ),
        pytest.param({"operations": [REPLICAS]}, "`target` lacks `kind` or `name`", id="no target"),
        pytest.param({"target": {"kind": "Deployment"}, "operations": [REPLICAS]}, "lacks", id="no name"),
        pytest.param(operations(label="a"), "only the texts `group`, `kind`", id="a selector"),
        pytest.param(operations(namespace=1), "only the texts `group`, `kind`", id="a number"),
        pytest.param(operations(name="wbe"), "of that kind there are log, log, web", id="no such object"),
        pytest.param(operations(kind="Job"), "there is no Job web", id="no such kind"),
        pytest.param(operations(name="log"), "more than one object is a Deployment log", id="two objects"),
        pytest.param(operations(kind="Service"), "say its `namespace` or `group`", id="two groups"),
        pytest.param(operations() | {"note": "x"}, "nothing may stand", id="something beside"),
        pytest.param(operations() | {"operations": []}, "no list of operations", id="no operations"),
        pytest.param(operations() | {"operations": REPLICAS}, "no list of operations", id="one operation"),
        pytest.param(
            operations({"op": "set", "path": "/a"}), "operation 1 has no `op` out of add", id="no operation"
        ),
        pytest.param(operations(REPLICAS, "x"), "operation 2 has no `op`", id="the second is a text"),
        pytest.param(
            operations({"op": "add", "path": "/a"}),
            "operation 1 (`add`) must have exactly `op`, `path`, `value`",
            id="no value",
        ),
        pytest.param(
            operations({"op": "remove", "path": "/a", "value": 1}), "exactly `op`, `path`", id="a value"
        ),
        pytest.param(
            operations({"op": "move", "path": "/a"}), "exactly `from`, `op`, `path`", id="no source"
        ),
        pytest.param(operations({"op": "remove", "path": "a"}), "begins with `/`", id="no pointer"),
        pytest.param(operations({"op": "remove", "path": ""}), "no path into the object", id="the whole"),
        pytest.param(
            operations({"op": "remove", "path": 1}), "no path into the object", id="a number for a path"
        ),
        pytest.param(operations({"op": "remove", "path": "/kind"}), "which object it is", id="its kind"),
        pytest.param(operations({"op": "remove", "path": "/apiVersion"}), "which object it is", id="its API"),
        pytest.param(
            operations({"op": "remove", "path": "/metadata"}), "which object it is", id="all metadata"
        ),
        pytest.param(
            operations({"op": "remove", "path": "/metadata/name"}), "which object it is", id="its name"
        ),
        pytest.param(
            operations({"op": "move", "path": "/spec/a", "from": "/metadata/namespace"}),
            "changes which object it is: `/metadata/namespace`",
            id="its namespace moved away",
        ),
        pytest.param(merge(spec={"a": {"b": [1]}}), "`/spec/a/b` is one", id="a list in a merge patch"),
        pytest.param(merge(**{"$patch": "delete"}), "`$patch` is not supported", id="a directive"),
        pytest.param(merge(name="wbe"), "of that kind there are log, log, web", id="merge into nothing"),
        pytest.param(merge(name="log"), "more than one object", id="merge into two"),
        pytest.param(merge("batch/v1"), "there is no Deployment web", id="merge into another group"),
        pytest.param(
            merge(namespace="nowhere"), "there is no Deployment web", id="merge into another namespace"
        ),
    ],
)
def test_a_patch_that_cannot_be_used_says_why(data, message):
    with pytest.raises(PatchFault, match=re.escape(message)):
        read_patch(data, KNOWN)
