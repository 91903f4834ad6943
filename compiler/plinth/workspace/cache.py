"""Results that are dear to make and cheap to make again, kept in `.plinth/` by the digest of their source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plinth.workspace.notes import read_note, write_note

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def cached(root: Path, key: str, make: Callable[[], Any]) -> Any:
    """The plain data that `make` gives, from the cache where it was made under this key before.

    `key` is a digest of all that decides the data.
    """
    found = recalled(root, key)
    if found is None:
        found = make()
        keep(root, key, found)
    return found


def recalled(root: Path, key: str) -> Any:
    """The plain data that was kept under a key; None where there is none."""
    return read_note(root, _name(key))


def keep(root: Path, key: str, data: Any) -> None:
    """Keep plain data under the digest of all that decides it."""
    write_note(root, _name(key), data)


def _name(key: str) -> str:
    return f"parsed/{key.rpartition(':')[2]}.json"
