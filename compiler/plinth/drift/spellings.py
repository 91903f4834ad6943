"""Values that are written differently and mean the same: quantities, durations, networks, base64."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Meaning = Literal["quantity", "int-or-string", "duration", "network", "base64"]

_QUANTITY: Final = re.compile(
    r"([+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30}))(?:([eE][+-]?[0-9]{1,2})|([a-zA-Z]{0,2}))"
)
_DURATION: Final = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{1,18})?(?:ns|us|µs|ms|s|m|h))+")
_STEP: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h)")
_SUFFIXES: Final = {
    "": Fraction(1),
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 10**3),
    **{unit: Fraction(1000 ** (n + 1)) for n, unit in enumerate("kMGTPE")},
    **{f"{unit}i": Fraction(1024 ** (n + 1)) for n, unit in enumerate("KMGTPE")},
}
_SECONDS: Final = {
    "ns": Fraction(1, 10**9),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "ms": Fraction(1, 10**3),
    "s": Fraction(1),
    "m": Fraction(60),
    "h": Fraction(3600),
}


def mean_the_same(one: object, other: object, meaning: Meaning | None) -> bool:
    """True where two scalars that are not equal mean the same.

    Of an int-or-string, `80` and `"80"` are a number and a name, which are different things; `"1000m"`
    and `"1"` are one amount.

    Source: Kubernetes API reference, "Quantity"; Go's `time.ParseDuration`.
    """
    if meaning is None or isinstance(one, bool) or isinstance(other, bool):
        return False
    if meaning == "int-or-string" and str(one) == str(other):
        return False
    read = _READERS[meaning]
    first = read(one)
    return first is not None and first == read(other)


def quantity(value: object) -> Fraction | None:
    """A Kubernetes quantity in base units, or None for what is none."""
    found = _QUANTITY.fullmatch(str(value)) if isinstance(value, str | int | float) else None
    if found is None:
        return None
    number, exponent, suffix = found.groups()
    try:
        exact = Fraction(Decimal(number + (exponent or "")))
    except InvalidOperation:
        return None
    step = _SUFFIXES.get(suffix or "")
    return None if step is None else exact * step


def _duration(value: object) -> Fraction | None:
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        return None
    total = sum((Fraction(number) * _SECONDS[unit] for number, unit in _STEP.findall(value)), Fraction(0))
    return -total if value.startswith("-") else total


def _network(value: object) -> Hashable | None:
    try:
        return ipaddress.ip_network(value, strict=False) if isinstance(value, str) else None
    except ValueError:
        return None


def _bytes(value: object) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


_READERS: Final[dict[Meaning, Callable[[object], Hashable | None]]] = {
    "quantity": quantity,
    "int-or-string": quantity,
    "duration": _duration,
    "network": _network,
    "base64": _bytes,
}
