"""From a verdict to a finding: where it is, what it is called for ever, and what to do about it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from plinth.drift import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.drift import FindingClass, Unknown, Verdict

SEVERITIES: Final = ("critical", "high", "medium", "low", "info")
"""The worst first. `info` fails nothing."""

ID_LENGTH: Final = 16
"""Hexadecimal digits: enough for any report, short enough to be named in an issue."""


class Resource(Struct, frozen=True, kw_only=True):
    """An object of a cluster, for whoever has to act on it."""

    group: str
    kind: str
    namespace: str
    name: str
    application: str
    """The Application of Argo CD that delivers it."""

    def as_json(self) -> dict[str, str]:
        """As the contract names it."""
        return {"group": self.group, "kind": self.kind, "namespace": self.namespace, "name": self.name}

    @property
    def for_kubectl(self) -> str:
        """As kubectl takes it: `deployment.apps mlflow -n mlflow`."""
        kind = f"{self.kind.lower()}.{self.group}" if self.group else self.kind.lower()
        return f"{kind} {self.name}" + (f" -n {self.namespace}" if self.namespace else "")


class Explained(Struct, frozen=True, kw_only=True):
    """A difference with a known cause that is no person's."""

    env: str
    resource: Mapping[str, str]
    reason: str


class Reading(Struct, frozen=True, kw_only=True):
    """What one reader, or all of them, found."""

    findings: tuple[Finding, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    explained: tuple[Explained, ...] = ()
    checked: int = 0
    """Objects and Terraform resources that were compared, the clean ones among them."""
    clean: int = 0

    def and_also(self, other: Reading) -> Reading:
        """Both, in one."""
        return Reading(
            findings=(*self.findings, *other.findings),
            unknown=(*self.unknown, *other.unknown),
            explained=(*self.explained, *other.explained),
            checked=self.checked + other.checked,
            clean=self.clean + other.clean,
        )

    @property
    def fails(self) -> bool:
        """True where a finding is more than a remark."""
        return any(each.severity != "info" for each in self.findings)


def of_object(
    verdict: Verdict,
    resource: Resource,
    *,
    env: str,
    layer: Literal["manifest", "argocd"],
    origins: tuple[str, ...],
) -> Finding:
    """The finding of a verdict that is one: neither clean nor explained."""
    if verdict.name in {"clean", "explained"}:
        raise ValueError(f"{verdict.name} is no finding")
    class_: FindingClass = verdict.name  # type: ignore[assignment]  # the two others are excluded above
    return Finding(
        id=identity(env, layer, resource.as_json(), class_, [each.path for each in verdict.fields]),
        class_=class_,
        severity=verdict.severity,
        env=env,
        layer=layer,
        resource=resource.as_json(),
        fields=verdict.fields,
        actors=verdict.actors,
        origins=origins,
        remedy=remedy(class_, resource),
        reason=verdict.reason,
    )


def identity(
    env: str, layer: str, resource: Mapping[str, str], class_: FindingClass, paths: list[str]
) -> str:
    """A digest of where and what. Values are left out: one that changes again is the same finding."""
    told = json.dumps([env, layer, sorted(resource.items()), class_, sorted(paths)], ensure_ascii=False)
    return hashlib.sha256(told.encode()).hexdigest()[:ID_LENGTH]


def remedy(class_: FindingClass, resource: Resource) -> str:
    """What puts an object right, in one or two sentences."""
    sync = f"`argocd app sync {resource.application}`"
    match class_:
        case "drift":
            return (
                f"Argo CD puts it back at the next sync, or {sync}; "
                "to keep what is live, say it in platform.yaml or in a patch under patches/"
            )
        case "drift-unmanaged":
            return (
                f"re-applying cannot remove it: take it out with `kubectl edit {resource.for_kubectl}`, "
                "or declare it in platform.yaml or in a patch under patches/"
            )
        case "drift-immutable":
            return (
                "it cannot be changed in place: when nothing is lost with it, "
                f"`kubectl delete {resource.for_kubectl}`, and Argo CD makes it anew"
            )
        case "missing":
            return f"{sync}; where that makes nothing, `argocd app get {resource.application}` says why"
        case "terminating":
            return (
                "it is being deleted and waits for its finalizers: "
                f"`kubectl get {resource.for_kubectl} -o jsonpath='{{.metadata.finalizers}}'` names them"
            )
        case _:
            return "what is compiled is refused: mend it in platform.yaml, or in the patch it is from"
