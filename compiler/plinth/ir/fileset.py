"""The files that a compile gives, each with its backend and the origins of its fields.

A path is written from the repository root with `/`. It must be a file on every system that
clones the repository, and one file: macOS does not tell `A` from `a`, and Windows keeps the
names of its devices to itself. A path that is not is our own fault, whoever chose the names
in it: what a person may call things is the spec's business, long before.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from msgspec import Struct, field

from plinth.ir.digest import digest

__all__ = ["File", "FileSet", "PathError", "check_path", "check_paths", "digest"]

_MAX_PART_BYTES: Final = 255  # what ext4, APFS and NTFS take
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Source: Microsoft, "Naming Files, Paths, and Namespaces". A suffix does not free the name.
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\..*)?", re.IGNORECASE
)


class PathError(ValueError):
    """A path of ours that some file system cannot hold beside the others."""


class File(Struct, frozen=True):
    """What a file says, who wrote it, and why each of its fields is there."""

    content: bytes
    backend: str
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """JSON pointer of a field inside the file (`""`: all of it) -> texts of the origins it came from.

    An origin is a path of the spec, e.g. `"spec.components.mlflow.replicas"`; a decision of the
    compiler's own is a text that begins with `"because "`.
    """


FileSet: TypeAlias = Mapping[str, File]


def check_paths(paths: Iterable[str]) -> None:
    """Accept paths that every system can hold side by side; a `FileSet` is its paths.

    Raises:
        PathError: a path is refused by `check_path`, two paths differ only in case or in
            Unicode form, or one is the folder of another.
    """
    folded: dict[str, str] = {}
    for path in paths:
        check_path(path)
        other = folded.setdefault(_fold(path), path)
        if other != path:
            raise PathError(f"{path!r} and {other!r} are one file on some systems")
    for fold, path in folded.items():
        end = fold.rfind("/")
        while end > 0:
            if fold[:end] in folded:
                raise PathError(f"{folded[fold[:end]]!r} is a file and the folder of {path!r}")
            end = fold.rfind("/", 0, end)


def check_path(path: str) -> None:
    """Accept one path from the repository root.

    Raises:
        PathError: it is absolute, climbs (`..`), or has a part that some system refuses.
    """
    for part in path.split("/"):
        fault = _fault(part)
        if fault:
            raise PathError(f"path {path!r} has {fault}")


@lru_cache(maxsize=4096)  # a few folders hold most files
def _fault(part: str) -> str | None:
    if not part:
        return "an empty part"  # an absolute path begins with one
    if part in {".", ".."}:
        return f"the part {part!r}"
    if "\\" in part or _CONTROL.search(part):
        return "a backslash or a control character"
    if part.endswith((".", " ")):
        return "a part that ends in a dot or a space"
    if _DEVICE.fullmatch(part):
        return f"a device name of Windows: {part!r}"
    try:
        size = len(part.encode())
    except UnicodeEncodeError:
        return "half a surrogate pair"
    return f"a part of {size} bytes" if size > _MAX_PART_BYTES else None


def _fold(path: str) -> str:
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
