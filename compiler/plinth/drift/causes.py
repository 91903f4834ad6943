"""Conditions under which a difference is no person's: what the rows of `rules` are made of."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.drift.paths import ABSENT, Keys, Path, Pattern, matches

if TYPE_CHECKING:
    from plinth.drift.actors import Entry

GroupKind = tuple[str, str]

_TOKENS: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_VOLUME: Final = re.compile(r"kube-api-access-[a-z0-9]{5}")


class Place(Struct, frozen=True, kw_only=True):
    """A difference as rules see it."""

    kind: GroupKind
    path: Path
    live: Any
    """ABSENT where there is nothing; so is `desired`."""
    desired: Any
    owners: Sequence[Entry]
    """Of the live value, newest first."""
    desired_body: Mapping[str, Any]
    live_body: Mapping[str, Any]


class Rule(Struct, frozen=True, kw_only=True):
    """A row of the table."""

    kinds: frozenset[GroupKind] | None
    """None: any kind."""
    path: Pattern
    reason: str
    when: Callable[[Place], bool]
    is_listed: bool = False
    """Listed even where nothing is declared; a declared field that differs always is."""

    is_ours_too: bool = False
    """It holds where our own apply would take the field away: our tool adds it to what it is given."""

    def is_of(self, kind: GroupKind) -> bool:
        """True where the row is about objects of a kind."""
        return self.kinds is None or kind in self.kinds

    def explains(self, place: Place) -> bool:
        """True where the row is about a difference."""
        return self.is_of(place.kind) and matches(place.path, self.path) and self.when(place)


def undeclared(place: Place) -> bool:
    """True where nothing is declared at the place itself."""
    return place.desired is ABSENT


def no_person(place: Place) -> bool:
    """True where nobody is recorded who uses a person's tool."""
    return not any(owner.is_persons for owner in place.owners)


def left_to_others(place: Place) -> bool:
    """True where nothing declares it, and whoever is recorded is a controller that updates it."""
    updated = all(owner.operation == "Update" for owner in place.owners)
    return undeclared(place) and updated and no_person(place)


def written(manager: str, operation: str, subresource: str = "") -> Callable[[Place], bool]:
    """True where the newest owner is this writer, by this way."""

    def check(place: Place) -> bool:
        newest = place.owners[0] if place.owners else None
        return newest is not None and (newest.manager, newest.operation, newest.subresource) == (
            manager,
            operation,
            subresource,
        )

    return check


def is_empty_bundle(value: Any) -> bool:
    """True for the stand-ins of a CA that somebody else fills in: nothing, or white space in base64."""
    if value is ABSENT or value is None:
        return True
    try:
        return isinstance(value, str) and not base64.b64decode(value, validate=True).strip()
    except (binascii.Error, ValueError):
        return False


def bundle_left_open(place: Place) -> bool:
    """True where a CA is filled in, by no person, that was left empty for it."""
    return is_empty_bundle(place.desired) and place.live is not ABSENT and no_person(place)


def through_scale(place: Place) -> bool:
    """True where replicas were set through the subresource of autoscalers, and by no person's tool."""
    newest = place.owners[0] if place.owners else None
    return newest is not None and newest.subresource == "scale" and not newest.is_persons


def aggregated(place: Place) -> bool:
    """True for the rules of an aggregated role that are left to the controller."""
    return (
        bool(place.desired_body.get("aggregationRule"))
        and place.desired in (ABSENT, None, [])
        and no_person(place)
    )


def of_account(place: Place) -> bool:
    """True for an item named after its service account by the controllers that make such Secrets."""
    metadata = place.live_body.get("metadata")
    account = metadata.get("name") if isinstance(metadata, Mapping) else None
    names = [dict(part.pairs).get("name") for part in place.path if isinstance(part, Keys)]
    return undeclared(place) and any(
        re.fullmatch(rf"{re.escape(str(account))}-(?:token|dockercfg)-[a-z0-9]+", str(name)) for name in names
    )


def of_token_volume(place: Place) -> bool:
    """True within the volume with a random name that holds the token of a pod's account.

    Only the projection: what else such a volume held would be somebody's.
    """
    item = place.path[2]
    name = str(dict(item.pairs).get("name")) if isinstance(item, Keys) else ""
    return (
        undeclared(place) and bool(_TOKEN_VOLUME.fullmatch(name)) and place.path[3] in {"name", "projected"}
    )


def of_token_mount(place: Place) -> bool:
    """True within the mount of that volume."""
    item = place.path[4]
    where = dict(item.pairs).get("mountPath") if isinstance(item, Keys) else None
    is_named = (
        place.path[5] != "name" or place.live is ABSENT or bool(_TOKEN_VOLUME.fullmatch(str(place.live)))
    )
    return undeclared(place) and where == _TOKENS and is_named


def token_secret(place: Place) -> bool:
    """True within a Secret that asks for the token of an account."""
    return undeclared(place) and place.desired_body.get("type") == "kubernetes.io/service-account-token"


def beside_another_applier(place: Place) -> bool:
    """True where every owner declares the field by server-side apply, and none is a person's tool."""
    return (
        undeclared(place)
        and bool(place.owners)
        and all(
            owner.operation == "Apply" and not owner.subresource and not owner.is_persons
            for owner in place.owners
        )
    )


def time_stamp(place: Place) -> bool:
    """True for a moment that nothing declares."""
    return undeclared(place) and bool(re.fullmatch(r"[0-9T:.Z+-]{10,40}", str(place.live)))


def only_appended(place: Place) -> bool:
    """True where all that is declared is there, in its order and first."""
    declared, live = place.desired, place.live
    return (
        isinstance(declared, Sequence)
        and isinstance(live, Sequence)
        and not isinstance(live, str)
        and 0 < len(declared) < len(live)
        and list(live[: len(declared)]) == list(declared)
    )


def named_after_kind(place: Place) -> bool:
    """True for the names of a CRD's kind that follow from the kind."""
    spec = place.live_body.get("spec")
    names = spec.get("names") if isinstance(spec, Mapping) else None
    kind = str(names.get("kind")) if isinstance(names, Mapping) else ""
    return undeclared(place) and place.live in {kind.lower(), f"{kind}List"}
