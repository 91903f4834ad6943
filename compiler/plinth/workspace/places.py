"""Where the ledgers of a tree lie. Apart from what is done with them: `stamp` needs no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plinth.workspace.folders import Folders


def ledger_paths(group: str) -> tuple[str, str]:
    """A group's settled ledger, and the next one, which is there while a write is under way."""
    return f"generated/{group}/index.jsonl", f"generated/{group}/index.next.jsonl"


def names_on_disk(folders: Folders) -> list[str]:
    """The names of all folders that may be a group's; sorted."""
    try:
        return folders.names("generated")[0]
    except FileNotFoundError:
        return []
