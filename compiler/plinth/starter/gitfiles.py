"""Lines for `.gitignore` and `.gitattributes`, put behind those that are there already.

Both files stand at the root of the repository: whoever reads them there reads all that git is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

IGNORE_FILE: Final = ".gitignore"
ATTRIBUTES_FILE: Final = ".gitattributes"

_IGNORE_NOTE: Final = (
    "# Caches, and what Terraform keeps beside its roots; `.terraform.lock.hcl` is committed."
)
# No folder in front: wherever in the repository the platform is, and whoever runs Terraform elsewhere.
_IGNORED: Final = (".plinth/", ".terraform/", "*.tfstate", "*.tfstate.*", "*.tfplan")

_ATTRIBUTES_NOTE: Final = (
    "# Compiled files. Their bytes are compared: no line ending may be changed on the way. A pull request\n"
    "# folds them away. Of a ledger a merge keeps both sides, which the next compile settles."
)
_ATTRIBUTES: Final = (
    ("overlays/**", "-text linguist-generated"),
    ("generated/**", "-text linguist-generated"),
    ("generated/*/index.jsonl", "merge=union"),
    ("plinth.lock.yaml", "-text"),
    ("platform.schema.json", "-text linguist-generated"),
)


def ignore_lines() -> tuple[str, ...]:
    """What git is not to see."""
    return (_IGNORE_NOTE, *_IGNORED)


def attribute_lines(folder: str) -> tuple[str, ...]:
    """What git is to know of compiled files; `folder` is the platform's, `.` for the root."""
    # Without a folder `plinth.lock.yaml` would hold for every folder of the repository.
    prefix = "/" if folder == "." else f"/{folder}/"
    width = max(len(prefix + pattern) for pattern, _ in _ATTRIBUTES)
    return (
        *_ATTRIBUTES_NOTE.split("\n"),
        *(f"{(prefix + pattern).ljust(width)} {words}" for pattern, words in _ATTRIBUTES),
    )


def with_lines(before: bytes | None, lines: Sequence[str]) -> bytes:
    """A file with those of the lines that it lacks behind its own; the same bytes where it lacks none.

    A comment is only added with something that it speaks of. Runs of spaces count as one.
    """
    held = before or b""
    known = {_words(line) for line in held.splitlines()}
    wanted = [line for line in lines if not line.startswith("#") and _words(line.encode()) not in known]
    if not wanted:
        return held
    said = [line for line in lines if line.startswith("#") and _words(line.encode()) not in known]
    end = b"\r\n" if b"\r\n" in held else b"\n"
    if held and not held.endswith(b"\n"):
        held += end
    return held + (end if held else b"") + b"".join(line.encode() + end for line in (*said, *wanted))


def _words(line: bytes) -> tuple[bytes, ...]:
    return tuple(line.split())
