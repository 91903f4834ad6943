"""The name of some bytes."""

from __future__ import annotations

import hashlib


def digest(content: bytes) -> str:
    """The name of some bytes, e.g. `"sha256:9f86d0..."` with 64 digits."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
