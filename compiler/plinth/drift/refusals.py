"""What an API server's refusal means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from plinth.drift import Refusal
    from plinth.drift.masking import Masks

_IMMUTABLE: Final = re.compile(
    r"immutable"
    r"|(?:may|can) ?not (?:be )?(?:change|update|modif)"
    r"|not allowed to (?:be )?chang"
    r"|updates to .{0,400}(?:are|is) forbidden"
    r"|updates may not change",
    re.IGNORECASE | re.DOTALL,
)
"""Source: validation of updates in Kubernetes 1.36; CRDs say `immutable` in rules of their own."""

_INVALID: Final = 422
_NO_ANSWERS: Final = frozenset({0, 401, 403, 408, 409, 429})
_SERVER_FAULT: Final = 500


def is_immutable(refusal: Refusal) -> bool:
    """True where the object differs in what cannot be changed in place."""
    return refusal.status == _INVALID and bool(_IMMUTABLE.search(refusal.message))


def is_missing_version(refusal: Refusal) -> bool:
    """True where the server has no such kind in this version: a live object is there."""
    return refusal.status in {404, 405, 410}


def is_no_answer(refusal: Refusal) -> bool:
    """True where nothing is said of the object: no right, a conflict of owners, a server that is busy.

    500 is an answer: it is how a server says that an object does not fit its schema.
    """
    return refusal.status in _NO_ANSWERS or refusal.status > _SERVER_FAULT


def said(refusal: Refusal, masks: Masks) -> str:
    """For a person: what was refused, with no value in it."""
    reason = f" {masks.place(refusal.reason)}" if refusal.reason else ""
    fields = f" at {masks.place(', '.join(refusal.causes))}" if refusal.causes else ""
    return f"refused ({refusal.status}{reason}){fields}: {masks.message(refusal.message)}"
