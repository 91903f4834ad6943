"""Results that are dear to make and cheap to make again, kept in `.plinth/` by the digest of their source.

Nothing is ever wrong for want of one: what cannot be read, or was never written, is made anew.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from typing import TYPE_CHECKING, Any

from plinth.workspace.errors import WorkspaceError
from plinth.workspace.folders import Folders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_FOLDER = ".plinth/parsed"


def cached(root: Path, key: str, make: Callable[[], Any]) -> Any:
    """The plain data that `make` gives, from the cache where it was made under this key before.

    `key` is a digest of all that decides the data.
    """
    path = f"{_FOLDER}/{re.sub('[^0-9a-f]', '', key.partition(':')[2])}.json"
    with contextlib.suppress(OSError, WorkspaceError, ValueError), Folders(root) as folders:
        return json.loads(folders.read(path))
    data = make()
    with contextlib.suppress(OSError):
        _keep(root, path, data)
    return data


def _keep(root: Path, path: str, data: Any) -> None:
    if (root / ".plinth").is_symlink() or (root / _FOLDER).is_symlink():
        return
    (root / _FOLDER).mkdir(parents=True, exist_ok=True)
    draft = root / f"{path}.{os.getpid()}"
    draft.write_text(json.dumps(data), encoding="utf-8")
    draft.replace(root / path)
