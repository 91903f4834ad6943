"""What can stand in a workspace's way, each with the path at which it does.

All of it is the world's doing: a link, a full disk, a person's edit. What the caller asks for
wrongly is a `ValueError`.
"""

from __future__ import annotations


class WorkspaceError(Exception):
    """The tree on disk is not as it must be; `path` is where, from the repository root."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


class OutsideTree(WorkspaceError):
    """A path that is absolute, climbs, or has an empty part."""

    def __init__(self, path: str) -> None:
        super().__init__(path, f"`{path}` is not a path inside the repository")


class LinkInTree(WorkspaceError):
    """A symbolic link; whatever it points at may belong to somebody else."""

    def __init__(self, path: str) -> None:
        super().__init__(path, f"`{path}` is a symbolic link, and none is followed")


class NotAFile(WorkspaceError):
    """A folder, a pipe or a device where a file must be."""

    def __init__(self, path: str) -> None:
        super().__init__(path, f"`{path}` is not a regular file")


class NotAFolder(WorkspaceError):
    """A file that is not ours where a folder must be."""

    def __init__(self, path: str) -> None:
        super().__init__(path, f"`{path}` is not a folder")


class ReadFailed(WorkspaceError):
    """The system refuses to read; `cause` is what it said."""

    def __init__(self, path: str, cause: OSError) -> None:
        super().__init__(path, f"`{path}` could not be read: {cause.strerror or cause}")
        self.cause = cause


class BadLedger(WorkspaceError):
    """A ledger with a line that no compile has written, or with a file outside its folders."""

    def __init__(self, path: str, line_number: int | None, message: str) -> None:
        super().__init__(path, message)
        self.line_number = line_number
        """Counts from 1; `None` where a well-formed line names a path that cannot be ours."""


class HandEdited(WorkspaceError):
    """Files that a write would replace or remove hold somebody's own bytes; nothing was written."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        listed = ", ".join(f"`{path}`" for path in paths)
        super().__init__(paths[0], f"edited by hand: {listed}")
        self.paths = paths


class InputChanged(WorkspaceError):
    """An input changed, came or went after it was read; nothing was written."""

    def __init__(self, path: str) -> None:
        super().__init__(path, f"`{path}` has changed since it was read")


class OutputChanged(WorkspaceError):
    """A file of the plan changed after the plan was made; it is left as it is."""

    def __init__(self, path: str) -> None:
        super().__init__(path, f"`{path}` has changed since the plan was made")


class Busy(WorkspaceError):
    """Another Plinth is writing to the same tree."""

    def __init__(self, path: str) -> None:
        super().__init__(path, f"another Plinth is writing here and holds `{path}`")


class WriteFailed(WorkspaceError):
    """The system refuses to write; `cause` is what it said."""

    def __init__(self, path: str, cause: OSError, *, is_begun: bool) -> None:
        now = (
            "the tree is half written, and running again completes it" if is_begun else "nothing was changed"
        )
        super().__init__(path, f"`{path}` could not be written: {cause.strerror or cause}; {now}")
        self.cause = cause
        self.is_begun = is_begun
        """Whether some files are the new ones already; else the tree is exactly as before."""
