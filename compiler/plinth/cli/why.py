"""Say which line of the spec a compiled line comes from, or what a part of the spec becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plinth.cli import DONE
from plinth.cli.project import Project, told
from plinth.cli.tree_arguments import add_tree_arguments
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError
from plinth.diagnostics.suggest import did_you_mean
from plinth.ir.origins import place_of
from plinth.reports.why import Reason, at_address, becomes, why_file, why_line
from plinth.text.nodes import read_yaml

if TYPE_CHECKING:
    import argparse

    from plinth.cli.console import Console
    from plinth.ir.ledger import Entry
    from plinth.text.nodes import Node

EXAMPLES = """\
examples:
  plinth why overlays/prod/mlflow/deployment-mlflow.yaml:27
  plinth why generated/prod/terraform/cluster/google_container_node_pool.tf.json
  plinth why google_container_node_pool.t4
  plinth why Deployment/mlflow
  plinth why spec.nodePools.t4.nodes.max
"""

SCHEMA = "plinth.dev/why/v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `plinth why`."""
    parser.add_argument(
        "what",
        metavar="FILE[:LINE]|ADDRESS|SPEC.PATH",
        help="a compiled file, one of its lines, a resource, or a path",
    )
    add_tree_arguments(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Look the answer up in the ledgers."""
    with told():
        project = Project(options, console)
        document, _ = read_yaml(project.spec(), project.file)
        reasons = _reasons(project, options.what)
    answers = [_answer(each, document, project.file) for each in reasons]
    console.data({"schema": SCHEMA, "answers": answers})
    console.text("".join(_shown(each) for each in answers))
    return DONE


def _reasons(project: Project, what: str) -> tuple[Reason, ...]:
    entries = project.entries()
    by_path = {entry.path: entry for entry in entries}
    if what.startswith(("spec.", "metadata.")) or what in {"spec", "metadata"}:
        found = becomes(entries, what)
        if not found:
            raise _nothing(
                f"nothing in the compiled tree comes from `{what}`",
                "see `plinth why FILE` for the paths there are",
            )
        return found
    path, _, line = what.rpartition(":")
    if path in by_path and line.isdecimal():
        return (_line(project, by_path[path], int(line)),)
    if what in by_path:
        return why_file(by_path[what])
    found = at_address(entries, what)
    if not found:
        close = did_you_mean(
            what, by_path, otherwise="name a compiled file, `FILE:LINE`, an address or a path of the spec"
        )
        raise _nothing(f"no compiled file, resource or object is called `{what}`", close)
    return found


def _line(project: Project, entry: Entry, line: int) -> Reason:
    data = project.workspace.read(entry.path)
    try:
        return why_line(entry, data, line)
    except IndexError as error:
        raise _nothing(str(error), "name a line that it has") from None
    except ValueError as error:
        raise _nothing(
            f"`{entry.path}` cannot be read: {' '.join(str(error).split())}",
            "it was edited: bring it back with `plinth compile --overwrite`, or ask about the whole file",
        ) from None


def _answer(reason: Reason, document: Node | None, file: str) -> dict[str, Any]:
    return {
        "file": reason.file,
        "line": reason.line,
        "pointer": reason.pointer,
        "origins": [place_of(each, document, file) for each in reason.origins],
    }


def _shown(answer: dict[str, Any]) -> str:
    place = answer["file"] + (f":{answer['line']}" if answer["line"] else "")
    lines = [f"{place} {answer['pointer']}".rstrip()]
    for each in answer["origins"]:
        if "because" in each:
            lines.append(f"  the compiler, because {each['because']}")
        elif each["line"]:
            lines.append(f"  {each['file']}:{each['line']} {each['path']}")
        else:
            lines.append(f"  {each['path']} (no longer in the spec: compile again)")
    return "\n".join(lines) + "\n"


def _nothing(message: str, help_: str) -> PlinthError:
    return PlinthError(Diagnostic(code="PLN909", message=message, help=help_))
