"""Outputs of environments that the last compile wrote, so that the next compiles only what an edit touches.

The note in `.plinth/` has what is not in the tree; files are taken from the tree, each held against the
digest that it was written with. An environment of which anything is otherwise is compiled. Only a
compile that writes looks here: what proves a tree to somebody else makes all of it anew.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from plinth.compilation.output import as_data, from_data
from plinth.ir.ledger import Entry
from plinth.pipeline import SHARED
from plinth.workspace import WorkspaceError
from plinth.workspace.notes import read_note, write_note
from plinth.workspace.places import ledger_paths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.compilation.output import Output
    from plinth.pipeline import Result
    from plinth.workspace import Plan, Workspace

NAME: Final = "outputs.json"
FORMAT: Final = 1


class KeptOutputs:
    """What the last compile of one compiler has left of each environment."""

    def __init__(self, workspace: Workspace, compiler: str) -> None:
        self._workspace = workspace
        self._compiler = compiler
        self._noted = self._read()

    def __call__(self, environment: str, mark: str) -> Output | None:
        """The output of an environment with this fingerprint, if its files are there as they were written."""
        with contextlib.suppress(WorkspaceError, AttributeError, KeyError, TypeError, ValueError):
            noted = self._noted[environment]
            if noted["fingerprint"] != mark:
                return None
            ledger = self._workspace.ledger(environment)
            if self._workspace.inputs_seen[ledger_paths(environment)[0]] != noted["ledger"]:
                return None
            shared = [_entry(path, *told) for path, told in noted["shared"].items()]
            files = self._workspace.matching((*ledger.entries, *shared))
            return None if files is None else from_data(environment, mark, noted["output"], files)
        return None

    def keep(self, result: Result, plan: Plan) -> None:
        """Note what was written."""
        noted = {}
        for output in result.outputs:
            ledger = plan.digests.get(ledger_paths(output.environment)[0])
            if ledger is not None:
                noted[output.environment] = _note(output, ledger, plan.digests)
            elif output.environment in self._noted:
                noted[output.environment] = self._noted[output.environment]
        body = {"format": FORMAT, "compiler": self._compiler, "environments": noted}
        write_note(self._workspace.root, NAME, body)

    def _read(self) -> dict[str, Any]:
        with contextlib.suppress(KeyError, TypeError, ValueError):
            noted = read_note(self._workspace.root, NAME)
            if (noted["format"], noted["compiler"]) == (FORMAT, self._compiler):
                return dict(noted["environments"])
        return {}


def _entry(path: str, mark: str, backend: str, origins: Mapping[str, list[str]]) -> Entry:
    return Entry(path, mark, backend, {pointer: tuple(texts) for pointer, texts in origins.items()})


def _note(output: Output, ledger: str, marks: Mapping[str, str]) -> dict[str, Any]:
    shared = {
        path: (marks[path], file.backend, file.origins)
        for path, file in output.files.items()
        if path.startswith(SHARED)
    }
    return {
        "fingerprint": output.fingerprint,
        "ledger": ledger,
        "shared": shared,
        "output": as_data(output),
    }
