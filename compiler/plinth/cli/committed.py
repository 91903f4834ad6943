"""The platform as a commit has it: its files, and the tree that was compiled then."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from plinth.ir.digest import digest_if_any
from plinth.ir.ledger import Ledger, LedgerError
from plinth.live.git import blob_id
from plinth.workspace.errors import BadLedger
from plinth.workspace.groups import VENDOR, VENDORED, group_ledger
from plinth.workspace.places import ledger_paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from plinth.live.git import Revision


COMPILED: Final = ("generated/", "overlays/")


def is_committed(root: Path, files: Mapping[str, str | None], revision: Revision) -> bool:
    """Whether a commit has these files of a folder as they are there now, and no other compiled file.

    Args:
        root: The folder, whose files are as their digests say.
        files: Path -> digest of everything that a compile read or wrote, None for what was not there.
        revision: The commit.
    """
    committed = {path for path in revision.paths if path.startswith(COMPILED)}
    return committed <= {path for path, mark in files.items() if mark is not None} and all(
        revision.paths.get(path) == (None if mark is None else blob_id((root / path).read_bytes()))
        for path, mark in files.items()
    )


class CommittedFiles:
    """What a compile reads, out of a commit."""

    def __init__(self, revision: Revision) -> None:
        self._revision = revision
        self._seen: dict[str, str | None] = {}
        self._groups: dict[str, Mapping[str, Mapping[str, tuple[str, ...]]]] = {}

    @property
    def inputs_seen(self) -> Mapping[str, str | None]:
        """Path -> digest of everything that was read or proven, None for what the commit does not have."""
        return MappingProxyType(self._seen)

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes | None]:
        """The bytes of files; None for one that the commit does not have."""
        found = {path: self._revision.read(path) for path in paths}
        self._seen |= {path: digest_if_any(data) for path, data in found.items()}
        return found

    def prove(self, paths: Iterable[str]) -> dict[str, str | None]:
        """The digests of files that nothing is made of; None for one that the commit does not have."""
        return {path: self._seen[path] for path in self.read_all(paths)}

    def ledger(self, group: str) -> Ledger:
        """What the ledger of a group tells of; nothing where there is none.

        Raises:
            BadLedger: it is no ledger, or names a file outside the group's folders.
        """
        path = ledger_paths(group)[0]
        return group_ledger(path, group, self.read_all((path,))[path])

    def has_the_same(self, inputs: Mapping[str, str | None]) -> bool:
        """Whether every input of a compile is in the commit as it was read.

        What is vendored is told by its ledger, which has the digest of each file.
        """
        own = {path for path in inputs if not path.startswith(VENDORED)}
        paths = sorted({*own, ledger_paths(VENDOR)[0]} & inputs.keys())
        self.read_all(paths)
        return all(self._seen[path] == inputs[path] for path in paths)

    def origins(self, path: str) -> Mapping[str, tuple[str, ...]]:
        """The origins of the fields of a compiled file; none where no ledger has them."""
        top, _, rest = path.partition("/")
        group = rest.partition("/")[0]
        if top not in {"generated", "overlays"}:
            return {}
        return self._origins_of(group).get(path, {})

    def _origins_of(self, group: str) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        if group not in self._groups:
            try:
                self._groups[group] = {entry.path: entry.origins for entry in self.ledger(group).entries}
            except (BadLedger, LedgerError):  # an older format, or edited: nothing is known
                self._groups[group] = {}
        return self._groups[group]
