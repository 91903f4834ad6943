"""Notes that one compile leaves for the next, as JSON in `.plinth/`, which git ignores.

Nothing is ever wrong for want of one: what cannot be read, or was never written, is found out anew.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any, Final

from plinth.workspace.errors import WorkspaceError
from plinth.workspace.folders import Folders

if TYPE_CHECKING:
    from pathlib import Path

FOLDER: Final = ".plinth"


def read_note(root: Path | str, name: str) -> Any:
    """The plain data of a note by its path below `.plinth/`, or None; no link is followed."""
    with contextlib.suppress(OSError, WorkspaceError, ValueError), Folders(root) as folders:
        return json.loads(folders.read(f"{FOLDER}/{name}"))
    return None


def write_note(root: Path, name: str, data: Any) -> None:
    """Write a note, all of it or nothing. One that cannot be written is none."""
    path = root / FOLDER / name
    if path.parent.is_symlink() or (root / FOLDER).is_symlink():
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")
        draft.replace(path)
