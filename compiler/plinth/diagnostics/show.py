"""Diagnostics as a person reads them and as a program does.

Source lines are shown as they are, but for control characters (a terminal must not obey what a
file says), for what looks like a secret, and beyond 160 columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plinth.diagnostics.secrets import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.text.spans import Span

LONGEST_LINE = 160

_COLOURS = {"error": "31", "warning": "33", "help": "36", "place": "34"}


def as_text(diagnostics: Iterable[Diagnostic], sources: Mapping[str, bytes], *, colour: bool = False) -> str:
    """Every diagnostic in the form of a compiler's message, a blank line between two.

    `sources` maps a file's name to its bytes, so that the line at fault can be shown.
    """
    lines = {name: data.decode("utf-8", "replace").splitlines() for name, data in sources.items()}
    return "\n".join(_one(each, lines, colour=colour) for each in diagnostics)


def as_json(diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """The object of the contract: `plinth.dev/diagnostics/v1`."""
    return {"schema": "plinth.dev/diagnostics/v1", "diagnostics": [_json(each) for each in diagnostics]}


def printable(text: str) -> str:
    """`text` with every control character made visible, cut at the longest line we show."""
    shown = "".join(
        character if character.isprintable() or character == " " else f"\\x{ord(character):02x}"
        for character in hide_secrets(text)
    )
    return shown if len(shown) <= LONGEST_LINE else shown[:LONGEST_LINE] + "…"


def _one(each: Diagnostic, lines: Mapping[str, Sequence[str]], *, colour: bool) -> str:
    head = _paint(f"{each.severity}[{each.code}]", each.severity, colour=colour)
    scope = f" (in {', '.join(each.environments)})" if each.environments else ""
    out = [f"{head}: {_shown_message(each.message)}{scope}"]
    if each.span:
        out += _place(each.span, each.label, lines, mark="^", colour=colour)
    for other in each.related:
        if other.span:
            out += _place(other.span, other.message, lines, mark="-", colour=colour)
        else:
            out.append(f"   = note: {printable(other.message)}")
    out.append(f"   = {_paint('help', 'help', colour=colour)}: {_shown_message(each.help)}")
    return "\n".join(out) + "\n"


def _shown_message(text: str) -> str:
    # Our own messages may have several lines; what a reader typed within them may not.
    return "\n".join(printable(line) for line in text.split("\n"))


def _place(span: Span, label: str, lines: Mapping[str, Sequence[str]], *, mark: str, colour: bool) -> list[str]:
    number = str(span.line)
    bar = _paint("|", "place", colour=colour)
    out = [f"  {_paint('-->', 'place', colour=colour)} {printable(span.file)}:{span.line}:{span.column}"]
    source = lines.get(span.file, ())
    if not 1 <= span.line <= len(source):
        return [*out, f"   = note: {printable(label)}"] if label else out
    text = source[span.line - 1].replace("\t", " ")
    start = min(span.column - 1, len(text))
    end = min(span.end_column - 1, len(text)) if span.end_line == span.line else len(text.rstrip())
    width = max(1, end - start)
    if start >= LONGEST_LINE:  # the fault lies beyond what is shown: show from there
        text, start = text[start:], 0
    pad = " " * len(number)
    underline = " " * start + mark * min(width, LONGEST_LINE - start)
    note = f" {printable(label)}" if label else ""
    return [*out, f" {pad} {bar}", f" {number} {bar} {printable(text)}", f" {pad} {bar} {underline}{note}"]


def _paint(text: str, what: str, *, colour: bool) -> str:
    return f"\x1b[{_COLOURS[what]}m{text}\x1b[0m" if colour else text


def _json(each: Diagnostic) -> dict[str, Any]:
    out: dict[str, Any] = {
        "code": each.code,
        "severity": each.severity,
        "message": each.message,
        "help": each.help,
        "environments": list(each.environments),
        "related": [{"message": other.message} | _json_place(other.span, short=True) for other in each.related],
    }
    return out | _json_place(each.span, short=False)


def _json_place(span: Span | None, *, short: bool) -> dict[str, Any]:
    place: dict[str, Any] = {
        "file": span.file if span else None,
        "line": span.line if span else None,
        "column": span.column if span else None,
    }
    if not short:
        place |= {"endLine": span.end_line if span else None, "endColumn": span.end_column if span else None}
    return place
