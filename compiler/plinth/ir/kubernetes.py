"""Kubernetes objects that more than one component needs, and operations on those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from plinth.ir.said import Said, pointer
from plinth.ir.targets import Manifest, ObjectKey, Patch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plinth.ir.answers import SecretFacts
    from plinth.ir.said import Origin
    from plinth.ir.targets import Base

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
STORE: Final = "platform"
"""The ClusterSecretStore that every ExternalSecret of ours reads."""

KEEP: Final = {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"}
"""Put on what holds data: Argo CD takes it away neither when it leaves git nor with its Application."""

CONTAINER_LISTS: Final = ("containers", "initContainers", "ephemeralContainers")
"""The fields of a pod that hold containers."""

_HOLDS_NO_PODS: Final = frozenset(
    {
        ("", "ConfigMap"),
        ("", "Namespace"),
        ("", "PersistentVolumeClaim"),
        ("", "Secret"),
        ("", "Service"),
        ("", "ServiceAccount"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("networking.k8s.io", "NetworkPolicy"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
    }
)
"""Kinds of Kubernetes itself that are most objects of every upstream."""

Level = Literal["restricted", "baseline", "privileged"]

Operation = dict[str, Any]

_PARTS: Final = (dict, list)


def namespace(
    application: str, name: str, *, level: Level, base: Base | None, origins: tuple[Origin, ...]
) -> Manifest | Patch:
    """The namespace of a component with our labels: an object of ours, or a patch where upstream has it."""
    labels = {
        MANAGED_BY: "plinth",
        "pod-security.kubernetes.io/enforce": level,
    }
    key = ObjectKey("", "Namespace", "", name)
    facts = base.upstream.objects.get(key) if base else None
    if facts is None:
        metadata = {"name": name, "labels": labels, "annotations": KEEP}
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        return Manifest(application=application, key=key, body=body, origins=origins)
    return Patch(
        application=application,
        target=key,
        operations=(
            *put(labels, "/metadata/labels", exists=facts.has_labels),
            *put(KEEP, "/metadata/annotations", exists=facts.has_annotations),
        ),
        origins=origins,
    )


def service_account(
    application: str, namespace: str, name: str, annotations: Mapping[str, Said], origins: tuple[Origin, ...]
) -> Manifest:
    """A service account whose token no pod gets unasked."""
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if annotations:
        metadata["annotations"] = annotations
    return Manifest(
        application=application,
        key=ObjectKey("", "ServiceAccount", namespace, name),
        body={
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata,
            "automountServiceAccountToken": False,
        },
        origins=origins,
    )


def external_secret(
    application: str,
    namespace: str,
    name: str,
    facts: SecretFacts,
    keys: Mapping[str, str],
    origins: tuple[Origin, ...],
) -> Manifest:
    """A Secret of ours, filled from one entry of the store whose text is JSON.

    `keys` are the Secret's own, each with the property of the JSON text that fills it.
    Every field that the API would fill in is said, so that Argo CD sees no difference.
    """
    data = [
        {
            "secretKey": key,
            "remoteRef": {
                "key": facts.remote,
                "property": property_,
                "conversionStrategy": "Default",
                "decodingStrategy": "None",
                "metadataPolicy": "None",
                "nullBytePolicy": "Ignore",
            },
        }
        for key, property_ in sorted(keys.items())
    ]
    return Manifest(
        application=application,
        key=ObjectKey("external-secrets.io", "ExternalSecret", namespace, name),
        body={
            "apiVersion": "external-secrets.io/v1",
            "kind": "ExternalSecret",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "annotations": {"argocd.argoproj.io/sync-wave": "-1"},
            },
            "spec": {
                "refreshInterval": "1h0m0s",
                "secretStoreRef": {"kind": "ClusterSecretStore", "name": STORE},
                "target": {"name": name, "creationPolicy": "Owner", "deletionPolicy": "Retain"},
                "data": data,
            },
        },
        origins=origins,
    )


def secret_for(
    application: str,
    namespace: str,
    name: str,
    facts: SecretFacts,
    keys: Mapping[str, str],
    origins: tuple[Origin, ...],
) -> tuple[Said | str, tuple[Manifest, ...]]:
    """The name of a Secret in a namespace, and what brings it there.

    Nothing does where the cloud has no store: a person made the Secret under the spec's name.
    """
    if facts.remote is None:
        return facts.name, ()
    return name, (external_secret(application, namespace, name, facts, keys, origins),)


def put(entries: Mapping[str, Any], path: str, *, exists: bool) -> tuple[Operation, ...]:
    """Operations that add entries to a map, which they make where it is not there yet."""
    start: tuple[Operation, ...] = () if exists else ({"op": "add", "path": path, "value": {}},)
    return (
        *start,
        *(
            {"op": "add", "path": path + pointer(key), "value": value}
            for key, value in sorted(entries.items())
        ),
    )


def expect(path: str, value: Any) -> Operation:
    """An operation that fails the build where something else is there: what comes before a position."""
    return {"op": "test", "path": path, "value": value}


def may_hold_pods(key: ObjectKey) -> bool:
    """False for a kind of Kubernetes itself in which no pod can be; whoever looks for pods passes it by."""
    return (key.group, key.kind) not in _HOLDS_NO_PODS


def containers(node: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every container of every pod in an object, with the JSON pointer to it; custom kinds hold pods too."""
    rest: list[tuple[object, tuple[str | int, ...]]] = [(node, ())]
    while rest:
        part, where = rest.pop()
        if isinstance(part, dict):
            for name, child in part.items():
                if name in CONTAINER_LISTS and isinstance(child, list):
                    for index, container in enumerate(child):
                        if isinstance(container, dict):
                            yield pointer(*where, name, index), container
                elif isinstance(child, _PARTS):
                    rest.append((child, (*where, name)))
        elif isinstance(part, list):
            rest += [
                (child, (*where, index)) for index, child in enumerate(part) if isinstance(child, _PARTS)
            ]
