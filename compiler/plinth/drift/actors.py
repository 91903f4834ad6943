"""Who is recorded to own a field: `metadata.managedFields`, read.

It is testimony and no proof: whoever may write an object may write its record. It names whom to ask,
and it may explain a difference only together with the kind, the field, the operation and the
subresource; what it says of values is never believed.

Source: Kubernetes reference, "Server-Side Apply", and the FieldsV1 format of structured-merge-diff.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from plinth.diagnostics.secrets import hide_secrets
from plinth.drift import Actor
from plinth.drift.paths import Keys, Member, Part, Path, canonical

_PEOPLE: Final = re.compile(
    r"(?:kubectl|mozilla|oc|k9s|helm|terraform|hashicorp|pulumi|lens|openlens|freelens|node-fetch|headlamp"
    r"|rancher|dashboard|kubernetes-dashboard|argocd-server|openapi-generator|python-requests|go-http-client"
    r"|curl|ansible|unknown)(?![a-z])",
    re.IGNORECASE,
)
"""How the names begin of what people change a cluster with; scripts give no other."""
_FOLDED: Final = frozenset({"ancient-changes", "before-first-apply"})
"""Entries of the server's own, for writes whose writers it no longer knows."""
_LONGEST_NAME: Final = 128
"""Characters; the server's own limit for a field manager."""


class Entry(Struct, frozen=True, kw_only=True):
    """What one manager owns through one operation."""

    manager: str
    operation: str
    api_version: str
    subresource: str
    time: str
    fields: Mapping[str, Any]
    """FieldsV1, as it stands in the object."""

    @property
    def id(self) -> tuple[str, str]:
        """Manager and operation, which together are one owner to the server."""
        return self.manager, self.operation

    @property
    def is_persons(self) -> bool:
        """True for the tools of people; what is not known is no person's and no controller's."""
        return bool(_PEOPLE.match(self.manager))

    @property
    def is_folded(self) -> bool:
        """True where the server no longer knows who wrote."""
        return self.manager in _FOLDED

    @property
    def actor(self) -> Actor:
        """The entry as a report shows it."""
        name = hide_secrets(self.manager)[:_LONGEST_NAME]
        operation = self.operation if self.operation in {"Apply", "Update"} else ""
        return Actor(manager=name, operation=operation, time=hide_secrets(self.time)[:_LONGEST_NAME])

    def owns(self, path: Path) -> bool:
        """True where the entry holds a path, or holds as a whole what the path is within."""
        node: Any = self.fields
        for part in path:
            if not isinstance(node, Mapping):
                return False
            if not node:
                return True
            found = _child(node, part)
            if found is None:
                return False
            node = found
        return isinstance(node, Mapping) and (not node or "." in node)


def entries(body: Mapping[str, Any]) -> tuple[Entry, ...]:
    """The record of an object, newest entry first; what is no entry is left out, and so is the status."""
    metadata = body.get("metadata")
    raw = metadata.get("managedFields") if isinstance(metadata, Mapping) else None
    found = [
        Entry(
            manager=str(item["manager"]),
            operation=str(item.get("operation", "")),
            api_version=str(item.get("apiVersion", "")),
            subresource=str(item.get("subresource", "")),
            time=str(item.get("time", "")),
            fields=item["fieldsV1"],
        )
        for item in (raw if isinstance(raw, Sequence) and not isinstance(raw, str) else ())
        if isinstance(item, Mapping)
        and isinstance(item.get("manager"), str)
        and isinstance(item.get("fieldsV1"), Mapping)
        and item["fieldsV1"]
        and item.get("subresource") != "status"
    ]
    return tuple(sorted(found, key=lambda entry: entry.time, reverse=True))


def owners(record: Iterable[Entry], path: Path) -> tuple[Entry, ...]:
    """The entries that own a path, newest first."""
    return tuple(entry for entry in record if entry.owns(path))


def owned_paths(entry: Entry) -> Iterable[Path]:
    """Every leaf that an entry owns, atomic parts as a whole; keys that cannot be read are left out."""
    todo: list[tuple[Path, Mapping[str, Any]]] = [((), entry.fields)]
    while todo:
        path, node = todo.pop()
        for key, child in node.items():
            part = _part(key)
            if part is None or not isinstance(child, Mapping):
                continue
            if child:
                todo.append(((*path, part), child))
            else:
                yield (*path, part)


def _child(node: Mapping[str, Any], part: Part) -> Any:
    if isinstance(part, str):
        return node.get(f"f:{part}")
    if isinstance(part, int):
        return node.get(f"i:{part}")
    return next(
        (child for key, child in node.items() if key[:2] in {"k:", "v:"} and _part(key) == part), None
    )


def _part(key: str) -> Part | None:
    """A key of FieldsV1 as a part of a path: a name is raw, the rest is JSON."""
    sort, text = key[:2], key[2:]
    if sort == "f:":
        return text
    if sort not in {"k:", "v:", "i:"}:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if sort == "v:":
        return Member(canonical(value))
    if sort == "i:":
        return value if isinstance(value, int) else None
    if not isinstance(value, dict) or not all(isinstance(one, str | int | float) for one in value.values()):
        return None
    return Keys(tuple(sorted(value.items())))
