"""Where something stands in an object: the parts of its path, and patterns of them.

A part is the key of a map, the index of a list, the keys of an item of an associative list, or
a member of a set. The last two stay true when items are put into another order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.diagnostics.secrets import hide_secrets
from plinth.ir.patch import parts_of

if TYPE_CHECKING:
    from plinth.drift.lists import Shape


class Nothing(Enum):
    """What stands where nothing stands, which is not null."""

    ABSENT = "absent"


ABSENT: Final = Nothing.ABSENT


class Keys(Struct, frozen=True):
    """An item of an associative list: `(("name", "proxy"),)`, sorted by the names of the keys."""

    pairs: tuple[tuple[str, str | int | float | bool], ...]


class Member(Struct, frozen=True):
    """A member of a set, as JSON."""

    text: str


DEEPEST: Final = 150
"""Levels of nesting that are looked into; the deepest schemas of known CRDs have about 60."""

Part = str | int | Keys | Member
Path = tuple[Part, ...]
Pattern = tuple[str, ...]
"""`("spec", "ports", "*", "nodePort")`: `*` is any one part, `**` at the end any number, none included."""


def pattern(text: str) -> Pattern:
    """A pattern from a pointer; `~1` in it is a `/` of a key, as in annotations."""
    return parts_of(text)


def matches(path: Path, wanted: Pattern) -> bool:
    """True where a path is what a pattern says."""
    if wanted and wanted[-1] == "**":
        head = wanted[:-1]
        return len(path) >= len(head) and matches(path[: len(head)], head)
    return len(path) == len(wanted) and all(
        one in {"*", part}
        for part, one in zip(path, wanted, strict=True)
        if isinstance(part, str) or one != "*"
    )


def pointer(path: Path) -> str:
    """A path as a person reads it: `/spec/ports/[port=80,protocol=TCP]/nodePort`, a member as `[=x]`."""
    return "".join(f"/{_shown(part)}" for part in path)


def canonical(value: object) -> str:
    """JSON that is the same for values that are equal; 1.0 and 1 are equal to JSON."""
    return json.dumps(_whole(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def value_at(body: object, path: Path, shape: Shape) -> Any:
    """What stands at a path, or ABSENT; `shape` is that of `body` and tells items of lists apart."""
    for part in path:
        if isinstance(part, str):
            if not isinstance(body, Mapping) or part not in body:
                return ABSENT
            body, shape = body[part], shape.at(part)
            continue
        if not isinstance(body, Sequence) or isinstance(body, str):
            return ABSENT
        body, shape = _item(body, part, shape), shape.of_item
    return body


def _item(items: Sequence[Any], part: int | Keys | Member, shape: Shape) -> Any:
    if isinstance(part, int):
        return items[part] if 0 <= part < len(items) else ABSENT
    if isinstance(part, Member):
        return next((item for item in items if canonical(item) == part.text), ABSENT)
    return next((item for item in items if keys_of(item, shape.keys, shape.defaults) == part), ABSENT)


def keys_of(item: object, names: Sequence[str], defaults: Mapping[str, Any]) -> Keys | None:
    """What tells an item of an associative list from the others, or None where it lacks a key."""
    if not isinstance(item, Mapping):
        return None
    pairs = []
    for name in names:
        value = item.get(name, defaults.get(name))
        if not isinstance(value, str | int | float | bool):
            return None
        pairs.append((name, value))
    return Keys(tuple(sorted(pairs)))


def is_too_deep(body: object) -> bool:
    """True beyond what a recursion through it can bear; looked at without one."""
    level: list[Any] = [body]
    for _ in range(DEEPEST):
        level = [child for value in level if is_container(value) for child in _children(value)]
        if not level:
            return False
    return True


def is_container(value: object) -> bool:
    """True for a map and for a list; what parsers make of JSON is asked about first, for speed."""
    if isinstance(value, str | int | float | bytes) or value is None:
        return False
    return isinstance(value, dict | list | Mapping | Sequence)


def _children(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict | Mapping) else value


def _shown(part: Part) -> str:
    if isinstance(part, Keys):
        part = "[" + ",".join(f"{name}={hide_secrets(str(value))}" for name, value in part.pairs) + "]"
    elif isinstance(part, Member):
        part = f"[={hide_secrets(part.text.strip(chr(34)))}]"
    return hide_secrets(str(part)).replace("~", "~0").replace("/", "~1")


def _whole(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _whole(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(child) for child in value]
    return value
