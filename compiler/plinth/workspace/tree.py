"""The workspace itself: what is read, planned and written, in the order of a compile."""

from __future__ import annotations

import errno
import os
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from plinth.ir.digest import digest, digest_if_any
from plinth.ir.fileset import File, FileSet
from plinth.workspace.calls import FileCalls
from plinth.workspace.errors import HandEdited
from plinth.workspace.folders import Folders, check_inside
from plinth.workspace.groups import VENDORED, group_ledger
from plinth.workspace.places import ledger_paths, ledgers_on_disk, names_on_disk
from plinth.workspace.plan import Plan, make_plan
from plinth.workspace.proven import Proven
from plinth.workspace.transaction import Transaction, locked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from plinth.ir.ledger import Entry, Ledger
    from plinth.workspace.groups import Known

_NO_FILES: Final[FileSet] = MappingProxyType({})
_SYSTEM: Final = FileCalls()


class Workspace:
    """A repository on disk. Every method may raise a `WorkspaceError`; what it says is in `errors`."""

    def __init__(self, root: Path, *, io: FileCalls = _SYSTEM, is_trusting: bool = False) -> None:
        """A repository; one that `is_trusting` proves no file again that was not touched since (`proven`)."""
        self.root = root
        self._io = io
        self._trusted = Proven(root) if is_trusting else None
        self._inputs: dict[str, str | None] = {}
        self._proven: dict[str, str | None] = {}

    @property
    def inputs(self) -> Mapping[str, str]:
        """Path -> digest of everything that was read, as it was at the first reading."""
        return {path: mark for path, mark in self._inputs.items() if mark is not None}

    @property
    def inputs_seen(self) -> Mapping[str, str | None]:
        """As `inputs`, with what was only proven, and `None` for a file that was looked for and missing."""
        return {**self._inputs, **self._proven}

    def read(self, path: str) -> bytes:
        """The bytes of an input.

        Raises:
            FileNotFoundError: there is none; it must not appear before the write, either.
            OutsideTree, LinkInTree, NotAFile, NotAFolder, ReadFailed: as their names say.
        """
        content = self.read_optional(path)
        if content is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return content

    def read_optional(self, path: str) -> bytes | None:
        """As `read`; `None` where the file is missing."""
        return self.read_all((path,))[path]

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes | None]:
        """As `read_optional`, for many paths at the cost of one walk through their folders."""
        found: dict[str, bytes | None] = {}
        with Folders(self.root) as folders:
            for path in paths:
                check_inside(path)
                if self._trusted and path.startswith(VENDORED):
                    # It is only proven at the next compile.
                    found[path], mark = self._trusted.read(folders, path)
                else:
                    found[path] = folders.read_optional(path)
                    mark = digest_if_any(found[path])
                # The first reading counts: what was made of it is in the plan, whatever came later.
                self._inputs.setdefault(path, mark)
        return found

    def prove(self, paths: Iterable[str]) -> dict[str, str | None]:
        """The digests of files that nothing is made of; `None` for one that is missing.

        They are no inputs: a write does not read them again to see whether they still stand.
        """
        found: dict[str, str | None] = {}
        with Folders(self.root) as folders:
            for path in paths:
                check_inside(path)
                if self._trusted:
                    found[path] = self._trusted.digest(folders, path)
                else:
                    found[path] = digest_if_any(folders.read_optional(path))
        self._proven |= found
        return found

    def keep_proven(self) -> None:
        """Note what was proven, for the next one that is trusting."""
        if self._trusted:
            self._trusted.keep()

    def groups(self) -> list[str]:
        """The names of the groups that have a ledger on disk, sorted."""
        with Folders(self.root) as folders:
            there = frozenset(ledgers_on_disk(folders))
            return [name for name in names_on_disk(folders) if ledger_paths(name)[0] in there]

    def ledger(self, group: str) -> Ledger:
        """What the settled ledger of a group tells of; nothing where there is none.

        Raises:
            BadLedger: it is no ledger, or names a file outside the group's folders.
        """
        path = ledger_paths(group)[0]
        return group_ledger(path, group, self.read_optional(path))

    def matching(self, entries: Iterable[Entry]) -> FileSet | None:
        """The files that entries of a ledger tell of; `None` where one of them is not as it is told.

        They are outputs: whoever changes one before a write is found out by the plan.
        """
        found: dict[str, File] = {}
        with Folders(self.root) as folders:
            for entry in entries:
                check_inside(entry.path)
                content = folders.read_optional(entry.path)
                if content is None or digest(content) != entry.digest:
                    return None
                found[entry.path] = File(content, entry.backend, entry.origins)
        return found

    def list_files(self, folder: str) -> list[str]:
        """The paths of all files below a folder, links among them, sorted; none where it is missing.

        Raises:
            OutsideTree, LinkInTree, NotAFolder, ReadFailed: as their names say, of the folder.
        """
        check_inside(folder)
        with Folders(self.root) as folders:
            return folders.files(folder)

    def plan(
        self,
        groups: Mapping[str, FileSet],
        *,
        extra: FileSet = _NO_FILES,
        known: Known | None = None,
        overwrite: bool = False,
        all_groups: bool = True,
    ) -> Plan:
        """What it takes to have exactly these files; reads, and writes nothing.

        Args:
            groups: Name of each group -> its files, all of them in `overlays/<name>/` and
                `generated/<name>/` (`base` and `vendor`: only in `generated/<name>/`).
            extra: Files outside every ledger that are ours to write whatever is there.
            known: Path -> digests under which the file is ours too, e.g. in parent commits;
                asked only about files that are not ours otherwise.
            overwrite: Let `write` replace and remove what people edited.
            all_groups: Remove the groups that are on disk and not in `groups`, `vendor` apart.

        Raises:
            ValueError: a path that cannot be, or is outside its group's folders: our own fault.
            BadLedger, LinkInTree, NotAFile, NotAFolder, ReadFailed: as their names say.
        """
        with Folders(self.root) as folders:
            return make_plan(
                folders, groups, extra=extra, known=known, overwrite=overwrite, all_groups=all_groups
            )

    def write(self, plan: Plan) -> None:
        """Carry out a plan: all of it, or none, or so that the next `plan` and `write` complete it.

        A clean plan touches nothing. Otherwise `.plinth/lock` stays behind, which git ignores.

        Raises:
            HandEdited: the plan has edited files and may not overwrite; nothing was written.
            InputChanged: what the plan was made from has changed; nothing was written.
            OutputChanged, LinkInTree: somebody changed an output meanwhile; it is left alone.
            Busy: another Plinth is writing; nothing was written.
            WriteFailed: the system refuses; `.is_begun` tells whether anything was written.
        """
        if plan.edited and not plan.overwrite:
            raise HandEdited(plan.edited)
        if plan.is_clean and not plan.leftovers:
            return
        with Folders(self.root) as folders, Folders(self.root) as aside, locked(folders, self._io):
            Transaction(folders, aside, self._io, plan).run(self._inputs)
        for path, content in plan.files.items():
            if path in self._inputs:
                self._inputs[path] = digest(content)
