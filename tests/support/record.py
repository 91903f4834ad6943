"""What a watch showed of Applications, moment by moment: what polling would miss is here.

A watch that ends, as when Argo CD changes the definition of its own kind, is opened again: `rig.watch` says what is seen
of the moment in between.

with watched_applications(cluster) as record:
    mark = record.mark()
    ...
    assert {each.sync for each in record.since(mark)} == {"Synced"}
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rig.argocd import API_VERSION
from rig.watch import Watches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

REFRESH = "argocd.argoproj.io/refresh"
WAVE = "argocd.argoproj.io/sync-wave"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An Application as it was at one moment."""

    name: str
    version: int
    """Its `resourceVersion`: of two, the greater one was written later."""
    at_s: float
    """On the clock of `time.monotonic`."""
    sync: str | None
    health: str | None
    phase: str | None
    """Of the sync that runs or was the last one."""
    started: str | None
    """When that sync began: another one has another beginning."""
    retries: int
    is_settled: bool
    is_leaving: bool
    is_gone: bool


@dataclass(kw_only=True)
class Record:
    """Everything that was seen, in the order in which the API server wrote it."""

    seen: list[Seen] = field(default_factory=list)

    def tell(self, told: tuple[str, Mapping[str, Any]]) -> None:
        """Note an event of a watch."""
        event = told[1]
        self.seen.append(_seen(event["object"], is_gone=event["type"] == "DELETED"))

    def mark(self) -> int:
        """A moment, for `since`."""
        return len(self.seen)

    def since(self, mark: int) -> Sequence[Seen]:
        """What was seen after a moment."""
        return tuple(self.seen[mark:])

    def settled(self) -> Mapping[str, float]:
        """When each Application was settled for the first time."""
        found: dict[str, float] = {}
        for each in self.since(0):
            if each.is_settled:
                found.setdefault(each.name, each.at_s)
        return found

    def now(self) -> Mapping[str, Seen]:
        """Each Application that is there, as it was seen last."""
        last = {each.name: each for each in self.since(0)}
        return {name: each for name, each in last.items() if not each.is_gone}

    def has(self, applications: Mapping[str, Mapping[str, Any]]) -> bool:
        """Whether it goes as far as what was read: the watch may tell of a change after a question shows it."""
        now = self.now()
        return set(now) == set(applications) and all(
            now[name].version >= _version(each) for name, each in applications.items()
        )

    def order(self, mark: int, *happenings: str) -> Sequence[tuple[str, str]]:
        """The names of Applications with what happened to them, by when: `is_leaving`, `is_gone`."""
        pairs = ((name, each.name) for each in self.since(mark) for name in happenings if getattr(each, name))
        return tuple(dict.fromkeys(pairs))


@contextmanager
def watched_applications(cluster: Any) -> Iterator[Record]:
    """Record the Applications of a cluster until the `with` ends."""
    record = Record()
    with Watches(cluster.client, [(API_VERSION, "applications")], record.tell):
        yield record


def is_settled(application: Mapping[str, Any], revision: str | None = None) -> bool:
    """Synced, Healthy, and nothing under way; at a commit where one is given."""
    status = application.get("status", {})
    sync = status.get("sync", {})
    return (
        sync.get("status") == "Synced"
        and revision in {None, sync.get("revision")}
        and status.get("health", {}).get("status") == "Healthy"
        and status.get("operationState", {}).get("phase", "Succeeded") == "Succeeded"
        and "operation" not in application
    )


def is_asked(application: Mapping[str, Any]) -> bool:
    """Whether a refresh is asked for that has not begun."""
    return REFRESH in application["metadata"].get("annotations", {})


def wave(application: Mapping[str, Any]) -> int:
    """The wave that it comes in."""
    return int(application["metadata"].get("annotations", {}).get(WAVE, "0"))


def _version(body: Mapping[str, Any]) -> int:
    return int(body["metadata"]["resourceVersion"])


def _seen(body: Mapping[str, Any], *, is_gone: bool) -> Seen:
    status = body.get("status", {})
    operation = status.get("operationState", {})
    return Seen(
        name=body["metadata"]["name"],
        version=_version(body),
        at_s=time.monotonic(),
        sync=status.get("sync", {}).get("status"),
        health=status.get("health", {}).get("status"),
        phase=operation.get("phase"),
        started=operation.get("startedAt"),
        retries=operation.get("retryCount", 0),
        is_settled=is_settled(body) and not is_gone,
        is_leaving="deletionTimestamp" in body["metadata"],
        is_gone=is_gone,
    )
