"""A note of the last compile that left everything as it should be, so that the next need not think.

It holds the digest of every file that was read and of every file that was to be there. When all of
them still have it, and the compiler is the same, a compile would write nothing: it is a function of
what it reads. Every byte is read and hashed again; no time of a file is trusted.

Without the note, or where it does not fit, the compile runs.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Final

from plinth.ir.digest import digest, digest_if_any
from plinth.workspace.errors import WorkspaceError
from plinth.workspace.folders import Folders
from plinth.workspace.notes import read_note, write_note
from plinth.workspace.places import ledgers_on_disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

NAME: Final = "stamp.json"
FORMAT: Final = 1


def compiler_identity(sources: Iterable[str]) -> str:
    """What tells one compiler from another: the names, sizes and times of its files."""
    marks = []
    for path in sources:
        status = os.stat(path)
        marks.append(f"{path} {status.st_size} {status.st_mtime_ns}")
    return digest("\n".join(marks).encode())


def recall(root: str, key: Mapping[str, Any]) -> Any:
    """The note of a compile with the same key, or None where anything on disk differs from it.

    Returns:
        `{"files": {path: digest, or None for what was missing}, "said": what `remember` was given, ...}`.
    """
    try:
        with Folders(root) as folders:
            noted = read_note(root, NAME)
            if (noted["format"], noted["key"]) != (FORMAT, key):
                return None
            # One more than noted is a group that somebody has brought back.
            if ledgers_on_disk(folders) != noted["ledgers"]:
                return None
            for path, mark in noted["files"].items():
                content = folders.read_optional(path)
                if digest_if_any(content) != mark:
                    return None
            return noted
    except (FileNotFoundError, OSError, WorkspaceError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(root: Path, key: Mapping[str, Any], files: Mapping[str, str | None], said: Any) -> None:
    """Note the digests of all files of a compile, and what is to be said when it is recalled.

    A note that cannot be written is none: the next compile runs.
    """
    with contextlib.suppress(OSError, WorkspaceError):
        with Folders(root) as folders:
            ledgers = ledgers_on_disk(folders)
        noted = {"format": FORMAT, "key": key, "ledgers": ledgers, "files": files, "said": said}
        write_note(root, NAME, noted)
