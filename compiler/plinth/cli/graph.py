"""Draw the platform: the Terraform roots and the Applications, in the order in which they come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.cli import DONE
from plinth.cli.project import Project, told
from plinth.cli.tree_arguments import (
    add_directory_arguments,
    add_environment_argument,
    add_format_argument,
)
from plinth.pipeline import compile_spec
from plinth.reports.drawing import as_data, as_mermaid, as_text

if TYPE_CHECKING:
    import argparse

    from plinth.cli.console import Console

EXAMPLES = """\
examples:
  plinth graph                          what comes before what, as text
  plinth graph --env prod --format mermaid
"""

SCHEMA = "plinth.dev/graph/v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `plinth graph`."""
    add_directory_arguments(parser)
    add_format_argument(parser, "mermaid")
    add_environment_argument(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Compile in memory and draw the order."""
    with told():
        project = Project(options, console)
        result = compile_spec(project.spec(), project.file, project.inputs(), as_files=False)
    chosen = result.named(options.environments)
    drawn = {each.environment.name: as_data(each.graph) for each in chosen}
    console.data({"schema": SCHEMA, "environments": drawn})
    draw = as_mermaid if options.format == "mermaid" else as_text
    console.text("\n".join(draw(name, data) for name, data in drawn.items()))
    return DONE
