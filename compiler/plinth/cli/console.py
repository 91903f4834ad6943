"""What is printed, and where: data to stdout, everything said about it to stderr."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plinth.diagnostics.diagnostic import Diagnostic


class Console:
    """The two streams of one command."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.sources: dict[str, bytes] = {}
        """What was read, so that a message can show the line it speaks of."""

    def say(self, line: str) -> None:
        """A line for the person; a program that asked for JSON gets none."""
        if not self.as_json:
            sys.stderr.write(f"{line}\n")

    def data(self, document: dict[str, Any]) -> None:
        """The one object of a command that was asked for JSON."""
        if self.as_json:
            sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")

    def text(self, text: str) -> None:
        """The data of a command that was not asked for JSON."""
        if not self.as_json:
            sys.stdout.write(text)

    def diagnostics(self, found: tuple[Diagnostic, ...]) -> None:
        """Faults or warnings of a command that gives nothing else."""
        if self.as_json:
            from plinth.diagnostics.show import as_json  # noqa: PLC0415 - only who has a fault pays for it

            self.data(as_json(found))
            return
        self.warn(found)
        errors = sum(each.severity == "error" for each in found)
        if errors:
            codes = sorted({each.code for each in found if each.severity == "error"})
            sys.stderr.write(f"{_count(errors, 'error')}; see `plinth explain {codes[0]}`\n")

    def warn(self, found: tuple[Diagnostic, ...]) -> None:
        """Diagnostics as text, whatever form the data has."""
        colour = sys.stderr.isatty() and "NO_COLOR" not in os.environ
        self.say_as_is(self.warnings(found, colour=colour))

    def warnings(self, found: tuple[Diagnostic, ...], *, colour: bool = False) -> str:
        """Diagnostics as the text that `warn` writes; empty where there are none."""
        if not found:
            return ""
        from plinth.diagnostics.show import as_text  # noqa: PLC0415 - as above

        return as_text(found, self.sources, colour=colour) + "\n"

    def say_as_is(self, text: str) -> None:
        """Text that was made to be read, to stderr."""
        sys.stderr.write(text)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
