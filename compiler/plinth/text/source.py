"""Bytes become text, and text becomes something safe to show."""

from __future__ import annotations

import codecs
import re

from plinth.text.nodes import ENCODING, TOO_LARGE, Limits, TextFault
from plinth.text.spans import Span

# Beyond YAML's own list of printable characters these are refused: NEL, LS, PS and a lone carriage
# return, because readers and editors do not agree whether a line ends there; and a byte order mark
# inside of the text.
_UNREADABLE = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
_OTHER_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",  # before UTF-16, whose mark it starts with
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_MAX_REPORTED = 10
_MAX_SHOWN = 60


def decode(data: bytes, file: str, limits: Limits) -> tuple[str | None, tuple[TextFault, ...]]:
    """The text of a file without its byte order mark, or why it is none."""
    start = Span(file, 1, 1, 1, 1)
    if len(data) > limits.bytes:
        message = f"the file has {len(data)} bytes; at most {limits.bytes} are read"
        return None, (TextFault(TOO_LARGE, message, start, "split the platform"),)
    for mark, name in _OTHER_MARKS.items():
        if data.startswith(mark):
            return None, (TextFault(ENCODING, f"the file is {name}", start, "save it as UTF-8"),)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        span = _point(data[: error.start].decode(), file)
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        return None, (TextFault(ENCODING, message, span, "save the file as UTF-8"),)
    faults = []
    for match in _UNREADABLE.finditer(text):
        span = _point(text[: match.start()], file)
        message = f"the character U+{ord(match.group()):04X} is not allowed in YAML as we read it"
        faults.append(
            TextFault(ENCODING, message, span, r'remove it, or write it as an escape in quotes: "\u0085"')
        )
        if len(faults) == _MAX_REPORTED:
            break
    return (None if faults else text), tuple(faults)


def shown(text: str) -> str:
    """A text of the writer's in backquotes: one line, short, and unable to speak to a terminal."""
    short = text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "..."
    safe = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in short)
    return f"`{safe}`"


def _point(before: str, file: str) -> Span:
    """The character that follows `before`."""
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return Span(file, line, column, line, column + 1)
