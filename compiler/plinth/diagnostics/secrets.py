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

# Possessive: a part of a run is no run, or the first folders of a path with a `.` would be one.
_RUN: Final = re.compile(r"(?<![0-9A-Za-z+/=_:@.-])[0-9A-Za-z+/=_]{24,}+(?![:@.-])")

_BETWEEN: Final = re.compile(r"[/_=]")
"""What stands between the names of a path, the words of a name, a setting and its value."""

SHORTEST_PART: Final = 20
"""Characters of a part that is judged: base64 has few slashes and no `=` but at its end."""
LEAST_ENTROPY: Final = 3.5
"""Bits for each character. Joined English words have about 3; random base64 of 24 has over 4."""
LEAST_BREAKS: Final = 0.25
"""Changes of kind (lower case, upper case, digit) for each character.

`MyTeamsPool2026` has 0.2, random text 0.4.
"""


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
    """`text` with everything that looks like a secret made of `*`, at the same width."""
    hidden = _MARKS.sub(lambda found: "*" * len(found.group()), text)
    return _RUN.sub(_hidden, hidden)


def _hidden(run: re.Match[str]) -> str:
    return "*" * len(run.group()) if _looks_random(run.group()) else run.group()


def _looks_random(run: str) -> bool:
    return any(_is_random(part) for part in _BETWEEN.split(run) if len(part) >= SHORTEST_PART)


def _is_random(part: str) -> bool:
    kinds = [_kind(character) for character in part]
    if "digit" not in kinds or not {"lower", "upper"} & set(kinds):
        return False
    # A capital before small letters begins a word and breaks nothing.
    breaks = sum(one != two and (one, two) != ("upper", "lower") for one, two in pairwise(kinds))
    counts = Counter(part)
    entropy = -sum(n / len(part) * math.log2(n / len(part)) for n in counts.values())
    return entropy >= LEAST_ENTROPY and breaks / len(part) >= LEAST_BREAKS


def _kind(character: str) -> str:
    if character.isdecimal():
        return "digit"
    if character.isalpha():
        return "upper" if character.isupper() else "lower"
    return "sign"
