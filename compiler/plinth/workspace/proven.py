"""Digests of files that nobody has touched since they were last read, so that they need not be read again.

As git does it: a file whose size, times and inode are those that were noted has the bytes that it had
then. No program sets the time at which the system noted a change (`ctime`), and a file that changed
within the last moments before the note was written is read again: a second change in the same tick of
the clock would leave its times as they are.

Only for what is vendored, whose digests a lock pins, and only where a compile writes: what proves a tree to
somebody else (`compile --check`, `--diff`) reads every byte.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from plinth.ir.digest import digest_if_any
from plinth.workspace.errors import WorkspaceError
from plinth.workspace.folders import Folders
from plinth.workspace.notes import FOLDER, read_note, write_note

if TYPE_CHECKING:
    import os
    from pathlib import Path

NAME: Final = "proven.json"
FORMAT: Final = 1
SETTLED_NS: Final = 2 * 10**9
"""How much older than the note a change must be: the coarsest clock of a file system in use."""


class Proven:
    """The note of the last compile, and what is to be in the next one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._noted, self._written_ns = _read(root)
        self._next: dict[str, list[Any]] = {}
        self._is_new = False

    def digest(self, folders: Folders, path: str) -> str | None:
        """The digest of a file, which is read only where it is not as it was noted; `None` without one."""
        noted = self._noted.get(path)
        state = folders.state(path) if noted else None
        if noted is None or state is None or noted[:-1] != _marks(state):
            return self.read(folders, path)[1]
        if max(state.st_mtime_ns, state.st_ctime_ns) + SETTLED_NS > self._written_ns:
            return self.read(folders, path)[1]
        self._next[path] = noted
        return str(noted[-1])

    def read(self, folders: Folders, path: str) -> tuple[bytes | None, str | None]:
        """The bytes of a file with their digest, noted with the state of the file from before it was read."""
        state = folders.state(path)
        content = folders.read_optional(path)
        mark = digest_if_any(content)
        if state is not None and mark is not None:
            self._next[path] = [*_marks(state), mark]
            self._is_new = self._is_new or self._noted.get(path) != self._next[path]
        return content, mark

    def keep(self) -> None:
        """Write the note, if it says anything new."""
        if self._is_new:
            write_note(self._root, NAME, {"format": FORMAT, "files": self._next})


def _marks(state: os.stat_result) -> list[int]:
    return [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino, state.st_dev]


def _read(root: Path) -> tuple[dict[str, list[Any]], int]:
    with contextlib.suppress(OSError, WorkspaceError, ValueError, KeyError, TypeError):
        with Folders(root) as folders:
            written = folders.state(f"{FOLDER}/{NAME}")
        noted = read_note(root, NAME)
        if written is not None and noted["format"] == FORMAT:
            return dict(noted["files"]), written.st_mtime_ns
    return {}, 0
