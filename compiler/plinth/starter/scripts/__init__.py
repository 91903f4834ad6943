"""The shell of the workflows, one file a step: read as data, never put together.

What a run has to tell a step comes in variables of its environment. POSIX shell, jq, and what the
runner of the workflow has.
"""

from __future__ import annotations

from pathlib import Path


def script(name: str) -> str:
    """The text of a step."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
