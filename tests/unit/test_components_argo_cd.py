"""Argo CD's own settings: each value that is a language of its own is read back in that language."""

from __future__ import annotations

import csv
import io
from functools import cache

import pytest

from plinth.catalog.components import load, versions
from plinth.components.argo_cd import APPLICATION_HEALTH, DEFINITION_HEALTH
from plinth.components.training_operator import JOB_HEALTH, KINDS
from plinth.text.manifests import read_manifests
from support import platforms

try:
    from lupa import lua51  # gopher-lua, which Argo CD runs, speaks 5.1
except ImportError:
    lua51 = None

needs_lua = pytest.mark.skipif(
    lua51 is None, reason="`lupa` is not installed: no Lua to run health scripts with"
)

HEALTH = "resource.customizations.health."


@cache
def settings(name):
    """The data that our patch gives to a ConfigMap of Argo CD in the example."""
    files = platforms.tree(platforms.compile_bytes(platforms.example()))
    text = files[f"overlays/dev/argo-cd/patch-configmap-{name}.yaml"]
    (operations,) = (each["items"] for each in read_manifests(b"items:\n" + text))
    return {
        each["path"].removeprefix("/data/").replace("~1", "/").replace("~0", "~"): each["value"]
        for each in operations
        if each["path"] != "/data"
    }


def run(script, obj):
    """What a health script says of an object. Argo CD opens these libraries and no other."""
    runtime = lua51.LuaRuntime(register_eval=False, unpack_returned_tuples=True)
    runtime.execute("os, io, package, debug, require, dofile, loadfile, load, loadstring = nil")
    check = runtime.eval(f"function(obj)\n{script}\nend")
    found = check(runtime.table_from(obj, recursive=True))
    return dict(found)


def application(**status):
    source = {
        "repoURL": "https://example.com/a.git",
        "path": "overlays/dev/a",
        "targetRevision": "refs/heads/main",
    }
    compared = {"source": dict(source), "destination": {"namespace": "a"}}
    whole = {"sync": {"status": "Synced", "comparedTo": compared}, "health": {"status": "Healthy"}}
    return {
        "metadata": {"name": "a"},
        "spec": {"project": "platform", "source": source},
        "status": {**whole, **status},
    }


def compared_to(**other):
    compared = application()["status"]["sync"]["comparedTo"]
    return {"status": "Synced", "comparedTo": {**compared, "source": {**compared["source"], **other}}}


@needs_lua
@pytest.mark.parametrize(
    ("obj", "status", "message"),
    [
        pytest.param(application(), "Healthy", "", id="synced and healthy"),
        pytest.param(
            application(health={"status": "Degraded", "message": "no"}), "Degraded", "no", id="degraded"
        ),
        pytest.param(application(health={"status": "Suspended"}), "Suspended", "", id="suspended"),
        pytest.param(application(health={"status": "Progressing"}), "Progressing", "", id="progressing"),
        pytest.param(
            application(health={"status": "Missing"}), "Progressing", "", id="some objects are missing"
        ),
        pytest.param(application(health={"status": "Unknown"}), "Progressing", "", id="unknown"),
        pytest.param(application(health={}), "Progressing", "Argo CD has not", id="no health yet"),
        pytest.param(
            {"metadata": {"name": "a"}, "spec": {}}, "Progressing", "Argo CD has not", id="just made"
        ),
        pytest.param(
            {"metadata": {"name": "a"}, "spec": {}, "status": {}},
            "Progressing",
            "Argo CD has not",
            id="nothing compared",
        ),
        pytest.param(
            {
                "metadata": {"name": "root"},
                "spec": {"project": "root"},
                "status": {"operationState": {"phase": "Running"}, "health": {"status": "Degraded"}},
            },
            "Healthy",
            "What brings itself cannot wait for itself",
            id="the root, whose own sync looks at it",
        ),
        pytest.param(
            {"metadata": {"name": "root"}, "spec": {"project": "vision"}},
            "Progressing",
            "Argo CD has not",
            id="somebody's own, of the same name",
        ),
        pytest.param(
            application(sync={"status": "OutOfSync"}),
            "Progressing",
            "Not synced: OutOfSync",
            id="out of sync",
        ),
        pytest.param(
            application(sync={"status": "Unknown"}), "Progressing", "Not synced: Unknown", id="sync unknown"
        ),
        pytest.param(
            application(sync={"comparedTo": {}}), "Progressing", "Not synced: unknown", id="no sync status"
        ),
        pytest.param(
            application() | {"operation": {"sync": {}}}, "Progressing", "A sync is asked for", id="asked"
        ),
        pytest.param(
            application(operationState={"phase": "Running", "message": "waiting for healthy state"}),
            "Progressing",
            "waiting for healthy state",
            id="a sync runs",
        ),
        pytest.param(
            application(operationState={"phase": "Terminating"}),
            "Progressing",
            "A sync is under way",
            id="it is ended",
        ),
        pytest.param(application(operationState={"phase": "Succeeded"}), "Healthy", "", id="a sync is done"),
        pytest.param(
            application(operationState={"phase": "Failed"}), "Healthy", "", id="what failed was put right"
        ),
        pytest.param(
            application(sync=compared_to(targetRevision="refs/heads/old")),
            "Progressing",
            "The wanted source has not been compared yet",
            id="another branch was compared",
        ),
        pytest.param(
            application(sync=compared_to(path="overlays/dev/b")),
            "Progressing",
            "The wanted source has not been compared yet",
            id="another folder was compared",
        ),
        pytest.param(
            {
                "metadata": {"name": "a"},
                "spec": {"sources": [{"repoURL": "https://example.com/a.git"}]},
                "status": {
                    "sync": {"status": "Synced", "comparedTo": {"source": {"repoURL": ""}}},
                    "health": {"status": "Healthy"},
                },
            },
            "Healthy",
            "",
            id="somebody's own, of several sources",
        ),
    ],
)
def test_an_application_opens_the_next_wave_only_when_it_is_there(obj, status, message):
    found = run(APPLICATION_HEALTH, obj)
    assert found["status"] == status
    assert found["message"].startswith(message)


def conditions(*types, **rest):
    return {"status": {"conditions": [{"type": each, "status": "True", **rest} for each in types]}}


@needs_lua
@pytest.mark.parametrize(
    ("obj", "status"),
    [
        pytest.param({}, "Progressing", id="just made"),
        pytest.param({"status": {}}, "Progressing", id="no conditions"),
        pytest.param(conditions("Created"), "Progressing", id="created"),
        pytest.param(conditions("Created", "Running"), "Healthy", id="running"),
        pytest.param(conditions("Created", "Restarting"), "Progressing", id="restarting"),
        pytest.param(conditions("Created", "Suspended"), "Suspended", id="suspended"),
        pytest.param(conditions("Created", "Running", "Succeeded"), "Healthy", id="done"),
        pytest.param(conditions("Created", "Running", "Failed"), "Degraded", id="failed"),
        pytest.param(
            {
                "status": {
                    "conditions": [
                        {"type": "Failed", "status": "False"},
                        {"type": "Running", "status": "True"},
                    ]
                }
            },
            "Healthy",
            id="a condition that is no more",
        ),
    ],
)
def test_a_training_job_is_well_while_it_runs(obj, status):
    assert run(JOB_HEALTH, obj)["status"] == status


@needs_lua
@pytest.mark.parametrize(
    ("obj", "status"),
    [
        pytest.param({}, "Healthy", id="just made"),
        pytest.param({"status": {}}, "Healthy", id="no conditions"),
        pytest.param(conditions("NamesAccepted"), "Healthy", id="its names are accepted"),
        pytest.param(conditions("NamesAccepted", "Established"), "Healthy", id="established"),
        pytest.param(
            {"status": {"conditions": [{"type": "NamesAccepted", "status": "False"}]}},
            "Degraded",
            id="another one has its names",
        ),
        pytest.param(
            conditions("NonStructuralSchema", "NamesAccepted", "Established"), "Degraded", id="a bad schema"
        ),
    ],
)
def test_a_definition_is_well_unless_something_is_wrong_with_it(obj, status):
    """No event of one makes Argo CD look again: what it says first stays for minutes."""
    assert run(DEFINITION_HEALTH, {"metadata": {"name": "a"}} | obj)["status"] == status


@needs_lua
def test_every_health_script_that_is_delivered_runs():
    scripts = {key: value for key, value in settings("argocd-cm").items() if key.startswith(HEALTH)}
    assert set(scripts) == {
        f"{HEALTH}apiextensions.k8s.io_CustomResourceDefinition",
        f"{HEALTH}argoproj.io_Application",
        *(f"{HEALTH}kubeflow.org_{kind}" for kind in KINDS),
    }
    for script in scripts.values():
        found = run(script, {"metadata": {"name": "a"}, "spec": {}})
        assert found["status"] == ("Healthy" if script == DEFINITION_HEALTH else "Progressing")


def test_every_kind_of_job_has_a_health_script():
    """Kinds of every version in the catalogue: Argo CD knows none of them."""
    kinds = {
        crd.kind
        for version in versions("training-operator")
        for crd in load("training-operator", version).crds
    }
    assert kinds <= set(KINDS)


def test_what_is_yaml_inside_is_yaml():
    """One malformed rule makes every Application Unknown. Source: Argo CD, "Diffing Customization"."""
    data = settings("argocd-cm")
    assert read_manifests(data["resource.compareoptions"].encode()) == ({"ignoreAggregatedRoles": True},)
    kinds = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
    for kind in kinds:
        text = data[f"resource.customizations.ignoreDifferences.admissionregistration.k8s.io_{kind}"]
        assert read_manifests(text.encode()) == (
            {"jqPathExpressions": [".webhooks[]?.clientConfig.caBundle"]},
        )


def test_every_setting_is_text():
    for name in ("argocd-cm", "argocd-cmd-params-cm", "argocd-rbac-cm"):
        assert all(isinstance(value, str) for value in settings(name).values())


def test_nobody_is_let_in_but_administrators():
    rights = settings("argocd-rbac-cm")
    assert rights["policy.default"] == ""
    assert list(csv.reader(io.StringIO(rights["policy.csv"]))) == [["g", "platform@acme.com", "role:admin"]]
    assert settings("argocd-cm")["admin.enabled"] == "false"
    assert settings("argocd-cm")["users.anonymous.enabled"] == "false"
