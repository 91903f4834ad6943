"""Record what only an apply tells and manifests need: outputs.lock.yaml.

Only outputs that the compiled Terraform declares are taken, and none that is sensitive. Compile
afterwards: the Applications that waited for them are delivered then.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from plinth.cli import DONE
from plinth.cli.tree_arguments import add_tree_arguments

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from plinth.cli.console import Console
    from plinth.cli.environment import Chosen

EXAMPLES = """\
examples:
  plinth outputs dev                      ask Terraform, in each root that has outputs
  plinth outputs dev --from outputs.json  from a file that `terraform output -json` made
  terraform -chdir=generated/dev/terraform/platform output -json | plinth outputs dev --from -
"""

SCHEMA = "plinth.dev/outputs/v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `plinth outputs`."""
    parser.add_argument("environment", metavar="ENV", help="the environment whose outputs they are")
    add_tree_arguments(parser)
    parser.add_argument(
        "--from",
        dest="source",
        metavar="FILE",
        help="what `terraform output -json` printed; `-` for stdin (default: run it)",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Read outputs, and write the record."""
    # Pydantic and git, which a mistyped line need not pay for.
    from plinth.bootstrap.outputs import recorded, taken  # noqa: PLC0415
    from plinth.cli.environment import choose, write  # noqa: PLC0415
    from plinth.cli.project import told  # noqa: PLC0415
    from plinth.ir.outputs import PATH, outputs_text  # noqa: PLC0415

    with told():
        chosen = choose(options, console)
        declared = chosen.declared
        values: dict[str, str] = {}
        for source, text in _printed(options.source, chosen):
            found = taken(text, declared, source)
            values |= found.values
            if found.left_out:
                console.say(
                    f"left out, since the compiled tree does not declare it: {', '.join(found.left_out)}"
                )
        before = chosen.project.outputs()
        after = recorded(before, chosen.name, values, declared)
        is_new = dict(after) != dict(before) and write(chosen.project, {PATH: outputs_text(after)}, "outputs")
        known = sorted(after.get(chosen.name, {}))
        missing = sorted(declared - set(known))
    console.data(
        {
            "schema": SCHEMA,
            "environment": chosen.name,
            "written": [PATH] if is_new else [],
            "recorded": known,
            "missing": missing,
        }
    )
    for name in missing:
        console.say(f"not known yet: {name}; apply its root first")
    if is_new:
        console.say(f"wrote {PATH}; next: `plinth compile`, and commit both")
    else:
        console.say(f"nothing to do: {PATH} has {len(known)} outputs of {chosen.name}")
    return DONE


def _printed(source: str | None, chosen: Chosen) -> Iterator[tuple[str, bytes | str]]:
    """What Terraform printed, with words for where it is from."""
    from plinth.bootstrap.first_hour import HOW_TO_GET, outputs_command  # noqa: PLC0415 - as above
    from plinth.diagnostics.diagnostic import Diagnostic, PlinthError  # noqa: PLC0415 - as above
    from plinth.live.programs import check_programs, terraform  # noqa: PLC0415 - as above
    from plinth.live.programs import run as run_program  # noqa: PLC0415 - as above

    if source == "-":
        yield "stdin", sys.stdin.buffer.read()
        return
    if source is not None:
        try:
            yield f"`{source}`", Path(source).read_bytes()
        except OSError as error:
            raise PlinthError(
                Diagnostic(
                    code="PLN905",
                    message=f"`{source}` cannot be read: {error.strerror}",
                    help="name what `terraform output -json` printed",
                )
            ) from None
        return
    roots = [root for root in chosen.roots if root.outputs]
    program = terraform()
    if roots:
        check_programs({program: HOW_TO_GET["terraform"]})
    for root in roots:
        argv = outputs_command(root, program).argv
        ended = run_program(argv, chosen.project.root)
        if ended.code:
            raise PlinthError(
                Diagnostic(
                    code="PLN941",
                    message="\n".join([f"`{' '.join(argv)}` ended with {ended.code}", *ended.complaints]),
                    help="apply the root first: `plinth bootstrap` does",
                )
            )
        yield f"the root `{root.name}`", ended.output
