"""Priorities of groups of nodes, for an autoscaler that the cloud runs and that asks the cluster for them.

It looks for them among what is the cluster's own, so no namespace is made. Until they are there, it takes any
group; groups of equal priority it tells apart by chance.

Source: AKS, "Use the cluster autoscaler"; the AKS engineering blog, "Scaling safely with Azure AKS Spot node
pools using cluster autoscaler priority expander"; Cluster Autoscaler, pull request 5246.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from plinth.components import Component, Given
from plinth.components._priorities import priorities
from plinth.ir import needs
from plinth.spec.platform import ComponentSection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.ir.said import Origin
    from plinth.ir.targets import Target

NAME: Final = "autoscaler-priorities"
HOME: Final = "kube-system"


class AutoscalerPrioritiesSection(ComponentSection):
    """Spot nodes before others. On Azure it is there unasked where a pool is `spot-then-on-demand`."""


class AutoscalerPriorities(Component[AutoscalerPrioritiesSection]):
    """One ConfigMap."""

    name: ClassVar[str] = NAME
    namespace: ClassVar[str] = HOME
    Section = AutoscalerPrioritiesSection

    def versions(self, folders: tuple[Any, ...]) -> tuple[str, ...]:
        del folders  # not an upstream, and no image: the version is that of the object
        return ("1",)

    def needs(
        self, section: AutoscalerPrioritiesSection, context: needs.Context, origins: tuple[Origin, ...]
    ) -> Mapping[str, needs.Need]:
        del section, context
        return {"groups": needs.AutoscalerPriorities(origins=origins)}

    def emit(self, section: AutoscalerPrioritiesSection, given: Given) -> Iterable[Target]:
        del section
        yield priorities(NAME, HOME, given.autoscaler("groups").first, given.origins)


COMPONENT = AutoscalerPriorities()
