"""What lies in our folders and is not ours."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from plinth.workspace.groups import VENDORED

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from plinth.workspace.folders import Folders

_TOPS: Final = ("generated", "overlays")
# `terraform init` and local state: they belong where they are, and say nothing about the tree.
_TERRAFORM_FOLDER: Final = ".terraform"
_TERRAFORM_FILES: Final = (".terraform.lock.hcl", "*.tfstate*")


def scan(
    folders: Folders,
    groups: Iterable[str] | None,
    accounted: AbstractSet[str],
    *,
    with_vendor: bool,
) -> tuple[list[str], list[str]]:
    """Strangers' files, and the empty folders, the deepest first.

    Args:
        folders: The tree.
        groups: Whose folders to look into; `None`: all that are there.
        accounted: Paths that a plan speaks of already.
        with_vendor: Look into `generated/vendor/` as well.
    """
    walk = _Walk(folders, accounted, None if with_vendor else VENDORED.rstrip("/"))
    for top in _TOPS:
        for folder in [top] if groups is None else [f"{top}/{group}" for group in sorted(groups)]:
            walk.is_used(folder)
    return walk.foreign, walk.empty


class _Walk:
    def __init__(self, folders: Folders, accounted: AbstractSet[str], skipped: str | None) -> None:
        self._folders = folders
        self._accounted = accounted
        self._skipped = skipped
        self.foreign: list[str] = []
        self.empty: list[str] = []

    def is_used(self, folder: str) -> bool:
        """Whether there is anything but empty folders. Links count, and are not entered."""
        try:
            below, others = self._folders.names(folder)
        except FileNotFoundError:
            return False
        is_used = bool(others)
        for name in others:
            path = f"{folder}/{name}"
            if path not in self._accounted and not any(
                fnmatchcase(name, known) for known in _TERRAFORM_FILES
            ):
                self.foreign.append(path)
        for name in below:
            path = f"{folder}/{name}"
            if name == _TERRAFORM_FOLDER or path == self._skipped or self.is_used(path):
                is_used = True
        if not is_used:
            self.empty.append(folder)
        return is_used
