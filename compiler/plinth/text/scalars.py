"""What a scalar without quotes means, and which ones mean different things to different readers.

The schema is YAML 1.2's core schema. Kubernetes, kustomize and most editors still carry parts of
YAML 1.1, where `no` is a boolean and `0755` is 493; a scalar that the two read differently is
refused with a way out, so that a platform file means the same to everyone who reads it.
"""

from __future__ import annotations

import math
import re

from msgspec import Struct

from plinth.text.nodes import DATE, NUMBER, OCTAL, YAML11_BOOLEAN, Scalar

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_YAML11_BOOLEANS = frozenset({"y", "yes", "on", "n", "no", "off"})
_NUMBER_STARTS = frozenset("0123456789+-.")

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_OCTAL = re.compile(r"[-+]?0(?:[0-9]+|[oO][0-7]+)")
_OTHER_BASE = re.compile(r"[-+]?0(?:[xX][0-9a-fA-F]+|[bB][01]+)")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|nan)", re.IGNORECASE)
_BASE_60 = re.compile(r"[-+]?[0-9]+(?::[0-5]?[0-9])+(?:\.[0-9]*)?")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
    r"(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]*)?"
    r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?"
)
# 18 digits fit 64 bits with room to spare; what is longer becomes a float in Go and JavaScript.
_MAX_DIGITS = 18


class Refused(Struct, frozen=True):
    """Why a scalar is not read. `reason` completes "`0755` ..."."""

    kind: str
    reason: str
    help: str


def resolve(text: str) -> Scalar | Refused:
    """The value of a scalar that stands without quotes."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] in _NUMBER_STARTS:
        return _number(text)
    if len(text) <= len("off") and text.lower() in _YAML11_BOOLEANS:
        return Refused(
            YAML11_BOOLEAN,
            "is a boolean to YAML 1.1 readers and text to YAML 1.2 readers",
            f'write `true` or `false` if it is a boolean, `"{text}"` if it is text',
        )
    return text


def _number(text: str) -> Scalar | Refused:
    """What starts like a number: one, something that some reader takes for one, or text."""
    if _INT.fullmatch(text):
        if len(text.lstrip("+-")) > _MAX_DIGITS:
            return _refused_number(f"has more than {_MAX_DIGITS} digits, which many readers round")
        return int(text)
    if _DATE.fullmatch(text):
        return Refused(
            DATE, "is a date to some YAML readers and text to others", f'put it in quotes: `"{text}"`'
        )
    # Readers that know `1_000` drop the underscores first, so the rest is looked at without them.
    digits = text.replace("_", "")
    if _OCTAL.fullmatch(digits):
        return Refused(
            OCTAL,
            "is an octal number to some YAML readers, decimal or text to others",
            "write the number in decimal without leading zeros, or put it in quotes if it is text",
        )
    if _OTHER_BASE.fullmatch(digits):
        return _refused_number("is a number to some YAML readers and text to others")
    if _BASE_60.fullmatch(digits):
        return _refused_number("is a number of base 60 to YAML 1.1 readers and text to others")
    if _NOT_FINITE.fullmatch(digits):
        return _refused_number("is no finite number, and JSON cannot hold it")
    if not _FLOAT.fullmatch(digits):
        return text
    if digits != text:
        return _refused_number("is a number to some YAML readers and text to others")
    value = float(text)
    return value if math.isfinite(value) else _refused_number("is too large for a number")


def _refused_number(reason: str) -> Refused:
    return Refused(
        NUMBER, reason, "write a plain decimal number, as in `1000`, or put it in quotes if it is text"
    )
