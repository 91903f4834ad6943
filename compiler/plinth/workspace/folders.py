"""Folders below a root, entered part by part without ever following a link.

A path is opened relative to its folder's descriptor, the folder relative to its own, down from
the root. A link that is planted after a check is refused by the open itself, and a folder that
is moved away while it is open takes nobody elsewhere. The root may be reached through links.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from plinth.workspace.errors import LinkInTree, NotAFile, NotAFolder, OutsideTree, ReadFailed

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe that lies where a file should would wait for its writer.
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NO_REGULAR_FILE: Final = frozenset({errno.ENXIO, errno.EOPNOTSUPP, errno.ENODEV})  # sockets, absent devices


class Folders:
    """The tree below a root. One folder and those above it are open at a time.

    So many files of one folder, in the order of their paths, cost one walk down to it, and the
    number of open descriptors is the depth of the tree.
    """

    def __init__(self, root: Path | str) -> None:
        self._chain: list[tuple[str, int]] = [("", os.open(root, _FOLDER))]
        self._here = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._chain:
            os.close(self._chain.pop()[1])

    def enter(self, folder: str) -> int:
        """The descriptor of a folder, good until the next call; `""` is the root.

        Raises:
            FileNotFoundError: it, or a folder above it, is missing.
            LinkInTree: a part of the path is a link.
            NotAFolder: a part of the path is something else.
            ReadFailed: the system refuses to open it.
        """
        if folder == self._here:
            return self._chain[-1][1]
        parts = folder.split("/") if folder else []
        shared = 1
        while (
            shared <= len(parts) and shared < len(self._chain) and self._chain[shared][0] == parts[shared - 1]
        ):
            shared += 1
        while len(self._chain) > shared:
            os.close(self._chain.pop()[1])
        for depth in range(shared, len(parts) + 1):
            self._here = "/".join(parts[: depth - 1])
            self._chain.append((parts[depth - 1], self._open("/".join(parts[:depth]), parts[depth - 1])))
        self._here = folder
        return self._chain[-1][1]

    def _open(self, path: str, name: str) -> int:
        above = self._chain[-1][1]
        try:
            return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=above)
        except FileNotFoundError:
            raise
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR}:
                raise (LinkInTree(path) if _is_link(name, above) else NotAFolder(path)) from None
            raise ReadFailed(path, error) from error

    def read(self, path: str) -> bytes:
        """The bytes of a regular file.

        Raises:
            FileNotFoundError: it, or a folder above it, is missing.
            LinkInTree: a part of the path is a link.
            NotAFile: it is a folder, a pipe or a device.
            NotAFolder: a folder above it is something else.
            ReadFailed: the system refuses to read it.
        """
        folder, _, name = path.rpartition("/")
        above = self.enter(folder)
        try:
            file = os.open(name, _FILE, dir_fd=above)
        except FileNotFoundError:
            raise
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise LinkInTree(path) from None
            if error.errno in _NO_REGULAR_FILE:
                raise NotAFile(path) from None
            raise ReadFailed(path, error) from error
        try:
            state = os.fstat(file)
            if not stat.S_ISREG(state.st_mode):
                raise NotAFile(path)
            return _read_all(file, state.st_size)
        except OSError as error:
            raise ReadFailed(path, error) from error
        finally:
            os.close(file)

    def read_optional(self, path: str) -> bytes | None:
        """As `read`; `None` where the file or a folder above it is missing."""
        try:
            return self.read(path)
        except FileNotFoundError:
            return None

    def state(self, path: str) -> os.stat_result | None:
        """What the system says of a file, or of the link in its place; `None` where it is missing.

        Raises:
            LinkInTree, NotAFolder, ReadFailed: as `enter`, of the folders above it.
        """
        folder, _, name = path.rpartition("/")
        try:
            return os.stat(name, dir_fd=self.enter(folder), follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ReadFailed(path, error) from error

    def names(self, folder: str) -> tuple[list[str], list[str]]:
        """The names of the folders in a folder, and of everything else in it, links too; sorted.

        Raises:
            FileNotFoundError, LinkInTree, NotAFolder, ReadFailed: as `enter`.
        """
        above = self.enter(folder)
        folders: list[str] = []
        others: list[str] = []
        try:
            with os.scandir(above) as entries:
                for entry in entries:
                    (folders if entry.is_dir(follow_symlinks=False) else others).append(entry.name)
        except OSError as error:
            raise ReadFailed(folder or ".", error) from error
        return sorted(folders), sorted(others)

    def files(self, folder: str) -> list[str]:
        """The paths of all files below a folder, links among them, sorted; none where it is missing.

        Raises:
            LinkInTree, NotAFolder, ReadFailed: as `enter`.
        """
        try:
            below, others = self.names(folder)
        except FileNotFoundError:
            return []
        found = [f"{folder}/{name}" for name in others]
        for name in below:
            found += self.files(f"{folder}/{name}")
        return sorted(found)


def check_inside(path: str) -> None:
    """Accept a path whose parts all name something below the root.

    Raises:
        OutsideTree: it is absolute, climbs, has an empty part, or is no text for a file system.
    """
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError:
        raise OutsideTree(path) from None
    if b"\0" in encoded or any(part in {"", ".", ".."} for part in path.split("/")):
        raise OutsideTree(path)


def _is_link(name: str, folder: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:  # gone in between; whatever it was, it was no folder
        return False


def _read_all(file: int, size_hint: int) -> bytes:
    chunks = []
    while chunk := os.read(file, size_hint + 1):
        chunks.append(chunk)
    return b"".join(chunks)
