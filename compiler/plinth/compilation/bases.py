"""What overlays build on, made once however many environments build on it.

A base is a function of component, version and of how upstreams are brought in: nothing of an
environment's spec is in it but the reason why it is there. So its facts, its operations and its
objects are shared, and an object that no overlay touches is one and the same object everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plinth import registry
from plinth.catalog.components import load, placed
from plinth.ir.render import base_objects
from plinth.ir.targets import Base

if TYPE_CHECKING:
    from plinth.compilation.inputs import Inputs
    from plinth.components import Component
    from plinth.ir.render import Rendered


class Bases:
    """The bases of one compile."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._shared: dict[tuple[str, str, bool], Base] = {}
        self._objects: dict[tuple[str, str, bool], tuple[Rendered, ...]] = {}

    def shared(self, component: Component[Any], version: str, *, is_vendored: bool) -> Base:
        """A base without its origins, which are each environment's own.

        Its `objects` are None where the upstream is wanted vendored and is not.
        """
        key = (component.name, version, is_vendored)
        if key not in self._shared:
            self._shared[key] = self._made(component, version, is_vendored=is_vendored)
        return self._shared[key]

    def objects(self, base: Base) -> tuple[Rendered, ...]:
        """The objects of a base as its kustomization gives them.

        Raises:
            PatchFailed: upstream as vendored is not what the catalogue knows.
        """
        key = (base.component, base.version, base.vendored)
        if key not in self._objects:
            self._objects[key] = base_objects(base)
        return self._objects[key]

    def _made(self, component: Component[Any], version: str, *, is_vendored: bool) -> Base:
        variant = component.variant(version)
        known = load(component.name, version, registry.catalog_folders())
        upstream = placed(known, variant.namespace, variant.without)
        pinned = self._inputs.lock.vendored.get(f"{component.name}/{version}")
        return Base(
            component=component.name,
            version=version,
            upstream=upstream,
            vendored=is_vendored,
            namespace=variant.namespace,
            values=variant.values,
            operations=component.base_operations(upstream, vendored=is_vendored),
            origins=(),
            objects=self._inputs.vendored(component.name, version) if is_vendored else None,
            incomplete=pinned.incomplete if is_vendored and pinned else (),
        )
