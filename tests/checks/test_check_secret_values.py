from __future__ import annotations

import pytest

from plinth.checks.secret_values import CHECK
from plinth.diagnostics.show import as_text
from plinth.ir.said import Said
from plinth.ir.targets import ObjectKey, Patch
from support.compiled import only, remote, said, with_object, with_targets

HUNTER = "hunter2"
TOKEN = f"ghp_{'A1b2' * 9}"
PATCHES = ("spec", "components", "jupyterhub", "patches")
SECRET = ObjectKey("", "Secret", "jupyterhub", "hub")
HUB = ObjectKey("apps", "Deployment", "jupyterhub", "hub")
ENV = "/spec/template/spec/containers/0/env"


def secret(**fields):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x", "namespace": "mlflow"}, **fields}


def pod(**fields):
    spec = {"containers": [{"name": "main", "image": "a/b:v1", **fields}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "mlflow"}, "spec": spec}


def patched(target, *operations, merge=None, file="patches/x.yaml"):
    patch = Patch(
        application="jupyterhub",
        target=target,
        operations=operations,
        merge=merge,
        origins=(PATCHES,),
        file=file,
    )
    return with_targets(remote()[0], lambda each: each, patch)


@pytest.mark.parametrize("part", ["data", "stringData"])
def test_a_secret_of_ours_holds_nothing(part):
    found = only(
        CHECK, with_object(remote()[0], secret(**{part: {"b": Said(HUNTER, ()), "a/b": HUNTER, "c": ""}}))
    )

    assert (found.severity, found.path) == ("error", ("spec", "components", "mlflow"))
    assert (
        f"`Secret mlflow/x` holds what is a secret or looks like one at `/{part}/a~1b`, `/{part}/b`"
        in found.message
    )
    assert HUNTER not in as_text([found], {})


@pytest.mark.parametrize(
    "fields", [{}, {"data": {}}, {"data": None}, {"data": {"ca.crt": ""}}, {"type": "Opaque"}]
)
def test_a_secret_that_a_controller_fills_passes(fields):
    assert said(CHECK, with_object(remote()[0], secret(**fields))) == ()


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"env": [{"name": "TOKEN", "value": TOKEN}]}, "/spec/containers/0/env/0/value"),
        ({"args": ["--verbose", f"--token={TOKEN}"]}, "/spec/containers/0/args/1"),
        ({"env": [{"name": "KEY", "value": "/x9K2mQ7pL4vR8tW3yZ6bN1c"}]}, "/spec/containers/0/env/0/value"),
        ({"command": ["psql", f"postgresql://me:{HUNTER}@db/runs"]}, "/spec/containers/0/command/1"),
    ],
)
def test_a_program_is_told_no_secret(fields, where):
    found = only(CHECK, with_object(remote()[0], pod(**fields)))

    assert f"at `{where}`" in found.message
    assert TOKEN not in found.message
    assert HUNTER not in found.message


@pytest.mark.parametrize(
    "fields",
    [
        {"env": [{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "x", "key": "password"}}}]},
        {"env": [{"name": "PATH", "value": "/usr/local/lib/python3/dist/packages/4Zq/b7"}]},
        {"env": [{"name": "URL", "value": "https://mlflow.mlflow.svc.cluster.local:5000"}]},
        {"image": f"a/b@sha256:{'0123456789abcdef' * 4}"},
        {"workingDir": TOKEN},
    ],
)
def test_what_is_no_secret_passes(fields):
    assert said(CHECK, with_object(remote()[0], pod(**fields))) == ()


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"merge": {"stringData": {"password": HUNTER}}}, "/stringData/password"),
        ({"merge": {"data": {"gone": None, "kept": HUNTER}}}, "/data/kept"),
        ({"operations": [{"op": "add", "path": "/data/a~1b", "value": HUNTER}]}, "/data/a~1b"),
        ({"operations": [{"op": "replace", "path": "/data", "value": {"k": HUNTER}}]}, "/data/k"),
    ],
)
def test_a_patch_fills_no_secret(changes, where):
    found = only(CHECK, patched(SECRET, *changes.get("operations", ()), merge=changes.get("merge")))

    assert found.path == PATCHES
    assert not found.at_key
    assert "`patches/x.yaml`, a patch of `Secret jupyterhub/hub`, holds" in found.message
    assert f"at `{where}`" in found.message
    assert HUNTER not in found.message


@pytest.mark.parametrize(
    "changes",
    [
        {"merge": {"data": {"gone": None}, "metadata": {"labels": {"a": "b"}}}},
        {"operations": [{"op": "remove", "path": "/data/gone"}]},
        {"operations": [{"op": "test", "path": "/data/there", "value": HUNTER}]},
        {"operations": [{"op": "add", "path": "/metadata/labels/a", "value": HUNTER}]},
    ],
)
def test_a_patch_may_do_all_else_to_a_secret(changes):
    assert said(CHECK, patched(SECRET, *changes.get("operations", ()), merge=changes.get("merge"))) == ()


@pytest.mark.parametrize(
    ("operation", "where"),
    [
        ({"op": "replace", "path": f"{ENV}/0/value", "value": TOKEN}, f"{ENV}/0/value"),
        ({"op": "add", "path": f"{ENV}/-", "value": {"name": "T", "value": TOKEN}}, f"{ENV}/-/value"),
        ({"op": "add", "path": ENV, "value": [{"name": "T", "value": TOKEN}]}, f"{ENV}/0/value"),
    ],
)
def test_a_patch_tells_a_program_no_secret(operation, where):
    found = only(CHECK, patched(HUB, operation))

    assert f"at `{where}`" in found.message
    assert TOKEN not in found.message


def test_a_patch_of_ours_is_not_a_persons():
    assert said(CHECK, patched(SECRET, {"op": "add", "path": "/metadata/labels", "value": {}})) == ()


def test_a_secret_of_upstreams_is_not_ours():
    hub = next(each for each in remote()[0].known if each.key == SECRET)

    assert not hub.is_whole
    assert said(CHECK, remote()[0]) == ()
