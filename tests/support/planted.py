"""Random secrets, to be planted where they must not come out again.

    secrets = planted(1000, seed=1)

They are drawn from a seed, so that one which leaks can be looked at again.
"""

from __future__ import annotations

import base64
import random
import string
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PRINTABLE: Final = string.ascii_letters + string.digits + "!#$%&*+-.:;<=>?@^_~"
_LETTERS: Final = string.ascii_letters + string.digits


@cache
def passwords(number: int, *, seed: int) -> tuple[str, ...]:
    """Texts of any form, as a Secret may hold; none is part of a word that a program says."""
    draw = random.Random(seed)  # noqa: S311 - they protect nothing
    return tuple("".join(draw.choices(_PRINTABLE, k=draw.randrange(10, 40))) for _ in range(number))


@cache
def keys(number: int, *, seed: int) -> tuple[str, ...]:
    """Texts that look like secrets wherever they stand: with the marks of issuers, or plainly random."""
    draw = random.Random(seed)  # noqa: S311 - as above
    return tuple(draw.choice(_FORMS)(draw) for _ in range(number))


def come_out(secrets: Iterable[str], text: str) -> list[str]:
    """Those of the secrets, none of which holds white space, that stand anywhere in a text.

    Every word of the text is looked at once: a report says most of its words a thousand times.
    """
    words = "\n".join(dict.fromkeys(text.split()))
    return [each for each in secrets if each in words]


def _some(draw: random.Random, length: int, of: str = _LETTERS) -> str:
    return "".join(draw.choices(of, k=length))


_FORMS: Final[tuple[Callable[[random.Random], str], ...]] = (
    lambda draw: "AKIA" + _some(draw, 16, string.ascii_uppercase + string.digits),
    lambda draw: "ghp_" + _some(draw, 36),
    lambda draw: "hf_" + _some(draw, 34),
    lambda draw: "glpat-" + _some(draw, 20),
    lambda draw: "xoxb-" + _some(draw, 24),
    lambda draw: "AIza" + _some(draw, 35),
    lambda draw: base64.b64encode(draw.randbytes(48)).decode(),
)
