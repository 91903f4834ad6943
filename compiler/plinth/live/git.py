"""What the repository's history holds: compiled files as commits have them.

After a merge a compiled file may be as either parent had it. That is no hand edit: the ledger of
that parent names its bytes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from plinth.diagnostics.diagnostic import Diagnostic, PlinthError
from plinth.ir.ledger import LedgerError, read_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from git import Commit, Repo

HEADS: Final = ("HEAD", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD", "REVERT_HEAD")
"""The commits that git works with while it merges, picks, rebases or reverts."""


def committed_digests(root: Path) -> Callable[[str], frozenset[str]]:
    """For a path, the digests that the ledgers of the commits around the work tree have for it.

    Nothing where there is no repository. Git is asked at the first call.
    """
    found: dict[str, set[str]] | None = None

    def known(path: str) -> frozenset[str]:
        nonlocal found
        if found is None:
            found = _read(root)
        return frozenset(found.get(path, ()))

    return known


def _read(root: Path) -> dict[str, set[str]]:
    # An import of a tenth of a second, which only a tree with a strange file pays for.
    from git import InvalidGitRepositoryError, NoSuchPathError, Repo  # noqa: PLC0415

    try:
        repository = Repo(root, search_parent_directories=True)
    except (InvalidGitRepositoryError, NoSuchPathError):
        return {}
    found: dict[str, set[str]] = {}
    with repository:
        if repository.working_tree_dir is None:
            return {}
        inside = _inside(repository, root)
        for commit in _commits(repository):
            for data in _ledgers(commit, inside):
                try:
                    ledger = read_ledger(data)
                except LedgerError:
                    continue
                for path, digests in ledger.digests.items():
                    found.setdefault(path, set()).update(digests)
    return found


def _commits(repository: Repo) -> Iterable[Commit]:
    from git.exc import BadName  # noqa: PLC0415 - as above

    seen: dict[str, Commit] = {}
    for name in HEADS:
        try:
            commit = repository.commit(name)
        except (BadName, ValueError, OSError):  # no such head: nothing of the kind is under way
            continue
        seen |= {each.hexsha: each for each in (commit, *commit.parents)}
    return seen.values()


def _ledgers(commit: Commit, prefix: str) -> Iterable[bytes]:
    try:
        generated = commit.tree / f"{prefix}generated"
    except KeyError:
        return
    for folder in getattr(generated, "trees", ()):
        try:
            yield (folder / "index.jsonl").data_stream.read()
        except KeyError:
            continue


class Revision:
    """A folder of the repository as a commit has it. Use as a context: git is kept running to answer.

    Paths are those from the folder. A repository without any commit is one with nothing in it.
    """

    def __init__(self, root: Path, name: str) -> None:
        self._repository = _opened(root)
        self.name = name
        try:
            self._prefix = _inside(self._repository, root)
            self._blobs = self._listed(name)
        except BaseException:
            self._repository.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._repository.close()

    @property
    def paths(self) -> Mapping[str, str]:
        """Path of every file below the folder -> the id of its blob."""
        return self._blobs

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None where the commit has no such file."""
        mark = self._blobs.get(path)
        if mark is None:
            return None
        content: bytes = self._repository.odb.stream(bytes.fromhex(mark)).read()
        return content

    def _listed(self, name: str) -> dict[str, str]:
        from git.exc import BadName, BadObject, GitCommandError  # noqa: PLC0415 - as above

        repository = self._repository
        if name == "HEAD" and not repository.head.is_valid():
            return {}  # nothing is committed yet
        try:
            shown = repository.git.ls_tree(
                "-r",
                "-z",
                "--full-tree",
                repository.commit(name).hexsha,
                "--",
                self._prefix or ".",
                strip_newline_in_stdout=False,
            )
        except (BadName, BadObject, ValueError, IndexError, GitCommandError, OSError):
            raise _no_commit(name, is_shallow=Path(repository.git_dir, "shallow").exists()) from None
        found: dict[str, str] = {}
        for line in shown.split("\0"):
            about, _, path = line.partition("\t")
            if path.startswith(self._prefix) and about.startswith("100"):  # a file: no link, no submodule
                found[path.removeprefix(self._prefix)] = about.split(" ")[2]
        return found


def _no_commit(name: str, *, is_shallow: bool) -> PlinthError:
    if is_shallow:
        return _fault(
            f"git knows no commit `{name}`, and the clone is shallow",
            "bring it with `git fetch --unshallow`; in CI check out the whole history (`fetch-depth: 0`)",
        )
    return _fault(
        f"git knows no commit `{name}`",
        "name a branch, a tag or a commit that `git log` shows; `git fetch` brings those of others",
    )


def _opened(root: Path) -> Repo:
    try:
        # An import of a tenth of a second, for commands that look into the history.
        from git import InvalidGitRepositoryError, NoSuchPathError, Repo  # noqa: PLC0415
    except ImportError:  # its way to say that there is no such program
        raise _fault("the program `git` cannot be run", "install git, or put it on PATH") from None
    try:
        return Repo(root, search_parent_directories=True)
    except (InvalidGitRepositoryError, NoSuchPathError):
        raise _fault(
            f"there is no git repository in {root.resolve()} or above it",
            "what is compared with is a commit: `git init`, and commit once",
        ) from None


def blob_id(content: bytes) -> str:
    """The id that git gives to a file of these bytes."""
    # Git's own choice of an algorithm: it names contents here and protects nothing.
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _inside(repository: Repo, root: Path) -> str:
    """The folder as paths of the repository begin, with a `/` at its end; empty for the root."""
    if repository.working_tree_dir is None:
        raise _fault(f"the git repository of {root.resolve()} is bare", "go to a clone that has the files")
    inside = root.resolve().relative_to(Path(repository.working_tree_dir).resolve()).as_posix()
    return "" if inside == "." else f"{inside}/"


def _fault(message: str, help_: str) -> PlinthError:
    return PlinthError(Diagnostic(code="PLN930", message=message, help=help_))
