"""Diagnostics as a person reads them and as a program does.

Source lines are shown as they are, but for control characters (a terminal must not obey what a
file says), for what looks like a secret, and beyond 160 characters, where a piece around the fault
is shown. Underlines count columns of a terminal, in which a Chinese character takes two.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

from plinth.diagnostics.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.text.spans import Span

LONGEST_LINE: Final = 160
BEFORE: Final = 40
"""Characters shown before a fault that lies far to the right."""

_COLOURS: Final = {"error": "31", "warning": "33", "help": "36", "place": "34"}


def as_text(diagnostics: Iterable[Diagnostic], sources: Mapping[str, bytes], *, colour: bool = False) -> str:
    """Every diagnostic in the form of a compiler's message, a blank line between two.

    `sources` maps a file's name to its bytes, so that the line at fault can be shown.
    """
    lines = {name: _lines(data) for name, data in sources.items()}
    return "\n".join(_one(each, lines, colour=colour) for each in diagnostics)


def as_json(diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """The object of the contract: `plinth.dev/diagnostics/v1`."""
    return {"schema": "plinth.dev/diagnostics/v1", "diagnostics": [_json(each) for each in diagnostics]}


def printable(text: str) -> str:
    """`text` without secrets and with every control character made visible."""
    return "".join(map(_visible, hide_secrets(text)))


def _lines(data: bytes) -> list[str]:
    # Lines end as spans count them: at a line feed, and nowhere else.
    return [line.removesuffix("\r") for line in data.decode("utf-8-sig", "replace").split("\n")]


def _one(each: Diagnostic, lines: Mapping[str, Sequence[str]], *, colour: bool) -> str:
    head = _paint(f"{each.severity}[{each.code}]", each.severity, colour=colour)
    scope = f" (in {', '.join(map(printable, each.environments))})" if each.environments else ""
    out = [f"{head}: {_message(each.message)}{scope}"]
    if each.span:
        out += _place(each.span, each.label, lines, mark="^", colour=colour)
    for other in each.related:
        if other.span:
            out += _place(other.span, other.message, lines, mark="-", colour=colour)
        else:
            out.append(f"   = note: {_message(other.message)}")
    out.append(f"   = {_paint('help', 'help', colour=colour)}: {_message(each.help)}")
    return "\n".join(out) + "\n"


def _message(text: str) -> str:
    # Our own messages may have several lines; what a reader typed within them may not.
    return "\n".join(map(printable, text.split("\n")))


def _place(
    span: Span, label: str, lines: Mapping[str, Sequence[str]], *, mark: str, colour: bool
) -> list[str]:
    number = str(span.line)
    bar = _paint("|", "place", colour=colour)
    out = [f"  {_paint('-->', 'place', colour=colour)} {printable(span.file)}:{span.line}:{span.column}"]
    source = lines.get(span.file, ())
    if not 1 <= span.line <= len(source):
        return [*out, f"   = note: {printable(label)}"] if label else out
    text, before, width = _excerpt(source[span.line - 1], span)
    pad = " " * len(number)
    underline = " " * before + mark * width + (f" {printable(label)}" if label else "")
    return [*out, f" {pad} {bar}", f" {number} {bar} {text}".rstrip(), f" {pad} {bar} {underline}"]


def _excerpt(line: str, span: Span) -> tuple[str, int, int]:
    """What is shown of a line, and the columns before the underline and under it."""
    # Secrets first: half of one would not be known for what it is. Tabs and all else keep one
    # place for each character, which is what a span counts.
    text = hide_secrets(line)
    shown: Sequence[str] = (
        text
        if text.isprintable()
        else [" " if character == "\t" else _visible(character) for character in text]
    )
    start = min(span.column - 1, len(shown))
    end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    first = 0 if max(start + 1, end) <= LONGEST_LINE else max(0, start - BEFORE)
    last = first + LONGEST_LINE
    cut_before, cut_after = "…" if first else "", "…" if last < len(shown) else ""
    excerpt = cut_before + "".join(shown[first:last]) + cut_after
    before = columns(cut_before) + sum(map(columns, shown[first:start]))
    return excerpt, before, max(1, sum(map(columns, shown[start : min(end, last)])))


def _visible(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


def columns(text: str) -> int:
    """The columns that a terminal gives to printable text."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def _paint(text: str, what: str, *, colour: bool) -> str:
    return f"\x1b[{_COLOURS[what]}m{text}\x1b[0m" if colour else text


def _json(each: Diagnostic) -> dict[str, Any]:
    related = [{"message": hide_secrets(other.message), **_json_start(other.span)} for other in each.related]
    return {
        "code": each.code,
        "severity": each.severity,
        "message": hide_secrets(each.message),
        "help": hide_secrets(each.help),
        "environments": list(each.environments),
        "related": related,
        **_json_start(each.span),
        "endLine": each.span.end_line if each.span else None,
        "endColumn": each.span.end_column if each.span else None,
    }


def _json_start(span: Span | None) -> dict[str, Any]:
    return {
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
    }
