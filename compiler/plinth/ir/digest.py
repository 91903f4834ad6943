"""The name of some bytes."""

from __future__ import annotations

import hashlib


def digest(content: bytes) -> str:
    """The name of some bytes, e.g. `"sha256:9f86d0..."` with 64 digits."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def digest_if_any(content: bytes | None) -> str | None:
    """The name of what a file holds; `None` where there is no file."""
    return None if content is None else digest(content)
