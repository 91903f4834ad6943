"""A real API server accepts every object that is compiled, and every pod that these make.

Each object of each golden case, and of the example with its upstreams, is sent as Argo CD sends it, as a dry
run that forgives no unknown field. The CRDs are applied for real, and so are the namespaces with the labels
that the tree gives them: the pods of a Deployment are then judged as its ReplicaSet would have them judged,
which the Deployment itself is not.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from plinth.ir.targets import Base
from plinth.text.manifests import read_manifests
from rig import missing
from rig.client import ApiError
from rig.control_plane import PROGRAMS, ControlPlane, control_plane
from support import judged, platforms

# One worker, so that one set of clusters is started.
pytestmark = [platforms.needs_mirror, pytest.mark.xdist_group("admission")]

Body = Mapping[str, Any]

MANAGER = "argocd-controller"
DRY_RUN = urlencode({"dryRun": "All", "fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"})

REFUSED: dict[str, str] = {}
"""By object: what an upstream brings and the API refuses, with a part of what it says. Today no upstream does."""

REAL = frozenset({"Namespace", "PriorityClass", "RuntimeClass", "ServiceAccount"})
"""Kinds that must be there for other objects to be judged."""

OF_THE_CLUSTER = platforms.ROOT / "tests" / "data" / "gke-crds.yaml"
"""Kinds that a cloud's control plane brings, and this one does not."""

NO_PODS = frozenset({"ConfigMap", "CustomResourceDefinition", "Secret"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A control plane with the CRDs of some upstreams."""

    plane: ControlPlane
    upstreams: frozenset[tuple[str, str]]
    """Component and version."""
    levels: dict[str, Body] = field(default_factory=dict)
    """The labels of each namespace."""

    def suits(self, environment: judged.Environment) -> bool:
        """True where nothing there speaks against what the environment brings."""
        labels = labels_of(environment)
        return upstreams_of(environment) <= self.upstreams and all(
            self.levels.get(name, of_it) == of_it for name, of_it in labels.items()
        )

    def prepare(self, environment: judged.Environment) -> None:
        """Bring in for real what others of its objects are judged by."""
        client = self.plane.client
        for name, labels in labels_of(environment).items():
            if name not in self.levels:
                metadata = {"name": name, "labels": labels}
                client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}, manager=MANAGER)
                account = {"apiVersion": "v1", "kind": "ServiceAccount"}
                client.apply({**account, "metadata": {"name": "default", "namespace": name}})
                self.levels[name] = labels
        for body in environment.objects():
            if body["kind"] in REAL - {"Namespace"}:
                client.apply(body, manager=MANAGER)


@pytest.fixture(scope="module")
def cluster_for():
    """A cluster for an environment: one that is there already, or one more where upstreams differ in version.

    CRDs take most of the time, so one is made to suit as many as can be.
    """
    lacking = missing(*PROGRAMS)
    if lacking:
        pytest.skip(lacking)
    started: list[Cluster] = []
    with ExitStack() as planes:

        def found(environment: judged.Environment) -> Cluster:
            for each in started:
                if each.suits(environment):
                    return each
            upstreams = next(
                upstreams_of(each)
                for each in every_environment()
                if upstreams_of(environment) <= upstreams_of(each)
            )
            plane = planes.enter_context(control_plane())
            crds = list(crds_of(upstreams))
            plane.apply_all(crds, manager=MANAGER)
            plane.wait("every kind is served", lambda: all(is_served(plane, each) for each in crds))
            started.append(Cluster(plane=plane, upstreams=upstreams))
            return started[-1]

        yield found


def every_environment() -> Iterator[judged.Environment]:
    for platform in judged.PLATFORMS:
        for vendored in (True, False):
            yield from judged.environments(platform, vendored=vendored)


def upstreams_of(environment: judged.Environment) -> frozenset[tuple[str, str]]:
    return frozenset((base.component, base.version) for base in environment.compiled.graph.of(Base))


def crds_of(upstreams: frozenset[tuple[str, str]]) -> Iterator[Body]:
    yield from read_manifests(OF_THE_CLUSTER.read_bytes())
    for component, version in sorted(upstreams):
        path = platforms.mirror() / component / version / "crds.yaml"
        if path.is_file():
            yield from read_manifests(path.read_bytes())


def is_served(plane: ControlPlane, crd: Body) -> bool:
    """True once the API has a kind; reading its objects may take a webhook that nobody answers."""
    spec = crd["spec"]
    for version in spec["versions"]:
        if version["served"]:
            metadata = {"name": "any", "namespace": "any"}
            try:
                plane.client.path_of(
                    {
                        "apiVersion": f"{spec['group']}/{version['name']}",
                        "kind": spec["names"]["kind"],
                        "metadata": metadata,
                    }
                )
            except (ApiError, LookupError):
                return False
    return True


def labels_of(environment: judged.Environment) -> dict[str, Body]:
    """Every namespace of the environment and its labels, upstream's with our patch on."""
    return {
        each.key.name: dict(each.body["metadata"].get("labels") or {})
        for each in environment.compiled.known
        if each.key.kind == "Namespace"
    }


def name_of(body: Body) -> str:
    metadata = body["metadata"]
    return "/".join(filter(None, (body["kind"], metadata.get("namespace"), metadata.get("name"))))


def refusal_of(client, body: Body) -> str | None:
    """What the API server says against an object."""
    try:
        client.call(
            "PATCH", f"{client.path_of(body)}?{DRY_RUN}", body, content_type="application/apply-patch+yaml"
        )
    except (ApiError, LookupError) as refusal:
        return str(refusal)
    return None


def refusal_of_pod(client, namespace: str, template: Body) -> str | None:
    """What the API server says against a pod of a template."""
    metadata = {
        **{name: template.get("metadata", {}).get(name) or {} for name in ("annotations", "labels")},
        "generateName": "judged-",
        "namespace": namespace,
    }
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
    query = urlencode({"dryRun": "All", "fieldManager": MANAGER, "fieldValidation": "Strict"})
    try:
        client.call("POST", f"/api/v1/namespaces/{namespace}/pods?{query}", body)
    except ApiError as refusal:
        return str(refusal)
    return None


def templates(node: object) -> Iterator[Body]:
    """Every pod template in an object."""
    if isinstance(node, Mapping):
        template = node.get("template")
        if isinstance(template, Mapping) and "containers" in (template.get("spec") or {}):
            yield template
        for child in node.values():
            yield from templates(child)
    elif isinstance(node, list):
        for child in node:
            yield from templates(child)


def refusals(client, bodies) -> dict[str, str]:
    """What the API server says against objects, by object, and against the pods that each would make."""
    found = {}
    for body in bodies:
        found[name_of(body)] = refusal_of(client, body)
        for template in () if body["kind"] in NO_PODS else templates(body):
            key = f"a pod of {name_of(body)}"
            found[key] = refusal_of_pod(client, body["metadata"]["namespace"], template) or found.get(key)
    return {key: said for key, said in found.items() if said}


@pytest.mark.parametrize("vendored", [pytest.param(False, id="fetched"), pytest.param(True, id="vendored")])
@pytest.mark.parametrize("platform", judged.PLATFORMS)
def test_every_object_and_every_pod_of_it_is_accepted(platform, vendored, cluster_for):
    for environment in judged.environments(platform, vendored=vendored):
        cluster = cluster_for(environment)
        cluster.prepare(environment)
        found = refusals(cluster.plane.client, environment.objects())
        assert {key: said for key, said in found.items() if key not in REFUSED} == {}, environment.name
        assert {key for key, said in found.items() if REFUSED[key] not in said} == set(), environment.name


def test_what_is_known_to_be_refused_is_refused(cluster_for):
    """An entry of the list that is no longer needed fails here."""
    for key in REFUSED:
        environment, body = next(
            (environment, body)
            for environment in every_environment()
            for body in environment.objects()
            if key.removeprefix("a pod of ") == name_of(body)
        )
        cluster = cluster_for(environment)
        cluster.prepare(environment)
        assert key in refusals(cluster.plane.client, [body])


@pytest.fixture
def example(cluster_for):
    """A client at the cluster of the example, and a copy of one of its objects by kind and name."""
    (dev, _) = judged.environments(judged.EXAMPLE, vendored=True)
    cluster = cluster_for(dev)
    cluster.prepare(dev)

    def found(name):
        (body,) = (each for each in dev.objects() if name_of(each) == name)
        return copy.deepcopy(body)

    return cluster.plane.client, found


def test_an_unknown_field_is_refused(example):
    client, found = example
    server = found("Deployment/mlflow/mlflow")
    server["spec"]["template"]["spec"]["containers"][0]["imagePulPolicy"] = "Always"
    application = found("Application/argocd/mlflow")
    application["spec"]["syncPolicy"]["automated"]["selfHeel"] = True

    said = refusals(client, [server, application])
    assert set(said) == {name_of(server), f"a pod of {name_of(server)}", name_of(application)}
    assert "imagePulPolicy" in said[name_of(server)]
    assert "selfHeel" in said[name_of(application)]


@pytest.mark.parametrize("name", ["Deployment/mlflow/mlflow", "Deployment/jupyterhub/hub"])
def test_a_pod_that_its_namespace_does_not_admit_is_refused_where_its_deployment_is_not(name, example):
    client, found = example
    body = found(name)
    pod = body["spec"]["template"]["spec"]
    for each in (pod, *pod["containers"]):
        each.get("securityContext", {}).pop("runAsNonRoot", None)

    (key, said), *others = refusals(client, [body]).items()
    assert (key, others) == (f"a pod of {name}", [])
    assert 'violates PodSecurity "restricted:latest": runAsNonRoot != true' in said


def test_a_pod_whose_service_account_is_not_there_is_refused(example):
    client, found = example
    body = found("Deployment/mlflow/mlflow")
    body["spec"]["template"]["spec"]["serviceAccountName"] = "gone"

    (said,) = refusals(client, [body]).values()
    assert 'serviceaccount "gone" not found' in said


def test_a_pod_of_a_custom_kind_is_judged_as_well(example):
    client, found = example
    pod = found("Deployment/mlflow/mlflow")["spec"]["template"]
    job = {
        "apiVersion": "kubeflow.org/v1",
        "kind": "PyTorchJob",
        "metadata": {"name": "report", "namespace": "mlflow"},
        "spec": {"pytorchReplicaSpecs": {"Worker": {"template": {"spec": pod["spec"]}}}},
    }
    assert refusals(client, [job]) == {}
    pod["spec"]["hostNetwork"] = True
    assert set(refusals(client, [job])) == {"a pod of PyTorchJob/mlflow/report"}


def test_a_notebook_that_the_hub_starts_is_admitted(example):
    """No object holds this pod: the hub makes it, of its own defaults and of what we declare.

    Source: kubespawner 7, `make_pod`; zero-to-jupyterhub 4, `singleuser`.
    """
    client, found = example
    declared = json.loads(found("ConfigMap/jupyterhub/hub-plinth")["data"]["plinth.json"])
    spawner = declared["traits"]["KubeSpawner"]
    defaults = {"runAsUser": 1000, "allowPrivilegeEscalation": False}
    notebook = {
        "name": "notebook",
        "image": spawner["image"],
        "securityContext": {**defaults, **spawner["container_security_context"]},
    }
    pod = {"spec": {"securityContext": {"fsGroup": 100}, "containers": [notebook]}}
    assert refusal_of_pod(client, "jupyterhub", pod) is None
    notebook["securityContext"] = defaults
    assert 'violates PodSecurity "restricted:latest"' in refusal_of_pod(client, "jupyterhub", pod)
