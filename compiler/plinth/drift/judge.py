"""What is to be said of one object: the two probes side by side, place by place.

| apply probe | create probe | meaning                                                     | verdict         |
| ----------- | ------------ | ----------------------------------------------------------- | --------------- |
| same        | same         | nothing                                                     | clean           |
| differs     | differs      | what is declared was changed or is gone, or waits to be so  | drift           |
| same        | differs      | an addition, another default, something left over           | drift-unmanaged |
| differs     | same         | admission treats creation and update differently            | explained       |

A row of `rules` may explain a place of any of them. Where the create probe has no answer, the record of
owners shows additions; where neither has, the desired object itself is what live is held against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plinth.drift import Actor, Field, Refusal, Verdict
from plinth.drift.evidence import Evidence
from plinth.drift.masking import Masks
from plinth.drift.paths import ABSENT, DEEPEST, is_too_deep, pointer
from plinth.drift.refusals import is_immutable, is_missing_version, is_no_answer, said
from plinth.drift.rulings import Ruling, rule_on
from plinth.drift.severity import severity_of, worst

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.drift import Probes, Severity, VerdictName
    from plinth.drift.lists import ListTypes


def judge(
    desired: Mapping[str, Any], live: Mapping[str, Any] | None, probes: Probes, lists: ListTypes
) -> Verdict:
    """The verdict on one object. Nothing in it shows a secret.

    `live` is None where the server has no such object. It is read in the version that is desired.
    """
    if live is None:
        return Verdict(name="missing", severity="high")
    answers = [answer for answer in (probes.apply, probes.create) if isinstance(answer, Mapping)]
    bodies = [desired, live, *answers]
    if not all(isinstance(body, Mapping) for body in bodies) or any(is_too_deep(body) for body in bodies):
        return Verdict(
            name="error",
            severity="high",
            reason=f"nested deeper than {DEEPEST} levels, so that nothing is compared",
        )
    masks = Masks(*bodies)
    evidence = Evidence.of(desired, live, probes, lists)
    if evidence.is_terminating:
        return Verdict(name="terminating", severity="high", reason="deleted, and held by finalizers")
    if evidence.versions_differ:
        # Where the desired version is not served at all, the server has said so.
        refused = said(probes.apply, masks) if isinstance(probes.apply, Refusal) else ""
        return _error(refused or "it was read in another version than the desired one; they are not compared")
    return _Judged(evidence, probes, masks).verdict()


class _Judged:
    """The rulings on one object, and how they become a verdict."""

    def __init__(self, evidence: Evidence, probes: Probes, masks: Masks) -> None:
        self.evidence = evidence
        self.apply = probes.apply
        self.masks = masks
        self.rulings = rule_on(evidence)
        self.reported = [one for one in self.rulings if one.is_reported]

    def verdict(self) -> Verdict:
        if isinstance(self.apply, Refusal):
            return self._of_refused(self.apply)
        if self.reported:
            name: VerdictName = (
                "drift" if any(one.name == "drift" for one in self.reported) else "drift-unmanaged"
            )
            return self._verdict(name, self.reported)
        listed = [one for one in self.rulings if one.name == "explained"]
        reasons = [one.reason for one in listed]
        if not listed and self.evidence.is_recorded_in_another_version:
            reasons = ["what we own is recorded in another version of the kind, until the next real apply"]
        return self._verdict("explained" if reasons else "clean", listed, "; ".join(dict.fromkeys(reasons)))

    def _of_refused(self, refusal: Refusal) -> Verdict:
        """The matrix has a row for it: what cannot be updated in place, and what cannot be applied at all."""
        reason = said(refusal, self.masks)
        if is_missing_version(refusal):
            return _error(reason)
        if is_immutable(refusal):
            if self.reported:
                return self._verdict("drift-immutable", self.reported, reason)
            return (
                _error(reason)
                if self.evidence.create is not None
                else self._verdict("drift-immutable", [], reason)
            )
        is_unanswered = is_no_answer(refusal)
        if not is_unanswered and self.evidence.create is None:
            return _error(reason)
        # What somebody wrote can make the merged object invalid; what nobody wrote was never valid.
        somebodys = any(
            not owner.is_folded and owner.operation == "Update"
            for one in self.reported
            for owner in one.owners
        )
        if self.reported and (somebodys or is_unanswered):
            drifted = any(one.name == "drift" for one in self.reported)
            return self._verdict("drift" if drifted else "drift-unmanaged", self.reported, reason)
        if is_unanswered and self.evidence.create is not None:
            return self._verdict("clean", [])
        return _error(reason)

    def _verdict(self, name: VerdictName, rulings: Sequence[Ruling], reason: str = "") -> Verdict:
        floor: list[Severity] = ["high"] if name == "drift-immutable" else []
        kind = self.evidence.kind
        found = [severity_of(kind, one.difference.path, how=one.difference.how) for one in rulings]
        return Verdict(
            name=name,
            severity="info" if name in {"clean", "explained"} else worst([*floor, *found]),
            fields=tuple(self._fields(rulings)),
            actors=tuple(dict.fromkeys(self._actors(rulings))),
            reason=reason,
        )

    def _fields(self, rulings: Sequence[Ruling]) -> Iterable[Field]:
        """A field for each place; what was added or is gone as a whole is one, at its top."""
        kept = {id(one) for one in rulings}
        torn = {one.difference.root for one in self.rulings if id(one) not in kept}
        seen = set()
        for ruling in rulings:
            difference = ruling.difference
            whole = difference.root != difference.path and difference.root not in torn
            path = difference.root if whole else difference.path
            if path in seen:
                continue
            seen.add(path)
            live, probe = (
                self.evidence.both_at(path, ruling) if whole else (difference.live, difference.probe)
            )
            wanted, there = self.masks.pair(path, probe, live)
            yield Field(
                path=pointer(path),
                desired=None if wanted is ABSENT else wanted,
                live=None if there is ABSENT else there,
                has_desired=wanted is not ABSENT,
                has_live=there is not ABSENT,
            )

    def _actors(self, rulings: Sequence[Ruling]) -> Iterable[Actor]:
        us = self.evidence.us if rulings else ("", "")
        owners = [owner for one in rulings for owner in one.owners if not owner.is_folded and owner.id != us]
        return (owner.actor for owner in sorted(owners, key=lambda owner: owner.time, reverse=True))


def _error(reason: str) -> Verdict:
    return Verdict(name="error", severity="high", reason=reason)
