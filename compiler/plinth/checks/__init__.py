"""The contract of a check: a look at one compiled environment.

Every other module here is one check and holds it as `CHECK`; `_known` is what they share. A check's
page is shown by `plinth explain CODE`, and its examples are run by tests. A fence marked `yaml speaks`
holds a piece of a spec that must make the check speak, one marked `yaml silent` must not. What no
spec can cause is shown as a whole object, marked `yaml object speaks` or `yaml object silent`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import force_setattr, replace

from plinth.checks._known import Kinds, in_place, kinds, sketches
from plinth.ir.said import spec_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir.graph import Graph
    from plinth.ir.targets import Application, ObjectKey


class FinalObject(Struct, frozen=True, kw_only=True):
    """An object as it will be applied, and the Application that holds it."""

    application: Application
    key: ObjectKey
    body: Mapping[str, Any]
    path: tuple[str, ...]
    """The part of the spec that it comes back to."""
    is_whole: bool = True
    """False for a sketch out of the catalogue: what its body lacks, the object may still have."""


class Compiled(Struct, frozen=True, kw_only=True):
    """What a check may look at: targets, every object at hand as a whole, and what is known of the others."""

    environment: str
    graph: Graph
    objects: tuple[FinalObject, ...]
    """Those at hand as a whole. In remote mode these are our own; upstream's are known by facts only."""
    kinds: Kinds = field(default_factory=dict)
    """Every kind that a CRD of the environment brings; found here, not given."""
    known: tuple[FinalObject, ...] = ()
    """Every object of the environment, sorted, its key in the namespace that it will be in; found here.

    Sketches stand for upstream's objects where those are not at hand, and for CRDs.
    """

    def __post_init__(self) -> None:
        brought = kinds(self.graph, ((each.application, each.body) for each in self.objects))
        at_hand = frozenset((each.application.name, each.key) for each in self.objects)
        found = list(self.objects)
        for application, key, body in sketches(self.graph, at_hand):
            path = spec_path(application.origins)
            found.append(FinalObject(application=application, key=key, body=body, path=path, is_whole=False))
        placed = [_placed(each, brought) for each in found]
        force_setattr(self, "kinds", brought)
        known = tuple(sorted(placed, key=lambda each: (each.application.name, each.key)))
        force_setattr(self, "known", known)


def _placed(item: FinalObject, brought: Kinds) -> FinalObject:
    key = in_place(item.key, item.application, brought)
    return item if key is item.key else replace(item, key=key)


class Check(ABC):
    """Finds what is wrong with a compiled environment."""

    code: str
    """`PLN4..`, given to no other fault."""
    page: str
    """Markdown: a heading, what the check finds and why that is bad, how to mend it, examples."""

    @abstractmethod
    def run(self, compiled: Compiled) -> Iterable[Diagnostic]:
        """Every fault of its kind."""
