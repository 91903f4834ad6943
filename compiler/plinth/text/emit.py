"""Canonical text: the same value gives the same bytes, and every reader takes them for that value.

Values are what JSON can hold: `dict` with `str` keys, `list` (or `tuple`), `str`, `int`, `float`,
`bool`, `None`. Anything else is a mistake of ours, and a `TypeError` that names where it is.

YAML is written by hand: libraries either are six times slower or leave strings without quotes
that some reader takes for a number, a date or a boolean. A string stands bare only where its first
characters rule out every implicit type of YAML 1.1 and 1.2; it is a literal block where that is
certain to give it back exactly; otherwise it is a JSON string, which is YAML too.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from plinth.text.spans import show_path

if TYPE_CHECKING:
    from collections.abc import Mapping

_Place: TypeAlias = "tuple[_Place | None, str | int]"
"""Where a part is: where the whole is, and its key or index there. Only a message makes a path of it."""

_MIN_INT, _MAX_INT = -(2**63), 2**64 - 1  # what Go's readers hold exactly
_MAX_KEY = 1000  # YAML 1.2.2, 7.4.2: a key on one line has at most 1024 characters, quotes included
_MAX_MEMO = 64  # characters; what repeats in manifests is short

_SURROGATE = re.compile("[\ud800-\udfff]")
# Raw, these are refused by some reader, end a line for some, or are not seen in a review: controls,
# NEL, LS, PS, marks of direction and of no width, the byte order mark, non-characters.
_HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff0-\uffff"
)
_NEEDS_ESCAPE = re.compile(f"[{_HIDDEN}]")

_WORD = r"[A-Za-z0-9_./$()@+=;<>|~%^-]"
_BARE = re.compile(
    r"(?!(?i:y|n|yes|no|on|off|true|false|null)\Z)"
    rf"(?:(?:--)?[A-Za-z]|[/$]){_WORD}*(?:[ :]{_WORD}+)*"
    r"|[0-9]+(?:ms|[smh]|[KMGTP]i)"
)
_quote = json.JSONEncoder(ensure_ascii=False).encode
# Python's own indents in Python, ten times slower.
_json = msgspec.json.Encoder(order="sorted").encode


def json_text(value: object) -> str:
    """A JSON document for people: two spaces, sorted keys, a newline at the end.

    Raises:
        TypeError: JSON cannot hold the value; the message names the path.
    """
    _check(value)
    return msgspec.json.format(_json(value), indent=2).decode() + "\n"


def json_line(value: object) -> str:
    """A JSON document on one line, for ledgers: no spaces, sorted keys, no newline.

    Raises:
        TypeError: JSON cannot hold the value; the message names the path.
    """
    _check(value)
    return _json(value).decode()


def yaml_text(value: object) -> str:
    """One YAML document without `---`, ending in a newline.

    Keys are sorted, but people look for some first: `apiVersion`, `kind` and `metadata` at the
    root, `name` and `namespace` everywhere.

    Raises:
        TypeError: JSON cannot hold the value, or a key is too long for YAML; the message names the
            path.
    """
    out: list[str] = []
    try:
        if type(value) is dict and value:
            _emit_map(out, value, 0, "", _root_keys(value))
        elif (type(value) is list or type(value) is tuple) and value:
            _emit_list(out, value, 0, "")
        else:
            out.append(inline(value, "  ") + "\n")
    except TypeError:
        # Emitting keeps no path, so that the good case is fast.
        _check(value)
        raise
    return "".join(out)


def yaml_numbered(value: Mapping[int, object]) -> str:
    """As `yaml_text`, a map whose keys are numbers; JSON has no such thing, and some programs ask for it.

    Raises:
        TypeError: JSON cannot hold a part; the message names the path within it.
    """
    out: list[str] = []
    for key, part in sorted(value.items()):
        shown = yaml_text({"k": part}).removeprefix("k")
        out.append(f"{inline(int(key), '')}{shown}")
    return "".join(out)


def _emit_map(
    out: list[str], value: dict[str, object], indent: int, first: str, keys: list[str] | None = None
) -> None:
    """Append a map that is not empty; `first` stands before its first line, spaces before the others."""
    pad = " " * indent
    deep = pad + "  "
    lead = first
    for key in keys or _keys(value):
        child = value[key]
        shown = _key(key)
        if type(child) is str:
            out.append(f"{lead}{shown} {_string(child, deep)}\n")
        elif type(child) is dict and child:
            out.append(f"{lead}{shown}\n")
            _emit_map(out, child, indent + 2, deep)
        elif (type(child) is list or type(child) is tuple) and child:
            out.append(f"{lead}{shown}\n")
            _emit_list(out, child, indent, pad)
        else:
            out.append(f"{lead}{shown} {inline(child, deep)}\n")
        lead = pad


def _emit_list(out: list[str], value: list[object] | tuple[object, ...], indent: int, first: str) -> None:
    """Append a list that is not empty, as `_emit_map` does a map."""
    pad = " " * indent
    deep = pad + "  "
    lead = first
    for item in value:
        if type(item) is dict and item:
            _emit_map(out, item, indent + 2, f"{lead}- ")
        elif (type(item) is list or type(item) is tuple) and item:
            _emit_list(out, item, indent + 2, f"{lead}- ")
        else:
            out.append(f"{lead}- {inline(item, deep)}\n")
        lead = pad


def inline(value: object, deep: str) -> str:
    """What follows a key or a dash: a scalar, or an empty map or list.

    The lines of a literal block begin with `deep`.

    Raises:
        TypeError: JSON cannot hold the value.
    """
    if type(value) is str:
        return _string(value, deep)
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if type(value) is int and _MIN_INT <= value <= _MAX_INT:
        return str(value)
    if type(value) is float and math.isfinite(value):
        return _float(value)
    if type(value) is dict:
        return "{}"
    if type(value) is list or type(value) is tuple:
        return "[]"
    raise TypeError(f"not a JSON value: {type(value).__name__}")


def _float(value: float) -> str:
    """Shortest digits that give the value back; `1e+16` gets the point that YAML 1.1 asks for."""
    text = repr(value)
    mantissa, e, exponent = text.partition("e")
    return text if not e or "." in mantissa else f"{mantissa}.0e{exponent}"


def _string(text: str, deep: str) -> str:
    """A string as a value; the lines of a block start with `deep`."""
    if "\n" in text and _fits_block(text):
        head, body = ("|", text[:-1]) if text[-1] == "\n" else ("|-", text)
        lines = deep + body.replace("\n", f"\n{deep}")
        # No line of such a text ends in a space, so only what indents an empty line is taken out.
        return f"{head}\n" + lines.replace(f"{deep}\n", "\n")
    return _short(text) if len(text) <= _MAX_MEMO else one_line(text)


def _fits_block(text: str) -> bool:
    """Whether a literal block gives the text back, in every reader and after an editor's clean-up."""
    if text[0].isspace() or text[-1] in " \t" or text.endswith("\n\n"):
        return False
    if " \n" in text or "\t\n" in text or "\n\t" in text:
        return False
    if text.isascii():
        return text.replace("\n", "").replace("\t", "").isprintable()
    return not _NEEDS_ESCAPE.search(text)


def one_line(text: str) -> str:
    """A string as YAML on one line: bare or in double quotes, good in block and in flow style.

    Raises:
        TypeError: it holds half of a surrogate pair.
    """
    if _BARE.fullmatch(text):
        return text
    if _has_surrogate(text):
        raise TypeError("half of a surrogate pair is no character")
    return escaped(_quote(text))


@lru_cache(maxsize=16_384)
def _short(text: str) -> str:
    return one_line(text)


def escaped(text: str) -> str:
    r"""A text whose hidden characters are shown as `\\u200b`."""
    return _NEEDS_ESCAPE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"


@lru_cache(maxsize=4_096)
def _key(key: str) -> str:
    if len(key) > _MAX_KEY or len(shown := one_line(key)) > _MAX_KEY:
        raise TypeError("a key is too long")
    return shown + ":"


def _keys(value: dict[str, object]) -> list[str]:
    keys = sorted(value)
    for key in ("namespace", "name"):
        if key in value:
            keys.remove(key)
            keys.insert(0, key)
    return keys


def _root_keys(value: dict[str, object]) -> list[str]:
    first = [key for key in ("apiVersion", "kind", "metadata") if key in value]
    return first + [key for key in _keys(value) if key not in first]


def _check(value: object, place: _Place | None = None) -> None:
    """Raise for the first part that JSON cannot hold, or that YAML cannot have as a key."""
    if type(value) is str:
        if _has_surrogate(value):
            raise TypeError(f"{_where(place)}: half of a surrogate pair is no character")
    elif type(value) is dict:
        for key, child in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{_where(place)}: the key {key!r} is {type(key).__name__}, not str")
            if _has_surrogate(key):
                raise TypeError(f"{_where(place)}: the key {key!r} holds half of a surrogate pair")
            _check(child, (place, key))
    elif type(value) is list or type(value) is tuple:
        for index, item in enumerate(value):
            _check(item, (place, index))
    elif type(value) is int:
        if not _MIN_INT <= value <= _MAX_INT:
            bits = value.bit_length()
            raise TypeError(f"{_where(place)}: an integer of {bits} bits; readers hold 64 exactly")
    elif type(value) is float:
        if not math.isfinite(value):
            raise TypeError(f"{_where(place)}: {value} is no JSON number")
    elif value is not None and type(value) is not bool:
        raise TypeError(f"{_where(place)}: {type(value).__name__} is no JSON value")


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and _SURROGATE.search(text) is not None


def _where(place: _Place | None) -> str:
    """A place as people say it."""
    parts: list[str] = []
    while place is not None:
        place, part = place
        parts.append(str(part))
    return show_path(tuple(reversed(parts))) or "the root"
