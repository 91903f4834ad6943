"""The desired object as an API server is asked about it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from plinth.drift.lists import BUILT_IN_GROUPS

JsonObject = dict[str, Any]

SERVER_FIELDS: Final = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
NOT_RENAMED: Final = frozenset(
    {("apiextensions.k8s.io", "CustomResourceDefinition"), ("apiregistration.k8s.io", "APIService")}
)
"""Kinds whose name is made of what they define: no other name is valid."""
_CONTENTS: Final = frozenset({("", "ConfigMap"), ("", "Secret")})
_MAPS_OF_TEXT: Final = frozenset({"binaryData", "data", "stringData"})
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
OF_NAME: Final = frozenset({"batch.kubernetes.io/job-name", "job-name", "kubernetes.io/metadata.name"})
"""Labels whose value is a name that the server fills in."""


def group_kind(body: Mapping[str, Any]) -> tuple[str, str]:
    """The group, `""` for the core, and the kind of an object."""
    return str(body.get("apiVersion", "")).rpartition("/")[0], str(body.get("kind", ""))


def applied_form(desired: Mapping[str, Any]) -> JsonObject:
    """What is sent for a server-side apply: the object without what only a server writes.

    The status goes. `stringData` goes into `data`, as the server would put it, so that a key taken out of it
    is owned and can be removed. Of Kubernetes' own kinds nulls go, since to apply one is to set nothing,
    except that the contents of a Secret or ConfigMap have an empty value there. Other kinds keep them: a
    nullable field that has a default is null only where null is applied.
    """
    group, kind = group_kind(desired)
    body: JsonObject = {key: value for key, value in desired.items() if key != "status"}
    if (group, kind) in _CONTENTS:
        body = {key: _filled(value) if key in _MAPS_OF_TEXT else value for key, value in body.items()}
    if group in BUILT_IN_GROUPS:
        body = _without_nulls(body)
    metadata = body.get("metadata")
    if isinstance(metadata, Mapping):
        kept = {key: value for key, value in metadata.items() if key not in SERVER_FIELDS}
        if isinstance(kept.get("annotations"), Mapping):
            kept["annotations"] = {k: v for k, v in kept["annotations"].items() if k != LAST_APPLIED}
        body["metadata"] = kept
    return _folded(body) if (group, kind) == ("", "Secret") else body


def probe_form(desired: Mapping[str, Any], name: str) -> JsonObject | None:
    """What is sent to create the object under a name that nobody has; None where it can have no other.

    What a server allocates and a cluster has once is taken out, or the answer would be that it is taken.
    """
    group, kind = group_kind(desired)
    if (group, kind) in NOT_RENAMED:
        return None
    body = applied_form(desired)
    metadata = body.get("metadata")
    if not isinstance(metadata, Mapping):
        return None
    metadata = {key: value for key, value in metadata.items() if key != "generateName"}
    old = metadata.get("name")
    body["metadata"] = {**metadata, "name": name}
    if isinstance(old, str):
        body = _relabelled(body, old, name)
    if (group, kind) == ("", "Service") and isinstance(body.get("spec"), Mapping):
        body["spec"] = _without_pins(body["spec"])
    return body


def renamed_back(answer: Mapping[str, Any], name: str, uid: str) -> JsonObject:
    """The answer to a create probe with the live object's name and uid in the places of the probe's."""
    raw = answer.get("metadata")
    metadata = raw if isinstance(raw, Mapping) else {}
    probe, probe_uid = metadata.get("name"), metadata.get("uid")
    body: JsonObject = {**answer, "metadata": {**metadata, "name": name, "uid": uid}}
    if isinstance(probe, str) and probe != name:
        body = _relabelled(body, probe, name)
    if isinstance(probe_uid, str) and probe_uid and uid:
        body = _relabelled(body, probe_uid, uid, _OF_UID)
    return body


_OF_UID: Final = frozenset({"batch.kubernetes.io/controller-uid", "controller-uid"})


def _filled(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {key: "" if child is None else child for key, child in value.items()}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(child) for key, child in value.items() if child is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without_nulls(child) for child in value]
    return value


def _folded(body: JsonObject) -> JsonObject:
    texts = body.pop("stringData", None)
    if isinstance(texts, Mapping) and texts:
        data = body.get("data")
        encoded = {key: base64.b64encode(str(text).encode()).decode() for key, text in texts.items()}
        body["data"] = {**(data if isinstance(data, Mapping) else {}), **encoded}
    return body


def _relabelled(body: JsonObject, old: str, new: str, labels: frozenset[str] = OF_NAME) -> JsonObject:
    """The object with another value in labels that the server makes of its name or uid."""

    def changed(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                key: new if key in labels and child == old else changed(child) for key, child in value.items()
            }
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [changed(child) for child in value]
        return value

    return {key: changed(value) if key in {"metadata", "spec"} else value for key, value in body.items()}


def _without_pins(spec: Mapping[str, Any]) -> JsonObject:
    kept = {key: value for key, value in spec.items() if key != "healthCheckNodePort"}
    # A headless Service is one of another sort, not one with an address of its own.
    if kept.get("clusterIP") != "None":
        kept.pop("clusterIP", None)
        kept.pop("clusterIPs", None)
    ports = kept.get("ports")
    if isinstance(ports, Sequence) and not isinstance(ports, str):
        kept["ports"] = [
            {key: value for key, value in port.items() if key != "nodePort"}
            if isinstance(port, Mapping)
            else port
            for port in ports
        ]
    return kept
