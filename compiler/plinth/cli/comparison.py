"""What would be compiled, against what a commit has: three trees, and where each comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth import __version__
from plinth.cli.committed import COMPILED, CommittedFiles
from plinth.cli.project import Project, told
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError, SpecError
from plinth.diagnostics.suggest import did_you_mean
from plinth.live.git import Revision, blob_id
from plinth.pipeline import compile_spec
from plinth.plan import Diff, Tree, UnreadableFile, diff, spec_changes
from plinth.plan.show import Places
from plinth.text.nodes import read_yaml
from plinth.workspace.groups import VENDOR, VENDORED

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from plinth.cli.console import Console
    from plinth.ir.ledger import Ledger
    from plinth.pipeline import Result
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
        with Revision(project.root, options.base) as revision:
            base = _Base(options, console, revision)
            try:
                found = base.compared(project, result, document)
            except UnreadableFile as error:
                raise _unreadable(str(error), revision.name) from None
            documents = (document, base.document)
    return found, Places(file=project.file, base=options.base, documents=documents)


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

    def compared(self, project: Project, result: Result, document: Node | None) -> Diff:
        """What changes between the commit and a compile of the folder."""
        committed = self._committed()
        wanted = _compiled(result, project.vendor_ledger(), project.workspace.read)
        base: Tree = committed
        due: Cause = "compiler"
        names = {each.environment.name for each in result.compilations}
        if self._data is None:
            self._console.say(f"there is no {self._options.file} in {self._revision.name}: everything is new")
        elif self._files.has_the_same(project.workspace.inputs_seen):
            base, due = wanted, self._due(project)
        else:
            base, due, more = self._compiled(committed)
            names |= more
        _check_names(self._options.environments, names)
        return diff(
            committed,
            base,
            wanted,
            spec=spec_changes(self.document, document),
            due=due,
            names=frozenset(self._options.environments),
        )

    def _compiled(self, committed: Tree) -> tuple[Tree, Cause, set[str]]:
        """What the commit's own spec compiles to with this compiler, and who is to blame for a difference."""
        project = Project(self._options, self._console, self._files)
        try:
            with told():
                result = compile_spec(self._data or b"", self._options.file, project.inputs())
        except (SpecError, PlinthError) as error:
            found = error.diagnostics if isinstance(error, SpecError) else (error.diagnostic,)
            self._console.say(
                f"{self._options.file} of {self._revision.name} does not compile with Plinth {__version__} "
                f"({found[0].code}: {found[0].message}): what a newer compiler changes is shown as yours"
            )
            return committed, "compiler", set()
        names = {each.environment.name for each in result.compilations}
        tree = _compiled(result, project.vendor_ledger(), self._read)
        return tree, self._due(project), names

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
