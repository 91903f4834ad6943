"""A compiled tree to be compared: which files it has, what is in them, and where that came from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from plinth.text.manifests import ManifestError, read_manifests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Origins = dict[str, tuple[str, ...]]


class UnreadableFile(Exception):
    """A file of a compiled tree that is not what any compile writes; the message names it and says why."""


class Tree(Struct, frozen=True, kw_only=True, eq=False):
    """The compiled files of one commit, or of one compile. Files are read when they are asked for."""

    marks: Mapping[str, str]
    """Path -> what tells one content from another, of one kind in all trees that are compared."""
    read: Callable[[str], bytes]
    origins: Callable[[str], Mapping[str, tuple[str, ...]]]
    """For a path: JSON pointer -> origins, as the ledger has them; empty where it has none."""
    _parsed: dict[str, Any] = field(default_factory=dict)

    def data(self, path: str) -> Any:
        """The plain data of a file: one JSON or YAML document; read once.

        Raises:
            UnreadableFile: it is neither, or holds more than one document.
        """
        if path not in self._parsed:
            self._parsed[path] = _data(path, self.read(path))
        return self._parsed[path]


def changed(before: Tree, after: Tree) -> frozenset[str]:
    """The paths of all files that are not the same in both."""
    paths = {*before.marks, *after.marks}
    return frozenset(path for path in paths if before.marks.get(path) != after.marks.get(path))


def _data(path: str, content: bytes) -> Any:
    try:
        if path.endswith(".json"):
            return json.loads(content)
        # A patch is a list, which is no manifest: it is read as the value of one.
        if content.startswith((b"- ", b"[")):
            (document,) = read_manifests(b"items:\n" + content)
            return document["items"]
        (document,) = read_manifests(content)
    except (ManifestError, ValueError, RecursionError) as error:
        raise UnreadableFile(f"`{path}`: {' '.join(str(error).split())}") from None
    return document
