"""Random secrets, to be planted where they must not come out again.

    secrets = planted(1000, seed=1)

They are drawn from a seed, so that one which leaks can be looked at again.
"""

from __future__ import annotations

import base64
import random
import string
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_PRINTABLE: Final = string.ascii_letters + string.digits + "!#$%&*+-.:;<=>?@^_~"
_LETTERS: Final = string.ascii_letters + string.digits


def passwords(number: int, *, seed: int) -> list[str]:
    """Texts of any form, as a Secret may hold; none is part of a word that a program says."""
    draw = random.Random(seed)  # noqa: S311 - they protect nothing
    return ["".join(draw.choices(_PRINTABLE, k=draw.randrange(10, 40))) for _ in range(number)]


def keys(number: int, *, seed: int) -> list[str]:
    """Texts that look like secrets wherever they stand: with the marks of issuers, or plainly random."""
    draw = random.Random(seed)  # noqa: S311 - as above
    return [draw.choice(_FORMS)(draw) for _ in range(number)]


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
