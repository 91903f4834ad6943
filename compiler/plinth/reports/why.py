"""Why a line of the compiled tree is there, and what a part of the spec becomes.

The ledgers hold the answer: for every file, the origins of its fields. An origin is a path of the
spec or a decision of the compiler in words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from plinth.catalog.objects import ObjectKey
from plinth.ir.layout import object_file
from plinth.ir.origins import is_below, origins_at, spec_first
from plinth.text.places import pointers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.ir.ledger import Entry

_PREFIXES: Final = ("", "patch", "patch-people")
TERRAFORM_KINDS: Final = ("resource", "ephemeral", "data", "provider", "output")


class Reason(Struct, frozen=True):
    """A place in a compiled file, and what it comes from, the closest first."""

    file: str
    line: int | None
    """From 1; None for the whole file."""
    pointer: str
    origins: tuple[str, ...]


def why_line(entry: Entry, data: bytes, line: int) -> Reason:
    """Why a line of a compiled file is there.

    Raises:
        IndexError: the file has no such line.
        ValueError: the file cannot be read.
    """
    places = pointers(data)
    if not 1 <= line <= max(1, len(places) - 1):
        raise IndexError(f"`{entry.path}` has {len(places) - 1} lines")
    place = places[line - 1]
    return Reason(entry.path, line, place, origins_at(entry.origins, place))


def why_file(entry: Entry) -> tuple[Reason, ...]:
    """Every field of a file that has an origin of its own, the whole file first."""
    return tuple(
        Reason(entry.path, None, place, spec_first(origins))
        for place, origins in sorted(entry.origins.items())
    )


def becomes(entries: Iterable[Entry], path: str) -> tuple[Reason, ...]:
    """Every field of the compiled tree that comes from a path of the spec, or from what is below it."""
    found = []
    for entry in entries:
        for place, origins in sorted(entry.origins.items()):
            ours = tuple(origin for origin in origins if is_below(origin, path))
            if ours:
                found.append(Reason(entry.path, None, place, ours))
    return tuple(found)


def at_address(entries: Iterable[Entry], address: str) -> tuple[Reason, ...]:
    """What a Terraform address (`google_sql_user.mlflow`) or an object comes from, patches of it among them.

    An object is named `Deployment/mlflow`, or in full as a diff does: `Deployment.apps/mlflow/mlflow`.
    """
    if "/" in address:
        kind, *rest = address.split("/")
        namespace = rest[0] if len(rest) > 1 else ""
        key = ObjectKey(kind.partition(".")[2], kind.partition(".")[0], namespace, rest[-1])
        names = {object_file(key, home, prefix) for home in ("", namespace) for prefix in _PREFIXES}
        return tuple(
            reason
            for entry in entries
            if entry.path.rpartition("/")[2] in names
            for reason in why_file(entry)
        )
    parts = address.split(".")
    places = [f"/{kind}/{'/'.join(parts)}" for kind in TERRAFORM_KINDS]
    places += [f"/{'/'.join(parts)}"]
    return tuple(
        Reason(entry.path, None, place, spec_first(origins))
        for entry in entries
        for place, origins in sorted(entry.origins.items())
        if any(place == wanted or place.startswith(f"{wanted}/") for wanted in places)
    )
