"""Print the JSON Schema of platform.yaml, made from the types that read it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from plinth.cli import DONE

if TYPE_CHECKING:
    import argparse

    from plinth.cli.console import Console

EXAMPLES = """\
examples:
  plinth schema > platform.schema.json

An editor with the YAML language server checks a file whose first line is
  # yaml-language-server: $schema=./platform.schema.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`plinth schema` has one form and no options."""
    del parser


def run(options: argparse.Namespace, console: Console) -> int:
    """Print the schema."""
    from plinth.spec.schema import schema_text  # noqa: PLC0415 - brings pydantic

    del options, console
    sys.stdout.write(schema_text())
    return DONE
