"""What the pods of an object must find in their namespace before they start, and what brings it there.

    list(references(body))    ServiceAccount/mlflow, Secret/mlflow-database[password], ...
    makes(certificate)        what its controller makes, with its keys

A pod whose Secret, ConfigMap, claim or service account is not there waits for it without an end, and so it
does where one of them lacks a key that the pod names.
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
    key: str = ""
    """A key of the Secret or ConfigMap; empty where no certain one is needed."""

    @property
    def whole(self) -> Reference:
        """The same without the key."""
        return Reference(self.kind, self.name)

    def __str__(self) -> str:
        """Give `Secret/mlflow-database[password]`."""
        return f"{self.kind}/{self.name}" + (f"[{self.key}]" if self.key else "")


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


def makes(body: Body) -> Iterator[tuple[Reference, frozenset[str] | None]]:
    """What an object is, or what its controller makes of it in the same namespace; each with its keys if known.

    A StatefulSet's claims are not among these: its pods name them nowhere but in `volumeMounts`.

    Source: the API references of External Secrets ("ExternalSecret") and of cert-manager ("Certificate").
    """
    kind, name, spec = body["kind"], body["metadata"]["name"], body.get("spec") or {}
    has_keys = kind in {"ConfigMap", "Secret"}
    yield Reference(kind, name), _keys(body) if has_keys else None
    if kind == "ExternalSecret":
        is_listed = spec.get("data") and not spec.get("dataFrom")
        keys = frozenset(each["secretKey"] for each in spec["data"]) if is_listed else None
        yield Reference("Secret", (spec.get("target") or {}).get("name") or name), keys
    elif kind == "Certificate":
        yield Reference("Secret", spec["secretName"]), frozenset({"ca.crt", "tls.crt", "tls.key"})


def _keys(body: Body) -> frozenset[str]:
    return frozenset(key for part in ("binaryData", "data", "stringData") for key in body.get(part) or ())


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
    """Those that are there and are not marked `optional`, each with every key that is named."""
    for kind, source, field in found:
        if source and not source.get("optional"):
            keys = [each["key"] for each in source.get("items") or ()] or [source.get("key", "")]
            yield from (Reference(kind, source[field], key) for key in keys)
