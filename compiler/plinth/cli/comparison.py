"""What would be compiled, against what a commit has: three trees, and where each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from plinth import __version__
from plinth.cli.committed import COMPILED, CommittedFiles
from plinth.cli.priced import priced
from plinth.cli.project import Project, told
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError, SpecError
from plinth.diagnostics.suggest import did_you_mean
from plinth.live.git import Revision, blob_id
from plinth.pipeline import compile_spec
from plinth.plan import Diff, Tree, UnreadableFile, diff, spec_changes
from plinth.plan.show import Places
from plinth.reports.cost_change import cost_changes
from plinth.text.nodes import read_yaml
from plinth.workspace.groups import VENDOR, VENDORED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from plinth.cli.console import Console
    from plinth.ir.ledger import Ledger
    from plinth.pipeline import Compilation, Result
    from plinth.plan.changes import Cause
    from plinth.text.nodes import Node

LEDGERS: Final = ("/index.jsonl", "/index.next.jsonl")


def compared(options: argparse.Namespace, console: Console) -> tuple[Diff, Places]:
    """Compile twice at most, compare three trees, write nothing.

    Raises:
        SpecError: the spec in the folder has faults.
        PlinthError: there is no such commit or environment, or the commit's tree cannot be read.
    """
    with told():
        project = Project(options, console)
        data = project.spec()
        result = compile_spec(data, project.file, project.inputs())
        console.warn(result.diagnostics)
        document = _document(data, project.file)
        wanted = _compiled(result, project.vendor_ledger(), project.workspace.read)
        with Revision(project.root, options.base) as revision:
            base = _Base(options, console, revision)
            before = base.compiled(project, result, wanted)
            _check_names(options.environments, before.names(result))
            try:
                found = base.compared(before, wanted, document)
            except UnreadableFile as error:
                raise _unreadable(str(error), revision.name) from None
            documents = (document, base.document)
    if before.compilations is not None:
        old, new = (priced(each, options.environments) for each in (before.compilations, result.compilations))
        found = replace(found, cost=cost_changes(old, new))
    return found, Places(file=project.file, base=options.base, documents=documents)


def compiled_twice(
    options: argparse.Namespace, console: Console
) -> tuple[tuple[Compilation, ...] | None, tuple[Compilation, ...]]:
    """What the commit's own spec compiles to with this compiler, and what the spec in the folder does.

    The first is None where the commit's spec does not compile, which is said.

    Raises:
        SpecError: the spec in the folder has faults.
        PlinthError: there is no such commit or environment.
    """
    with told():
        project = Project(options, console)
        result = compile_spec(project.spec(), project.file, project.inputs())
        console.warn(result.diagnostics)
        wanted = _compiled(result, project.vendor_ledger(), project.workspace.read)
        with Revision(project.root, options.base) as revision:
            before = _Base(options, console, revision).compiled(project, result, wanted)
    _check_names(options.environments, before.names(result))
    return before.compilations, result.compilations


class _Before(Struct, frozen=True, kw_only=True):
    """What the commit's own spec compiles to with this compiler."""

    compilations: tuple[Compilation, ...] | None
    """None where it does not compile."""
    tree: Tree | None
    """None where the committed tree has to stand for it."""
    due: Cause
    """Whose doing it is where the committed tree is another one."""

    def names(self, result: Result) -> set[str]:
        """The environments of the commit, as far as they are known, and those of the folder."""
        return {each.environment.name for each in (*(self.compilations or ()), *result.compilations)}


class _Base:
    """The commit that is compared with."""

    def __init__(self, options: argparse.Namespace, console: Console, revision: Revision) -> None:
        self._options = options
        self._console = console
        self._revision = revision
        self._files = CommittedFiles(revision)
        data = self._files.read_all((options.file,))[options.file]
        self._data = data
        self.document = None if data is None else _document(data, options.file)

    def compared(self, before: _Before, wanted: Tree, document: Node | None) -> Diff:
        """What changes between the commit and a compile of the folder."""
        committed = self._committed()
        return diff(
            committed,
            committed if before.tree is None else before.tree,
            wanted,
            spec=spec_changes(self.document, document),
            due=before.due,
            names=frozenset(self._options.environments),
        )

    def compiled(self, folder: Project, result: Result, wanted: Tree) -> _Before:
        """What the commit's spec compiles to; `result` and `wanted` are what the folder's does."""
        if self._data is None:
            self._console.say(f"there is no {self._options.file} in {self._revision.name}: everything is new")
            return _Before(compilations=(), tree=None, due="compiler")
        # What the lock has is chosen anew in the folder only.
        is_updated = bool(getattr(self._options, "update", ()))
        if not is_updated and self._files.has_the_same(folder.workspace.inputs_seen):
            return _Before(compilations=result.compilations, tree=wanted, due=self._due(folder))
        project = Project(self._options, self._console, self._files)
        try:
            with told():
                before = compile_spec(self._data, self._options.file, project.inputs())
        except (SpecError, PlinthError) as error:
            found = error.diagnostics if isinstance(error, SpecError) else (error.diagnostic,)
            self._console.say(
                f"{self._options.file} of {self._revision.name} does not compile with Plinth {__version__} "
                f"({found[0].code}: {found[0].message}): what a newer compiler changes is shown as yours"
            )
            return _Before(compilations=None, tree=None, due="compiler")
        tree = _compiled(before, project.vendor_ledger(), self._read)
        return _Before(compilations=before.compilations, tree=tree, due=self._due(project))

    def _due(self, project: Project) -> Cause:
        return "stale" if project.lock().compiler == __version__ else "compiler"

    def _committed(self) -> Tree:
        marks = {
            path: mark
            for path, mark in self._revision.paths.items()
            if path.startswith(COMPILED) and not path.endswith(LEDGERS) and not path.startswith(VENDORED)
        }
        vendored = {entry.path: entry.digest for entry in self._files.ledger(VENDOR).entries}
        return Tree(marks={**marks, **vendored}, read=self._read, origins=self._files.origins)

    def _read(self, path: str) -> bytes:
        data = self._revision.read(path)
        if data is None:
            raise UnreadableFile(f"`{path}` is in a ledger and not in {self._revision.name}")
        return data


def _compiled(result: Result, vendored: Ledger, read: Callable[[str], bytes]) -> Tree:
    """The tree of a compile, with what is vendored beside it."""
    files = {path: file for group in result.groups.values() for path, file in group.items()}
    entries = {entry.path: entry for entry in vendored.entries}

    def content(path: str) -> bytes:
        return files[path].content if path in files else read(path)

    def origins(path: str) -> Any:
        return files[path].origins if path in files else entries[path].origins if path in entries else {}

    marks = {path: blob_id(file.content) for path, file in files.items()}
    return Tree(
        marks={**marks, **{path: entry.digest for path, entry in entries.items()}},
        read=content,
        origins=origins,
    )


def _document(data: bytes, file: str) -> Node | None:
    return read_yaml(data, file)[0]


def _check_names(asked: Iterable[str], known: set[str]) -> None:
    for name in asked:
        if name not in known:
            raise PlinthError(
                Diagnostic(
                    code="PLN909",
                    message=f"there is no environment `{name}`, neither now nor in the commit",
                    help=did_you_mean(name, sorted(known), otherwise=f"there are {', '.join(sorted(known))}"),
                )
            )


def _unreadable(message: str, revision: str) -> PlinthError:
    return PlinthError(
        Diagnostic(
            code="PLN931",
            message=f"{message} (comparing with `{revision}`)",
            help="name a commit whose compiled files are as a compile wrote them, with `--base`",
        )
    )
