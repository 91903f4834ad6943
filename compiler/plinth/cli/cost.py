"""Say what the platform costs in a month: per pool and environment, idle, expected and at most.

Machines are counted at the prices that plinth.lock.yaml pins, all else at dated list prices. What is not
counted is named. Nothing is written and nothing is fetched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.cli import DIFFERENT, DONE, INCOMPLETE
from plinth.cli.tree_arguments import (
    add_directory_arguments,
    add_environment_argument,
    add_format_argument,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from decimal import Decimal

    from plinth.cli.console import Console
    from plinth.ir.money import CostChange
    from plinth.reports.cost import EnvironmentCost

EXAMPLES = """\
examples:
  plinth cost                      every environment: idle floor, expected, ceiling
  plinth cost --env prod           one environment
  plinth cost --hours 40           nodes that come and go run 40 hours a month, not 176
  plinth cost --diff               what an edit does to the bill; exit 2 if anything
  plinth cost --diff --base origin/main --format markdown
"""

MOST_HOURS = 730


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `plinth cost`."""
    add_directory_arguments(parser)
    add_format_argument(parser, "markdown")
    add_environment_argument(parser)
    parser.add_argument(
        "--hours",
        metavar="HOURS",
        default="176",
        help="how long in a month a node above its pool's `min` runs, of 730 (default: %(default)s)",
    )
    parser.add_argument(
        "--diff", action="store_true", help="say what changes against a commit, and exit 2 if anything does"
    )
    parser.add_argument("--base", metavar="REV", help="the commit that --diff compares with (default: HEAD)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Compile in memory and count."""
    from plinth.cli.priced import priced  # noqa: PLC0415 - the compiler proper, after the line was read
    from plinth.reports.cost_show import as_json, as_markdown, as_text  # noqa: PLC0415 - the same

    hours = _hours(options.hours)
    if options.diff:
        return _diff(options, console, hours)
    if options.base is not None:
        raise _mistyped("`--base` is for `--diff`", "add `--diff`, or leave it out")
    from plinth.cli.project import Project, told  # noqa: PLC0415 - the same
    from plinth.pipeline import compile_spec  # noqa: PLC0415 - the same

    with told():
        project = Project(options, console)
        result = compile_spec(project.spec(), project.file, project.inputs(), as_files=False)
        console.warn(result.diagnostics)
    found = priced(result.named(options.environments), (), hours)
    console.data(as_json(found, hours))
    console.text((as_markdown if options.format == "markdown" else as_text)(found, hours))
    return DONE


def _diff(options: argparse.Namespace, console: Console, hours: Decimal) -> int:
    from plinth.cli.comparison import compiled_twice  # noqa: PLC0415 - git, for who compares
    from plinth.cli.priced import priced  # noqa: PLC0415 - as above
    from plinth.reports.cost_change import cost_changes  # noqa: PLC0415 - as above

    options.base = "HEAD" if options.base is None else options.base
    before, after = compiled_twice(options, console)
    new = priced(after, options.environments, hours)
    if before is None:
        console.say("what it cost before is not known: run `plinth cost` for what it costs now")
        return INCOMPLETE
    changes = cost_changes(priced(before, options.environments, hours), new)
    _show(options, console, hours, new, changes)
    return DIFFERENT if changes else DONE


def _show(
    options: argparse.Namespace,
    console: Console,
    hours: Decimal,
    after: Sequence[EnvironmentCost],
    changes: tuple[CostChange, ...],
) -> None:
    from plinth.diagnostics.show import printable  # noqa: PLC0415 - as above
    from plinth.plan.costs import cost_lines, costs_json  # noqa: PLC0415 - as above
    from plinth.reports.cost_show import as_json  # noqa: PLC0415 - as above

    console.data({**as_json(after, hours), "base": options.base, "cost": costs_json(changes)})
    lines = [line.rstrip() for line in cost_lines(changes)] or ["nothing changes"]
    if options.format == "markdown":
        body = ["```diff", *lines, "```"] if changes else lines
        console.text("\n".join(["### Plinth: cost, USD a month", "", *body, ""]))
    else:
        title = f"cost against {printable(options.base)}, USD a month:"
        console.text("\n".join([title, "", *lines, ""]))


def _hours(text: str) -> Decimal:
    from decimal import Decimal, InvalidOperation  # noqa: PLC0415 - as above

    try:
        hours = Decimal(text)
    except InvalidOperation:
        hours = Decimal(-1)
    if not (hours.is_finite() and 0 <= hours <= MOST_HOURS):
        raise _mistyped(f"`--hours {text}` is no number of hours in a month", "write one from 0 to 730")
    return hours


def _mistyped(message: str, help_: str) -> Exception:
    from plinth.diagnostics.diagnostic import Diagnostic, PlinthError  # noqa: PLC0415 - only who fails pays

    return PlinthError(Diagnostic(code="PLN909", message=message, help=help_))
