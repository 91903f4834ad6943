"""The groups of files that have a ledger, as they are on disk, and what their ledgers call ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from plinth.ir.digest import digest, digest_if_any
from plinth.ir.ledger import Entry, Ledger, LedgerError, entries_text, ledger_entries, read_ledger
from plinth.workspace.errors import BadLedger
from plinth.workspace.places import ledger_paths

if TYPE_CHECKING:
    from plinth.ir.fileset import FileSet
    from plinth.workspace.folders import Folders

Known = Callable[[str], Iterable[str]]

VENDOR: Final = "vendor"
"""Owned by another command, which plans it alone; a compile neither reads nor removes it."""

VENDORED: Final = f"generated/{VENDOR}/"
"""How the path of every vendored file begins."""

_GENERATED_ONLY: Final = frozenset({"base", VENDOR})


def belongs(path: str, group: str) -> bool:
    """Whether a group may own a path; its own ledgers it may not."""
    if path in ledger_paths(group):
        return False
    if path.startswith(f"generated/{group}/"):
        return True
    return group not in _GENERATED_ONLY and path.startswith(f"overlays/{group}/")


class Group(Struct, frozen=True, kw_only=True):
    """One group's files as they are wanted, and its ledgers as they are."""

    name: str
    entries: tuple[Entry, ...]
    """Of the files it should have, sorted by path."""
    text: bytes | None
    """The ledger it should have; `None` where no file is wanted."""
    on_disk: bytes | None
    next_on_disk: bytes | None
    settled: Ledger
    coming: Ledger
    """What a write that was killed had announced."""

    @property
    def ledger(self) -> str:
        """Path of the settled ledger."""
        return ledger_paths(self.name)[0]

    @property
    def next(self) -> str:
        """Path of the next ledger."""
        return ledger_paths(self.name)[1]

    @property
    def is_on_disk(self) -> bool:
        """Whether a compile has ever begun to write this group here."""
        return self.on_disk is not None or self.next_on_disk is not None

    @property
    def wanted(self) -> dict[str, str]:
        """Path of each file it should have -> its digest, the ledger among them."""
        files = {entry.path: entry.digest for entry in self.entries}
        return files if self.text is None else {**files, self.ledger: digest(self.text)}

    @property
    def seen(self) -> dict[str, str | None]:
        """Path of each ledger -> its digest on disk."""
        return {
            path: digest_if_any(text)
            for path, text in ((self.ledger, self.on_disk), (self.next, self.next_on_disk))
        }

    def announcement(self) -> bytes | None:
        """The next ledger, where there must be one and it is not there already.

        It takes the place of the one that a killed write has left. Files of that write may be
        on disk, under no other ledger: their entries live on until this write is through.
        """
        if self.text in {None, self.on_disk}:
            return None
        entries = {(entry.path, entry.digest): entry for entry in (*self.coming.entries, *self.entries)}
        text = entries_text(entries.values())
        return None if text == self.next_on_disk else text

    def spent(self) -> Iterator[str]:
        """The ledgers that will be on disk after the last file is written, and must not stay."""
        if self.text is None and self.on_disk is not None:
            yield self.ledger
        if self.next_on_disk is not None or self.text not in {None, self.on_disk}:
            yield self.next


def read_group(folders: Folders, name: str, files: FileSet) -> Group:
    """A group with the files it should have, and none where it should go.

    Raises:
        BadLedger: a ledger of it is no ledger, or names a file outside the group's folders.
    """
    entries = ledger_entries(files)
    text = entries_text(entries) if files else None
    ledger, coming = ledger_paths(name)
    on_disk, next_on_disk = folders.read_optional(ledger), folders.read_optional(coming)
    return Group(
        name=name,
        entries=entries,
        text=text,
        on_disk=on_disk,
        next_on_disk=next_on_disk,
        # A ledger that says what we want tells nothing new: the same bytes are ours without it.
        settled=Ledger(entries) if on_disk == text else group_ledger(ledger, name, on_disk),
        coming=Ledger(entries) if next_on_disk == text else group_ledger(coming, name, next_on_disk),
    )


def group_ledger(path: str, group: str, text: bytes | None) -> Ledger:
    """What a ledger on disk tells of; nothing where there is none.

    Raises:
        BadLedger: it is no ledger, or names a file outside the group's folders.
    """
    try:
        ledger = read_ledger(text or b"")
    except LedgerError as error:
        raise BadLedger(path, error.line_number, f"`{path}`: {error}") from error
    for entry in ledger.entries:
        if not belongs(entry.path, group):
            raise BadLedger(path, None, f"`{path}` names `{entry.path}`, which is not in its folders")
    return ledger


class Ours:
    """Which bytes at which path some compile has written."""

    def __init__(self, groups: Iterable[Group], always: frozenset[str], known: Known | None) -> None:
        # Path -> every digest that a ledger has for it.
        self.digests: dict[str, set[str]] = {}
        for group in groups:
            for ledger in (group.settled, group.coming):
                for path, marks in ledger.digests.items():
                    self.digests.setdefault(path, set()).update(marks)
        self._always = always
        self._known = known

    def __call__(self, path: str, mark: str) -> bool:
        """Whether these bytes at this path are ours; the caller is asked last, for it may be slow."""
        if path in self._always or mark in self.digests.get(path, ()):
            return True
        return self._known is not None and mark in self._known(path)
