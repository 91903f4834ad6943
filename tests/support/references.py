"""What the pods of an object must find in their namespace before they start, and what brings it there.

    list(references(body))              Secret/mlflow-database, ServiceAccount/mlflow, ...
    makes(certificate)                  what its controller makes

A pod whose Secret, ConfigMap, claim or service account is not there waits for it without an end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from plinth.ir.kubernetes import CONTAINER_LISTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Body = Mapping[str, Any]

DEFAULT_ACCOUNT: Final = "default"
"""The service account that Kubernetes makes in every namespace."""

_PARTS: Final = (dict, list)


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """Something in the namespace of whoever names it."""

    kind: str
    name: str

    def __str__(self) -> str:
        """Give `Secret/mlflow-database`."""
        return f"{self.kind}/{self.name}"


def references(body: Body) -> Iterator[Reference]:
    """Everything that the pods of an object cannot start without; those of custom kinds are looked at as well.

    Source: Kubernetes API reference, "PodSpec" and "Volume".
    """
    for pod in pods(body):
        yield from _of_pod(pod)


def pods(node: object) -> Iterator[Body]:
    """The spec of every pod in an object."""
    if isinstance(node, dict):
        if isinstance(node.get("containers"), list):
            yield node
            return
        for child in node.values():
            if isinstance(child, _PARTS):
                yield from pods(child)
    elif isinstance(node, list):
        for child in node:
            if isinstance(child, _PARTS):
                yield from pods(child)


def makes(body: Body) -> Iterator[Reference]:
    """What an object is, or what its controller makes of it in the same namespace.

    A StatefulSet's claims are not among these: its pods name them nowhere but in `volumeMounts`.

    Source: the API references of External Secrets ("ExternalSecret") and of cert-manager ("Certificate").
    """
    kind, spec = body["kind"], body.get("spec") or {}
    yield Reference(kind, body["metadata"]["name"])
    if kind == "ExternalSecret":
        yield Reference("Secret", (spec.get("target") or {}).get("name") or body["metadata"]["name"])
    elif kind == "Certificate":
        yield Reference("Secret", spec["secretName"])


def _of_pod(pod: Body) -> Iterator[Reference]:
    account = pod.get("serviceAccountName") or pod.get("serviceAccount")
    if account and account != DEFAULT_ACCOUNT:
        yield Reference("ServiceAccount", account)
    for named in pod.get("imagePullSecrets") or ():
        yield Reference("Secret", named["name"])
    for volume in pod.get("volumes") or ():
        yield from _of_volume(volume)
    for part in CONTAINER_LISTS:
        for container in pod.get(part) or ():
            yield from _of_container(container)


def _of_volume(volume: Body) -> Iterator[Reference]:
    claim = volume.get("persistentVolumeClaim")
    if claim:
        yield Reference("PersistentVolumeClaim", claim["claimName"])
    yield from _needed(
        [("Secret", volume.get("secret"), "secretName"), ("ConfigMap", volume.get("configMap"), "name")]
    )
    for source in (volume.get("projected") or {}).get("sources") or ():
        yield from _needed(
            [("Secret", source.get("secret"), "name"), ("ConfigMap", source.get("configMap"), "name")]
        )
    # The driver of a CSI volume gets this one to read; the others of its kind are not a pod's.
    yield from _needed([("Secret", (volume.get("csi") or {}).get("nodePublishSecretRef"), "name")])


def _of_container(container: Body) -> Iterator[Reference]:
    for source in container.get("envFrom") or ():
        yield from _needed(
            [("Secret", source.get("secretRef"), "name"), ("ConfigMap", source.get("configMapRef"), "name")]
        )
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        yield from _needed(
            [
                ("Secret", source.get("secretKeyRef"), "name"),
                ("ConfigMap", source.get("configMapKeyRef"), "name"),
            ]
        )


def _needed(found: Iterable[tuple[str, Body | None, str]]) -> Iterator[Reference]:
    """Those that are there and are not marked `optional`."""
    for kind, source, field in found:
        if source and not source.get("optional"):
            yield Reference(kind, source[field])
