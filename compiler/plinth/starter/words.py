"""Text at the top of a file that people go on with."""

from __future__ import annotations

import re
import textwrap
from typing import Final

WIDTH: Final = 104

_ITEM: Final = re.compile(r" *(?:- |[0-9]+\. )")


def filled(text: str) -> str:
    """A text in lines of a readable width.

    Paragraphs are apart by an empty line; `- ` and `1. ` begin an item.
    """
    parts: list[str] = []
    for line in text.strip("\n").split("\n"):
        begins = not parts or not line or not parts[-1] or _ITEM.match(line)
        if begins:
            parts.append(line)
        else:
            parts[-1] += f" {line.strip()}"
    return "\n".join(_wrapped(part) for part in parts)


def _wrapped(text: str) -> str:
    item = _ITEM.match(text)
    hanging = " " * len(item.group()) if item else ""
    return textwrap.fill(
        text, WIDTH, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )
