"""From words to a command, and from what goes wrong to a message and an exit code."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from plinth.cli import COMMANDS, DONE, INTERRUPTED, WRONG
from plinth.cli.console import Console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plinth.diagnostics.diagnostic import Diagnostic, PlinthError

DESCRIPTION = (
    "Compile one platform.yaml into Terraform JSON and kustomize overlays for a machine-learning platform."
)
EPILOG = """\
commands:
{commands}

examples:
  plinth compile                 write what platform.yaml declares
  plinth compile --check         exit 2 if the tree is not what it compiles to
  plinth explain PLN305          what a diagnostic means

exit codes: 0 done or nothing to do, 1 something is wrong, 2 differences, 3 incomplete
"""


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are diagnostics, with exit code 1: 2 means differences."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        raise _mistyped(message[:1].lower() + message[1:], f"see `{self.prog} --help`")


def run(words: Sequence[str]) -> int:
    """Run a command with its words; every fault that is not ours becomes a message."""
    console = Console(as_json=_wants_json(words))
    try:
        code = _dispatch(words, console)
        sys.stdout.flush()
    except KeyboardInterrupt:
        console.say("interrupted: whatever was begun is completed by the next run")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not complain at its end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WRONG
    except Exception as error:
        found = _told(error)
        if found is None:  # our own fault keeps its traceback
            raise
        console.diagnostics(found)
        return WRONG
    return code


def _told(error: Exception) -> tuple[Diagnostic, ...] | None:
    """What a user's or the world's fault says; None for any other."""
    from plinth.diagnostics.diagnostic import PlinthError, SpecError  # noqa: PLC0415 - only who fails pays for it

    match error:
        case SpecError():
            return error.diagnostics
        case PlinthError():
            return (error.diagnostic,)
        case _:
            return None


def _mistyped(message: str, help_: str) -> PlinthError:
    from plinth.diagnostics.diagnostic import Diagnostic, PlinthError  # noqa: PLC0415 - as above

    return PlinthError(Diagnostic(code="PLN909", message=message, help=help_))


def _dispatch(words: Sequence[str], console: Console) -> int:
    first = next((word for word in words if not word.startswith("-")), None)
    if not words or (first is None and {"-h", "--help"} & set(words)):
        sys.stdout.write(_help())
        return DONE
    if words[0] not in COMMANDS:
        from plinth.diagnostics.suggest import did_you_mean  # noqa: PLC0415 - as above

        raise _mistyped(
            f"there is no command `{words[0]}`",
            did_you_mean(words[0], COMMANDS, otherwise="see `plinth --help`"),
        )
    command = importlib.import_module(f"plinth.cli.{words[0]}")
    parser = Parser(
        prog=f"plinth {words[0]}",
        description=command.__doc__,
        epilog=command.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    command.add_arguments(parser)
    try:
        options = parser.parse_args(words[1:])
    except SystemExit as stop:  # `--help` has been printed
        return int(stop.code or 0)
    result: int = command.run(options, console)
    return result


def _help() -> str:
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name.ljust(width)}  {line}" for name, line in COMMANDS.items())
    return f"usage: plinth COMMAND [OPTIONS]\n\n{DESCRIPTION}\n\n" + EPILOG.format(commands=commands)


def _wants_json(words: Sequence[str]) -> bool:
    """Read before anything else, so that a mistyped line is answered in the form that was asked for."""
    pairs = itertools.pairwise([*words, ""])
    return any(word == "--format=json" or (word == "--format" and value == "json") for word, value in pairs)
