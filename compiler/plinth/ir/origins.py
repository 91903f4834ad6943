"""Origins as the ledgers hold them: for every file, where each of its fields came from.

An origin is the text of a path of the spec, or a decision of the compiler in words that begin with
"because".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.text.nodes import find
from plinth.text.spans import parse_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.text.nodes import Node

BECAUSE: Final = "because "
_FORMAT: Final = f"{BECAUSE}the file's format wants it"


def origins_at(origins: Mapping[str, tuple[str, ...]], place: str) -> tuple[str, ...]:
    """The origins of the closest part that has any: the field's own, or those of what it stands in."""
    below = {origin for each, some in origins.items() if each.startswith(f"{place}/") for origin in some}
    if place and place not in origins and below:
        # A map whose fields have origins comes from them all.
        return spec_first(below)
    while place and place not in origins:
        place = place.rpartition("/")[0]
    return spec_first(origins.get(place, (_FORMAT,)))


def spec_first(origins: Iterable[str]) -> tuple[str, ...]:
    """Paths of the spec before decisions of the compiler, each sorted."""
    return tuple(sorted(origins, key=lambda text: (text.startswith(BECAUSE), text)))


def is_below(origin: str, path: str) -> bool:
    """Whether an origin is a path of the spec, or anything in what stands there."""
    return origin == path or origin.startswith((f"{path}.", f"{path}["))


def place_of(origin: str, document: Node | None, file: str) -> dict[str, Any]:
    """An origin as JSON: `{"path", "file", "line"}`, or `{"because"}` for a decision of the compiler.

    File and line are None where the document has no such path (any more).
    """
    if origin.startswith(BECAUSE):
        return {"because": origin.removeprefix(BECAUSE)}
    node = find(document, parse_path(origin)) if document else None
    span = (node.key_span or node.span) if node else None
    return {"path": origin, "file": file if span else None, "line": span.line if span else None}
