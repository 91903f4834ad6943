"""Text that looks like a secret.

A spec holds references to secrets, never their values; what looks like one is refused, and is
hidden wherever a line of the file is shown. Two rules: the marks that issuers put on their keys,
and a long run of letters and digits that no person would write.

A bare commit id or digest in hexadecimal is such a run, and stays one: no field of a spec takes
it, and keys of the same form are common (`openssl rand -hex 32`, Weights & Biases). Behind
`sha256:` it is a digest.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from typing import Final

_MARKS: Final = re.compile(
    r"""
      -----BEGIN\ [A-Z ]*(?:PRIVATE\ KEY|CERTIFICATE)[^\n]*
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
    | \bAIza[0-9A-Za-z_-]{35,}
    | \bya29\.[0-9A-Za-z_.-]{20,}
    | \bGOCSPX-[0-9A-Za-z_-]{20,}
    | \bgh[pousr]_[0-9A-Za-z]{20,}
    | \bgithub_pat_[0-9A-Za-z_]{20,}
    | \bglpat-[0-9A-Za-z_-]{16,}
    | \bxox[abeprs]-[0-9A-Za-z-]{10,}
    # Names such as `sk-learn-runtime-for-teams` have no upper case.
    | \bsk-(?=[0-9a-z_-]*[A-Z])[0-9A-Za-z_-]{20,}
    | \bhf_[0-9A-Za-z]{20,}
    | \bnvapi-[0-9A-Za-z_-]{20,}
    | \bdckr_pat_[0-9A-Za-z_-]{20,}
    | \beyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}(?:\.[0-9A-Za-z_-]+)?
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)
    """,
    re.VERBOSE,
)

# Possessive: a part of a run is no run, or the first folders of a path with a `.` would be one. What is
# given to an option, `--token=...`, is one all the same.
_RUN: Final = re.compile(r"(?:(?<![0-9A-Za-z+/=_:@.-])|(?<==))[0-9A-Za-z+/=_]{24,}+(?![:@.-])")

_TOKEN: Final = re.compile(r"(?<!sha256:)(?<!sha512:)(?<![0-9A-Za-z+/_-])[0-9A-Za-z+/_-]{20,}+={0,2}")
"""What is looked at only to be hidden: URL-safe tokens, short ones, hexadecimal ones."""
_SIGNS: Final = re.compile(r"[^0-9A-Za-z]")
# Runs and tokens are ASCII. A line may be as long as a file, and most lack a kind.
_LOWER, _UPPER, _DIGIT = (re.compile(kind) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
_HEXADECIMAL: Final = frozenset("0123456789abcdef")

SHORTEST: Final = 15
"""Characters of the shortest secret but a password in a URL: `xoxb-` and ten more."""

_BETWEEN: Final = re.compile(r"[/_=]")
"""What stands between the names of a path, the words of a name, a setting and its value."""

SHORTEST_PART: Final = 20
"""Characters of a part that is judged: base64 has few slashes and no `=` but at its end."""
LONG_RUN: Final = 40
"""Characters of a run that is judged as a whole as well."""
LEAST_ENTROPY: Final = 3.5
"""Bits for each character. Joined English words have about 3; random base64 of 24 has over 4."""
LEAST_BREAKS: Final = 0.25
"""Changes of kind (lower case, upper case, digit) for each character.

`MyTeamsPool2026` has 0.2, random text 0.4.
"""
MIXED_BREAKS: Final = 0.33
"""The same for a token that is only hidden; `OAuth2ProxyV7ConfigMap` has 0.27."""
SHORTEST_HEXADECIMAL: Final = 32


def secret_in(text: str) -> tuple[int, int] | None:
    """Where in `text` the first thing that looks like a secret stands (start, end), or None."""
    found = _MARKS.search(text)
    if found:
        return found.span()
    for run in _RUN.finditer(text):
        if _looks_random(run.group()):
            return run.span()
    return None


def hide_secrets(text: str) -> str:
    """`text` with everything that looks like a secret made of `*`, at the same width.

    More is hidden than `secret_in` finds: what is hidden in vain costs a reader a look at the file, what is
    refused in vain keeps somebody from working.
    """
    if len(text) < SHORTEST and "://" not in text:  # most names and keys, and some runs show many thousands
        return text
    hidden = _MARKS.sub(lambda found: "*" * len(found.group()), text)
    return _TOKEN.sub(_hidden_token, _RUN.sub(_hidden, hidden))


def _hidden_token(token: re.Match[str]) -> str:
    text = token.group()
    return "*" * len(text) if _is_mixed(text) or _is_hexadecimal(text) else text


def _is_mixed(token: str) -> bool:
    """Whether small letters, capitals and digits alternate as nobody writes them."""
    if not all(kind.search(token) for kind in (_LOWER, _UPPER, _DIGIT)):
        return False
    text = _SIGNS.sub("", token)
    kinds = [_kind(character) for character in text]
    return _breaks(kinds) >= MIXED_BREAKS and _entropy(text) >= LEAST_ENTROPY


def _is_hexadecimal(token: str) -> bool:
    """Whether it is a key or a digest in hexadecimal: as many kinds of characters as there are."""
    return (
        len(token) >= SHORTEST_HEXADECIMAL
        and not token.isdecimal()
        and not token.isalpha()
        and set(token) <= _HEXADECIMAL
        and len(set(token)) >= len(_HEXADECIMAL) // 2
    )


def _hidden(run: re.Match[str]) -> str:
    return "*" * len(run.group()) if _looks_random(run.group()) else run.group()


def _looks_random(run: str) -> bool:
    parts = _BETWEEN.split(run)
    if any(_is_random(part) for part in parts if len(part) >= SHORTEST_PART):
        return True
    # Long base64 may have its slashes anywhere; the names of a path are words even when joined.
    return len(run) >= LONG_RUN and _is_random("".join(parts))


def _is_random(part: str) -> bool:
    if not _DIGIT.search(part) or not (_LOWER.search(part) or _UPPER.search(part)):
        return False
    kinds = [_kind(character) for character in part]
    return _entropy(part) >= LEAST_ENTROPY and _breaks(kinds) >= LEAST_BREAKS


def _breaks(kinds: list[str]) -> float:
    # A capital before small letters begins a word and breaks nothing.
    breaks = sum(one != two and (one, two) != ("upper", "lower") for one, two in pairwise(kinds))
    return breaks / len(kinds)


def _entropy(text: str) -> float:
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _kind(character: str) -> str:
    if character.isdecimal():
        return "digit"
    if character.isalpha():
        return "upper" if character.isupper() else "lower"
    return "sign"
