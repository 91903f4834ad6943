"""Print what makes a shell complete the commands of plinth and their options."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from plinth.cli import COMMANDS, DONE

if TYPE_CHECKING:
    import argparse

    from plinth.cli.console import Console

EXAMPLES = """\
examples:
  plinth completion bash > ~/.local/share/bash-completion/completions/plinth
  plinth completion zsh > ~/.zfunc/_plinth      with ~/.zfunc in $fpath, before compinit
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument("shell", choices=("bash", "zsh"), help="the shell that is to complete")


def run(options: argparse.Namespace, console: Console) -> int:
    """Print the script."""
    import shtab  # noqa: PLC0415 - only who asks pays for it

    del console
    sys.stdout.write(shtab.complete(_whole_parser(), options.shell))
    return DONE


def _whole_parser() -> argparse.ArgumentParser:
    """Every command as a subcommand; a command line is parsed without the others, which it would load."""
    import shtab  # noqa: PLC0415 - as above

    from plinth.cli.run import Parser  # noqa: PLC0415 - it imports this module's package

    whole = Parser(prog="plinth", description="Compile one platform.yaml.")
    whole.add_argument("--version", action="store_true", help="print the version")
    commands = whole.add_subparsers(dest="command")
    kinds = {"DIR": shtab.DIRECTORY, "FILE": shtab.FILE}
    for name, line in COMMANDS.items():
        parser = commands.add_parser(name, help=line, allow_abbrev=False)
        importlib.import_module(f"plinth.cli.{name}").add_arguments(parser)
        for action in parser._actions:  # noqa: SLF001 - argparse has no other way to list them
            if action.metavar in kinds:
                action.complete = kinds[action.metavar]  # type: ignore[attr-defined]  # shtab's own
    return whole
