"""Where a new platform goes: a folder, and the repository around it."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from plinth.diagnostics.diagnostic import Diagnostic, PlinthError
from plinth.live.clone import Clone, clone_around
from plinth.starter.platform import FILE


class Place(Struct, frozen=True, kw_only=True):
    """Where a new platform goes."""

    directory: Path
    clone: Clone | None

    @classmethod
    def around(cls, directory: str) -> Place:
        """The place of a folder.

        Raises:
            PlinthError: it is none for a platform.
        """
        path = Path(directory)
        if not path.is_dir():
            raise PlinthError(
                Diagnostic(
                    code="PLN905",
                    message=f"there is no folder `{directory}`",
                    help="make it first, or name another one with `-C`",
                )
            )
        clone = clone_around(path)
        place = cls(directory=path, clone=clone)
        why = _senseless(place)
        if why:
            raise PlinthError(
                Diagnostic(
                    code="PLN921",
                    message=f"`{directory}` is no place for a platform: {why}",
                    help="go to the root of the repository, or to a folder of its own in it",
                )
            )
        return place

    @property
    def root(self) -> Path:
        """The root of the repository, or the folder itself where there is none yet."""
        return self.clone.root if self.clone else self.directory

    @property
    def folder(self) -> str:
        """The platform's folder in the repository, `.` for its root."""
        return self.clone.folder if self.clone else "."


def _senseless(place: Place) -> str | None:
    if place.clone is None:
        return None
    if place.clone.is_ignored:
        return "git ignores it, so nothing that is compiled would be committed"
    parts = place.folder.split("/")
    if ".git" in parts:
        return "it is git's own"
    for index, part in enumerate(parts):
        above = place.root.joinpath(*parts[:index])
        if part in {"generated", "overlays"} and (above / FILE).exists():
            return f"it is in the compiled files of `{above / FILE}`"
    return None
