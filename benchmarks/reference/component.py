"""What each component of the reference platform adds to its upstream, the same for all of them.

In every environment: a namespace, an object of its own, and on its first workload a number of
replicas, an image's tag and an annotation. That is what overlays of real components hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from plinth.components import Component, Given
from plinth.ir.kubernetes import namespace, put
from plinth.ir.said import said
from plinth.ir.targets import Image, Manifest, ObjectKey, Patch
from plinth.spec.fields import Field
from plinth.spec.platform import ComponentSection
from reference.upstreams import UPSTREAMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plinth.catalog.components import ObjectFacts
    from plinth.ir.needs import Context
    from plinth.ir.targets import Base, Target
    from reference.upstreams import Plugin

_SCALED = frozenset({"Deployment", "StatefulSet"})


class ReferenceSection(ComponentSection):
    """What an environment may say of a component."""

    replicas: Annotated[int, Field(ge=1, le=9)] = 1
    tag: str | None = None
    note: str = "as it comes"


class Reference(Component[ReferenceSection]):
    """An upstream with what environments differ in."""

    def __init__(self, plugin: Plugin) -> None:
        self.name = plugin.name  # type: ignore[misc]  # one class for all, where a real one has its own
        self.namespace = plugin.namespace  # type: ignore[misc]  # as above
        self.Section = type(f"{plugin.name.title()}Section", (ReferenceSection,), {"__doc__": plugin.name})
        self._plugin = plugin

    def requires(self, section: ReferenceSection, context: Context) -> Iterable[str]:
        del section, context
        return self._plugin.requires

    def emit(self, section: ReferenceSection, given: Given) -> Iterable[Target]:
        if self._plugin.makes_namespace:
            yield namespace(
                self.name, self.namespace, level=self._plugin.level, base=given.base, origins=given.origins
            )
        yield Manifest(
            application=self.name,
            key=ObjectKey("", "ConfigMap", self.namespace, f"{self.name}-environment"),
            body={
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": f"{self.name}-environment", "namespace": self.namespace},
                "data": {"environment": given.context.environment, "note": said(section, "note")},
            },
            origins=given.origins,
        )
        for facts in _workloads(given.base):
            yield self._patch(section, facts, given)
            if section.tag is not None:
                yield self._image(section, facts, given)
            break

    def _patch(self, section: ReferenceSection, facts: ObjectFacts, given: Given) -> Patch:
        replicas: tuple[Any, ...] = ()
        if facts.key.kind in _SCALED:
            replicas = ({"op": "add", "path": "/spec/replicas", "value": said(section, "replicas")},)
        notes = {"reference.example.com/note": said(section, "note")}
        return Patch(
            application=self.name,
            target=facts.key,
            operations=(*replicas, *put(notes, "/metadata/annotations", exists=facts.has_annotations)),
            origins=given.origins,
        )

    def _image(self, section: ReferenceSection, facts: ObjectFacts, given: Given) -> Image:
        containers = facts.pod.containers if facts.pod else ()
        name = containers[0].image.partition("@")[0]
        head, colon, tag = name.rpartition(":")
        tag_said = said(section, "tag")
        return Image(
            application=self.name,
            name=head if colon and "/" not in tag else name,
            tag=str(tag_said.value),
            origins=(*given.origins, *tag_said.origins),
        )


def component_of(module: str) -> Reference:
    """The component that a plug-in's module holds, by the module's name."""
    name = module.rpartition(".")[2].replace("_", "-")
    return Reference(next(each for each in UPSTREAMS if each.name == name))


def _workloads(base: Base | None) -> Iterator[ObjectFacts]:
    """The upstream's Deployments and other makers of pods, in the order of their keys."""
    for facts in base.upstream.objects.values() if base else ():
        if facts.pod is not None and facts.pod.containers:
            yield facts
