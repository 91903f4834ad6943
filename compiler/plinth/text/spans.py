"""Where a thing is: a place in a file, and a path in a document."""

from __future__ import annotations

import json
import re
from functools import lru_cache

from msgspec import Struct

SpecPath = tuple[str, ...]
"""Keys from the root; an item of a list by its name: `("spec", "nodePools", "t4")`."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_PART = re.compile(r'\.?([A-Za-z0-9_-]+)|\[("(?:[^"\\]|\\.)*")\]')


class Span(Struct, frozen=True):
    """A piece of a file. Lines and columns count characters from 1; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@lru_cache(maxsize=4096)
def show_path(path: SpecPath) -> str:
    """Write a path as people say it: `spec.nodePools.t4`, `spec["a.b"]`.

    A part with other characters than ASCII letters, digits, `_` and `-` is a JSON string in
    brackets, so that no part can be mistaken for two, nor speak to a terminal.
    """
    shown: list[str] = []
    for part in path:
        if not _BARE.fullmatch(part):
            shown.append(f"[{json.dumps(part)}]")
        else:
            shown.append(f".{part}" if shown else part)
    return "".join(shown)


def parse_path(text: str) -> SpecPath:
    """Read what `show_path` wrote.

    Raises:
        ValueError: `show_path` writes no path like this.
    """
    parts: list[str] = []
    end = 0
    while match := _PART.match(text, end):
        bare, quoted = match.groups()
        parts.append(bare if quoted is None else json.loads(quoted))
        end = match.end()
    path = tuple(parts)
    if show_path(path) != text:
        raise ValueError(f"not a path: {text!r}; one looks like {show_path(('spec', 'nodePools', 'a.b'))}")
    return path
