"""`plinth compile --diff`: say what would change against a commit.

Where the last compile is noted, and the commit has every file of it, nothing changes: that is found out
without the compiler.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plinth.cli import DIFFERENT, DONE
from plinth.cli.committed import is_committed
from plinth.live.git import Revision
from plinth.plan import Diff
from plinth.plan.show import Places, as_json, as_markdown, as_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from plinth.cli.console import Console

WIDTH: Final = 100
"""Columns of a line where stdout is no terminal."""

_NOTHING: Final = Diff(spec=(), changes=())


def run(options: argparse.Namespace, console: Console, noted: Mapping[str, Any] | None) -> int:
    """Compare and show; `noted` is the note of the last compile, if the folder still is as that left it."""
    if noted is not None and _is_committed(options, noted):
        console.say_as_is(noted["said"]["warnings"])
        _show(
            _NOTHING, Places(file=options.file, base=options.base, documents=(None, None)), options, console
        )
        return DONE
    from plinth.cli.comparison import compared  # noqa: PLC0415 - the compiler, for when there is something to do

    found, places = compared(options, console)
    _show(found, places, options, console)
    return DONE if found.is_empty else DIFFERENT


def _is_committed(options: argparse.Namespace, noted: Mapping[str, Any]) -> bool:
    root = Path(options.directory)
    with Revision(root, options.base) as revision:
        return is_committed(root, noted["files"], revision)


def _show(found: Diff, places: Places, options: argparse.Namespace, console: Console) -> None:
    match options.format:
        case "json":
            console.data(as_json(found, places))
        case "markdown":
            console.text(as_markdown(found, places))
        case _:
            is_terminal = sys.stdout.isatty()
            width = shutil.get_terminal_size().columns if is_terminal else WIDTH
            colour = is_terminal and "NO_COLOR" not in os.environ
            console.text(as_text(found, places, width=width, colour=colour))
