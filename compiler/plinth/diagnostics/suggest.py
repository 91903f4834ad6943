"""The name that was probably meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that differs least from `word`, or None where none is close.

    Close is at most one change for every three letters, and one in a word of two, so that
    `clustre` finds `cluster` and `x` finds nothing.
    """
    limit = max(1 if len(word) > 1 else 0, len(word) // 3)
    best: tuple[int, str] | None = None
    for name in sorted(known):
        distance = _distance(word.lower(), name.lower(), limit)
        if distance <= limit and (best is None or distance < best[0]):
            best = (distance, name)
    return best[1] if best else None


def did_you_mean(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """A help line: the probable name, or `otherwise`."""
    name = nearest(word, known)
    return f"did you mean `{name}`?" if name else otherwise


def _distance(left: str, right: str, limit: int) -> int:
    """Changes of one letter (insert, delete, replace, swap of neighbours) between two words.

    Anything above `limit` is said as `limit + 1`.
    """
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        above, before, row = before, row, [i]
        for j, b in enumerate(right, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return min(row[-1], limit + 1)
