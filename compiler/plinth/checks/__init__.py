"""The contract of a check: a look at one compiled environment.

Every other module here is one check and holds it as `CHECK`. Its page is shown by `plinth explain
CODE` and has examples that the tests run: a fence marked `yaml speaks` must make the check speak,
one marked `yaml silent` must not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir.graph import Graph
    from plinth.ir.targets import Application, ObjectKey


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalObject:
    """An object as it will be applied, and the Application that holds it."""

    application: Application
    key: ObjectKey
    body: Mapping[str, Any]
    path: tuple[str, ...]
    """The part of the spec that it comes back to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What a check may look at: targets, and every object that is at hand as a whole.

    In remote mode those are our own objects; upstream ones are known by catalogue facts only.
    """

    environment: str
    graph: Graph
    objects: tuple[FinalObject, ...]


class Check(ABC):
    """Finds what is wrong with a compiled environment."""

    code: str
    """`PLN4..`, given to no other fault."""
    page: str
    """Markdown: a heading, what the check finds and why that is bad, examples."""

    @abstractmethod
    def run(self, compiled: Compiled) -> Iterable[Diagnostic]:
        """Every fault of its kind."""
