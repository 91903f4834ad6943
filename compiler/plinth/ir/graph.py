"""All targets of an environment, and the order in which they may be applied.

Waves are the levels of the graph of Applications: one that needs nothing is in wave 0, every other
one wave after the last of what it needs. They order installation and removal, not later updates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from plinth.ir.said import show_origin
from plinth.ir.targets import Application, Manifest, Patch, Target, TerraformBlock, TerraformResource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T", bound=Target)


class DuplicateTarget(Exception):
    """Two targets would be one thing; the message has both origins."""


class Cycle(Exception):
    """Applications need one another in a circle; the message names it."""


class Graph(Struct, frozen=True, eq=False):
    """Targets without duplicates, with their waves."""

    targets: tuple[Target, ...]
    _by_kind: dict[type[Any], tuple[Any, ...]] = field(default_factory=dict)

    def of(self, kind: type[T]) -> tuple[T, ...]:
        """The targets of one kind, in a fixed order."""
        if kind not in self._by_kind:
            self._by_kind[kind] = tuple(target for target in self.targets if isinstance(target, kind))
        return self._by_kind[kind]


def build(targets: Iterable[Target]) -> Graph:
    """The graph of an environment.

    Raises:
        DuplicateTarget: two targets have one address.
        Cycle: the Applications have no order.
    """
    everything = tuple(targets)
    seen: dict[tuple[str, ...], Target] = {}
    for target in everything:
        key = _key(target)
        if key in seen:
            first, second = (", ".join(map(show_origin, each.origins)) for each in (seen[key], target))
            raise DuplicateTarget(f"{' '.join(key)} is asked for by {first} and by {second}")
        seen[key] = target
    waves = _waves({each.name: each.needs for each in everything if isinstance(each, Application)})
    ordered = sorted(seen, key=lambda key: key)
    return Graph(tuple(_in_wave(seen[key], waves) for key in ordered))


def _in_wave(target: Target, waves: Mapping[str, int]) -> Target:
    return replace(target, wave=waves[target.name]) if isinstance(target, Application) else target


def _waves(needs: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    waves: dict[str, int] = {}

    def wave(name: str, path: tuple[str, ...]) -> int:
        if name in path:
            raise Cycle(" needs ".join((*path[path.index(name) :], name)))
        if name not in waves:
            before = [wave(need, (*path, name)) for need in needs[name] if need in needs]
            waves[name] = max(before, default=-1) + 1
        return waves[name]

    for name in sorted(needs):
        wave(name, ())
    return waves


def _key(target: Target) -> tuple[str, ...]:
    match target:
        case TerraformResource():
            return ("terraform", target.layer, target.block, target.type, target.name)
        case TerraformBlock():
            return ("terraform", target.layer, target.kind, target.name)
        case Manifest():
            key = target.key
            return ("object", key.group, key.kind, key.namespace, key.name)
        case Patch():
            key = target.target
            return ("patch", target.application, key.group, key.kind, key.namespace, key.name, target.file)
        case Application():
            return ("application", target.name)
        case _:
            component = getattr(target, "component", getattr(target, "application", ""))
            return (type(target).__name__.lower(), component, getattr(target, "name", ""))
