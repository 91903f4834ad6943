"""Everything that is known of one object, made ready to be compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.drift import Probes, Refusal
from plinth.drift.actors import Entry, entries, owners
from plinth.drift.comparison import Difference, differences
from plinth.drift.desired import LAST_APPLIED, SERVER_FIELDS, applied_form, group_kind, renamed_back
from plinth.drift.paths import ABSENT, Path, value_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plinth.drift.lists import ListTypes, Shape
    from plinth.drift.rulings import Ruling

_NOT_COMPARED: Final = frozenset({*SERVER_FIELDS, "generateName", "name", "namespace"})
"""Of the metadata: what only a server writes, and what an object is found by."""


class Evidence(Struct, frozen=True, kw_only=True):
    """One object: as it is desired, as it is, and what was answered about it."""

    kind: tuple[str, str]
    shape: Shape
    desired: Mapping[str, Any]
    """As it is applied."""
    live: Mapping[str, Any]
    desired_compared: Mapping[str, Any]
    compared: Mapping[str, Any]
    """Desired and live, without what nobody desires."""
    apply: Mapping[str, Any] | None
    create: Mapping[str, Any] | None
    """What was answered, without what nobody desires; None where there is no answer."""
    was_refused: bool
    record: tuple[Entry, ...]
    """Who owns what of live."""
    answered: tuple[Entry, ...]
    """Who would own what after an apply."""
    is_recorded_in_another_version: bool
    versions_differ: bool

    @classmethod
    def of(
        cls, desired: Mapping[str, Any], live: Mapping[str, Any], probes: Probes, lists: ListTypes
    ) -> Evidence:
        """What is known before anything is judged."""
        applied = applied_form(desired)
        metadata = _metadata(live)
        apply = probes.apply if isinstance(probes.apply, Mapping) else None
        create = probes.create if isinstance(probes.create, Mapping) else None
        if create is not None:
            create = renamed_back(create, str(metadata.get("name", "")), str(metadata.get("uid", "")))
        shape = lists.shape(desired)
        record = entries(live)
        answered = entries(apply or {})
        versions = {
            str(body.get("apiVersion")) for body in (desired, live, apply, create) if body is not None
        }
        return cls(
            kind=group_kind(desired),
            shape=shape,
            desired=applied,
            live=live,
            desired_compared=_compared(applied),
            compared=_compared(live),
            apply=None if apply is None else _compared(apply),
            create=None if create is None else _compared(create),
            was_refused=isinstance(probes.apply, Refusal),
            record=record,
            answered=answered,
            is_recorded_in_another_version=_is_in_another_version(
                record, answered, str(desired.get("apiVersion"))
            ),
            versions_differ=len(versions) > 1,
        )

    @property
    def us(self) -> tuple[str, str]:
        """Manager and operation under which the desired object is applied; empty where that is not known.

        After a forced apply, whoever owns by `Apply` most of what is declared.
        """
        declared = [found.path for found in differences(self.desired_compared, ABSENT, self.shape)]
        counts = {
            entry.id: sum(entry.owns(path) for path in declared)
            for entry in self.answered
            if entry.operation == "Apply" and not entry.subresource
        }
        most = max(counts, key=lambda who: counts[who], default=("", ""))
        return most if counts.get(most) else ("", "")

    @property
    def is_terminating(self) -> bool:
        """True for an object that is deleted and still there."""
        return bool(_metadata(self.live).get("deletionTimestamp"))

    @property
    def is_as_created(self) -> bool:
        """True where nothing but metadata and status has changed since we made the object.

        A server counts changes of everything else in `generation`.
        """
        us, metadata = self.us, _metadata(self.live)
        born = metadata.get("creationTimestamp")
        return metadata.get("generation") == 1 and any(
            entry.id == us and entry.time == born for entry in self.record
        )

    def desired_at(self, path: Path) -> Any:
        """What is declared at a place, or ABSENT."""
        return value_at(self.desired, path, self.shape)

    def live_at(self, path: Path) -> Any:
        """What is live at a place, or ABSENT."""
        return value_at(self.compared, path, self.shape)

    def both_at(self, path: Path, ruling: Ruling) -> tuple[Any, Any]:
        """Live and what was answered, as a whole, at the top of a difference."""
        answer = {"apply": self.apply, "create": self.create}.get(ruling.source, self.desired_compared)
        return self.live_at(path), value_at(answer, path, self.shape)

    def owners(self, path: Path) -> Sequence[Entry]:
        """Who is recorded to own a place of live, newest first."""
        return owners(self.record, path)

    def differing(self, answer: Mapping[str, Any]) -> dict[Path, Difference]:
        """Where live is not as an answer, by place."""
        # Most objects are as they should be, and text is compared faster than leaf by leaf.
        if json.dumps(self.compared, sort_keys=True) == json.dumps(answer, sort_keys=True):
            return {}
        return {found.path: found for found in differences(self.compared, answer, self.shape)}


def _metadata(body: Mapping[str, Any]) -> Mapping[str, Any]:
    found = body.get("metadata")
    return found if isinstance(found, Mapping) else {}


def _compared(body: Mapping[str, Any]) -> dict[str, Any]:
    """An object without its status, its identity, and what a server keeps beside it.

    An empty map of labels or annotations is none: what filled it may have been left out.
    """
    kept = {key: value for key, value in body.items() if key not in {"apiVersion", "kind", "status"}}
    metadata = {key: value for key, value in _metadata(body).items() if key not in _NOT_COMPARED}
    annotations = metadata.get("annotations")
    if isinstance(annotations, Mapping):
        metadata["annotations"] = {key: value for key, value in annotations.items() if key != LAST_APPLIED}
    kept["metadata"] = {key: value for key, value in metadata.items() if value not in ({}, [], None)}
    return kept


def _is_in_another_version(record: Sequence[Entry], answered: Sequence[Entry], version: str) -> bool:
    """True where an apply would move what we own from one version of the kind to the desired one."""
    ours = {
        entry.manager for entry in answered if entry.operation == "Apply" and entry.api_version == version
    }
    return any(
        entry.operation == "Apply"
        and entry.manager in ours
        and entry.api_version != version
        and entry.api_version.rpartition("/")[0] == version.rpartition("/")[0]
        for entry in record
    )
