"""What a clone says of itself: its root, where it came from, and its main branch.

Only its own files are asked; nothing is fetched.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from git import Repo

# A password in a remote is somebody's secret: it is left out here, so that it gets into no file.
_WITH_USER: Final = re.compile(r"(https?://)[^/@]*@")


class Clone(Struct, frozen=True, kw_only=True):
    """The repository around a folder."""

    root: Path
    folder: str
    """The folder inside it, with `/`; `.` for the root."""
    origin: str | None
    """The URL of `origin` without a user's name or password; None where there is none."""
    branch: str | None
    """What `origin` calls its main branch, as of the last fetch."""
    is_ignored: bool
    """Git is told not to see what is in the folder."""


def clone_around(folder: Path) -> Clone | None:
    """The repository whose work tree holds a folder; None where there is none."""
    # A tenth of a second, which only who asks pays for.
    from git import InvalidGitRepositoryError, NoSuchPathError, Repo  # noqa: PLC0415

    try:
        repository = Repo(folder, search_parent_directories=True)
    except (InvalidGitRepositoryError, NoSuchPathError):
        return None
    with repository:
        if repository.working_tree_dir is None:
            return None
        root = Path(repository.working_tree_dir).resolve()
        inside = folder.resolve().relative_to(root).as_posix()
        return Clone(
            root=root,
            folder=inside,
            origin=_origin(repository),
            branch=_branch(repository),
            is_ignored=inside != "." and _is_ignored(repository, inside),
        )


def _origin(repository: Repo) -> str | None:
    with repository.config_reader() as settings:
        url = settings.get_value('remote "origin"', "url", "")
    return _WITH_USER.sub(r"\1", str(url)) or None


def _branch(repository: Repo) -> str | None:
    from git.exc import GitCommandError  # noqa: PLC0415 - as above

    try:
        name = str(repository.git.symbolic_ref("--short", "refs/remotes/origin/HEAD"))
    except GitCommandError:  # nothing was fetched yet, or there is no origin
        return None
    return name.removeprefix("origin/")


def _is_ignored(repository: Repo, inside: str) -> bool:
    from git.exc import GitCommandError  # noqa: PLC0415 - as above

    try:
        return bool(repository.ignored(inside))
    except GitCommandError:  # git will not say, for instance of somebody else's clone
        return False
