"""What a Terraform plan says of drift, read from its JSON form.

One ordinary plan answers both questions: `resource_drift` is what its refresh found, `resource_changes` what
would be done about it. Where both name a value somebody changed what is declared; where only the second does,
the spec was changed and not applied yet; where only the first does, nothing declares the value.

Source: Terraform, "JSON Output Format", plan representation 1.2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.drift import Finding, Unknown
from plinth.drift.findings import Explained, Reading, identity
from plinth.drift.plan_file import bare, managed
from plinth.drift.plan_values import changed, field, is_unknown, mask
from plinth.ir.said import pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from plinth.drift import FindingClass, Severity
    from plinth.drift.plan_values import Path

    Json = Mapping[str, Any]
    Origins = Callable[[str, str], tuple[str, ...]]
    """For an address and a JSON pointer into its arguments."""

_COMPUTED: Final = frozenset(
    {
        "creation_time",
        "creation_timestamp",
        "effective_annotations",
        "etag",
        "expire_time",
        "fingerprint",
        "generation",
        "label_fingerprint",
        "last_modified",
        "last_modified_time",
        "last_rotated",
        "metadata_fingerprint",
        "metageneration",
        "self_link",
        "tags_fingerprint",
        "update_time",
        "updated",
        "version_id",
    }
)
"""What changes by itself, or with anything else: dropped unless the configuration says it."""

_MIRRORS: Final = {"effective_labels": "labels", "terraform_labels": "labels", "tags_all": "tags"}
"""Attributes that repeat another one."""

_GUARDS: Final = re.compile(r"iam|firewall|_policy|security_group|role_assignment|authorized_networks")
"""Types and attributes that decide who may do what: a change of one is never small."""
_GUARD_FIELDS: Final = frozenset(
    {
        "deletion_protection",
        "master_authorized_networks_config",
        "private_cluster_config",
        "public_access_prevention",
        "require_ssl",
        "ssl_mode",
        "uniform_bucket_level_access",
    }
)
_SMALL_FIELDS: Final = frozenset({"annotations", "description", "labels", "tags", *_MIRRORS})


class Root(Struct, frozen=True):
    """The Terraform root that a plan is of."""

    env: str
    folder: str
    """`generated/prod/terraform/cluster`."""


def classify(plan: Json, root: Root, origins: Origins) -> Reading:
    """What a plan says of its root: drift, what is missing, what is pending, and what nobody declares."""
    judge = _Judge(plan, root, origins)
    drifted = {each["address"]: each for each in managed(plan, "resource_drift")}
    findings: list[Finding] = []
    explained: list[Explained] = []
    clean = checked = 0
    for change in managed(plan, "resource_changes"):
        drift = drifted.pop(change["address"], None)
        found = tuple(judge.findings(change, drift))
        checked += 1
        findings += found
        if not found and drift is not None and judge.differs(drift):
            explained.append(
                judge.explained(drift, "the configuration does not say it, or tells Terraform to ignore it")
            )
        elif not found:
            clean += 1
    reason = "it is in the state and no longer in the configuration"
    explained += [judge.explained(drift, reason) for drift in drifted.values()]
    return Reading(
        findings=tuple(findings),
        unknown=tuple(_unknown(plan, root)),
        explained=tuple(explained),
        checked=checked,
        clean=clean,
    )


class _Judge:
    """The changes of one plan, judged one at a time."""

    def __init__(self, plan: Json, root: Root, origins: Origins) -> None:
        self._root = root
        self._origins = origins
        self._relevant = {
            (each.get("resource"), (each.get("attribute") or [""])[0])
            for each in plan.get("relevant_attributes") or ()
        }
        module = (plan.get("configuration") or {}).get("root_module") or {}
        self._said = {
            each["address"]: frozenset(each.get("expressions") or ())
            for each in module.get("resources") or ()
        }

    def findings(self, entry: Json, drift: Json | None) -> Iterator[Finding]:
        """At most two: what somebody changed, and what the spec wants changed."""
        address, change = entry["address"], entry["change"]
        actions = tuple(change["actions"])
        if actions in {("no-op",), ("read",)}:
            if drift is not None:
                yield from self._absorbed(drift)
            return
        if entry.get("deposed"):
            yield self._finding(
                address, "pending", (), entry, "an object that was replaced waits to be destroyed"
            )
            return
        gone = drift is not None and drift["change"]["after"] is None
        if gone and "create" in actions:
            yield self._finding(address, "missing", (), entry, "it was deleted outside Terraform")
            return
        if actions in {("create",), ("delete",), ("forget",)}:
            yield self._finding(address, "pending", (), entry, _PENDING[actions[0]])
            return
        paths = [
            path
            for path in self._paths(address, change["after"], change["before"])
            if not is_unknown(change.get("after_unknown"), path)
        ]
        theirs = (
            set(self._paths(address, drift["change"]["before"], drift["change"]["after"])) if drift else set()
        )
        drifted = [path for path in paths if any(_overlap(path, other) for other in theirs)]
        if drifted:
            replaced = [tuple(each) for each in change.get("replace_paths") or ()]
            stuck = any(_overlap(path, other) for path in drifted for other in replaced)
            class_: FindingClass = "drift-immutable" if stuck else "drift"
            yield self._finding(address, class_, drifted, entry)
        pending = [path for path in paths if path not in drifted]
        if pending or (not drifted and ("delete" in actions or not paths)):
            yield from self._pending(address, pending, entry, actions)

    def differs(self, drift: Json) -> bool:
        """True where a refresh found more than computed values."""
        change = drift["change"]
        return bool(self._paths(drift["address"], change["before"], change["after"]))

    def explained(self, drift: Json, reason: str) -> Explained:
        """A difference that no plan would undo."""
        return Explained(env=self._root.env, resource={"address": drift["address"]}, reason=reason)

    def _absorbed(self, drift: Json) -> Iterator[Finding]:
        """A change that Terraform would keep, and that something else is made from."""
        change, address = drift["change"], drift["address"]
        paths = [
            path
            for path in self._paths(address, change["before"], change["after"])
            if (address, path[0]) in self._relevant
        ]
        if paths:
            # What is recorded stands for what is wanted: an entry of the drift has it as `before`.
            turned = {**change, "before": change["after"], "after": change["before"]}
            reason = "nothing puts it back, and what is made from it changes with it"
            entry = {**drift, "change": turned}
            yield self._finding(address, "drift", paths, entry, reason, severity="low")

    def _pending(
        self, address: str, paths: list[Path], entry: Json, actions: tuple[str, ...]
    ) -> Iterator[Finding]:
        change = entry["change"]
        if (
            not paths
            and "delete" not in actions
            and not _has_unknown(change, self._said.get(bare(address), frozenset()))
        ):
            return  # marks of sensitivity, or a spelling, and nothing else
        reason = "it would be replaced" if "delete" in actions else ""
        yield self._finding(address, "pending", paths, entry, reason)

    def _paths(self, address: str, desired: Any, live: Any) -> list[Path]:
        said = self._said.get(bare(address), frozenset())
        found = [
            path for path in changed(desired, live) if path and (path[0] not in _COMPUTED or path[0] in said)
        ]
        bases = {path[0] for path in found}
        return [path for path in found if _MIRRORS.get(str(path[0])) not in bases]

    def _finding(
        self,
        address: str,
        class_: FindingClass,
        paths: Iterable[Path],
        entry: Json,
        reason: str = "",
        severity: Severity | None = None,
    ) -> Finding:
        change = entry["change"]
        paths = list(paths)
        marks = (change.get("before_sensitive"), change.get("after_sensitive"))
        desired, live = mask(change["after"], marks), mask(change["before"], marks)
        fields = tuple(field(path, desired, live) for path in paths)
        resource = {"address": address}
        pointers = [pointer(*path) for path in paths] or [""]
        origins = dict.fromkeys(each for one in pointers for each in self._origins(bare(address), one))
        return Finding(
            id=identity(
                self._root.env,
                "terraform",
                {**resource, "root": self._root.folder},
                class_,
                [each.path for each in fields],
            ),
            class_=class_,
            severity=severity or _severity(class_, address, paths),
            env=self._root.env,
            layer="terraform",
            resource=resource,
            fields=fields,
            origins=tuple(origins),
            remedy=_remedy(class_, self._root.folder),
            reason=reason,
        )


_PENDING: Final = {
    "create": "it is declared and does not exist yet",
    "delete": "it is no longer declared and still exists",
    "forget": "it is no longer declared, and Terraform would leave it alone",
}


def _severity(class_: FindingClass, address: str, paths: list[Path]) -> Severity:
    if class_ == "pending":
        return "medium"
    named = {str(part) for path in paths for part in path}
    if class_ in {"drift", "drift-immutable"} and (_GUARDS.search(bare(address)) or named & _GUARD_FIELDS):
        return "critical"
    if class_ != "drift":
        return "high"
    return "low" if paths and all(path and path[0] in _SMALL_FIELDS for path in paths) else "medium"


def _remedy(class_: FindingClass, folder: str) -> str:
    match class_:
        case "pending":
            return f"apply the root {folder}"
        case "missing":
            return f"`terraform apply` in {folder} makes it again"
        case "drift-immutable":
            return f"`terraform apply` in {folder} replaces the resource: look at what it holds first"
        case _:
            return f"`terraform apply` in {folder} puts it back; to keep it, say it in platform.yaml"


def _unknown(plan: Json, root: Root) -> Iterator[Unknown]:
    if plan.get("errored") is True:
        yield Unknown(env=root.env, what=root.folder, reason="the plan ended with an error and is not whole")
    elif plan.get("complete") is False:
        yield Unknown(
            env=root.env,
            what=root.folder,
            reason="the plan is not complete: it has targets, or puts something off",
        )
    for each in plan.get("deferred_changes") or ():
        address = (each.get("resource_change") or {}).get("address", "a resource")
        yield Unknown(env=root.env, what=address, reason="Terraform puts its plan off")
    for each in plan.get("checks") or ():
        place = each.get("address") or {}
        if place.get("kind") == "check" and each.get("status") not in {"pass", None}:
            said = "does not hold" if each["status"] == "fail" else "could not be judged"
            yield Unknown(
                env=root.env,
                what=f"check {place.get('to_display', '')}".strip(),
                reason=f"its condition {said}",
            )


def _overlap(one: Path, other: Path) -> bool:
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _has_unknown(change: Json, said: frozenset[str]) -> bool:
    """True where a value that the configuration says is told by the apply alone."""
    unknown = change.get("after_unknown")
    return isinstance(unknown, dict) and any(is_unknown(unknown, (name,)) for name in said)
