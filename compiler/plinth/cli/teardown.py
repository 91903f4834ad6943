"""Take an environment down: Argo CD, load balancers, disks, then the Terraform roots in reverse.

What holds data is kept, with all that it stands on, unless it is named. Without `--yes` and
`--confirm` nothing is run: every command is printed, in order.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from plinth.cli import DONE
from plinth.cli.tree_arguments import add_tree_arguments

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from plinth.cli.console import Console

EXAMPLES = """\
examples:
  plinth teardown dev                                   print every command, and what is kept
  plinth teardown dev --also-delete bucket:datasets     the same, and that bucket goes as well
  plinth teardown dev --yes --confirm dev               do it
"""

SCHEMA = "plinth.dev/teardown/v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `plinth teardown`."""
    parser.add_argument("environment", metavar="ENV", help="the environment to take down")
    add_tree_arguments(parser)
    parser.add_argument("--plan", action="store_true", help="print every command, and run none (the default)")
    parser.add_argument("--yes", action="store_true", help="run them; needs --confirm")
    parser.add_argument("--confirm", metavar="ENV", help="the environment's name, typed again")
    parser.add_argument(
        "--also-delete",
        dest="named",
        metavar="NAME",
        action="append",
        default=[],
        help="data to let go of: `bucket:NAME`, `database`, `volumes`, an address; may be repeated",
    )
    parser.add_argument(
        "--no-cluster", action="store_true", help="the cluster is gone already: leave what is in it out"
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Print the steps, or carry them out."""
    # Pydantic and git, which a mistyped line need not pay for.
    from plinth.bootstrap.first_hour import programs  # noqa: PLC0415
    from plinth.bootstrap.last_hour import VOLUMES, last_hour, namable  # noqa: PLC0415
    from plinth.bootstrap.show import as_script, plan_data  # noqa: PLC0415
    from plinth.cli.bootstrap import place, report  # noqa: PLC0415
    from plinth.cli.carrying_out import carry_out  # noqa: PLC0415
    from plinth.cli.environment import choose  # noqa: PLC0415
    from plinth.cli.project import told  # noqa: PLC0415
    from plinth.ir.targets import Application  # noqa: PLC0415
    from plinth.live.programs import check_programs, terraform, terraform_named  # noqa: PLC0415

    _refuse_unsure(options)
    with told():
        chosen = choose(options, console)
        commands, origins = chosen.compilation.commands, chosen.origins()
        names = namable(chosen.roots, origins, commands)
        _refuse_unknown(options.named, names)
        if options.no_cluster and not commands.disks_outlive_cluster and VOLUMES not in options.named:
            raise _mistyped(
                "the disks of a cluster go with it on this cloud, and nobody has looked at them",
                f"leave `--no-cluster` out, or let them go with `--also-delete {VOLUMES}`",
            )
        is_real = options.yes
        program = terraform() if is_real else terraform_named()
        steps = last_hour(
            chosen.roots,
            commands,
            chosen.compilation.graph.of(Application),
            origins=origins,
            terraform=program,
            named=options.named,
            has_cluster=not options.no_cluster,
        )
        kept = [name for name in names if name not in options.named]
        if not is_real:
            console.data(
                {"schema": SCHEMA, "environment": chosen.name, "kept": kept, "plan": plan_data(steps)}
            )
            console.text(as_script(steps, options.directory))
            console.say(f"kept: {', '.join(kept)}; `--also-delete NAME` lets go of one")
            console.say(f"nothing was run; `--yes --confirm {chosen.name}` does")
            return DONE
        check_programs(programs(chosen.roots, commands, program))
        chosen.check_tree()
        words = [word for name in options.named for word in ("--also-delete", name)]
        sure = [*words, *(["--no-cluster"] if options.no_cluster else []), "--yes", "--confirm", chosen.name]
        again = shlex.join(["plinth", "teardown", chosen.name, *place(options), *sure])
        outcomes = carry_out(steps, chosen, console, is_sure=True, again=again)
    code = report(SCHEMA, chosen.name, outcomes, console, again)
    if code == DONE:
        console.say(
            f"when all is gone that is to go, take `{chosen.name}` out of {options.file} "
            f"and run `plinth compile --release {chosen.name}`"
        )
    return code


def _refuse_unsure(options: argparse.Namespace) -> None:
    if options.yes and options.plan:
        raise _mistyped("`--plan` runs nothing, and `--yes` runs everything", "leave one of them out")
    if options.yes and options.confirm is None:
        raise _mistyped(
            "`--yes` alone takes nothing down",
            f"type the environment's name again: `--confirm {options.environment}`",
        )
    if options.confirm is not None and options.confirm != options.environment:
        raise _mistyped(
            f"`--confirm {options.confirm}` is not the environment `{options.environment}`",
            "type the name of the environment that is to go, twice",
        )


def _refuse_unknown(named: Sequence[str], names: Sequence[str]) -> None:
    from plinth.diagnostics.suggest import did_you_mean  # noqa: PLC0415 - only who fails pays for it

    for name in named:
        if name not in names:
            raise _mistyped(
                f"`--also-delete {name}` names nothing that is kept",
                did_you_mean(name, names, otherwise=f"kept are {', '.join(names)}"),
            )


def _mistyped(message: str, help_: str) -> Exception:
    from plinth.diagnostics.diagnostic import Diagnostic, PlinthError  # noqa: PLC0415 - as above

    return PlinthError(Diagnostic(code="PLN909", message=message, help=help_))
