"""The tree that a command works on: what it reads from it, and what it says when that fails."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from plinth import __version__
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError, listed
from plinth.ir.fileset import digest
from plinth.ir.layout import vendor
from plinth.ir.lock import PATH as LOCK
from plinth.ir.lock import Lock, LockError, read_lock
from plinth.ir.outputs import PATH as OUTPUTS
from plinth.ir.outputs import OutputsError, read_outputs
from plinth.ir.people import PatchFault
from plinth.ir.vendored import tree_digest
from plinth.pipeline import Inputs
from plinth.text.manifests import ManifestError, read_manifests
from plinth.text.nodes import plain, read_yaml
from plinth.workspace import (
    BadLedger,
    Busy,
    HandEdited,
    InputChanged,
    LinkInTree,
    NotAFile,
    NotAFolder,
    OutputChanged,
    OutsideTree,
    ReadFailed,
    Workspace,
    WorkspaceError,
    WriteFailed,
)
from plinth.workspace.cache import cached, keep, recalled
from plinth.workspace.groups import VENDOR
from plinth.workspace.places import ledger_paths

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from plinth.cli.console import Console
    from plinth.ir.ledger import Entry, Ledger
    from plinth.ir.outputs import Recorded
    from plinth.pipeline import Output

VENDOR_DEPTH = vendor("component", "version").count("/") + 1
"""Parts of the path of an upstream's folder."""

VENDOR_LEDGER, _ = ledger_paths(VENDOR)

MOST_NAMED = 10
"""Paths in one message; the rest is counted."""


class Files(Protocol):
    """Where files are read from: the folder as it is, or as a commit has it."""

    @property
    def inputs_seen(self) -> Mapping[str, str | None]:
        """Path -> digest of everything that was read or proven, None for what is not there."""

    def read_all(self, paths: Iterable[str]) -> dict[str, bytes | None]:
        """The bytes of files; None for one that is not there."""

    def prove(self, paths: Iterable[str]) -> dict[str, str | None]:
        """The digests of files that nothing is made of; None for one that is not there."""

    def ledger(self, group: str) -> Ledger:
        """What the ledger of a group tells of; nothing where there is none."""


class Project:
    """A tree with a platform file."""

    def __init__(
        self,
        options: argparse.Namespace,
        console: Console,
        files: Files | None = None,
        *,
        is_trusting: bool = False,
    ) -> None:
        self.root = Path(options.directory)
        self.file: str = options.file
        self._console = console
        if not self.root.is_dir():
            raise PlinthError(
                Diagnostic(
                    code="PLN905",
                    message=f"there is no folder `{self.root}`",
                    help="say the platform's folder with `-C`",
                )
            )
        self.workspace = Workspace(self.root, is_trusting=is_trusting)
        self._files: Files = files or self.workspace
        """What is read from it; written is always the folder."""
        self._ledger: Ledger | None = None
        self._by_upstream: Mapping[str, list[tuple[str, str]]] | None = None
        self._lock: Lock | None = None
        # What a commit compiles to is what it pinned.
        self._update: frozenset[Any] = frozenset(() if files else getattr(options, "update", ()))
        self._release: frozenset[str] = frozenset(getattr(options, "release", ()))
        self._vendored: dict[tuple[str, str], tuple[Mapping[str, Any], ...] | None] = {}

    def spec(self) -> bytes:
        """The bytes of the platform file."""
        data = self._files.read_all((self.file,))[self.file]
        if data is None:
            raise PlinthError(
                Diagnostic(
                    code="PLN905",
                    message=f"there is no `{self.file}` in {self.root.resolve()}",
                    help="go to the platform's folder, or name it with `-C` and the file with `-f`",
                )
            )
        self._console.sources[self.file] = data
        return data

    def inputs(self, kept: Callable[[str, str], Output | None] | None = None) -> Inputs:
        """What a compile reads beside the spec, and where it finds outputs that it need not make again."""
        return Inputs(
            lock=self.lock(),
            outputs=self.outputs(),
            update=self._update,
            release=self._release,
            patch=self._patch,
            vendored=self.vendored,
            kept=kept,
        )

    def lock(self) -> Lock:
        """What is pinned; nothing where there is no lock yet. Read once."""
        if self._lock is None:
            self._lock = self._read_lock()
        return self._lock

    def _read_lock(self) -> Lock:
        try:
            document = self._document(LOCK)
            return Lock() if document is None else read_lock(document[0])
        except (ManifestError, LockError) as error:
            raise _unreadable(
                LOCK, error, "restore it from git; without it versions and machines are chosen anew"
            ) from None

    def outputs(self) -> Recorded:
        """What applies told, by environment; nothing where nobody has recorded anything."""
        try:
            document = self._document(OUTPUTS)
            return {} if document is None else read_outputs(document[0])
        except (ManifestError, OutputsError) as error:
            raise _unreadable(
                OUTPUTS, error, "restore it from git, or write it anew: `plinth outputs ENV`"
            ) from None

    def _document(self, path: str) -> tuple[Any] | None:
        """The one document of a file, None where there is no file."""
        data = self._files.read_all((path,))[path]
        if data is None:
            return None
        documents = read_manifests(data)
        return (documents[0] if len(documents) == 1 else None,)

    def vendored(self, component: str, version: str) -> tuple[Mapping[str, Any], ...] | None:
        """The objects of a vendored upstream without its CRDs, every file as the ledger has it; read once."""
        if (component, version) not in self._vendored:
            self._vendored[component, version] = self._read_vendored(component, version)
        return self._vendored[component, version]

    def _read_vendored(self, component: str, version: str) -> tuple[Mapping[str, Any], ...] | None:
        folder = vendor(component, version)
        entries = self._vendored_entries().get(folder, [])
        pinned = self.lock().vendored.get(f"{component}/{version}")
        if not entries or pinned is None:
            return None
        if tree_digest(dict(entries)) != pinned.digest:
            raise _not_as_vendored(f"`{folder}/` is not what `{LOCK}` pins")
        # What proven bytes parse to need not be found out at every compile.
        key = digest(f"{__version__} {pinned.digest}".encode())
        parsed = recalled(self.root, key)
        # CRDs are most of an upstream's bytes, and what a compile knows of them is in the catalogue.
        read = [path for path, _ in entries if parsed is None and _is_read(path, folder)]
        texts = self._files.read_all(read)
        seen = self._files.inputs_seen
        marks = {path: seen[path] for path in texts}
        marks |= self._files.prove(path for path, _ in entries if path not in texts)
        for path, mark in entries:
            if marks[path] != mark:
                what = "is missing" if marks[path] is None else "was edited"
                raise _not_as_vendored(f"`{path}` {what}")
        if parsed is None:
            parsed = _objects(texts.values())
            keep(self.root, key, parsed)
        return tuple(parsed)

    def _vendored_entries(self) -> Mapping[str, list[tuple[str, str]]]:
        """Path and digest of every vendored file as the ledger has it, by the folder of its upstream."""
        if self._by_upstream is None:
            text = self._files.read_all((VENDOR_LEDGER,))[VENDOR_LEDGER]
            if not text:
                self._by_upstream = {}
                return self._by_upstream
            key = digest(f"{__version__} {self._files.inputs_seen[VENDOR_LEDGER]}".encode())
            self._by_upstream = cached(self.root, key, lambda: _by_upstream(self.vendor_ledger()))
        return self._by_upstream

    def entries(self) -> tuple[Entry, ...]:
        """Every compiled file as the ledgers on disk have it, sorted by path."""
        found: list[Entry] = []
        for name in self.workspace.groups():
            found += self.workspace.ledger(name).entries
        if not found:
            raise PlinthError(
                Diagnostic(
                    code="PLN905",
                    message="nothing is compiled here yet",
                    help="run `plinth compile` first",
                )
            )
        return tuple(sorted(found, key=lambda entry: entry.path))

    def vendor_ledger(self) -> Ledger:
        """The ledger of what is vendored, empty where nothing is."""
        if self._ledger is None:
            self._ledger = self._files.ledger(VENDOR)
        return self._ledger

    def _patch(self, path: str) -> Any:
        data = self._files.read_all((path,))[path]
        if data is None:
            raise PatchFault("there is no such file")
        node, faults = read_yaml(data, path)
        if node is None or faults:
            first = faults[0]
            raise PatchFault(f"line {first.span.line}: {first.message}; {first.help}")
        return plain(node)


def _is_read(path: str, folder: str) -> bool:
    return not path.startswith(f"{folder}/crds/") and not path.endswith("/kustomization.yaml")


def _by_upstream(ledger: Ledger) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for entry in ledger.entries:
        folder = "/".join(entry.path.split("/", VENDOR_DEPTH)[:VENDOR_DEPTH])
        found.setdefault(folder, []).append((entry.path, entry.digest))
    return found


def _objects(texts: Iterable[bytes | None]) -> list[dict[str, Any]]:
    return [body for text in texts for body in read_manifests(text or b"")]


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn what the workspace refuses into a message with a way out."""
    try:
        yield
    except HandEdited as error:
        raise PlinthError(_edited(error.paths)) from None
    except WorkspaceError as error:
        code, help_ = _HELP[type(error)]
        raise PlinthError(Diagnostic(code=code, message=str(error), help=help_)) from None


_HELP: dict[type[WorkspaceError], tuple[str, str]] = {
    BadLedger: ("PLN907", "restore it from git, or remove it: the next compile writes it again"),
    Busy: ("PLN906", "wait for it to end and run again"),
    InputChanged: ("PLN904", "run again: what was read no longer stands"),
    LinkInTree: (
        "PLN902",
        "put a folder or file of its own in its place: Plinth follows no link out of the tree",
    ),
    NotAFile: ("PLN902", "move it away: a compiled file belongs there"),
    NotAFolder: ("PLN902", "move it away: a folder of compiled files belongs there"),
    OutputChanged: ("PLN904", "run again: somebody else changes the tree"),
    OutsideTree: ("PLN905", "name a file inside the platform's folder"),
    ReadFailed: ("PLN905", "see to it that you may read it"),
    WriteFailed: ("PLN903", "make room or get the right to write there, and run again"),
}


def _edited(paths: tuple[str, ...]) -> Diagnostic:
    return Diagnostic(
        code="PLN901",
        message=f"edited by hand, and nothing was written: {listed(paths, most=MOST_NAMED)}",
        help="move the edit into a file under `patches/` and name it in the component's `patches`, "
        "or take ours with `plinth compile --overwrite`",
    )


def _not_as_vendored(message: str) -> PlinthError:
    return PlinthError(
        Diagnostic(
            code="PLN911",
            message=message,
            help="bring it back with `plinth vendor --mirror DIR`; changes belong under `patches/`",
        )
    )


def _unreadable(path: str, error: Exception, way_out: str) -> PlinthError:
    return PlinthError(Diagnostic(code="PLN908", message=f"`{path}` cannot be read: {error}", help=way_out))
