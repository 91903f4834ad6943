"""Steps as a person reads them: commands for a shell, a table of what was done, JSON."""

from __future__ import annotations

import shlex
import textwrap
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plinth.bootstrap.steps import Record, Step

WIDTH: Final = 110
MINUTE_S: Final = 60


def as_script(steps: Iterable[Step], directory: str = ".") -> str:
    """Every command in order, one a line, a comment before each step; as a shell takes it."""
    lines: list[str] = [] if directory == "." else [shlex.join(("cd", directory)), ""]
    for number, step in enumerate(steps, start=1):
        lines += [*([""] if number > 1 else []), f"# {number}. {step.name}", *_comment(step.why)]
        lines += _lines(step)
    return "".join(f"{line}\n" for line in lines)


def as_table(records: Sequence[Record]) -> str:
    """A line a step: its name, what was done, the time that it took."""
    rows = [
        ("step", "what was done", "time"),
        *((each.step, _done(each), _time(each.seconds)) for each in records),
    ]
    widths = [max(len(row[at]) for row in rows) for at in range(2)]
    return "".join(f"{name.ljust(widths[0])}  {done.ljust(widths[1])}  {time}\n" for name, done, time in rows)


def plan_data(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """The steps as plain data."""
    return [
        {
            "step": step.name,
            "why": step.why,
            "byPerson": step.is_for_person,
            "check": list(step.check.argv) if step.check and not step.check.is_shown else None,
            "files": dict(step.writes or {}),
            "commands": [list(argv) for argv in _argvs(step)],
        }
        for step in steps
    ]


def records_data(records: Iterable[Record]) -> list[dict[str, Any]]:
    """What was done as plain data; seconds to a tenth."""
    return [
        {
            "step": each.step,
            "outcome": each.outcome,
            "seconds": round(each.seconds, 1),
            "detail": each.detail,
        }
        for each in records
    ]


def _argvs(step: Step) -> Iterator[tuple[str, ...]]:
    yield from (each.argv for each in step.prepare)
    if step.check and step.check.is_shown:
        yield step.check.argv
    yield from (each.argv for each in step.commands)


def _lines(step: Step) -> Iterator[str]:
    check = step.check
    if step.kept_because:
        yield from _comment(f"kept: {step.kept_because}")
    if check and not check.is_shown:
        prints = (
            "succeeds"
            if check.prints is None
            else f"prints {check.prints!r}"
            if check.prints
            else "prints nothing"
        )
        yield f"# {'gone' if step.is_removal else 'there'} already where this {prints}:"
        yield f"#   {check.text()}"
    for path, text in (step.writes or {}).items():
        yield f"printf '%s\\n' {shlex.quote(text)} > {shlex.quote(path)}"
    for each in step.prepare:
        yield each.text()
    if check and check.is_shown:
        yield from _comment(f"read this plan: it is applied next. {check.to_do} at its end: something to do")
        yield check.text()
    for command in step.commands:
        yield from _comment(command.purpose)
        yield command.text()
    for path in step.writes or {}:
        yield shlex.join(("rm", path))


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _done(record: Record) -> str:
    return f"{record.outcome}: {record.detail}" if record.detail else record.outcome


def _time(seconds: float) -> str:
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // MINUTE_S} min {int(seconds) % MINUTE_S} s"
