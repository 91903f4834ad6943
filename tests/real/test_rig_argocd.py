"""The rig's Argo CD follows a repository: it syncs, sees a commit, repairs, and says why when it cannot."""

from __future__ import annotations

import json

import pytest

from plinth.text.emit import yaml_text
from rig.argocd import API_VERSION, IN_CLUSTER, NAMESPACE, address, explain
from rig.faults import RigFault
from support.repository import commit, git, repository


def written(folder, **data):
    """A kustomization of one ConfigMap, committed; gives the commit."""
    (folder / "demo").mkdir(exist_ok=True)
    kustomization = {"resources": ["settings.yaml"], "commonAnnotations": {"by": "kustomize"}}
    settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": data}
    for name, body in (("kustomization.yaml", kustomization), ("settings.yaml", settings)):
        (folder / "demo" / name).write_text(yaml_text(body), encoding="utf-8")
    commit(folder)
    return git(folder, "rev-parse", "HEAD").strip()


@pytest.fixture
def followed(argo_cd, tmp_path):
    """A repository, and the name of an Application and a namespace that nobody else uses."""
    return repository(tmp_path / "repository"), argo_cd.cluster.namespace("argo")


def settings(argo_cd, namespace):
    return argo_cd.cluster.client.get("v1", "ConfigMap", "settings", namespace)


def test_an_application_syncs_and_follows_a_commit(argo_cd, followed):
    folder, name = followed
    first = written(folder, answer="41")
    argo_cd.apply_application(name, repository=folder, path="demo", namespace=name)
    argo_cd.wait_synced(name, revision=first)
    assert settings(argo_cd, name)["data"] == {"answer": "41"}
    assert settings(argo_cd, name)["metadata"]["annotations"]["by"] == "kustomize"

    second = written(folder, answer="42")
    argo_cd.refresh(name)
    argo_cd.wait_synced(name, revision=second)
    assert settings(argo_cd, name)["data"] == {"answer": "42"}


def test_what_somebody_edits_by_hand_is_put_back(argo_cd, followed):
    folder, name = followed
    argo_cd.apply_application(name, repository=folder, path="demo", namespace=name)
    argo_cd.wait_synced(name, revision=written(folder, answer="42"))
    argo_cd.cluster.client.merge("v1", "ConfigMap", "settings", name, {"data": {"answer": "7"}})
    argo_cd.cluster.wait("the edit is undone", lambda: settings(argo_cd, name)["data"] == {"answer": "42"})


def test_an_application_that_cannot_sync_says_why(argo_cd, followed):
    folder, name = followed
    written(folder, answer="42")
    argo_cd.apply_application(name, repository=folder, path="elsewhere", namespace=name)
    argo_cd.cluster.wait(
        "Argo CD has looked", lambda: argo_cd.application(name).get("status", {}).get("conditions")
    )
    with pytest.raises(RigFault, match=r"ComparisonError: (.|\n)*elsewhere: app path does not exist"):
        argo_cd.wait_synced(name, timeout_s=0)


def test_an_application_that_is_not_there_is_said_to_be_so(argo_cd):
    assert explain(argo_cd.application("nobody")) == "there is no such Application"


@pytest.fixture(scope="module")
def client(argo_cd):
    """`argocd`, signed in to the API server."""
    return argo_cd.start_server()


def test_its_client_tells_of_an_application_and_syncs_it(argo_cd, client, followed):
    folder, name = followed
    first = written(folder, answer="41")
    argo_cd.apply_application(name, repository=folder, path="demo", namespace=name)
    argo_cd.wait_synced(name, revision=first)
    assert f"{NAMESPACE}/{name}" in client("app", "list", "--output", "name").split()
    shown = json.loads(client("app", "get", name, "--output", "json"))["status"]
    assert (shown["sync"]["status"], shown["sync"]["revision"]) == ("Synced", first)

    second = written(folder, answer="42")
    client("app", "get", name, "--refresh")
    argo_cd.wait_synced(name, revision=second)
    (only,) = [each for each in client("app", "manifests", name).split("---") if "answer" in each]
    assert '"42"' in only


def test_its_client_says_what_is_wrong(client):
    with pytest.raises(RigFault, match=r"`argocd app get nobody` ended with \d+: .*permission denied"):
        client("app", "get", "nobody")


def test_an_application_set_makes_applications_and_takes_them_away(argo_cd, followed):
    folder, name = followed
    commit = written(folder, answer="42")
    argo_cd.start_application_sets()
    cluster = argo_cd.cluster.client
    cluster.apply(
        {
            "apiVersion": API_VERSION,
            "kind": "ApplicationSet",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {
                "generators": [{"list": {"elements": [{"of": "dev"}, {"of": "prod"}]}}],
                "template": {
                    "metadata": {"name": f"{name}-{{{{of}}}}"},
                    "spec": {
                        "project": "default",
                        "source": {"repoURL": address(folder), "path": "demo", "targetRevision": "main"},
                        "destination": {"server": IN_CLUSTER, "namespace": name},
                        "syncPolicy": {"automated": {}},
                    },
                },
            },
        }
    )
    made = [f"{name}-dev", f"{name}-prod"]
    argo_cd.cluster.wait("both are there", lambda: all(map(argo_cd.application, made)))
    argo_cd.wait_synced(made[1], revision=commit)
    cluster.delete(API_VERSION, "ApplicationSet", name, NAMESPACE)
    argo_cd.cluster.wait("both are gone", lambda: not any(map(argo_cd.application, made)))
