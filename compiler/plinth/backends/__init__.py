"""The contract of a backend: targets in, files out; nothing is decided here.

Every other module here is one backend and holds it as `BACKEND`. Each writes files that no other
writes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plinth.ir.fileset import FileSet
    from plinth.ir.graph import Graph


class Backend(ABC):
    """Turns the targets of one environment into the text of files."""

    name: str
    """Stands beside each of its files in the ledger."""

    @abstractmethod
    def emit(self, graph: Graph, environment: str) -> FileSet:
        """The files of one environment by their path from the root of the tree.

        What lies under `generated/base/` is the same in every environment that has it.
        """
