"""The only file access in Plinth: reading what people wrote, and writing what was compiled.

A `Workspace` is a repository on disk. It reads inputs and remembers what it read, plans a
write by comparing files with what is wanted, and writes a plan as a transaction. The files
come in groups, one per environment, and `base` and `vendor`; `generated/<group>/index.jsonl`
is a group's ledger and says which files are ours. All paths are texts from the repository root
with `/`; no link below the root is ever followed.

POSIX systems only: descriptors of folders and `flock` have no like on Windows, where Plinth
runs under WSL.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plinth.workspace.calls import FileCalls
    from plinth.workspace.errors import (
        BadLedger,
        Busy,
        HandEdited,
        InputChanged,
        LinkInTree,
        NotAFile,
        NotAFolder,
        OutputChanged,
        OutsideTree,
        ReadFailed,
        WorkspaceError,
        WriteFailed,
    )
    from plinth.workspace.groups import Known
    from plinth.workspace.plan import Plan
    from plinth.workspace.tree import Workspace

__all__ = [
    "BadLedger",
    "Busy",
    "FileCalls",
    "HandEdited",
    "InputChanged",
    "Known",
    "LinkInTree",
    "NotAFile",
    "NotAFolder",
    "OutputChanged",
    "OutsideTree",
    "Plan",
    "ReadFailed",
    "Workspace",
    "WorkspaceError",
    "WriteFailed",
]

_HOMES = {"FileCalls": "calls", "Known": "groups", "Plan": "plan", "Workspace": "tree"}


def __getattr__(name: str) -> Any:
    """A public name, its module imported when it is first asked for: `stamp` must not pay for the rest."""
    if name not in __all__:
        raise AttributeError(f"{__name__} has no {name}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
