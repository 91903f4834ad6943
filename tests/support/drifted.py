"""Small objects to be judged, and the question.

    judged(config_map(a="1"), config_map(a="2"), apply=config_map(a="1")).name

Where nothing else is said, an apply would change nothing and a new object would be the desired one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plinth.drift import Probes, Refusal, Verdict
from plinth.drift.judge import judge
from plinth.drift.lists import ListTypes

if TYPE_CHECKING:
    from collections.abc import Mapping

BORN = "2026-01-01T10:00:00Z"
LATER = "2026-01-02T10:00:00Z"
US = "argocd-controller"

INVALID = 422
IMMUTABLE = Refusal(
    status=INVALID, reason="Invalid", message='ConfigMap "x" is invalid: data: Forbidden: field is immutable'
)


def thing(
    api_version: str, kind: str, /, metadata: Mapping[str, Any] | None = None, **fields: Any
) -> dict[str, Any]:
    """An object named `x`."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", **(metadata or {})}, **fields}


def config_map(**data: str) -> dict[str, Any]:
    """A ConfigMap."""
    return thing("v1", "ConfigMap", data=data)


def deployment(
    *, metadata: Mapping[str, Any] | None = None, pod: Mapping[str, Any] | None = None, **spec: Any
) -> dict[str, Any]:
    """A Deployment of one container, `c`; `pod` are more fields of its pods."""
    containers = [{"name": "c", "image": "app:1"}]
    template = {"spec": {"containers": containers, **(pod or {})}}
    return thing("apps/v1", "Deployment", metadata, spec={"template": template, **spec})


def owned(body: Mapping[str, Any], *entries: Mapping[str, Any]) -> dict[str, Any]:
    """The object with a record of owners."""
    return {**body, "metadata": {**body["metadata"], "managedFields": list(entries)}}


def entry(
    manager: str,
    fields: Mapping[str, Any],
    operation: str = "Update",
    *,
    subresource: str = "",
    version: str = "v1",
    time: str = LATER,
) -> dict[str, Any]:
    """An entry of a record; `fields` is FieldsV1."""
    found = {
        "manager": manager,
        "operation": operation,
        "apiVersion": version,
        "time": time,
        "fieldsV1": fields,
    }
    return {**found, "subresource": subresource} if subresource else found


def fields_v1(*path: str) -> dict[str, Any]:
    """FieldsV1 of one leaf: `fields_v1("f:data", "f:a")`."""
    nested: dict[str, Any] = {}
    for key in reversed(path):
        nested = {key: nested}
    return nested


def judged(
    desired: Mapping[str, Any],
    live: Mapping[str, Any] | None,
    *,
    apply: Mapping[str, Any] | Refusal | str | None = "as live",
    create: Mapping[str, Any] | Refusal | str | None = "as desired",
    crds: tuple[Mapping[str, Any], ...] = (),
) -> Verdict:
    """The verdict."""
    probes = Probes(
        apply=live if isinstance(apply, str) else apply, create=desired if isinstance(create, str) else create
    )
    return judge(desired, live, probes, ListTypes.of_crds(crds))


def paths(verdict: Verdict) -> list[str]:
    """Where it says that something differs."""
    return [field.path for field in verdict.fields]
