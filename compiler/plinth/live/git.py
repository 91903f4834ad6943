"""What the repository's history says of compiled files.

After a merge a compiled file may be as either parent had it. That is no hand edit: the ledger of
that parent names its bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.ir.ledger import LedgerError, read_ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

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
        inside = root.resolve().relative_to(str(repository.working_tree_dir)).as_posix()
        for commit in _commits(repository):
            for data in _ledgers(commit, "" if inside == "." else f"{inside}/"):
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
