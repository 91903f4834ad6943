"""Twelve things that people and programs do to a cluster behind the back of git, and what is to be said of each.

    with edited(client):
        ...                       # the twelve are there; nobody heals them while Argo CD's controller is ended

What was added beside what is declared no apply takes back: at the end such objects are deleted, so that Argo CD makes
them anew. The rest is left to it.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

EDITOR = "kubectl-edit"
AUTOSCALER = "autoscaler"
HIDDEN = "hunter2-of-somebody"
"""The value of a secret: in no report."""

_CONTAINER = "/spec/template/spec/containers/0"


@dataclass(frozen=True, kw_only=True)
class Edit:
    """What is done to one object, and the finding that is to come of it. Without operations it is deleted."""

    what: str
    key: tuple[str, str, str, str]
    """API version, kind, name, namespace."""
    operations: Sequence[Mapping[str, Any]] = ()
    applied: Mapping[str, Any] | None = None
    """What a second manager applies."""
    class_: str = "drift"
    field: str | None = None
    """The pointer that is reported; None where the whole object is."""
    line: str
    """How the line of the spec begins."""
    severity: str | None = None

    @property
    def actors(self) -> Sequence[str]:
        """Who is on record for it: nobody for what is gone."""
        if self.applied is not None:
            return [AUTOSCALER]
        return [EDITOR] if self.operations else []


def _replace(path: str, value: object) -> Mapping[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def _add(path: str, value: object) -> Mapping[str, Any]:
    return {"op": "add", "path": path, "value": value}


EDITS = (
    Edit(
        what="a changed image",
        key=("apps/v1", "Deployment", "mlflow", "mlflow"),
        operations=[_replace(f"{_CONTAINER}/image", "ghcr.io/mallory/mlflow:latest")],
        field="/spec/template/spec/containers/[name=mlflow]/image",
        line="mlflow:",
        severity="critical",
    ),
    Edit(
        what="a removed argument",
        key=("apps/v1", "Deployment", "cert-manager", "cert-manager"),
        operations=[{"op": "remove", "path": f"{_CONTAINER}/args/0"}],
        field="/spec/template/spec/containers/[name=cert-manager-controller]/args",
        line="cert-manager:",
    ),
    Edit(
        what="an added label",
        key=("v1", "ServiceAccount", "mlflow", "mlflow"),
        operations=[_add("/metadata/labels", {"team": "vision"})],
        class_="drift-unmanaged",
        field="/metadata/labels",
        line="mlflow:",
    ),
    Edit(
        what="an added port",
        key=("v1", "Service", "mlflow", "mlflow"),
        operations=[
            _add("/spec/ports/-", {"name": "debug", "port": 9000, "protocol": "TCP", "targetPort": 9000})
        ],
        class_="drift-unmanaged",
        field="/spec/ports/[port=9000,protocol=TCP]",
        line="mlflow:",
    ),
    Edit(
        what="a deleted Service",
        key=("v1", "Service", "cert-manager", "cert-manager"),
        class_="missing",
        line="cert-manager:",
    ),
    Edit(
        what="a scaled Deployment",
        key=("apps/v1", "Deployment", "training-operator", "kubeflow"),
        operations=[_replace("/spec/replicas", 3)],
        field="/spec/replicas",
        line="training-operator:",
    ),
    Edit(
        what="a loosened Role",
        key=("rbac.authorization.k8s.io/v1", "Role", "hub", "jupyterhub"),
        operations=[_replace("/rules/0/verbs", ["*"])],
        field="/rules",
        line="jupyterhub:",
        severity="critical",
    ),
    Edit(
        what="an edited ConfigMap",
        key=("v1", "ConfigMap", "hub-plinth", "jupyterhub"),
        operations=[_replace("/data/plinth.json", "{}")],
        field="/data/plinth.json",
        line="jupyterhub:",
    ),
    Edit(
        what="an edited Secret",
        key=("v1", "Secret", "argocd-notifications-secret", "argocd"),
        operations=[
            _replace("/metadata/labels/app.kubernetes.io~1component", "mine"),
            # Argo CD's own settings leave the data to others.
            _add("/stringData", {"password": HIDDEN}),
        ],
        field="/metadata/labels/app.kubernetes.io~1component",
        line="argo-cd:",
    ),
    Edit(
        what="an edited custom resource",
        key=("external-secrets.io/v1", "ExternalSecret", "mlflow-database", "mlflow"),
        operations=[_replace("/spec/refreshInterval", "1000h")],
        field="/spec/refreshInterval",
        line="mlflow:",
    ),
    Edit(
        what="an added environment variable",
        key=("apps/v1", "Deployment", "hub", "jupyterhub"),
        operations=[_add(f"{_CONTAINER}/env/-", {"name": "EXTRA", "value": "1"})],
        class_="drift-unmanaged",
        field="/spec/template/spec/containers/[name=hub]/env/[name=EXTRA]",
        line="jupyterhub:",
    ),
    Edit(
        what="a field that a second manager took over",
        key=("apps/v1", "Deployment", "proxy", "jupyterhub"),
        applied={"spec": {"replicas": 2}},
        field="/spec/replicas",
        line="jupyterhub:",
    ),
)


@contextmanager
def edited(client: Any) -> Iterator[None]:
    """All twelve done; afterwards what is left is what Argo CD can put back."""
    try:
        for each in EDITS:
            _edit(client, each)
        yield
    finally:
        for each in EDITS:
            if each.class_ == "drift-unmanaged" or each.key[1] == "Secret":
                client.delete(*each.key)


def _edit(client: Any, edit: Edit) -> None:
    api_version, kind, name, namespace = edit.key
    body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}
    if edit.applied is not None:
        client.apply({**body, **edit.applied}, manager=AUTOSCALER)
    elif edit.operations:
        path = f"{client.path_of(body)}?{urlencode({'fieldManager': EDITOR})}"
        client.call("PATCH", path, list(edit.operations), content_type="application/json-patch+json")
    else:
        client.delete(*edit.key)
