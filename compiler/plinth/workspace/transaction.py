"""Carry out a plan so that it can be ended at any moment and completed later.

1. Look again: inputs and outputs are as the plan saw them, or nothing is written.
2. Stage every new content in `.plinth/stage/`, and make the folders. A full disk, a read-only
   one or missing rights show here, while everything can still be taken back.
3. Announce: the next ledgers take their places. From here to the end a file that matches the
   old ledger or the next one is ours.
4. Remove and replace files, by unlink and rename. Removals come first: a file may become a
   folder, and where case does not count, removing `A` after writing `a` would lose both.
5. Settle: the new ledgers replace the old ones, the next ones go, then empty folders, the stage.

Nothing is taken back after 2: going forward is what the next run does, whoever starts it.
Clean-up is for errors that the system reports. A kill or Ctrl-C gets none, here or elsewhere,
so that there is one way through and it is the tested one. No file is synced to the disk one by
one: git holds the same bytes.
"""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from plinth.ir.digest import digest_if_any
from plinth.workspace.errors import (
    Busy,
    InputChanged,
    LinkInTree,
    NotAFile,
    NotAFolder,
    OutputChanged,
    WorkspaceError,
    WriteFailed,
)
from plinth.workspace.plan import STAGE, Plan, above

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plinth.workspace.calls import FileCalls
    from plinth.workspace.folders import Folders

_LOCK: Final = ".plinth/lock"
_STILL_USED: Final = frozenset({errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT})


@contextmanager
def locked(folders: Folders, io: FileCalls) -> Iterator[None]:
    """Keep every other Plinth from writing to the same tree.

    The lock is the system's, on a file that stays: it ends with the process, however that ends.

    Raises:
        Busy: another Plinth has it.
        WriteFailed: `.plinth/` cannot be written.
    """
    folder, _, name = _LOCK.rpartition("/")
    try:
        _make_folders(folders, io, folder)
        lock = io.open_lock(name, folders.enter(folder))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise LinkInTree(_LOCK) from None
        raise WriteFailed(_LOCK, error, is_begun=False) from error
    try:
        _take(lock)
        yield
    finally:
        os.close(lock)


def _take(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy(_LOCK) from None
    except OSError as error:
        raise WriteFailed(_LOCK, error, is_begun=False) from error


class Transaction:
    """One write. `aside` is the same tree as `folders`, and stays in the stage."""

    def __init__(self, folders: Folders, aside: Folders, io: FileCalls, plan: Plan) -> None:
        self._folders = folders
        self._aside = aside
        self._io = io
        self._plan = plan
        self._staged: dict[str, str] = {}
        """Path -> name of its new content in the stage."""
        self._at = STAGE
        """What is being written, for the report of a failure."""

    def run(self, inputs: Mapping[str, str | None]) -> None:
        """Bring the tree from what the plan saw to what it wants.

        Raises:
            InputChanged, OutputChanged, LinkInTree: somebody was here since the plan was made.
            WriteFailed: the system refuses; `.is_begun` says whether the tree is as before.
        """
        self._look_again(inputs)
        self._stage()
        try:
            self._announce()
            self._replace()
            self._settle()
        except OSError as error:
            raise WriteFailed(self._at, error, is_begun=True) from error

    def _look_again(self, inputs: Mapping[str, str | None]) -> None:
        for path, mark in sorted(inputs.items()):
            if digest_if_any(self._folders.read_optional(path)) != mark:
                raise InputChanged(path)
        for path in sorted(self._plan.seen):
            try:
                self._check_seen(path)
            except (NotAFile, NotAFolder):
                # Where the plan saw no file, it knows what is in the way, and removes it.
                if self._plan.seen[path] is not None:
                    raise OutputChanged(path) from None

    def _check_seen(self, path: str) -> None:
        if digest_if_any(self._folders.read_optional(path)) != self._plan.seen[path]:
            raise OutputChanged(path)

    def _stage(self) -> None:
        plan = self._plan
        made: list[str] = []
        try:
            _make_folders(self._folders, self._io, STAGE)
            self._empty_stage()
            for contents in (plan.announced, plan.files, plan.ledgers):
                for path, content in sorted(contents.items()):
                    self._at = path
                    self._put_aside(path, content)
            gone = frozenset(plan.obsolete)
            for path in plan.written:
                self._at = path
                if gone.isdisjoint(above(path)):
                    _make_folders(self._folders, self._io, path.rpartition("/")[0], made)
        except OSError as error:
            self._take_back(made)
            raise WriteFailed(self._at, error, is_begun=False) from error
        except WorkspaceError:
            self._take_back(made)
            raise

    def _put_aside(self, path: str, content: bytes) -> None:
        name = str(len(self._staged))
        file = self._io.create(name, self._aside.enter(STAGE))
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[self._io.write(file, rest) :]
        finally:
            os.close(file)
        self._staged[path] = name

    def _empty_stage(self) -> None:
        for name in self._aside.names(STAGE)[1]:
            self._io.unlink(name, self._aside.enter(STAGE))

    def _take_back(self, made: list[str]) -> None:
        # What fails here is a leftover of the next plan, and no reason to hide the first fault.
        with suppress(OSError, WorkspaceError):
            self._empty_stage()
        for folder in (STAGE, *reversed(made)):
            with suppress(OSError, WorkspaceError):
                self._remove_folder(folder)

    def _announce(self) -> None:
        for path in self._plan.announced:
            self._put_in_place(path)

    def _replace(self) -> None:
        plan = self._plan
        for path in plan.obsolete:
            self._at = path
            self._check_seen(path)
            self._unlink(path)
        self._prune((*plan.leftovers, *_all_above(plan.obsolete)))
        for path in sorted(plan.files):
            self._at = path
            self._check_seen(path)
            _make_folders(self._folders, self._io, path.rpartition("/")[0])
            self._put_in_place(path)

    def _settle(self) -> None:
        plan = self._plan
        for path in plan.ledgers:
            self._put_in_place(path)
        for path in plan.spent:
            self._at = path
            self._unlink(path)
        self._prune(_all_above(plan.spent))
        self._at = STAGE
        self._remove_folder(STAGE)

    def _put_in_place(self, path: str) -> None:
        self._at = path
        folder, _, name = path.rpartition("/")
        self._io.rename(self._staged[path], self._aside.enter(STAGE), name, self._folders.enter(folder))

    def _unlink(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        self._io.unlink(name, self._folders.enter(folder))

    def _prune(self, candidates: Iterable[str]) -> None:
        """Remove those folders that are empty and that no file of ours is about to need."""
        for folder in sorted({*candidates} - self._plan.folders - {STAGE}, key=_deepest_first):
            self._at = folder
            try:
                self._remove_folder(folder)
            except OSError as error:
                if error.errno not in _STILL_USED:
                    raise

    def _remove_folder(self, folder: str) -> None:
        parent, _, name = folder.rpartition("/")
        self._io.rmdir(name, self._folders.enter(parent))


def _make_folders(folders: Folders, io: FileCalls, folder: str, made: list[str] | None = None) -> None:
    """Make what is missing of a folder and of those above it; `made` gets them in that order."""
    try:
        folders.enter(folder)
    except FileNotFoundError:
        parent, _, name = folder.rpartition("/")
        _make_folders(folders, io, parent, made)
        io.mkdir(name, folders.enter(parent))
        if made is not None:
            made.append(folder)


def _all_above(paths: Iterable[str]) -> Iterator[str]:
    return (folder for path in paths for folder in above(path))


def _deepest_first(folder: str) -> tuple[int, str]:
    return -folder.count("/"), folder
