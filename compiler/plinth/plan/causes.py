"""Which lines of the spec a change of a resource comes from.

The ledgers say where each field of a compiled file came from. Of those origins the ones that were
changed in the spec are the cause; where none of them was (a new version of the compiler, a default
that follows another field) all of them are given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.ir.origins import BECAUSE, is_below, origins_at, spec_first
from plinth.plan.fields import ABSENT, compare
from plinth.text.spans import show_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plinth.plan.resources import Resource
    from plinth.plan.tree import Tree
    from plinth.text.spans import SpecPath

_ENVIRONMENTS: Final = ("spec", "environments")


class Causes(Struct, frozen=True):
    """What was changed in the spec, as paths of the file."""

    changed: tuple[SpecPath, ...]

    def of(self, env: str, origins: Iterable[str]) -> tuple[str, ...]:
        """The changed paths that these origins of an environment lead to, or the origins."""
        found = list(origins)
        said = [each for each in found if not each.startswith(BECAUSE)]
        matching = {
            show_path(path)
            for path in self.changed
            for meant in _meanings(path, env)
            # A whole environment that comes or goes takes along what nobody has asked for.
            if meant == "spec" or any(is_below(each, meant) or is_below(meant, each) for each in said)
        }
        return spec_first(matching or set(found))


def origins_of(before: tuple[Tree, Resource | None], after: tuple[Tree, Resource | None]) -> tuple[str, ...]:
    """The origins of everything in which a resource's files differ, in either tree."""
    (old_tree, old), (new_tree, new) = before, after
    files = dict.fromkeys((*(old.files if old else ()), *(new.files if new else ())))
    found: set[str] = set()
    for path in files:
        if old_tree.marks.get(path) != new_tree.marks.get(path):
            found |= set(_of_file(path, before, after))
    if not found:  # nothing of its own: it is in or out of a list
        tree, resource = after if new else before
        found = {origin for path in (resource.files if resource else ()) for origin in _all(tree, path, "")}
    return spec_first(found)


def _of_file(
    path: str, before: tuple[Tree, Resource | None], after: tuple[Tree, Resource | None]
) -> Iterator[str]:
    (old_tree, old), (new_tree, new) = before, after
    place = (new or old).place  # type: ignore[union-attr]  # one of the two is there
    if path not in old_tree.marks or (place and old is None):
        yield from _all(new_tree, path, place)
    elif path not in new_tree.marks or (place and new is None):
        yield from _all(old_tree, path, place)
    else:
        for change in compare(_part(old_tree, path, place, old), _part(new_tree, path, place, new)):
            if change.after is not ABSENT:
                yield from origins_at(new_tree.origins(path), place + change.after_at)
            else:
                yield from origins_at(old_tree.origins(path), place + change.before_at)


def _part(tree: Tree, path: str, place: str, resource: Resource | None) -> Any:
    return resource.body if place and resource is not None else tree.data(path)


def _all(tree: Tree, path: str, place: str) -> Iterator[str]:
    for where, some in tree.origins(path).items():
        if where == place or where.startswith(f"{place}/"):
            yield from some


def _meanings(path: SpecPath, env: str) -> Iterator[str]:
    """A changed path as it is in the merged spec of an environment."""
    if path[:2] == _ENVIRONMENTS:
        if len(path) > 2 and path[2] != env:  # noqa: PLR2004 - `spec.environments.<name>`
            return
        # A value that an environment says has its own path; what it takes out has that of the whole spec.
        yield show_path(path)
        path = ("spec", *path[3:])
        if path[-1] == "remove":
            path = path[:-1]
    yield show_path(path)
