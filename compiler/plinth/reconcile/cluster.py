"""The objects of one environment against its cluster.

Each kind is listed once. An object is asked about by the create probe first: where that equals what is live
nobody has changed anything, and no more is asked. Whatever is to be reported is read and asked about once
more before it is; what is in order by then was on its way. What cannot be read is unknown, never missing.
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from plinth.drift import Unknown, Verdict
from plinth.drift.findings import Explained, Reading, Resource, of_object
from plinth.drift.lists import BUILT_IN_GROUPS, ListTypes
from plinth.live.api_server import Refused
from plinth.live.kubernetes import Place
from plinth.reconcile.desired import CRD
from plinth.reconcile.origins import of_fields
from plinth.reconcile.probes import MISSING, NotRead, Prober, Subject, subject, why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from plinth.drift import Finding
    from plinth.live.kubernetes import Cluster, Kinds
    from plinth.reconcile.desired import Desired
    from plinth.reconcile.probes import Judged

    Json = Mapping[str, Any]
    Listing = tuple[str, str, str]
    Live = Mapping[Listing, Mapping[tuple[str, str], Json]]

SETTLE_S: Final = 1.0
"""Between the first look and the second: what a controller is at work on is mostly done by then."""

_NAMESPACE: Final = ("", "Namespace")
_NAMESPACES: Final = ("", "Namespace", "v1")
_HOOKS: Final = ("argocd.argoproj.io/hook", "helm.sh/hook")


def read_cluster(
    cluster: Cluster,
    objects: Iterable[Desired],
    *,
    env: str,
    progress: Callable[[str], None] = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> Reading:
    """Every desired object against what is live.

    Raises:
        PlinthError: the cluster cannot be asked at all.
    """
    return _Reader(cluster, env, progress, wait).read(tuple(objects))


class _Absent(Struct, frozen=True):
    """What is desired and missing, and takes other objects with it."""

    namespaces: set[str] = field(default_factory=set)
    kinds: set[tuple[str, str]] = field(default_factory=set)

    def add(self, each: Subject) -> None:
        """Note one object that is missing."""
        if each.desired.kind == _NAMESPACE:
            self.namespaces.add(each.place.name)
        elif each.desired.kind == CRD:
            self.kinds.add(_defined(each.body))


class _Reader:
    """One look at one cluster."""

    def __init__(
        self, cluster: Cluster, env: str, progress: Callable[[str], None], wait: Callable[[float], None]
    ) -> None:
        self._cluster = cluster
        self._env = env
        self._progress = progress
        self._wait = wait
        self._kinds: Kinds = cluster.kinds()
        self._findings: list[Finding] = []
        self._unknown: list[Unknown] = []
        self._explained: list[Explained] = []
        self._checked = 0
        self._clean = 0

    def read(self, objects: tuple[Desired, ...]) -> Reading:
        """The steps, in order."""
        subjects, unserved = self._placed(objects)
        live = self._listed(subjects)
        there: list[tuple[Subject, Json | None]] = []
        below: dict[str, list[Subject]] = defaultdict(list)
        for each in subjects:
            if each.listing not in live:
                continue  # its kind could not be read, which is said once
            body = live[each.listing].get(each.key)
            self._checked += 1
            if body is None and _may_be_absent(each.body):
                self._explain(each, "it is a hook or ends by itself, and is gone when its work is done")
            elif body is None and self._is_below_nothing(each, live):
                below[each.place.namespace].append(each)
            else:
                there.append((each, body))
        prober = Prober(self._cluster, ListTypes.of_crds(self._crds(subjects)))
        absent = self._said(self._judged(prober, there), below, unserved)
        self._namespaces(below, absent)
        self._unserved(unserved, absent)
        return Reading(
            findings=tuple(self._findings),
            unknown=tuple(self._unknown),
            explained=tuple(self._explained),
            checked=self._checked,
            clean=self._clean,
        )

    def _placed(self, objects: tuple[Desired, ...]) -> tuple[list[Subject], dict[Listing, list[Desired]]]:
        """Every object at its place, and those whose kind or version is not served."""
        found: list[Subject] = []
        unserved: dict[Listing, list[Desired]] = defaultdict(list)
        for desired in objects:
            kind = self._kinds.served.get(desired.kind)
            if "name" not in desired.body["metadata"]:
                continue  # `generateName`: another object each time, so none of them is this one
            if kind is None or desired.version not in kind.versions:
                unserved[(*desired.kind, desired.version)].append(desired)
            else:
                found.append(subject(desired, kind))
        return found, unserved

    def _listed(self, subjects: list[Subject]) -> Live:
        """The live objects that are desired, and every namespace; without kinds that cannot be listed."""
        wanted = {each.listing: each.place.kind for each in subjects}
        namespace = self._kinds.served.get(_NAMESPACE)
        if namespace is not None:
            wanted.setdefault(_NAMESPACES, namespace)
        names = {each.key for each in subjects}
        found: dict[Listing, dict[tuple[str, str], Json]] = {}
        answers = self._cluster.all(lambda key: self._cluster.objects(wanted[key], key[2]), sorted(wanted))
        for number, (key, answer) in enumerate(zip(sorted(wanted), answers, strict=True), start=1):
            self._progress(f"read {number} of {len(wanted)} kinds")
            if not isinstance(answer, Refused):
                keyed = {_key(each): each for each in answer}
                found[key] = {one: body for one, body in keyed.items() if key == _NAMESPACES or one in names}
                continue
            count = sum(each.listing == key for each in subjects)
            if count:
                reason = f"{why(answer)} ({_count(count)} not compared)"
                self._unknown.append(Unknown(env=self._env, what=f"kind {key[1]}", reason=reason))
        return found

    def _crds(self, subjects: list[Subject]) -> tuple[Json, ...]:
        """The CRDs of the kinds in question, which say how their lists are to be compared."""
        kind = self._kinds.served.get(CRD)
        if kind is None:
            return ()
        custom = {each.place.kind for each in subjects if each.place.kind.group not in BUILT_IN_GROUPS}
        places = [
            Place(kind=kind, version="v1", namespace="", name=name)
            for name in sorted(f"{each.plural}.{each.group}" for each in custom)
        ]
        answers = self._cluster.all(self._cluster.object, places)
        return tuple(each for each in answers if not isinstance(each, Refused))

    def _judged(
        self, prober: Prober, there: list[tuple[Subject, Json | None]]
    ) -> list[tuple[Subject, Judged]]:
        found: list[tuple[Subject, Judged]] = []
        looks = self._cluster.all(lambda pair: prober.look(*pair), there)
        for number, ((each, _), judged) in enumerate(zip(there, looks, strict=True), start=1):
            self._progress(f"asked about {number} of {len(there)} objects")
            found.append((each, judged))
        suspects = [each for each, judged in found if _is_suspect(judged)]
        if not suspects:
            return found
        self._wait(SETTLE_S)
        again = iter(list(self._cluster.all(prober.look_again, suspects)))
        return [(each, next(again) if _is_suspect(judged) else judged) for each, judged in found]

    def _said(
        self,
        judged: list[tuple[Subject, Judged]],
        below: Mapping[str, list[Subject]],
        unserved: Mapping[Listing, list[Desired]],
    ) -> _Absent:
        """Say what is to be said of every object; gives the namespaces and CRDs that are missing."""
        absent = _Absent()
        for each, verdict in judged:
            if isinstance(verdict, NotRead):
                what = f"{each.desired.kind[1]} {'/'.join(part for part in each.key if part)}"
                self._unknown.append(Unknown(env=self._env, what=what, reason=verdict.reason))
            elif verdict.name == "clean":
                self._clean += 1
            elif verdict.name == "explained":
                self._explain(each, verdict.reason)
            else:
                told = verdict
                if verdict.name == "missing":
                    absent.add(each)
                    told = self._with_what_waits(each, verdict, below, unserved)
                self._find(each, told)
        return absent

    def _with_what_waits(
        self,
        each: Subject,
        verdict: Verdict,
        below: Mapping[str, list[Subject]],
        unserved: Mapping[Listing, list[Desired]],
    ) -> Verdict:
        """Missing, and with it what cannot be without it."""
        waiting = 0
        if each.desired.kind == _NAMESPACE:
            waiting = len(below.get(each.place.name, ()))
        elif each.desired.kind == CRD:
            defined = _defined(each.body)
            waiting = sum(len(some) for listing, some in unserved.items() if listing[:2] == defined)
        return replace(verdict, reason=f"{_count(waiting)} cannot be without it") if waiting else verdict

    def _namespaces(self, below: Mapping[str, list[Subject]], absent: _Absent) -> None:
        """One finding for each namespace that is missing and that nothing here brings."""
        for name, subjects in sorted(below.items()):
            if name not in absent.namespaces:
                first = subjects[0]
                resource = Resource(
                    group="",
                    kind=_NAMESPACE[1],
                    namespace="",
                    name=name,
                    application=first.desired.application,
                )
                reason = f"{_count(len(subjects))} cannot be without it"
                self._add(first.desired, resource, replace(MISSING, reason=reason), ())

    def _unserved(self, unserved: Mapping[Listing, list[Desired]], absent: _Absent) -> None:
        """One finding for each kind that the cluster does not serve."""
        for (group, kind, version), waiting in sorted(unserved.items()):
            served = self._kinds.served.get((group, kind))
            if group in self._kinds.unread:
                reason = f"the API server of `{group}` does not answer ({_count(len(waiting))} not compared)"
                self._unknown.append(Unknown(env=self._env, what=f"kind {kind}", reason=reason))
                continue
            self._checked += len(waiting)
            if served is not None:
                reason = f"`{version}` of it is not served, only {', '.join(served.versions)}"
                verdict = Verdict(name="error", severity="high", reason=f"{reason}; {_count(len(waiting))}")
            elif (group, kind) in absent.kinds:
                continue  # said with the CRD
            else:
                verdict = replace(MISSING, reason=f"its CRD is not there; {_count(len(waiting))} cannot be")
            first = waiting[0]
            resource = Resource(group=group, kind=kind, namespace="", name="", application=first.application)
            self._add(first, resource, verdict, ())

    def _is_below_nothing(self, each: Subject, live: Live) -> bool:
        """True where its namespace is known to be missing."""
        namespaces = live.get(_NAMESPACES)
        return (
            namespaces is not None
            and each.place.namespace != ""
            and ("", each.place.namespace) not in namespaces
        )

    def _find(self, each: Subject, verdict: Verdict) -> None:
        desired, place = each.desired, each.place
        resource = Resource(
            group=place.kind.group,
            kind=place.kind.kind,
            namespace=place.namespace,
            name=place.name,
            application=desired.application,
        )
        self._add(desired, resource, verdict, tuple(one.path for one in verdict.fields))

    def _add(self, desired: Desired, resource: Resource, verdict: Verdict, paths: tuple[str, ...]) -> None:
        origins = of_fields(paths, desired.body, desired.origins)
        self._findings.append(
            of_object(verdict, resource, env=self._env, layer=desired.layer, origins=origins)
        )

    def _explain(self, each: Subject, reason: str) -> None:
        place = each.place
        resource = {
            "group": place.kind.group,
            "kind": place.kind.kind,
            "namespace": place.namespace,
            "name": place.name,
        }
        self._explained.append(Explained(env=self._env, resource=resource, reason=reason))


def _is_suspect(judged: Judged) -> bool:
    return isinstance(judged, Verdict) and judged.name not in {"clean", "explained"}


def _may_be_absent(body: Json) -> bool:
    """True for what is gone when its work is done. Source: Argo CD, "Resource Hooks"; Kubernetes, "TTL"."""
    annotations = body["metadata"].get("annotations") or {}
    if any(name in annotations for name in _HOOKS):
        return True
    return body["kind"] == "Job" and (body.get("spec") or {}).get("ttlSecondsAfterFinished") is not None


def _defined(crd: Json) -> tuple[str, str]:
    spec = crd.get("spec") or {}
    return str(spec.get("group", "")), str((spec.get("names") or {}).get("kind", ""))


def _key(body: Json) -> tuple[str, str]:
    metadata = body["metadata"]
    return metadata.get("namespace", ""), metadata["name"]


def _count(number: int) -> str:
    return f"{number} object{'' if number == 1 else 's'}"
