"""The pages that `plinth explain CODE` shows: one for each code that is no check's.

A check brings its own page.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent / "pages"


@cache
def codes() -> tuple[str, ...]:
    """Every code that has a page here, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("PLN*.md")))


def page(code: str) -> str | None:
    """The Markdown of a code's page, or None where there is none."""
    # A code may be what somebody typed: only a listed one becomes a file's name.
    return (_FOLDER / f"{code}.md").read_text(encoding="utf-8") if code in codes() else None
