"""From words to a command, and from what goes wrong to a message and an exit code."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from plinth.cli import COMMANDS, DONE, INTERRUPTED, WRONG
from plinth.cli.console import Console
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError, SpecError
from plinth.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

DESCRIPTION = "Compile one platform.yaml into Terraform JSON and kustomize overlays for a machine-learning platform."
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
        raise PlinthError(
            Diagnostic(code="PLN909", message=message[:1].lower() + message[1:], help=f"see `{self.prog} --help`")
        )


def run(words: Sequence[str]) -> int:
    """Run a command with its words; every fault that is not ours becomes a message."""
    console = Console(as_json=_wants_json(words))
    try:
        code = _dispatch(words, console)
        sys.stdout.flush()
    except SpecError as error:
        console.diagnostics(error.diagnostics)
        return WRONG
    except PlinthError as error:
        console.diagnostics((error.diagnostic,))
        return WRONG
    except KeyboardInterrupt:
        console.say("interrupted: whatever was begun is completed by the next run")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not complain at its end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WRONG
    return code


def _dispatch(words: Sequence[str], console: Console) -> int:
    first = next((word for word in words if not word.startswith("-")), None)
    if not words or (first is None and {"-h", "--help"} & set(words)):
        sys.stdout.write(_help())
        return DONE
    if words[0] not in COMMANDS:
        raise PlinthError(
            Diagnostic(
                code="PLN909",
                message=f"there is no command `{words[0]}`",
                help=did_you_mean(words[0], COMMANDS, otherwise="see `plinth --help`"),
            )
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
    pairs = zip(words, [*words[1:], ""], strict=True)
    return any(word == "--format=json" or (word == "--format" and value == "json") for word, value in pairs)
