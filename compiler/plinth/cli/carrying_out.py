"""Carry steps out: ask whether each is done, do it, and note what became of it."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from plinth.bootstrap.outputs import recorded, taken
from plinth.bootstrap.plan_files import planned, unwanted
from plinth.bootstrap.roots import PLAN
from plinth.bootstrap.steps import Record
from plinth.cli import DONE, INCOMPLETE, INTERRUPTED, WRONG
from plinth.cli.asking import prompt
from plinth.cli.environment import remove, write
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError, listed
from plinth.ir.outputs import PATH as OUTPUTS
from plinth.ir.outputs import outputs_text
from plinth.live.programs import Stopped
from plinth.live.programs import run as run_program

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plinth.bootstrap.steps import Outcome, Step
    from plinth.cli.console import Console
    from plinth.cli.environment import Chosen
    from plinth.ir.commands import Check, Command
    from plinth.live.programs import Ended

SUMMARY: Final = "Plan: "
"""How the line begins with which Terraform and OpenTofu sum a plan up."""
DESTROYS: Final = re.compile(r"([1-9][0-9]*) to destroy")
YES: Final = frozenset({"y", "yes"})


class Outcomes(Struct, frozen=True, kw_only=True):
    """What became of all steps."""

    records: tuple[Record, ...]
    code: int
    fault: Diagnostic | None = None


def carry_out(
    steps: Sequence[Step], chosen: Chosen, console: Console, *, is_sure: bool, again: str
) -> Outcomes:
    """Carry steps out in order, up to the first that does not succeed.

    Args:
        steps: The steps.
        chosen: The environment that they are of.
        console: Where they are told of.
        is_sure: Nobody is asked on the way.
        again: The command line that goes on after a fault.
    """
    work = _Work(chosen, console, is_sure=is_sure, again=again)
    records: list[Record] = []
    for step in steps:
        began = time.monotonic()

        def noted(outcome: Outcome, detail: str = "", *, name: str = step.name, since: float = began) -> None:
            records.append(
                Record(step=name, outcome=outcome, seconds=time.monotonic() - since, detail=detail)
            )

        console.say(f"--- {step.name}")
        try:
            outcome, detail = work.step(step)
        except (Stopped, KeyboardInterrupt):
            noted("stopped")
            return Outcomes(records=tuple(records), code=INTERRUPTED)
        except PlinthError as error:
            noted("failed")
            return Outcomes(records=tuple(records), code=WRONG, fault=error.diagnostic)
        finally:
            work.tidy(step)
        noted(outcome, detail)
        if outcome == "declined":
            break
    has_all = all(each.outcome not in {"missing", "declined"} for each in records)
    return Outcomes(records=tuple(records), code=DONE if has_all else INCOMPLETE)


class _Work:
    """One run."""

    def __init__(self, chosen: Chosen, console: Console, *, is_sure: bool, again: str) -> None:
        self._chosen = chosen
        self._console = console
        self._is_sure = is_sure
        self._again = again
        self._root = chosen.project.root

    def step(self, step: Step) -> tuple[Outcome, str]:
        """What became of a step.

        Raises:
            PlinthError: a program failed, or something is not as it has to be.
            Stopped: somebody pressed Ctrl-C.
        """
        if step.writes:
            write(self._chosen.project, step.writes, "teardown")
        for command in step.prepare:
            self._do(command)
        summary = ""
        if step.check:
            is_done, summary = self._ask(step.check)
            if is_done or (step.may_delete is not None and self._has_nothing_to_do(step, step.may_delete)):
                return "gone already" if step.is_removal else "was there", ""
        if step.is_for_person:
            return self._named(step)
        if step.asks and not self._agreed(step, summary):
            return "declined", ""
        is_new = [self._do(command, step.records) for command in step.commands]
        if step.check and step.is_proven:
            self._prove(step, step.check)
        if step.kept_because:
            return "kept", step.kept_because
        if step.records and not any(is_new):
            return "was there", ""
        return "deleted" if step.is_removal else "made", summary

    def tidy(self, step: Step) -> None:
        """Leave nothing behind that is not to stay: a plan may hold what nobody should read."""
        for path in (*(step.writes or ()), *([step.plan_file] if step.plan_file else [])):
            remove(self._root, path)

    def _do(self, command: Command, records: Iterable[str] = ()) -> bool:
        """Run a command; whether what it told, where that is recorded, was not known before."""
        self._console.say(f"$ {command.text()}")
        names = tuple(records)
        ended = run_program(command.argv, self._root, None if names else self._console.say)
        if ended.code:
            raise self._failed(command.text(), ended)
        return self._record(ended.output, names) if names else False

    def _record(self, output: str, names: tuple[str, ...]) -> bool:
        declared = self._chosen.declared
        found = taken(output, names, "the state")
        before = self._chosen.project.outputs()
        after = recorded(before, self._chosen.name, found.values, declared)
        is_new = write(self._chosen.project, {OUTPUTS: outputs_text(after)}, "outputs")
        if is_new:
            self._console.say(f"wrote {OUTPUTS}: compile, and commit both")
        return is_new

    def _ask(self, check: Check) -> tuple[bool, str]:
        """Whether it is so already, and the line that sums a plan up."""
        self._console.say(f"$ {check.text()}")
        lines: list[str] = []

        def show(line: str) -> None:
            lines.append(line)
            self._console.say(line)

        ended = run_program(check.argv, self._root, show if check.is_shown else None)
        if check.to_do is not None and ended.code not in {0, check.to_do}:
            raise self._failed(check.text(), ended)
        summary = next((line for line in reversed(lines) if line.startswith(SUMMARY)), "")
        return _holds(check, ended), summary.removeprefix(SUMMARY).rstrip(".")

    def _prove(self, step: Step, check: Check) -> None:
        ended = run_program(check.argv, self._root)
        if not _holds(check, ended):
            said = "".join(f": {line}" for line in ended.complaints[-1:])
            raise PlinthError(
                Diagnostic(
                    code="PLN943",
                    message=f"`{step.name}` is not so yet; `{check.text()}` says otherwise{said}",
                    help=f"{step.otherwise}; then go on with `{self._again}`",
                )
            )

    def _has_nothing_to_do(self, step: Step, may_delete: frozenset[str]) -> bool:
        """Whether a plan leaves alone what it is made for; one that deletes more than it may is refused."""
        if step.check is None:
            raise ValueError("a plan is what a check wrote")
        argv = (*step.check.argv[:2], "show", "-json", PLAN)
        ended = run_program(argv, self._root)
        if ended.code:
            raise self._failed(" ".join(argv), ended)
        try:
            plan = planned(ended.output)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._failed(" ".join(argv), ended) from None
        if step.only_with and step.only_with not in plan.updated | plan.deleted:
            return True
        wrong = unwanted(plan, may_delete)
        if wrong:
            raise PlinthError(
                Diagnostic(
                    code="PLN944",
                    message=f"the plan of `{step.name}` would delete what nobody named: {listed(wrong)}",
                    help="nothing of it was done; apply the roots as they are compiled first, "
                    "or name what may go with `--also-delete`",
                )
            )
        return False

    def _named(self, step: Step) -> tuple[Outcome, str]:
        for command in step.commands:
            self._console.say(f"yours to do ({command.purpose}):\n  {command.text()}")
        return "missing", "made by you, see its command"

    def _agreed(self, step: Step, summary: str) -> bool:
        destroys = DESTROYS.search(summary)
        if self._is_sure:
            if destroys and step.may_delete is None:
                raise PlinthError(
                    Diagnostic(
                        code="PLN944",
                        message=f"the plan of `{step.name}` destroys something: {summary}",
                        help="read it: run this without `--yes`, which agrees to nothing that destroys",
                    )
                )
            return True
        return prompt(f"{step.asks} {f'({summary}) ' if summary else ''}[y/N]", None).lower() in YES

    def _failed(self, command: str, ended: Ended) -> PlinthError:
        # Whoever reads text has seen its complaints just above.
        said = "\n".join(["", *ended.complaints]) if self._console.as_json else ""
        return PlinthError(
            Diagnostic(
                code="PLN941",
                message=f"`{command}` ended with {ended.code}{said}",
                help=f"mend what it says, then go on with `{self._again}`: nothing is done twice",
            )
        )


def can_ask() -> bool:
    """Whether somebody can answer."""
    return sys.stdin.isatty()


def _holds(check: Check, ended: Ended) -> bool:
    return ended.code == 0 and (check.prints is None or ended.output.strip() == check.prints)
