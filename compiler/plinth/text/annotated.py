"""YAML for people to go on with: keys in the order given, comments, and small things on one line.

    annotated_yaml({"spec": {"nodePools": Noted([Line({"name": "system", "cpu": 4})], above="Nodes.")}})

gives

    spec:
      # Nodes.
      nodePools:
        - {name: system, cpu: 4}

A comment is data like everything else: whatever it holds, it stays a comment.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from plinth.text.emit import escaped, inline, one_line

LINE_WIDTH: Final = 110
"""What is asked to stand on one line does so up to this many characters."""

_INDENT: Final = "  "


class Noted(Struct, frozen=True, kw_only=True):
    """A value of a map or a list with a comment."""

    value: object
    above: str = ""
    """Lines before the key or the dash."""
    beside: str = ""
    """Behind a value that stands on one line."""
    gap: bool = False
    """An empty line comes first."""


class Line(Struct, frozen=True):
    """A map or a list that stands on one line where it is short enough."""

    value: object


def annotated_yaml(value: object, *, head: str = "") -> str:
    """One YAML document with comments, ending in a newline; `head` is a comment at its top.

    Values are those of `emit`, with `Noted` and `Line` around any of them.

    Raises:
        TypeError: JSON cannot hold the value, or a comment stands beside several lines.
    """
    return "".join(f"{line}\n" for line in (*comment(head), *_lines(value)))


def comment(text: str) -> list[str]:
    """A text as lines of a comment; none for an empty one."""
    # `splitlines` knows every character at which some reader ends a line, and with it the comment.
    return [f"# {escaped(line)}".rstrip() for line in text.splitlines()]


def _lines(value: object) -> list[str]:
    """The lines of a value that begins a line of its own."""
    part = _parted(value.value) if isinstance(value, Line) else value
    if isinstance(value, Line) or not isinstance(part, dict | list | tuple) or not part:
        lines = _one(value)
        if lines is not None:
            return lines
    if isinstance(part, dict):
        return [line for key, child in part.items() for line in _entry(f"{one_line(key)}:", child)]
    if isinstance(part, list | tuple):
        return [line for item in part for line in _item(item)]
    raise TypeError(f"not a JSON value: {type(part).__name__}")


def _parted(value: object) -> object:
    """A value whose parts stand on one line each, should it not do so as a whole."""
    if isinstance(value, dict):
        return {key: _on_a_line(child) for key, child in value.items()}
    return [_on_a_line(item) for item in value] if isinstance(value, list | tuple) else value


def _on_a_line(value: object) -> object:
    return Line(value) if isinstance(value, dict | list | tuple) else value


def _one(value: object) -> list[str] | None:
    """A scalar, or what is short enough for one line; None for what is not."""
    if not isinstance(value, Line):
        return inline(value, _INDENT).split("\n")
    text = _flow(value.value)
    return [text] if text is not None and len(text) <= LINE_WIDTH else None


def _entry(key: str, child: object) -> list[str]:
    note, value = _note(child)
    lines = _lines(value)
    if _begins_beside(value, lines):
        return [*_above(note), f"{key} {lines[0]}{_beside(note, lines)}", *lines[1:]]
    if note and note.beside:
        raise TypeError(f"a comment cannot stand beside {key}")
    return [*_above(note), key, *_indented(lines)]


def _item(child: object) -> list[str]:
    note, value = _note(child)
    lines = _lines(value)
    if _begins_beside(value, lines):
        return [*_above(note), f"- {lines[0]}{_beside(note, lines)}", *lines[1:]]
    if note and note.beside:
        raise TypeError("a comment cannot stand beside an item of several lines")
    # What is said above an item's first key stands above its dash.
    first = next(index for index, line in enumerate(lines) if line and not line.startswith("#"))
    return [*_above(note), *lines[:first], f"- {lines[first]}", *_indented(lines[first + 1 :])]


def _begins_beside(value: object, lines: list[str]) -> bool:
    """Whether the value begins on the line of its key: a scalar, or a map or list on one line."""
    if isinstance(value, Line):
        return len(lines) == 1 and lines[0] == _flow(value.value)
    return not isinstance(value, dict | list | tuple) or not value


def _note(child: object) -> tuple[Noted | None, object]:
    return (child, child.value) if isinstance(child, Noted) else (None, child)


def _above(note: Noted | None) -> list[str]:
    if note is None:
        return []
    return [*([""] if note.gap else []), *comment(note.above)]


def _beside(note: Noted | None, lines: list[str]) -> str:
    if note is None or not note.beside:
        return ""
    said = comment(note.beside)
    if len(lines) > 1 or len(said) > 1:
        raise TypeError("a comment beside a value has one line, and so has the value")
    return f" {said[0]}"


def _indented(lines: list[str]) -> list[str]:
    return [f"{_INDENT}{line}" if line else line for line in lines]


def _flow(value: object) -> str | None:
    """A value on one line; None where a part of it has a comment."""
    if isinstance(value, Noted):
        return None
    part = value.value if isinstance(value, Line) else value
    if isinstance(part, str):
        return one_line(part)
    if isinstance(part, dict):
        pairs = [(one_line(key), _flow(child)) for key, child in part.items()]
        held = [f"{key}: {text}" for key, text in pairs if text is not None]
        return "{" + ", ".join(held) + "}" if len(held) == len(part) else None
    if isinstance(part, list | tuple):
        texts = [_flow(item) for item in part]
        found = [text for text in texts if text is not None]
        return "[" + ", ".join(found) + "]" if len(found) == len(part) else None
    return inline(part, "")
