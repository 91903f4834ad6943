"""What can be said exactly, where a time is noisy: modules that are loaded, files that are touched."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Final

from budgets import VERSION, Claim
from timing import process_environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trees import Tree

AT_START: Final = (
    "pydantic",
    "yaml",
    "rich",
    "kubernetes",
    "git",
    "asyncio",
    "importlib.metadata",
    "dataclasses",
)
"""Modules that `plinth --version` must not load."""

WHEN_CURRENT: Final = ("pydantic", "yaml", "git")
"""Modules that a compile with nothing to do must not load."""


def exact_claims(trees: Mapping[str, Tree]) -> list[Claim]:
    """Modules loaded that must not be, and files touched whose bytes are as before; none of either may be."""
    found = [_none(VERSION, f"modules of {', '.join(AT_START[:2])}, ...", _loaded(("--version",), AT_START))]
    for name, tree in trees.items():
        tree.clear()
        tree.plinth("compile")
        words = ("compile", "-C", str(tree.root))
        loaded = _loaded(words, WHEN_CURRENT, tree.plugins)
        found.append(_none(f"{name}: nothing changed", f"modules of {', '.join(WHEN_CURRENT)}", loaded))
        found.append(_none(f"{name}: one value changed", "files touched in vain", _touched(tree)))
    return found


def _none(what: str, of: str, count: int) -> Claim:
    return Claim(what=what, of=of, value=count, unit="", limit=0)


def _loaded(
    words: tuple[str, ...], forbidden: tuple[str, ...], variables: Mapping[str, str] | None = None
) -> int:
    code = (
        "import sys; from plinth.cli import main; main(sys.argv[1:-1]); "
        "print(len({name for name in sys.argv[-1].split(',') if name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words, ",".join(forbidden)],
        check=True,
        capture_output=True,
        text=True,
        env=process_environment(variables),
    )
    return int(done.stdout.split()[-1])


def _touched(tree: Tree) -> int:
    """How many files have a new time, or are new, and hold the same bytes after a change of one value."""
    before = _state(tree.root)
    tree.change()
    tree.plinth("compile")
    after = _state(tree.root)
    return sum(
        1
        for path, (mark, content) in after.items()
        if path in before and before[path][0] != mark and before[path][1] == content
    )


def _state(root: Path) -> dict[Path, tuple[tuple[int, int], bytes]]:
    found = {}
    for top in ("overlays", "generated"):
        for path in (root / top).rglob("*"):
            if path.is_file():
                status = path.stat()
                found[path] = (status.st_ino, status.st_mtime_ns), path.read_bytes()
    return found
