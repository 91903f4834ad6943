"""What is to be said of each place of an object at which something differs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from plinth.drift.actors import owned_paths
from plinth.drift.causes import Place
from plinth.drift.comparison import Difference, differences
from plinth.drift.desired import NOT_RENAMED
from plinth.drift.paths import ABSENT, Path, pointer
from plinth.drift.rules import explanation, is_allocated

if TYPE_CHECKING:
    from plinth.drift.actors import Entry
    from plinth.drift.evidence import Evidence

Source = Literal["apply", "create", "desired"]
RulingName = Literal["drift", "drift-unmanaged", "explained", "nothing"]

_PENDING: Final = "admission or a newer default will set it with the next apply; nobody took it away"
_TREATED: Final = "admission treats creation and update differently, or sets another value with every write"
_REORDERED: Final = "the same items stand in another order"
_RESPELLED: Final = "the same value is written differently"
_AS_CREATED: Final = "it has been so since the object was made: admission or a default of that time"
_MIRRORED: Final = "admission put the same image of another registry in when the object was made"
_IMAGES: Final = frozenset({"containers", "ephemeralContainers", "initContainers"})


class Ruling(Struct, frozen=True, kw_only=True):
    """One place, and what is said of it."""

    difference: Difference
    name: RulingName
    source: Source
    """Whose answer live differs from."""
    reason: str = ""
    owners: Sequence[Entry] = ()
    """Of the place, and of what was added together with it."""

    @property
    def is_reported(self) -> bool:
        """True for what somebody has to do something about."""
        return self.name in {"drift", "drift-unmanaged"}


def rule_on(evidence: Evidence) -> list[Ruling]:
    """A ruling on every place that differs, by path."""
    apply = {} if evidence.apply is None else evidence.differing(evidence.apply)
    create = {} if evidence.create is None else evidence.differing(evidence.create)
    found: dict[Path, tuple[Difference, Source]] = {}
    found.update({path: (difference, "create") for path, difference in create.items()})
    found.update({path: (difference, "apply") for path, difference in apply.items()})
    if evidence.apply is None and evidence.create is None:
        found.update({one.path: (one, "desired") for one in _declared_otherwise(evidence)})
    seen = _above(found)
    for one in _beyond_probes(evidence):
        if not _is_within(one.path, found, seen):
            found[one.path] = (one, "desired")
    owners = _owners_by_root(evidence, (difference for difference, _ in found.values()))
    in_apply, in_create = _above(apply), _above(create)
    return [
        _ruling(
            evidence,
            difference,
            source,
            owners[difference.root],
            in_apply=_is_within(path, apply, in_apply),
            in_create=_is_within(path, create, in_create),
        )
        for path, (difference, source) in sorted(found.items(), key=lambda item: pointer(item[0]))
    ]


def _ruling(
    evidence: Evidence,
    difference: Difference,
    source: Source,
    owners: Sequence[Entry],
    *,
    in_apply: bool,
    in_create: bool,
) -> Ruling:
    place = Place(
        kind=evidence.kind,
        path=difference.path,
        live=difference.live,
        desired=evidence.desired_at(difference.path),
        owners=owners,
        desired_body=evidence.desired,
        live_body=evidence.live,
    )
    if is_allocated(place.kind, place.path):
        # What another object was handed out is nobody's wish.
        difference = replace(difference, root=place.path, probe=place.desired)
    is_ours = in_apply and _is_ours(evidence, owners)
    name, reason = _of_rules(place, difference, is_ours=is_ours) or _of_matrix(
        evidence, place, difference, source, in_apply=in_apply, in_create=in_create
    )
    return Ruling(difference=difference, name=name, source=source, reason=reason, owners=owners)


def _is_ours(evidence: Evidence, owners: Sequence[Entry]) -> bool:
    """True where our own manager is an owner; where that is not known, one that applies."""
    if evidence.us == ("", ""):
        return any(owner.operation == "Apply" for owner in owners)
    return any(owner.id == evidence.us for owner in owners)


def _of_rules(place: Place, difference: Difference, *, is_ours: bool) -> tuple[RulingName, str] | None:
    if difference.how != "value":
        return "explained", _REORDERED if difference.how == "order" else _RESPELLED
    if is_allocated(place.kind, place.path):
        return _of_allocation(place)
    rule = explanation(place)
    if rule is None or (is_ours and place.desired is ABSENT and not rule.is_ours_too):
        # What was declared once and is no longer waits to be taken away.
        return None
    # A declared field that somebody else fills in is worth a line: the declaration is in vain.
    is_listed = rule.is_listed or place.desired is not ABSENT
    return ("explained" if is_listed else "nothing"), rule.reason


def _of_allocation(place: Place) -> tuple[RulingName, str]:
    if place.desired not in (ABSENT, None, "", 0, []):
        return ("nothing" if place.desired == place.live else "drift"), ""
    # A server hands out without becoming an owner: whoever is recorded has chosen the value.
    # One that declares it empty, to be handed something out, is recorded too.
    chosen = any(
        not owner.is_folded and (place.desired is ABSENT or owner.operation != "Apply")
        for owner in place.owners
    )
    return ("drift-unmanaged" if chosen else "nothing"), ""


def _of_matrix(
    evidence: Evidence,
    place: Place,
    difference: Difference,
    source: Source,
    *,
    in_apply: bool,
    in_create: bool,
) -> tuple[RulingName, str]:
    if in_apply and evidence.create is not None and not in_create:
        return "explained", _TREATED
    declared = place.desired is not ABSENT
    if difference.live is ABSENT:
        # What is filled in within something declared goes and comes with it.
        declared = declared or evidence.desired_at(difference.root) is not ABSENT
        return ("drift", "") if declared else ("explained", _PENDING)
    if declared:
        return ("explained", _MIRRORED) if _is_mirrored(evidence, place) else ("drift", "")
    if in_apply:
        # An apply takes away only what its manager owns, or what stands in a place that it sets as a whole.
        is_pending = difference.probe is not ABSENT and not place.owners
        return ("explained", _PENDING) if is_pending else ("drift", "")
    if source == "create" and not place.owners and place.path[0] != "metadata" and evidence.is_as_created:
        return "explained", _AS_CREATED
    return "drift-unmanaged", ""


def _is_mirrored(evidence: Evidence, place: Place) -> bool:
    """True for an image of another registry, in an object that nobody has changed since we made it."""
    return (
        place.path[-1] == "image"
        and not _IMAGES.isdisjoint(part for part in place.path if isinstance(part, str))
        and isinstance(place.live, str)
        and isinstance(place.desired, str)
        and f"/{place.live}".endswith(f"/{_without_registry(place.desired)}")
        and evidence.is_as_created
        and {owner.id for owner in place.owners} == {evidence.us}
    )


def _without_registry(image: str) -> str:
    host, slash, rest = image.partition("/")
    return rest if slash and (set(host) & {".", ":"} or host == "localhost") else image


def _declared_otherwise(evidence: Evidence) -> Iterator[Difference]:
    """What is declared and differs, without a server's answer: what only live has may be a default."""
    for found in differences(evidence.compared, evidence.desired_compared, evidence.shape):
        if found.probe not in (ABSENT, None, "", {}, []) and not _has_all(found.live, found.probe):
            yield found


def _has_all(live: Any, wanted: Any) -> bool:
    """True where live has everything that is wanted: in lists, item by item."""
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(
            _has_all(live.get(key), child) for key, child in wanted.items()
        )
    if isinstance(wanted, list | tuple) and isinstance(live, list | tuple):
        return len(live) == len(wanted) and all(map(_has_all, live, wanted))
    return bool(live == wanted)


def _beyond_probes(evidence: Evidence) -> Iterator[Difference]:
    """Additions that no probe shows: what others own, and in kinds that are not probed the undeclared."""
    for entry in evidence.record:
        for path in owned_paths(entry) if not entry.is_folded else ():
            if evidence.create is None or is_allocated(evidence.kind, path):
                yield from _added(evidence, path)
    if evidence.create is None and evidence.kind in NOT_RENAMED:
        for found in differences(evidence.compared, evidence.desired_compared, evidence.shape):
            if found.probe is ABSENT:
                yield from _added(evidence, found.path)


def _added(evidence: Evidence, path: Path) -> Iterator[Difference]:
    live = evidence.live_at(path)
    if live not in (ABSENT, None, "", False, 0, {}, []) and evidence.desired_at(path) is ABSENT:
        yield Difference(path=path, root=path, live=live, probe=ABSENT)


def _owners_by_root(evidence: Evidence, found: Iterable[Difference]) -> dict[Path, tuple[Entry, ...]]:
    """The owners of everything that was added or is gone as one, newest first."""
    owners: dict[Path, list[Entry]] = defaultdict(list)
    for difference in found:
        known = owners[difference.root]
        known += [
            entry for entry in evidence.owners(difference.path) if not any(entry is one for one in known)
        ]
    return {
        root: tuple(sorted(known, key=lambda one: one.time, reverse=True)) for root, known in owners.items()
    }


def _above(paths: Iterable[Path]) -> frozenset[Path]:
    """The paths and everything above them."""
    return frozenset(path[:length] for path in paths for length in range(1, len(path) + 1))


def _is_within(path: Path, paths: Mapping[Path, Any], above: frozenset[Path]) -> bool:
    """True where a path is one of some paths, above one or within one."""
    return path in above or any(path[:length] in paths for length in range(1, len(path)))
