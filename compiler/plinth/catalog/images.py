"""The container images that Plinth itself deploys; an upstream's images are in its own facts."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.catalog import CatalogError

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA: Final = Path(__file__).parent / "images.json"


class Image(Struct, frozen=True):
    """An image as a container names it."""

    repository: str
    tag: str
    digest: str | None
    """`sha256:...` of the index for all architectures; None where nobody has verified it."""

    @property
    def reference(self) -> str:
        """`repository:tag@digest`, or without the digest where there is none."""
        return f"{self.repository}:{self.tag}" + (f"@{self.digest}" if self.digest else "")


def image(name: str) -> Image:
    """The image that we deploy under a name of ours.

    Raises:
        KeyError: we deploy nothing of that name.
        CatalogError: the data is broken; the message names the entry.
    """
    return _images()[name]


def image_names() -> tuple[str, ...]:
    """The names of all images, sorted."""
    return tuple(sorted(_images()))


def read_images(data: Mapping[str, Any]) -> Mapping[str, Image]:
    """The content of the file, checked.

    Raises:
        CatalogError: a field is missing, the tag floats or the digest is none.
    """
    return {name: _image(name, row) for name, row in data.get("images", {}).items()}


@cache
def _images() -> Mapping[str, Image]:
    return read_images(json.loads(DATA.read_bytes()))


def _image(name: str, row: Mapping[str, Any]) -> Image:
    repository, tag, digest = row.get("repository"), row.get("tag"), row.get("digest")
    if not repository or not tag or not re.search(r"\d", tag):
        raise CatalogError(f"images: {name} has no repository, or no tag that names a version")
    if digest is not None and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise CatalogError(f"images: {name}: `{digest}` is no digest")
    return Image(repository, tag, digest)
