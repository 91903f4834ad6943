"""Every container image that a platform runs, and where.

Images of upstreams that are not at hand come from the catalogue; those of workloads that a
controller makes later (a notebook, a training job) are named where the spec decides them.
"""

from __future__ import annotations

from collections import defaultdict
from functools import reduce
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from plinth.ir.kubernetes import containers
from plinth.ir.render import moved_image
from plinth.ir.targets import Base, Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plinth.ir.graph import Graph


class Environment(Struct, frozen=True, kw_only=True):
    """A compiled environment as far as images go."""

    name: str
    graph: Graph
    objects: Iterable[tuple[str, Mapping[str, Any]]]
    """(component, body) of every object that is at hand."""


class UsedImage(Struct, frozen=True, kw_only=True):
    """An image as a pod names it."""

    reference: str
    is_pinned: bool
    """It names a digest: what runs tomorrow is what runs today."""
    used_by: tuple[tuple[str, str], ...]
    """(environment, component), sorted."""


def images(environments: Iterable[Environment]) -> tuple[UsedImage, ...]:
    """Every image of some environments, sorted by its reference."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for environment in environments:
        for component, reference in _of(environment):
            found[reference].add((environment.name, component))
    return tuple(
        UsedImage(reference=name, is_pinned="@sha256:" in name, used_by=tuple(sorted(users)))
        for name, users in sorted(found.items())
    )


def _of(environment: Environment) -> Iterator[tuple[str, str]]:
    for component, body in environment.objects:
        for _, container in containers(body):
            if isinstance(container.get("image"), str):
                yield component, container["image"]
    for base in environment.graph.of(Base):
        if base.objects is None:
            moves = [each for each in environment.graph.of(Image) if each.application == base.component]
            for reference in base.upstream.images():
                yield base.component, reduce(moved_image, moves, reference)
