"""Make an environment: state bucket, Terraform roots in order, kubeconfig, Argo CD.

Each step asks first whether it is done, so this can be stopped at any moment and run again. Before an
apply the plan is shown and a person is asked. Exit codes: 0 all is there, 3 something is left for
you to do, 1 a step failed, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from plinth.cli import DONE
from plinth.cli.tree_arguments import add_tree_arguments

if TYPE_CHECKING:
    import argparse

    from plinth.cli.carrying_out import Outcomes
    from plinth.cli.console import Console

EXAMPLES = """\
examples:
  plinth bootstrap dev --plan    print every command, run none
  plinth bootstrap dev           carry them out, asking before each apply
  plinth bootstrap dev --yes     ask nothing; a plan that destroys something is refused
"""

SCHEMA = "plinth.dev/bootstrap/v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `plinth bootstrap`."""
    parser.add_argument("environment", metavar="ENV", help="the environment to make")
    add_tree_arguments(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--plan", action="store_true", help="print every command in order, and run none")
    how.add_argument("--yes", action="store_true", help="apply without asking")


def run(options: argparse.Namespace, console: Console) -> int:
    """Print the steps, or carry them out."""
    # Pydantic and git, which a mistyped line need not pay for.
    from plinth.bootstrap.first_hour import first_hour, programs  # noqa: PLC0415
    from plinth.bootstrap.show import as_script, plan_data  # noqa: PLC0415
    from plinth.cli.carrying_out import can_ask, carry_out  # noqa: PLC0415
    from plinth.cli.environment import choose  # noqa: PLC0415
    from plinth.cli.project import told  # noqa: PLC0415
    from plinth.live.programs import check_programs, terraform, terraform_named  # noqa: PLC0415

    with told():
        chosen = choose(options, console)
        console.warn(chosen.result.diagnostics)
        program = terraform_named() if options.plan else terraform()
        commands = chosen.compilation.commands
        steps = first_hour(
            chosen.name, chosen.roots, commands, terraform=program, repository=chosen.repository
        )
        if options.plan:
            console.data({"schema": SCHEMA, "environment": chosen.name, "plan": plan_data(steps)})
            console.text(as_script(steps, options.directory))
            return DONE
        if not options.yes and not can_ask():
            raise nobody_to_ask("--yes")
        check_programs(programs(chosen.roots, commands, program))
        chosen.check_tree()
        again = shlex.join(["plinth", "bootstrap", chosen.name, *place(options)])
        outcomes = carry_out(steps, chosen, console, is_sure=options.yes, again=again)
    return report(SCHEMA, chosen.name, outcomes, console, again)


def place(options: argparse.Namespace) -> list[str]:
    """The words that say which platform is meant."""
    folder = ["-C", options.directory] if options.directory != "." else []
    return [*folder, *(["-f", options.file] if options.file != "platform.yaml" else [])]


def nobody_to_ask(option: str) -> Exception:
    """The fault of a run that would have to ask, where nobody can answer."""
    from plinth.diagnostics.diagnostic import Diagnostic, PlinthError  # noqa: PLC0415 - only who fails pays for it

    return PlinthError(
        Diagnostic(
            code="PLN909",
            message="there is no terminal to ask on, and every apply is asked for",
            help=f"print the commands with `--plan`, or agree beforehand with `{option}`",
        )
    )


def report(schema: str, environment: str, outcomes: Outcomes, console: Console, again: str) -> int:
    """Say what was done: a table, or an object with what went wrong in it."""
    from plinth.bootstrap.show import as_table, records_data  # noqa: PLC0415 - as above
    from plinth.cli import INCOMPLETE, INTERRUPTED  # noqa: PLC0415 - as above
    from plinth.diagnostics.show import as_json  # noqa: PLC0415 - as above

    faults = (outcomes.fault,) if outcomes.fault else ()
    console.data(
        {
            "schema": schema,
            "environment": environment,
            "steps": records_data(outcomes.records),
            "diagnostics": as_json(faults)["diagnostics"],
        }
    )
    console.text(as_table(outcomes.records))
    if faults and not console.as_json:
        console.diagnostics(faults)
    elif outcomes.code == INTERRUPTED:
        console.say(f"stopped: what was done stays; go on with `{again}`")
    elif outcomes.code == DONE and schema == SCHEMA:
        console.say(
            "next: Applications come in waves: `kubectl -n argocd get applications.argoproj.io --watch`"
        )
    elif outcomes.code == INCOMPLETE:
        console.say(f"not complete: do what is named above, then look again with `{again}`")
    return outcomes.code
