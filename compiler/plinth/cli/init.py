"""Write a first platform.yaml, and what stands beside it in a repository: git's files and workflows.

On a terminal it asks for what the options do not say. It writes into an empty folder or an existing
repository, and replaces no file that is there.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from plinth import __version__, registry
from plinth.cli import DONE, INTERRUPTED
from plinth.cli.tree_arguments import add_format_argument

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from plinth.cli.console import Console
    from plinth.cli.place import Place
    from plinth.starter.questions import Answers

EXAMPLES = """\
examples:
  plinth init                         ask, on a terminal
  plinth init --provider gcp --project acme-ml-dev --project-number 123456789012 \\
    --region us-central1 --state-bucket acme-ml-terraform --domain ml.acme.com \\
    --admin platform@acme.com --hosted-domain acme.com
  plinth init ... --environment dev --environment prod --project prod=acme-ml-prod \\
    --project-number prod=210987654321

The first environment has the plain values; `NAME=` in front says what a later one has of its own.
"""

SCHEMA: Final = "plinth.dev/init/v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """An option for every question, those of all clouds among them."""
    from plinth.starter.questions import NO, YES, every_question  # noqa: PLC0415 - brings pydantic

    parser.add_argument(
        "-C", dest="directory", metavar="DIR", default=".", help="where to write (default: here)"
    )
    parser.add_argument("--provider", choices=registry.names("clouds"), help="which cloud it is")
    parser.add_argument(
        "--environment",
        dest="environments",
        metavar="NAME",
        action="append",
        default=[],
        help="an environment; may be repeated (default: one, dev)",
    )
    for question in every_question():
        text = _without_full_stop(question.text).replace("%", "%%")
        if question.choices == (YES, NO):
            parser.add_argument(question.flag, action="append_const", const=YES, help=f"yes: {text}")
            continue
        own = "; NAME=TEXT for a later environment" if question.is_own else ""
        default = f" (default: {question.default})" if question.default else ""
        parser.add_argument(
            question.flag,
            action="append",
            choices=question.choices or None,
            metavar=None if question.choices else "TEXT",
            help=f"{text}{own}{default}",
        )
    parser.add_argument(
        "--requirement", metavar="TEXT", help="where pip gets Plinth from: a wheel's path or URL, a git URL"
    )
    add_format_argument(parser)


def _without_full_stop(text: str) -> str:
    """The text as help goes on after it; three dots belong to an example and stay."""
    return text if text.endswith("...") else text.removesuffix(".")


def run(options: argparse.Namespace, console: Console) -> int:
    """Answer every question, and write."""
    from plinth.cli.answering import answered  # noqa: PLC0415 - brings pydantic and git
    from plinth.cli.place import Place  # noqa: PLC0415 - as above
    from plinth.cli.project import told  # noqa: PLC0415 - as above
    from plinth.diagnostics.diagnostic import Diagnostic, PlinthError  # noqa: PLC0415 - as above
    from plinth.starter.requirements import requirement_fault  # noqa: PLC0415 - as above

    with told():
        place = Place.around(options.directory)
        fault = requirement_fault(options.requirement) if options.requirement is not None else None
        if fault:
            raise PlinthError(
                Diagnostic(code="PLN909", message=f"`--requirement`: {fault[0]}", help=fault[1])
            )
        try:
            answers = answered(options, place, console)
        except KeyboardInterrupt:
            console.say("\ninterrupted: nothing was written")
            return INTERRUPTED
        outcome = _write(answers, place, options.requirement)
    console.data({"schema": SCHEMA, "written": list(outcome.written), "kept": list(outcome.kept)})
    _report(outcome, place, answers, options, console)
    return DONE


class _Outcome(Struct, frozen=True, kw_only=True):
    """What a run has done; paths are from the repository's root, sorted."""

    written: tuple[str, ...]
    """New, or with new lines."""
    grown: tuple[str, ...]
    """Those of `written` that were there."""
    kept: tuple[str, ...]
    """There already, with all they need."""
    is_included: bool


def _write(answers: Answers, place: Place, requirement: str | None) -> _Outcome:
    """All files, or none."""
    from plinth.ir.fileset import File  # noqa: PLC0415 - as in `run`
    from plinth.starter.tree import GITLAB_MAIN, GROWING, tree  # noqa: PLC0415 - as in `run`
    from plinth.workspace import Workspace  # noqa: PLC0415 - as in `run`

    workspace = Workspace(place.root)
    found = workspace.read_all((*GROWING, GITLAB_MAIN))
    made = tree(answers, place.folder, version=__version__, requirement=requirement, found=found)
    there = workspace.read_all(made.fresh)
    _refuse_to_replace([path for path, data in there.items() if data not in {None, made.fresh[path]}])
    wanted = {
        path: File(content=content, backend="init") for path, content in {**made.fresh, **made.grown}.items()
    }
    plan = workspace.plan({}, extra=wanted, all_groups=False)
    workspace.write(replace(plan, overwrite=True))
    left = [GITLAB_MAIN] if not made.is_included else []
    return _Outcome(
        written=plan.written,
        grown=tuple(path for path in plan.written if found.get(path) is not None),
        kept=tuple(sorted((*(wanted.keys() - set(plan.written)), *left))),
        is_included=made.is_included,
    )


def _refuse_to_replace(paths: Sequence[str]) -> None:
    from plinth.diagnostics.diagnostic import Diagnostic, PlinthError  # noqa: PLC0415 - as in `run`

    if paths:
        listed = ", ".join(f"`{path}`" for path in paths)
        raise PlinthError(
            Diagnostic(
                code="PLN920",
                message=f"there already, and nothing was written: {listed}",
                help="move what is there away and run again, or go on with it: `plinth compile`",
            )
        )


def _report(
    outcome: _Outcome, place: Place, answers: Answers, options: argparse.Namespace, console: Console
) -> None:
    for path in outcome.written:
        console.say(f"added lines to {path}" if path in outcome.grown else f"wrote {path}")
    for path in outcome.kept:
        console.say(f"kept {path}")
    if not outcome.is_included:
        console.say("add to .gitlab-ci.yml: `include: [{local: .gitlab/plinth.yml}]`")
    if options.requirement is None and answers.get("--ci") != "none":
        console.say("before a workflow runs: say in plinth-requirements.txt where pip gets Plinth from")
    where = f" -C {shlex.quote(options.directory)}" if options.directory != "." else ""
    root = shlex.quote(str(place.root))
    git = "git" if place.root.resolve() == Path.cwd() else f"git -C {root}"
    steps = [f"plinth vendor{where} --mirror DIR", f"plinth compile{where}", f"{git} add --all"]
    if place.clone is None:
        steps[2] = f"{git} init --initial-branch={answers.get('--branch')} && {steps[2]}"
    console.say("next: " + "\n      ".join(steps))
