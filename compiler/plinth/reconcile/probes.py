"""One object asked about: the create probe, then the apply probe, then a verdict, or why there is none.

An identity that may ask only one of the two is bridged as far as it goes: the create probe alone sees all but
who is to blame; the apply probe alone sees no additions, so an object that it finds clean is unknown.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from plinth.drift import Probes, Refusal, Verdict
from plinth.drift.desired import applied_form, probe_form
from plinth.drift.judge import judge
from plinth.live.api_server import Refused
from plinth.live.kubernetes import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.drift.lists import ListTypes
    from plinth.live.kubernetes import Cluster, Kind
    from plinth.reconcile.desired import Desired

    Json = Mapping[str, Any]

MISSING: Final = Verdict(name="missing", severity="high")

_RIGHT: Final = re.compile(r"cannot (?P<verb>[a-z]+) resource \"(?P<resource>[a-z0-9./-]+)\"")
_WEBHOOK: Final = re.compile(r"failed calling webhook \"(?P<name>[A-Za-z0-9.-]+)\"")
_NO_ANSWER: Final = frozenset({0, 408, 429, 502, 503, 504})
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404


class Subject(Struct, frozen=True, kw_only=True):
    """A desired object at its place in a cluster."""

    desired: Desired
    place: Place
    body: Json
    """With the namespace that it goes into, and none where its kind has none."""

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.place.namespace, self.place.name

    @property
    def listing(self) -> tuple[str, str, str]:
        """The list that it is on: group, kind and version."""
        return (*self.desired.kind, self.place.version)


class NotRead(Struct, frozen=True):
    """No verdict, and why."""

    reason: str


Judged = Verdict | NotRead


def subject(desired: Desired, kind: Kind) -> Subject:
    """A desired object in the namespace that Argo CD puts it into."""
    metadata = dict(desired.body["metadata"])
    namespace = ""
    if kind.is_namespaced:
        namespace = metadata["namespace"] = metadata.get("namespace") or desired.home
    else:
        metadata.pop("namespace", None)
    return Subject(
        desired=desired,
        place=Place(kind=kind, version=desired.version, namespace=namespace, name=metadata["name"]),
        body={**desired.body, "metadata": metadata},
    )


class Prober:
    """Asks one cluster about one object at a time; may be used by several threads."""

    def __init__(self, cluster: Cluster, lists: ListTypes) -> None:
        self._cluster = cluster
        self._lists = lists

    def look(self, one: Subject, live: Json | None) -> Judged:
        """The verdict on an object as it was listed; None is one that was not there."""
        if live is None:
            return MISSING
        desired = _adopted(one.body, live, one.desired.ignored)
        create = self._created(one, desired)
        if create is not None and not isinstance(create, Refused):
            verdict = judge(desired, live, Probes(create=create), self._lists)
            if verdict.name == "clean":
                return verdict
        apply = self._cluster.apply_probe(one.place, applied_form(desired))
        return self._verdict(desired, live, apply, create)

    def look_again(self, one: Subject) -> Judged:
        """The same of the object as it is now."""
        live = self._cluster.object(one.place)
        if isinstance(live, Refused):
            return MISSING if live.status == _NOT_FOUND else NotRead(why(live))
        return self.look(one, live)

    def _created(self, one: Subject, desired: Json) -> Json | Refused | None:
        free = probe_form(desired, _free_name(one))
        if free is None:
            return None
        return self._cluster.create_probe(replace(one.place, name=str(free["metadata"]["name"])), free)

    def _verdict(
        self, desired: Json, live: Json, apply: Json | Refused, create: Json | Refused | None
    ) -> Judged:
        unanswered = create if isinstance(create, Refused) and _is_no_answer(create) else None
        if isinstance(apply, Refused) and _is_no_answer(apply):
            if create is None or unanswered is not None:
                return NotRead(why(apply))
            return judge(desired, live, Probes(create=_plain(create)), self._lists)
        probes = Probes(apply=_plain(apply), create=None if create is None or unanswered else _plain(create))
        verdict = judge(desired, live, probes, self._lists)
        if verdict.name == "clean" and unanswered is not None:
            return NotRead(f"what was added to it cannot be seen: {why(unanswered)}")
        return verdict


def why(refused: Refused) -> str:
    """Why something could not be read, without the server's own words: those may quote a value."""
    right = _RIGHT.search(refused.message)
    if refused.status == _FORBIDDEN and right:
        return f"the right to {right['verb']} `{right['resource']}` is missing"
    webhook = _WEBHOOK.search(refused.message)
    if webhook:
        return f"the admission webhook `{webhook['name']}` does not answer"
    if "does not support dry run" in refused.message:
        return "an admission webhook takes no dry runs"
    if refused.status == 0:
        return "no answer in time"
    return f"the API server says {refused.reason}" + (
        "" if "HTTP" in refused.reason else f" ({refused.status})"
    )


def _is_no_answer(refused: Refused) -> bool:
    """True where nothing was said of the object: a right is missing, or something on the way is down."""
    return (
        refused.status in _NO_ANSWER
        or (refused.status == _FORBIDDEN and _RIGHT.search(refused.message) is not None)
        or _WEBHOOK.search(refused.message) is not None
        or "does not support dry run" in refused.message
    )


def _plain(answer: Json | Refused) -> Json | Refusal:
    if isinstance(answer, Refused):
        return Refusal(
            status=answer.status, reason=answer.reason, message=answer.message, causes=answer.causes
        )
    return answer


def _free_name(one: Subject) -> str:
    """A name that nobody has: the same for the same object, so that a run can be repeated."""
    told = "/".join((*one.listing, *one.key))
    return f"plinth-probe-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def _adopted(desired: Json, live: Json, pointers: Iterable[str]) -> Json:
    """The desired object with what is live where its Application tells Argo CD to leave it alone.

    Argo CD does the same under `RespectIgnoreDifferences`. Only keys of maps are followed.
    """
    for each in pointers:
        parts = [part.replace("~1", "/").replace("~0", "~") for part in each.split("/")[1:]]
        desired = _with(desired, live, parts)
    return desired


def _with(desired: Any, live: Any, parts: list[str]) -> Any:
    if not isinstance(desired, dict) or not isinstance(live, dict):
        return desired
    name, *rest = parts
    if rest:
        return {**desired, name: _with(desired[name], live.get(name), rest)} if name in desired else desired
    without = {key: part for key, part in desired.items() if key != name}
    return {**without, name: live[name]} if name in live else without
