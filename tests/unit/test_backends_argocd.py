"""What Argo CD is told: which folder, which revision, what it may touch, and what waits."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from plinth.backends.argocd import BACKEND
from plinth.ir.graph import Graph
from plinth.ir.targets import Application
from plinth.text.manifests import read_manifests
from support import platforms


def compiled(*changes):
    text = platforms.example()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return platforms.compile_bytes(text).compilations


def emitted(graph, environment="dev"):
    folder = f"generated/{environment}/"
    return {
        path.removeprefix(folder): read_manifests(made.content)[0]
        for path, made in BACKEND.emit(graph, environment).items()
    }


def test_a_tree_in_a_folder_of_its_repository():
    dev, _ = compiled((b"branch: main}", b"branch: main, path: infra/ml}"))
    files = emitted(dev.graph)
    for name, path, paths in (
        ("applications/mlflow", "infra/ml/overlays/dev/mlflow", "/infra/ml/overlays/dev/mlflow"),
        ("root/root", "infra/ml/generated/dev/argocd", "/infra/ml/generated/dev/argocd"),
        (
            "applications/argo-cd",
            "infra/ml/overlays/dev/argo-cd",
            "/infra/ml/generated/base/argo-cd/3.5.1;/infra/ml/overlays/dev/argo-cd",
        ),
    ):
        application = files[f"argocd/{name}.yaml"]
        annotations = application["metadata"]["annotations"]
        assert application["spec"]["source"]["path"] == path
        assert annotations["argocd.argoproj.io/manifest-generate-paths"] == paths


@pytest.mark.parametrize(("index", "revision"), [(0, "refs/heads/main"), (1, "refs/heads/env/prod")])
def test_the_branch_of_an_environment_is_named_in_full(index, revision):
    compilation = compiled()[index]
    files = emitted(compilation.graph, compilation.environment.name)
    applications = [body for body in files.values() if body["kind"] == "Application"]
    assert {body["spec"]["source"]["targetRevision"] for body in applications} == {revision}
    assert {body["spec"]["source"]["repoURL"] for body in applications} == {
        "https://github.com/acme/ml-platform.git"
    }


def test_what_is_withheld_is_not_delivered():
    dev, _ = compiled()
    waiting = [
        replace(each, withheld=("the first apply",))
        if isinstance(each, Application) and each.name == "mlflow"
        else each
        for each in dev.graph.targets
    ]
    files = emitted(Graph(tuple(waiting)))
    assert "argocd/applications/mlflow.yaml" not in files
    assert "mlflow.yaml" not in files["argocd/applications/kustomization.yaml"]["resources"]
    assert "argocd/applications/mlflow.yaml" in emitted(dev.graph)


def test_crds_are_never_pruned_and_leave_with_nobody():
    dev, _ = compiled()
    for path, body in emitted(dev.graph).items():
        if path.startswith("argocd/applications/") and body["kind"] == "Application":
            is_crds = body["metadata"]["name"].endswith("-crds")
            assert ("prune" in body["spec"]["syncPolicy"]["automated"]) is not is_crds
            assert ("finalizers" in body["metadata"]) is not is_crds


def test_the_platform_may_remove_what_it_no_longer_lists():
    """A list of what there is loses a component's namespace in the commit that takes the component out."""
    dev, _ = compiled()
    files = emitted(dev.graph)
    platform = files["argocd/projects/platform.yaml"]["spec"]
    assert [each["namespace"] for each in platform["destinations"]] == ["*"]
    assert platform["clusterResourceWhitelist"] == [{"group": "*", "kind": "*"}]
    assert "*" not in str(files["argocd/projects/root.yaml"]["spec"])


def test_nothing_runs_in_the_project_that_may_do_everything():
    dev, _ = compiled()
    files = emitted(dev.graph)
    default = files["argocd/projects/default.yaml"]["spec"]
    assert (default["sourceRepos"], default["destinations"]) == ([], [])
    projects = {body["spec"]["project"] for body in files.values() if body["kind"] == "Application"}
    assert projects == {"platform", "root"}
    for name in projects:
        project = files[f"argocd/projects/{name}.yaml"]["spec"]
        assert {each["server"] for each in project["destinations"]} == {"https://kubernetes.default.svc"}
        assert project["sourceRepos"] == ["https://github.com/acme/ml-platform.git"]


def test_the_root_writes_no_status_of_what_it_brings():
    """An Application has its status in the object itself. Source: Argo CD, "Sync Options", RespectIgnoreDifferences."""
    files = emitted(compiled()[0].graph)
    applications = {
        body["metadata"]["name"]: body["spec"]["syncPolicy"]["syncOptions"]
        for body in files.values()
        if body["kind"] == "Application"
    }
    others = {name for name, options in applications.items() if "RespectIgnoreDifferences=true" in options}
    assert others == set(applications) - {"root"}
    assert "ServerSideApply=true" in applications["root"]


def test_the_root_does_not_call_a_sync_of_what_it_brings_a_difference():
    """Argo CD writes `operation`, and the annotation that asks for a refresh, into Applications themselves."""
    root = emitted(compiled()[0].graph)["argocd/root/root.yaml"]
    assert root["spec"]["ignoreDifferences"] == [
        {
            "group": "argoproj.io",
            "kind": "Application",
            "jsonPointers": ["/metadata/annotations/argocd.argoproj.io~1refresh", "/operation"],
        }
    ]


def test_an_application_has_no_field_that_argo_cd_takes_away():
    """Argo CD reads and writes Applications as Go structures, whose fields go where they are false or empty."""

    def empty(value, path=""):
        if isinstance(value, dict):
            return [each for key, inner in value.items() for each in empty(inner, f"{path}/{key}")]
        if isinstance(value, list) and value:
            return [each for index, inner in enumerate(value) for each in empty(inner, f"{path}/{index}")]
        return [] if value else [path]

    for body in emitted(compiled()[0].graph).values():
        if body["kind"] == "Application":
            assert empty(body) == [], body["metadata"]["name"]
