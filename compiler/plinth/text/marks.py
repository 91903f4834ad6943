"""The parser's marks and complaints, as spans and faults that people can use.

Marks count characters from 0. A few of them lie where the parser noticed something, not where a
person would point; those are moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import yaml

from plinth.text.nodes import SYNTAX, TOO_LARGE, TextFault
from plinth.text.spans import Span

if TYPE_CHECKING:
    from yaml.events import Event

_HELP = {
    "mapping values are not allowed": (
        "put a value that contains `: ` in quotes, or start the nested key on a line of its own"
    ),
    "cannot start any token": (
        "indent with spaces, not tabs; put a value that starts with `@`, `%` or a backquote in quotes"
    ),
    "escape": "double the backslash, or use single quotes",
}
FLATTER = "write it flatter, or split it"
_OTHER_HELP = "check the indentation here and above, and that every bracket and quote is closed"


class _Mark(Protocol):
    index: int
    line: int
    column: int


def span_of(event: Event, text: str, file: str) -> Span:
    """What the event covers; a block scalar ends with its last line that is not empty."""
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:
        return Span(file, 1, 1, 1, 1)
    line, column = start.line + 1, start.column + 1
    if isinstance(event, yaml.ScalarEvent) and event.style in ("|", ">"):
        # The parser ends it where the next thing starts, behind empty lines and comments.
        block = text[start.index : end.index].rstrip()
        breaks = block.count("\n")
        end_column = len(block) - block.rfind("\n") if breaks else column + len(block)
        return Span(file, line, column, line + breaks, end_column)
    return Span(file, line, column, end.line + 1, end.column + 1)


def syntax_fault(error: Exception, text: str, file: str) -> TextFault:
    """Why the parser gave up."""
    problem, span = str(error), Span(file, 1, 1, 1, 1)
    related: tuple[tuple[str, Span], ...] = ()
    if isinstance(error, yaml.MarkedYAMLError):
        problem = error.problem or problem
        if error.problem_mark is not None:
            span = _point(error.problem_mark, text, file)
        if error.context and error.context_mark is not None:
            related = ((error.context, _point(error.context_mark, text, file)),)
    if "maximum nesting" in problem:
        # Since libyaml 0.2.6 the parser looks this far ahead and gives up before our own limit is met.
        return TextFault(TOO_LARGE, "lists and maps nest deeper than any limit here", span, FLATTER)
    way_out = next((help_ for part, help_ in _HELP.items() if part in problem), _OTHER_HELP)
    return TextFault(SYNTAX, f"this is not YAML: {problem}", span, way_out, related)


def _point(mark: _Mark, text: str, file: str) -> Span:
    """One character; the last one of the text where the parser points behind it."""
    line, column = mark.line + 1, mark.column + 1
    body = text.rstrip()
    if mark.index >= len(body) > 0:
        line, column = body.count("\n") + 1, len(body) - body.rfind("\n") - 1
    return Span(file, line, column, line, column + 1)
