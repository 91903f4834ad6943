"""Write the Terraform roots, overlays and Argo CD objects that a platform file declares.

Nothing is written that did not change, and only files that Plinth wrote itself are replaced or
removed. With --check nothing is written at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plinth import registry
from plinth.cli import DIFFERENT, DONE
from plinth.cli.tree_arguments import (
    add_directory_arguments,
    add_environment_argument,
    add_format_argument,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from plinth.cli.console import Console
    from plinth.ir.fileset import File
    from plinth.pipeline import Result

EXAMPLES = """\
examples:
  plinth compile                     compile every environment of ./platform.yaml
  plinth compile --env dev           write the files of one environment, and what it shares
  plinth compile --check             exit 2 and list what is not as it should be
  plinth compile --diff              say what an edit does, against what is committed
  plinth compile --diff --base origin/main --format markdown
  plinth compile --update machines   choose machines anew; with --diff, see what that costs
  plinth compile -C infra --format json
"""

SCHEMA = "plinth.dev/compile/v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `plinth compile`."""
    add_directory_arguments(parser)
    add_format_argument(parser, "markdown")
    add_environment_argument(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit 2 if the tree is not what the file compiles to",
    )
    how.add_argument(
        "--diff",
        action="store_true",
        help="write nothing; say what changes against a commit, and exit 2 if anything does",
    )
    how.add_argument("--overwrite", action="store_true", help="replace compiled files that somebody edited")
    parser.add_argument(
        "--update",
        choices=("machines",),
        action="append",
        default=[],
        help="choose anew what the lock has: the machine of every node pool, by today's catalogue",
    )
    parser.add_argument(
        "--release",
        metavar="NAME",
        action="append",
        default=[],
        help="an environment that is torn down: forget what is pinned and recorded for it",
    )
    parser.add_argument("--base", metavar="REV", help="the commit that --diff compares with (default: HEAD)")


def run(options: argparse.Namespace, console: Console) -> int:
    """Compile, or say that there is nothing to do."""
    if not options.diff:
        _refuse_alone(options)
    from plinth.workspace import stamp  # noqa: PLC0415 - the quick way in: it knows no spec

    key = _key(options, stamp.compiler_identity(registry.sources()))
    noted = stamp.recall(options.directory, key)
    if options.diff:
        from plinth.cli import diff  # noqa: PLC0415 - what it loads, nobody else needs

        options.base = "HEAD" if options.base is None else options.base
        return diff.run(options, console, noted)
    if noted is not None:
        said = noted["said"]
        console.say_as_is(said["warnings"])
        _report(console, (), (), said["withheld"], unchanged=said["files"], check=options.check)
        return DONE
    return _compile(options, console, key)


def _compile(options: argparse.Namespace, console: Console, key: Mapping[str, Any]) -> int:
    # The compiler proper, with pydantic and YAML, is for when there is something to do.
    from plinth.cli.kept import KeptOutputs  # noqa: PLC0415
    from plinth.cli.project import Project, told  # noqa: PLC0415
    from plinth.live.git import committed_digests  # noqa: PLC0415
    from plinth.pipeline import LOCK_PATH, compile_spec  # noqa: PLC0415
    from plinth.workspace import HandEdited, stamp  # noqa: PLC0415

    with told():
        # Whoever checks proves the tree to somebody else, and takes nothing on trust.
        project = Project(options, console, is_trusting=not options.check)
        kept = None if options.check else KeptOutputs(project.workspace, key["compiler"])
        result = compile_spec(project.spec(), project.file, project.inputs(kept))
        groups = _chosen(options.environments, result)
        plan = project.workspace.plan(
            groups,
            extra={LOCK_PATH: result.lock, **result.released},
            known=committed_digests(project.root),
            overwrite=options.overwrite,
            all_groups=not options.environments,
        )
        console.warn(result.diagnostics)
        if options.check:
            if plan.edited:
                console.say("edited by hand: " + ", ".join(plan.edited))
        elif plan.edited and not plan.overwrite:
            raise HandEdited(plan.edited)
        else:
            project.workspace.write(plan)
        withheld = _withheld(result, options.environments)
        _report(console, plan.written, plan.removed, withheld, unchanged=plan.unchanged, check=options.check)
        clean = plan.is_clean and not plan.edited
        if clean or not options.check:
            files = {**project.workspace.inputs_seen, **plan.digests}
            said = {
                "withheld": withheld,
                "files": plan.unchanged + len(plan.files),
                "warnings": console.warnings(result.diagnostics),
            }
            stamp.remember(project.root, key, files, said)
        if kept:
            kept.keep(result, plan)
        project.workspace.keep_proven()
    if not options.check and not plan.is_clean:
        console.say(_next_steps(result))
    return DIFFERENT if options.check and not clean else DONE


def _refuse_alone(options: argparse.Namespace) -> None:
    """Refuse what says nothing without --diff, before somebody believes that it does."""
    wrong = (
        "--base" if options.base is not None else "--format markdown" if options.format == "markdown" else ""
    )
    if wrong:
        from plinth.diagnostics.diagnostic import Diagnostic, PlinthError  # noqa: PLC0415 - only who fails pays

        raise PlinthError(
            Diagnostic(
                code="PLN909", message=f"`{wrong}` is for `--diff`", help="add `--diff`, or leave it out"
            )
        )


def _key(options: argparse.Namespace, compiler: str) -> dict[str, Any]:
    return {
        "compiler": compiler,
        "file": options.file,
        "environments": sorted(options.environments),
        "update": sorted(options.update),
        "release": sorted(options.release),
    }


def _chosen(names: list[str], result: Result) -> dict[str, Mapping[str, File]]:
    """The groups to write: all, or the named environments and what they share."""
    from plinth.pipeline import BASE  # noqa: PLC0415 - with the compiler proper

    if not names:
        return dict(result.groups)
    result.check_names(names)
    wanted = {BASE, *names}
    return {name: files for name, files in result.groups.items() if name in wanted}


def _withheld(result: Result, names: list[str]) -> list[dict[str, Any]]:
    return [
        {
            "environment": each.environment,
            "application": withheld.application,
            "needs": list(withheld.needs),
        }
        for each in result.outputs
        if not names or each.environment in names
        for withheld in each.withheld
    ]


def _report(
    console: Console,
    written: tuple[str, ...],
    removed: tuple[str, ...],
    withheld: list[dict[str, Any]],
    *,
    unchanged: int,
    check: bool,
) -> None:
    console.data({"schema": SCHEMA, "written": list(written), "removed": list(removed), "withheld": withheld})
    verb_written, verb_removed = ("would write", "would remove") if check else ("wrote", "removed")
    for path in written if check else ():
        console.text(f"{verb_written} {path}\n")
    for path in removed if check else ():
        console.text(f"{verb_removed} {path}\n")
    for each in withheld:
        waits = ", ".join(each["needs"])
        console.say(f"withheld in {each['environment']}: {each['application']}, until there is {waits}")
    if not written and not removed:
        console.say(f"nothing to do: {unchanged} files are as platform.yaml wants them")
    else:
        console.say(f"{verb_written} {len(written)}, {verb_removed} {len(removed)}, {unchanged} unchanged")


def _next_steps(result: Result) -> str:
    from plinth.ir.commands import repository_secret  # noqa: PLC0415 - with the compiler proper

    lines = [
        "environments: " + ", ".join(each.environment for each in result.outputs),
        "next: review with `git diff`, commit overlays/, generated/ and plinth.lock.yaml,",
        "      and open a pull request; the first hour of a new environment is in docs/bootstrap.md",
    ]
    repositories = [each.repository for each in result.outputs]
    for secret, url in sorted({(secret, url) for url, secret in repositories if secret}):
        made = repository_secret("", secret, url).commands
        lines += [
            f"Argo CD reads {url} with a Secret that you make once in each cluster:",
            *(f"  {each.text()}" for each in made),
        ]
    return "\n".join(lines)
