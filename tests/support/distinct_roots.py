"""Terraform roots cut down to what was not in one before.

    distinct({"a/dev/network": files, "b/dev/network": others})

What becomes of a block follows from the block, from what it refers to, and from the settings of its root. Where all
of them stand in another root to the byte, nobody need be asked for it twice.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from support.roots import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.roots import Files

Document = dict[str, Any]
Place: TypeAlias = "tuple[str, ...]"
"""E.g. `("resource", "google_storage_bucket", "artifacts")`."""

_DEPTHS: Final = {"resource": 2, "data": 2, "ephemeral": 2, "output": 1}
"""Sections of blocks, and how many names a block has in each; all else of a root is its settings."""
_ADDRESS: Final = re.compile(r"(?:(?:data|ephemeral)\.)?[a-z]\w*\.[\w-]+")


def distinct(roots: Mapping[str, Files]) -> dict[str, Files]:
    """The roots with what no root before has, and with all that it refers to; without those that then have nothing.

    The largest come first. A root without any block stays.
    """
    found: dict[str, Files] = {}
    told: set[str] = set()
    every = {name: closures(files) for name, files in roots.items()}
    for name, parts in sorted(every.items(), key=lambda each: (-len(each[1]), each[0])):
        new = [part for part in parts.values() if part.text not in told]
        told |= {part.text for part in new}
        kept = {address for part in new for address in part.addresses}
        if kept == parts.keys():
            found[name] = roots[name]
        elif kept:
            found[name] = _cut(roots[name], kept)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """What decides over a block."""

    addresses: frozenset[str]
    """The block itself and all that it refers to."""
    text: str
    """These with their bodies, which block it is about, and the settings of the root."""


def closures(files: Files) -> Mapping[str, Closure]:
    """What decides over each block of a root, by the block's address; made once for the same files."""
    return _closures(tuple(files.items()))


@cache
def _closures(files: tuple[tuple[str, bytes], ...]) -> Mapping[str, Closure]:
    root = whole(dict(files))
    every = {_address(place): body for place, body in _blocks(root)}
    named = {
        address: {each for each in _ADDRESS.findall(json.dumps(body)) if each in every}
        for address, body in every.items()
    }
    settings = {key: value for key, value in root.items() if key not in _DEPTHS}
    settings["terraform"] = {key: value for key, value in settings["terraform"].items() if key != "backend"}
    found = {}
    for address in every:
        reached = _reached(address, named)
        parts = {each: every[each] for each in reached}
        text = json.dumps([address, settings, parts], sort_keys=True)
        found[address] = Closure(addresses=frozenset(reached), text=text)
    return found


def _reached(address: str, named: Mapping[str, set[str]]) -> set[str]:
    """A block and all that it refers to, over however many others."""
    found, waiting = {address}, [address]
    while waiting:
        new = named[waiting.pop()] - found
        waiting += new
        found |= new
    return found


def _blocks(document: Document) -> Iterator[tuple[Place, Any]]:
    for section, depth in _DEPTHS.items():
        for name, body in document.get(section, {}).items():
            if depth == 1:
                yield (section, name), body
            else:
                yield from (((section, name, each), inner) for each, inner in body.items())


def _address(place: Place) -> str:
    return ".".join(place[1:] if place[0] == "resource" else place)


def _cut(files: Files, kept: set[str]) -> Files:
    return {path: json.dumps(_only(json.loads(content), kept)).encode() for path, content in files.items()}


def _only(document: Document, kept: set[str]) -> Document:
    found = {key: body for key, body in document.items() if key not in _DEPTHS}
    for place, body in _blocks(document):
        if _address(place) in kept:
            *above, name = place
            section = found
            for part in above:
                section = section.setdefault(part, {})
            section[name] = body
    return found
