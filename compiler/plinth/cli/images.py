"""List the container images that the platform's pods name, and where.

Pods that a program makes later, such as notebooks, are no part of the compiled tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.cli import DONE
from plinth.cli.project import Project, told
from plinth.cli.tree_arguments import add_tree_arguments
from plinth.pipeline import compile_spec
from plinth.reports.images import Environment, UsedImage, images

if TYPE_CHECKING:
    import argparse

    from plinth.cli.console import Console

EXAMPLES = """\
examples:
  plinth images                  every image, with the components that use it
  plinth images --format json    for a mirror, a scanner or an allow-list
"""

SCHEMA = "plinth.dev/images/v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `plinth images`."""
    add_tree_arguments(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Compile in memory and list what the pods name."""
    with told():
        project = Project(options, console)
        result = compile_spec(project.spec(), project.file, project.inputs(), as_files=False)
    found = images(
        Environment(
            name=each.environment.name,
            graph=each.graph,
            objects=[(final.application.component, final.body) for final in each.objects],
        )
        for each in result.compilations
    )
    console.data(
        {
            "schema": SCHEMA,
            "images": [
                {
                    "image": each.reference,
                    "pinned": each.is_pinned,
                    "usedBy": [
                        {"environment": name, "component": component} for name, component in each.used_by
                    ],
                }
                for each in found
            ],
        }
    )
    console.text("".join(_line(each) for each in found))
    loose = sum(not each.is_pinned for each in found)
    console.say(f"{len(found)} images, {loose} by tag alone")
    return DONE


def _line(image: UsedImage) -> str:
    users = sorted({component for _, component in image.used_by})
    return f"{image.reference}  {', '.join(users)}\n"
