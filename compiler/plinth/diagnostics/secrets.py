"""Text that looks like a secret.

A spec holds references to secrets, never their values; what looks like one is refused, and is
hidden wherever a line of the file is shown. Two rules: the marks that issuers put on their keys,
and a long run of letters and digits that no person would write.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

_MARKS: Final = re.compile(
    r"""
      -----BEGIN\ [A-Z ]*(?:PRIVATE\ KEY|CERTIFICATE)[^\n]*
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
    | \bAIza[0-9A-Za-z_-]{35}
    | \bya29\.[0-9A-Za-z_.-]{20,}
    | \bGOCSPX-[0-9A-Za-z_-]{20,}
    | \bgh[pousr]_[0-9A-Za-z]{20,}
    | \bgithub_pat_[0-9A-Za-z_]{20,}
    | \bglpat-[0-9A-Za-z_-]{16,}
    | \bxox[abeprs]-[0-9A-Za-z-]{10,}
    | \bsk-[0-9A-Za-z_-]{20,}
    | \bhf_[0-9A-Za-z]{20,}
    | \beyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}(?:\.[0-9A-Za-z_-]+)?
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)
    """,
    re.VERBOSE,
)

_RUN: Final = re.compile(r"(?<![0-9A-Za-z+/=_:@-])[0-9A-Za-z+/=_]{24,}(?![0-9A-Za-z:@.-])")

SHORTEST_RUN: Final = 24
LEAST_ENTROPY: Final = 3.5
"""Bits for each character. English words joined without spaces have about 3; random base64 of 24 has over 4."""


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
    return _RUN.sub(lambda run: "*" * len(run.group()) if _looks_random(run.group()) else run.group(), hidden)


def _looks_random(run: str) -> bool:
    kinds = sum(bool(re.search(kind, run)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    if kinds < 2 or (kinds == 2 and not re.search("[0-9]", run)):  # noqa: PLR2004 - two kinds: words have them too
        return False
    counts = Counter(run)
    entropy = -sum(n / len(run) * math.log2(n / len(run)) for n in counts.values())
    return entropy >= LEAST_ENTROPY
