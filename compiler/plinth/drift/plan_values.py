"""Two values of a Terraform attribute: where they differ, and what of them may be shown.

Source: Terraform, "JSON Output Format", change representation; the plug-in SDK's notion of empty values.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from plinth.drift import Field
from plinth.ir.said import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MASKED: Final = "(sensitive)"

_ABSENT: Final = object()

_SECRET_NAME: Final = re.compile(
    r"password|passwd|secret_data|token|private_key|client_key|credentials|access_key|kubeconfig|connection_string",
    re.IGNORECASE,
)
"""Attributes that hold a secret whatever a provider's schema says of them."""

Path = tuple[str | int, ...]


def changed(desired: Any, live: Any) -> tuple[Path, ...]:
    """The smallest parts in which two values differ, sorted; none where they mean the same."""
    return tuple(sorted(_changed(desired, live, ()), key=lambda path: tuple(map(str, path))))


def mask(value: Any, marks: Sequence[Any]) -> Any:
    """A value fit to be shown; `marks` are trees that have `true` where it is sensitive."""
    for tree in marks:
        value = _masked(value, tree)
    return value


def field(path: Path, desired: Any, live: Any) -> Field:
    """One difference of two values that are masked already."""
    one, other = _at(desired, path), _at(live, path)
    has_desired = one is not _ABSENT and one is not None
    has_live = other is not _ABSENT and other is not None
    return Field(
        path=pointer(*path),
        desired=one if has_desired else None,
        live=other if has_live else None,
        has_desired=has_desired,
        has_live=has_live,
    )


def is_unknown(tree: Any, path: Path) -> bool:
    """True where `after_unknown` says that a value is told by the apply alone."""
    for part in path:
        if tree is True:
            return True
        tree = _step(tree, part)
    return tree is not _ABSENT and _has_mark(tree)


def _masked(value: Any, tree: Any) -> Any:
    if value is None or tree is True:
        return None if value is None else MASKED
    if isinstance(value, dict):
        return {
            key: _masked(part, _SECRET_NAME.search(str(key)) is not None or _step(tree, key))
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_masked(part, _step(tree, index)) for index, part in enumerate(value)]
    return value


def _changed(one: Any, other: Any, where: Path) -> Iterator[Path]:
    if _plain(one) == _plain(other):
        return
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from _changed(one.get(key), other.get(key), (*where, key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _changed(left, right, (*where, index))
    else:
        yield where


def _plain(value: Any) -> Any:
    """A value without what makes no difference: empty parts, the order of a set, the spelling of JSON."""
    if isinstance(value, dict):
        named = {key: _plain(part) for key, part in value.items()}
        return {key: part for key, part in named.items() if part is not None} or None
    if isinstance(value, list):
        # Sets are rendered as lists, and core itself tells a real change of order.
        parts = [_plain(part) for part in value]
        return sorted(parts, key=lambda part: json.dumps(part, sort_keys=True)) or None
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return _plain(found)
    return None if value == "" else value


def _at(value: Any, path: Path) -> Any:
    for part in path:
        if value == MASKED:  # what stood there was hidden further up
            return MASKED
        value = _step(value, part)
    return value


def _step(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part, _ABSENT)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return _ABSENT


def _has_mark(tree: Any) -> bool:
    if isinstance(tree, dict):
        return any(map(_has_mark, tree.values()))
    if isinstance(tree, list):
        return any(map(_has_mark, tree))
    return tree is True
