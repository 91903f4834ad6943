"""Two objects side by side: where they differ, leaf by leaf."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct

from plinth.drift.paths import ABSENT, Keys, Member, Path, canonical, is_container, keys_of
from plinth.drift.spellings import mean_the_same

if TYPE_CHECKING:
    from plinth.drift.lists import Shape

How = Literal["value", "order", "spelling"]
"""`order`: the same items in another order, where no order is meant. `spelling`: it means the same."""

_ORDERED: Final = frozenset(
    {"args", "command", "envFrom", "initContainers", "nameservers", "searches", "sources"}
)
"""Lists in which the order of items means something: a later one of two, or what runs first."""


class Difference(Struct, frozen=True, kw_only=True):
    """A place at which the live object is not what a probe says."""

    path: Path
    root: Path
    """The highest place at which one side has nothing; `path` itself where both have something."""
    live: Any
    probe: Any
    """Both are ABSENT where there is nothing."""
    how: How = "value"


def differences(
    live: object, probe: object, shape: Shape, path: Path = (), root: Path | None = None
) -> Iterator[Difference]:
    """Every leaf that differs. An atomic list is one leaf; what only one side has is taken apart."""
    one, other = _container(live), _container(probe)
    if one in {"map", None} and other in {"map", None} and (one or other):
        yield from _of_maps(live, probe, shape, path, root)
    elif shape.list_type != "atomic" and {one, other} <= {"list", None} and (one or other):
        yield from _of_lists(live, probe, shape, path, root)
    elif one == other == "list":
        yield from _of_atomic_lists(live, probe, shape, path)
    elif not is_same(live, probe):
        how: How = "spelling" if mean_the_same(live, probe, shape.meaning) else "value"
        yield Difference(path=path, root=path if root is None else root, live=live, probe=probe, how=how)


def is_same(one: object, other: object) -> bool:
    """Equality of JSON: 1.0 is 1, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    return type(one) is type(other) and one == other


def _container(value: object) -> Literal["map", "list", "scalar"] | None:
    """None for nothing and for what has nothing within: an empty map or list is a leaf."""
    if value is ABSENT:
        return None
    if not is_container(value):
        return "scalar"
    return "map" if isinstance(value, dict | Mapping) else "list"


def _of_maps(live: Any, probe: Any, shape: Shape, path: Path, root: Path | None) -> Iterator[Difference]:
    ours, theirs = ({} if side is ABSENT else side for side in (live, probe))
    if not ours and not theirs:
        if live is ABSENT or probe is ABSENT:
            yield Difference(path=path, root=path if root is None else root, live=live, probe=probe)
        return
    if root is None and (live is ABSENT or probe is ABSENT):
        root = path
    for key in sorted({*ours, *theirs}, key=str):
        yield from differences(
            ours.get(key, ABSENT), theirs.get(key, ABSENT), shape.at(str(key)), (*path, str(key)), root
        )


def _of_lists(live: Any, probe: Any, shape: Shape, path: Path, root: Path | None) -> Iterator[Difference]:
    one, other = (_by_key(side, shape) for side in (live, probe))
    if one is None or other is None or not (one or other):
        if live is ABSENT or probe is ABSENT:
            yield Difference(path=path, root=path if root is None else root, live=live, probe=probe)
        else:
            yield from _of_atomic_lists(live, probe, shape, path)
        return
    if root is None and (live is ABSENT or probe is ABSENT):
        root = path
    for key in {**one, **other}:
        yield from differences(
            one.get(key, ABSENT), other.get(key, ABSENT), shape.of_item, (*path, key), root
        )
    ours, theirs = ([key for key in side if key in one and key in other] for side in (one, other))
    if ours != theirs:
        how: How = "value" if _order_matters(path, live, probe) else "order"
        yield Difference(path=path, root=path, live=_names(ours), probe=_names(theirs), how=how)


def _of_atomic_lists(live: Any, probe: Any, shape: Shape, path: Path) -> Iterator[Difference]:
    found = _hows(live, probe, shape)
    if not found:
        return
    how: How = "value"
    if found in ({"spelling"}, {"order"}):
        how = found.pop()
    elif not _order_matters(path, live, probe) and _counted(live) == _counted(probe):
        how = "order"
    yield Difference(path=path, root=path, live=live, probe=probe, how=how)


def _hows(live: Any, probe: Any, shape: Shape) -> set[How]:
    if len(live) != len(probe):
        return {"value"}
    return {
        found.how
        for one, other in zip(live, probe, strict=True)
        for found in differences(one, other, shape.of_item)
    }


def _counted(values: Sequence[Any]) -> Counter[str]:
    return Counter(canonical(value) for value in values)


def _by_key(side: Any, shape: Shape) -> dict[Keys | Member, Any] | None:
    """A list's items by what tells them apart; None where two are the same or one has no name."""
    if side is ABSENT:
        return {}
    found: dict[Keys | Member, Any] = {}
    for item in side:
        key = (
            keys_of(item, shape.keys, shape.defaults) if shape.list_type == "map" else Member(canonical(item))
        )
        if key is None or key in found:
            return None
        found[key] = item
    return found


def _names(keys: Sequence[Keys | Member]) -> list[Any]:
    return [dict(key.pairs) if isinstance(key, Keys) else key.text for key in keys]


def _order_matters(path: Path, live: Any, probe: Any) -> bool:
    last = path[-1] if path else ""
    if last == "env":
        # A value may use those before it.
        return "$(" in canonical(live) or "$(" in canonical(probe)
    return last in _ORDERED
