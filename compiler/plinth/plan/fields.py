"""What differs between two plain values, field by field.

An item of a list stands by its name where all items have one, else by its position: a container that
is put before another one is one change, not two. Comparing the other way round gives the opposite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.diagnostics.secrets import hide_secrets
from plinth.ir.patch import same
from plinth.ir.said import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Absent:
    """The value of a field that is not there; not None, which a document may hold."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()

ORDER: Final = "[order]"
"""The last step to a list of named items in which only their order differs."""

_Way = tuple[str | int, ...]


class FieldChange(Struct, frozen=True):
    """A field with its two values, either of which may be `ABSENT`."""

    way: tuple[str | int, ...]
    """Keys and positions from the root; `[name=x]` is the item of that name: the same on both sides."""
    before: Any
    after: Any
    before_at: str
    """The JSON pointer in the document before, of the closest part that is there."""
    after_at: str
    """The same in the document after."""

    @property
    def path(self) -> str:
        """The way as a JSON pointer, fit to be shown."""
        return hide_secrets(pointer(*self.way))


def item(name: str) -> str:
    """The step to the item of a name."""
    return f"[name={name}]"


def compare(before: Any, after: Any) -> tuple[FieldChange, ...]:
    """Every field that differs, in the order of the keys; a value of another kind as a whole."""
    return tuple(_compare(before, after, (), (), ()))


def _compare(before: Any, after: Any, path: _Way, one: _Way, two: _Way) -> Iterator[FieldChange]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            is_before, is_after = key in before, key in after
            yield from _compare(
                before[key] if is_before else ABSENT,
                after[key] if is_after else ABSENT,
                (*path, key),
                (*one, key) if is_before else one,
                (*two, key) if is_after else two,
            )
    elif isinstance(before, list) and isinstance(after, list):
        if _has_items(before) or _has_items(after):
            yield from _compare_lists(before, after, path, one, two)
        elif not same(before, after):
            yield _change(before, after, path, one, two)
    elif not same(before, after):
        yield _change(before, after, path, one, two)


def _compare_lists(
    before: list[Any], after: list[Any], path: _Way, one: _Way, two: _Way
) -> Iterator[FieldChange]:
    names = _names(before), _names(after)
    if names[0] is None or names[1] is None:
        yield from _by_position(before, after, path, one, two)
        return
    indexes = [{name: index for index, name in enumerate(some)} for some in names if some is not None]
    for name in sorted({*indexes[0], *indexes[1]}):
        old, new = indexes[0].get(name), indexes[1].get(name)
        yield from _compare(
            ABSENT if old is None else before[old],
            ABSENT if new is None else after[new],
            (*path, item(name)),
            one if old is None else (*one, old),
            two if new is None else (*two, new),
        )
    common = [name for name in names[0] if name in indexes[1]]
    if common != [name for name in names[1] if name in indexes[0]]:
        # Of some lists the order matters: init containers run in it.
        yield _change(list(names[0]), list(names[1]), (*path, ORDER), one, two)


def _by_position(
    before: list[Any], after: list[Any], path: _Way, one: _Way, two: _Way
) -> Iterator[FieldChange]:
    """What lies between the items that both lists begin and end with."""
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    for index in range(max(len(old), len(new))):
        place = start + index
        yield from _compare(
            old[index] if index < len(old) else ABSENT,
            new[index] if index < len(new) else ABSENT,
            (*path, place),
            (*one, place) if index < len(old) else one,
            (*two, place) if index < len(new) else two,
        )


def _common(before: list[Any], after: list[Any]) -> int:
    """How many items two lists begin with in common."""
    for index, (old, new) in enumerate(zip(before, after, strict=False)):
        if not same(old, new):
            return index
    return min(len(before), len(after))


def _names(items: list[Any]) -> list[str] | None:
    """The names of all items, or None where one has none or two share one."""
    names = [item.get("name") if isinstance(item, Mapping) else None for item in items]
    found = [name for name in names if isinstance(name, str)]
    return found if len(set(found)) == len(items) else None


def _has_items(value: list[Any]) -> bool:
    """Whether a list holds maps or lists; one of scalars is a value as a whole."""
    return any(isinstance(item, Mapping | list) for item in value)


def _change(before: Any, after: Any, path: _Way, one: _Way, two: _Way) -> FieldChange:
    return FieldChange(path, before, after, pointer(*one), pointer(*two))
