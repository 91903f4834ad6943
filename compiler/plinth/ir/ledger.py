r"""A ledger: which files are ours, as JSON Lines, one line per file, sorted by path.

    {"backend":"kustomize","digest":"sha256:...","origins":{"":["spec.components.mlflow"]},"path":"..."}

A line per file makes most merges of two branches clean. One that is not leaves git's conflict
markers behind; what is between them was still written by a compile, on this side or on that,
so both are read, and a path may then have several digests.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from plinth.ir.fileset import FileSet, PathError, check_path, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# `|||||||` begins the common ancestor, which git shows on demand: ours as well, a compile ago.
_CONFLICT_MARKERS: Final = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_KEYS: Final = frozenset({"backend", "digest", "origins", "path"})
_encode: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode


class LedgerError(Exception):
    """A line of a ledger that no compile and no merge has written; `line_number` counts from 1."""

    def __init__(self, line_number: int) -> None:
        super().__init__(f"line {line_number} is no line of a ledger")
        self.line_number = line_number


class Entry(Struct, frozen=True):
    """A file as a compile has written it."""

    path: str
    digest: str
    backend: str
    origins: Mapping[str, tuple[str, ...]]
    """As in `File`."""


class Ledger(Struct, frozen=True):
    """What one or more compiles have written in one group of files."""

    entries: tuple[Entry, ...] = ()
    """In the order of their lines; a path has several where a merge or a killed write left them."""

    @property
    def digests(self) -> dict[str, set[str]]:
        """Path -> every digest under which the file is ours."""
        found: dict[str, set[str]] = {}
        for entry in self.entries:
            found.setdefault(entry.path, set()).add(entry.digest)
        return found


def ledger_entries(fileset: FileSet) -> tuple[Entry, ...]:
    """An entry per file, sorted by path."""
    return tuple(
        Entry(path, digest(file.content), file.backend, file.origins)
        for path, file in sorted(fileset.items())
    )


def ledger_text(fileset: FileSet) -> bytes:
    """The ledger of a file set; the same bytes for the same files."""
    return entries_text(ledger_entries(fileset))


def entries_text(entries: Iterable[Entry]) -> bytes:
    """Entries as the lines of a ledger, sorted by path, then digest."""
    lines = [
        _encode({"backend": e.backend, "digest": e.digest, "origins": e.origins, "path": e.path})
        for e in sorted(entries, key=lambda entry: (entry.path, entry.digest))
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def read_ledger(data: bytes) -> Ledger:
    """Read a ledger, or both sides of one that git could not merge.

    Raises:
        LedgerError: a line is neither an entry nor a conflict marker.
    """
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    entries: dict[tuple[str, str], Entry] = {}
    for number, line in enumerate(lines, start=1):
        if line.startswith(_CONFLICT_MARKERS):
            continue
        entry = _read_entry(line, number)
        entries.setdefault((entry.path, entry.digest), entry)
    return Ledger(tuple(entries.values()))


def _read_entry(line: bytes, number: int) -> Entry:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise LedgerError(number) from None
    match value:
        case {"path": str(path), "digest": str(mark), "backend": str(backend), "origins": dict(origins)}:
            if value.keys() == _KEYS and _is_path(path) and _DIGEST.fullmatch(mark) and _are_origins(origins):
                texts = {pointer: tuple(texts) for pointer, texts in origins.items()}
                return Entry(path, mark, backend, texts)
    raise LedgerError(number)


def _is_path(path: str) -> bool:
    try:
        check_path(path)
    except PathError:
        return False
    return True


def _are_origins(origins: Mapping[str, object]) -> bool:
    return all(
        isinstance(texts, list) and all(isinstance(text, str) for text in texts) for texts in origins.values()
    )
