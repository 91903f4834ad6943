"""The hub's settings, and the code that gives them to the hub, run on a stand-in of its configuration."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest

from plinth.components.jupyterhub import FOLDER, HUB_CONFIG, NOTEBOOKS
from plinth.text.manifests import read_manifests
from support import platforms

CULLER = ["python3", "-m", "jupyterhub_idle_culler", "--url=http://localhost:8081/hub/api", "--timeout=3600"]


class Configuration(dict):
    """As traitlets have it: a section is there as soon as somebody names it."""

    def __missing__(self, key):
        self[key] = Configuration()
        return self[key]

    __getattr__ = dict.__getitem__
    __setattr__ = dict.__setitem__


def settings(*changes):
    text = platforms.example()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    files = platforms.tree(platforms.compile_bytes(text))
    (body,) = read_manifests(files["overlays/dev/jupyterhub/configmap-hub-plinth.yaml"])
    assert body["data"]["plinth.py"] == HUB_CONFIG
    return body["data"]["plinth.json"]


@pytest.fixture
def hub(monkeypatch):
    """The configuration of a hub after our code has run, beginning with what the chart says."""

    def configured(declared, before):
        class Files(PurePosixPath):
            def read_text(self, encoding):
                assert (self.as_posix(), encoding) == (f"{FOLDER}/jupyterhub_config.d/plinth.json", "utf-8")
                return declared

        monkeypatch.setattr("pathlib.Path", Files)
        # A hub runs its configuration in a namespace that has `c`, see traitlets' PyFileConfigLoader.
        exec(compile(HUB_CONFIG, "plinth.py", "exec"), {"c": before})  # noqa: S102 - as the hub does
        return before

    return configured


def test_the_hub_is_set_to_what_is_declared(hub):
    declared = settings()
    c = Configuration()
    c["KubeSpawner"]["image"] = "quay.io/jupyterhub/k8s-singleuser-sample:4.4.0"
    c["KubeSpawner"]["start_timeout"] = 300
    c["JupyterHub"]["services"] = []
    hub(declared, c)
    traits = json.loads(declared)["traits"]
    assert c.KubeSpawner == {**traits["KubeSpawner"], "start_timeout": 300}
    assert c.GoogleOAuthenticator == traits["GoogleOAuthenticator"]
    assert c.JupyterHub == {**traits["JupyterHub"], "services": []}


def test_of_the_culler_its_timeout_alone_is_changed(hub):
    c = Configuration()
    other = {"name": "announcement", "command": ["python3", "--timeout=5"]}
    culler = {"name": "jupyterhub-idle-culler", "command": list(CULLER), "admin": True}
    c["JupyterHub"]["services"] = [dict(other), culler]
    hub(settings(), c)
    assert c.JupyterHub.services == [
        other,
        {"name": "jupyterhub-idle-culler", "command": [*CULLER[:-1], "--timeout=7200"], "admin": True},
    ]


def test_a_notebook_starts_in_a_namespace_that_is_restricted():
    """Source: Kubernetes, "Pod Security Standards", restricted; the chart itself forbids escalation."""
    context = json.loads(settings())["traits"]["KubeSpawner"]["container_security_context"]
    assert context["runAsNonRoot"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    # Kubespawner refuses names that are not the API's own.
    assert not any("_" in key for key in context)


def profiles(*changes):
    found = json.loads(settings(*changes))["traits"]["KubeSpawner"]["profile_list"]
    return {each["slug"]: each for each in found}


def test_the_first_tier_and_the_first_image_are_the_defaults():
    found = profiles()
    assert [slug for slug, each in found.items() if each["default"]] == ["cpu"]
    for each in found.values():
        choices = each["profile_options"]["image"]["choices"]
        assert {name: choice["default"] for name, choice in choices.items()} == {
            "minimal": True,
            "spark": False,
        }
        assert choices["spark"]["kubespawner_override"]["image"] == NOTEBOOKS["spark"][1]


def test_a_tier_on_two_pools_may_run_on_either():
    found = profiles(
        (b"{name: cpu, cpu: 2, memory: 6Gi}", b"{name: cpu, cpu: 2, memory: 6Gi, pools: [system, burst]}"),
        (b", {name: burst, remove: true}", b""),
    )
    override = found["cpu"]["kubespawner_override"]
    (expression,) = override["node_affinity_required"][0]["matchExpressions"]
    assert expression["values"] == ["burst", "system"]
    assert [(each["key"], each["value"]) for each in override["tolerations"]] == [
        ("plinth.dev/capacity", "spot")
    ]


def test_a_tier_without_pools_goes_where_there_is_room():
    override = profiles()["cpu"]["kubespawner_override"]
    assert not {"node_affinity_required", "tolerations", "extra_resource_limits"} & override.keys()
    assert (override["cpu_limit"], override["mem_limit"]) == (2, 6 * 2**30)


@pytest.mark.parametrize(
    ("email", "user"), [("platform@acme.com", "platform"), ("ann@other.com", "ann@other.com")]
)
def test_an_administrator_is_called_as_google_calls_him(email, user):
    """Source: oauthenticator, GoogleOAuthenticator: the one hosted domain is taken off a name."""
    text = settings((b"admins: [platform@acme.com]", f"admins: [{email}]".encode()))
    assert json.loads(text)["traits"]["GoogleOAuthenticator"]["admin_users"] == [user]


def test_the_hub_starts_anew_when_its_settings_change():
    def checksum(*changes):
        text = platforms.example()
        for old, new in changes:
            text = text.replace(old, new)
        files = platforms.tree(platforms.compile_bytes(text))
        (patch,) = (
            each["items"]
            for each in read_manifests(
                b"items:\n" + files["overlays/dev/jupyterhub/patch-deployment-hub.yaml"]
            )
        )
        (value,) = (each["value"] for each in patch if each["path"].endswith("checksum~1plinth"))
        return value

    assert checksum() == checksum((b"{min: 0, max: 3}", b"{min: 0, max: 2}"))
    assert checksum() != checksum((b"idle: 2h", b"idle: 3h"))
