"""Values that know who asked for them.

A cloud or a component builds nested plain data and puts `Said` leaves where a value comes from
the spec; `settle` takes the two apart again. A leaf without one is the compiler's own doing, and
its origin is that of the target it stands in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.text.spans import SpecPath, show_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from plinth.spec import Section


_PLAIN: Final = (str, int, float, type(None))


class Because(Struct, frozen=True):
    """A decision of the compiler, in words that follow "because"."""

    text: str


Origin = SpecPath | Because


class Expression(Struct, frozen=True):
    """Terraform's own language, without its `${}`. Made only in `clouds/`."""

    text: str


class Said(Struct, frozen=True):
    """A leaf, or a small piece of plain data, with what it came from."""

    value: Any
    origins: tuple[Origin, ...]

    def map(self, change: Callable[[Any], Any]) -> Said:
        """What `change` makes of the value, from the same origins."""
        return Said(change(self.value), self.origins)


def said(section: Section, field: str) -> Said:
    """A field of a section with the path it was said at, or the default that stands for it."""
    origin = section.origin(field)
    value = getattr(section, field)
    if origin is not None:
        return Said(value, (origin,))
    return Said(
        value, (Because(f"{show_path(section.said_path(field))} is {_shown(value)} where nothing is said"),)
    )


def text(*parts: str | int | Said) -> Said:
    """The parts in a row as one text, from the origins of them all."""
    return Said("".join(str(value_of(part)) for part in parts), origins_of(parts))


def why(reason: str) -> tuple[Because, ...]:
    """Origins of what the compiler decided by itself."""
    return (Because(reason),)


def value_of(part: Any) -> Any:
    """The plain value of a part, said or not."""
    return part.value if isinstance(part, Said) else part


def origins_of(parts: Iterable[Any]) -> tuple[Origin, ...]:
    """The origins of all parts, in order, each once."""
    found = dict.fromkeys(origin for part in parts if isinstance(part, Said) for origin in part.origins)
    return tuple(found)


def spec_path(origins: Iterable[Origin], otherwise: SpecPath = ("spec", "components")) -> SpecPath:
    """The first part of the spec among origins; where there is none, what stands for it."""
    return next((origin for origin in origins if isinstance(origin, tuple)), otherwise)


def settle(data: Any, origins: tuple[Origin, ...] = ()) -> tuple[Any, dict[str, tuple[Origin, ...]]]:
    """Plain data, and the origins of every part of it by JSON pointer.

    `origins` are those of the whole, at the pointer `""`. `Expression` leaves stay as they are.
    """
    found: dict[str, tuple[Origin, ...]] = {"": origins} if origins else {}
    return _settle(data, (), found), found


def show_origin(origin: Origin) -> str:
    """An origin as a ledger holds it: a path of the spec, or "because ..."."""
    return f"because {origin.text}" if isinstance(origin, Because) else show_path(origin)


def show_origins(origins: Mapping[str, Iterable[Origin]]) -> dict[str, tuple[str, ...]]:
    """Origins by pointer as a ledger holds them, each once and sorted."""
    return {pointer: tuple(sorted({show_origin(each) for each in some})) for pointer, some in origins.items()}


def pointer(*parts: str | int) -> str:
    """A JSON pointer. Source: RFC 6901."""
    return "".join([f"/{_escaped(part) if isinstance(part, str) else part}" for part in parts])


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1") if "~" in part or "/" in part else part


def _settle(data: Any, where: tuple[str | int, ...], found: dict[str, tuple[Origin, ...]]) -> Any:
    if isinstance(data, _PLAIN):  # most leaves, and told apart at once
        return data
    if isinstance(data, Said):
        if data.origins:
            place = pointer(*where)
            found[place] = (*found.get(place, ()), *data.origins)
        return _settle(data.value, where, found)
    if type(data) is dict or isinstance(data, Mapping):  # the second question costs ten times the first
        return {
            (plain := value_of(key)): _settle(value, (*where, plain), found) for key, value in data.items()
        }
    if isinstance(data, Sequence):
        return [_settle(value, (*where, index), found) for index, value in enumerate(data)]
    return data


def _shown(value: Any) -> str:
    if value is None:
        return "absent"
    return "empty" if value == () else f"`{value}`"
