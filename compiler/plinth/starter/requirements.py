"""The file that says which Plinth everybody runs, people and workflows alike."""

from __future__ import annotations

from typing import Final

FILE: Final = "plinth-requirements.txt"

_NOTE: Final = (
    "The Plinth of this platform, for `pip install --requirement`: workflows and people run the same."
)
# A name that nobody holds is anybody's: without this line pip would run whatever a stranger puts there.
_NOWHERE: Final = (
    "Plinth is on no package index. Put a wheel's URL, `plinth @ git+https://...@COMMIT` or a path here\n"
    "instead of these two lines; until then an installation fails, and nothing of another's is installed."
)


def requirements_text(requirement: str | None, version: str) -> str:
    """The file; `requirement` is one line of pip's, None where nobody has said where Plinth comes from."""
    if requirement is not None:
        return f"{_comment(_NOTE)}{requirement}\n"
    return f"{_comment(_NOTE)}{_comment(_NOWHERE)}--no-index\nplinth=={version}\n"


def requirement_fault(text: str) -> tuple[str, str] | None:
    """What is wrong with a requirement and what to do about it, or None for a good one."""
    if not text.strip() or not text.isprintable() or text.rstrip().endswith("\\"):
        return "a requirement is one line of text", "name a wheel or a URL: `plinth @ https://...whl`"
    if text.lstrip().startswith(("-", "#")):
        return "a requirement is no option of pip and no comment", "write options into the file yourself"
    return None


def _comment(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.split("\n"))
