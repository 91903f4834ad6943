"""Where the ledgers of a tree lie. Apart from what is done with them: `stamp` needs no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plinth.workspace.folders import Folders


def ledger_paths(group: str) -> tuple[str, str]:
    """A group's settled ledger, and the next one, which is there while a write is under way."""
    return f"generated/{group}/index.jsonl", f"generated/{group}/index.next.jsonl"


def ledgers_on_disk(folders: Folders) -> list[str]:
    """The paths of all ledgers that are there, settled ones and next ones; none is read."""
    return [
        path
        for name in names_on_disk(folders)
        for path in ledger_paths(name)
        if path.rpartition("/")[2] in folders.names(f"generated/{name}")[1]
    ]


def names_on_disk(folders: Folders) -> list[str]:
    """The names of all folders that may be a group's; sorted."""
    try:
        return folders.names("generated")[0]
    except FileNotFoundError:
        return []
