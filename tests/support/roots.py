"""The Terraform roots that we compile: of every golden case, and of the example."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from support import golden, platforms, recordings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Files = dict[str, bytes]


@cache
def roots(provider: str | None = None) -> dict[str, Files]:
    """`case/environment/layer` to the files of that root; of equal roots only the first.

    With a provider, `google`, only the roots that require it.
    """
    if provider is not None:
        return {name: files for name, files in roots().items() if provider in _required(files)}
    compiled = {case.name: case.compiled() for case in golden.cases()}
    compiled = {"example": platforms.tree(platforms.compile_bytes(platforms.example())), **compiled}
    found = {
        f"{case}/{name}": files for case, tree in compiled.items() for name, files in of_tree(tree).items()
    }
    first: dict[tuple[tuple[str, bytes], ...], str] = {}
    for name, files in found.items():
        first.setdefault(tuple(sorted(files.items())), name)
    return {name: found[name] for name in sorted(first.values())}


def of_edition(edition: str) -> dict[str, Files]:
    """The roots that are tried with an edition of the recordings: all that it differs for, and all with the oldest."""
    oldest, some = recordings.EDITIONS["oldest"](), recordings.EDITIONS[edition]()
    return {
        name: files
        for name, files in roots().items()
        if recordings.allowed(whole(files), some)
        and (
            edition == "oldest"
            or recordings.used(whole(files), some) != recordings.used(whole(files), oldest)
        )
    }


def of_tree(tree: Mapping[str, bytes]) -> dict[str, Files]:
    """`environment/layer` to the files of that root of a compiled tree."""
    found: dict[str, Files] = {}
    for path, content in tree.items():
        if path.endswith(".tf.json"):
            parts = path.split("/")
            found.setdefault(f"{parts[1]}/{parts[3]}", {})[parts[-1]] = content
    return found


def _required(files: Mapping[str, bytes]) -> Mapping[str, Any]:
    required: Mapping[str, Any] = whole(files)["terraform"]["required_providers"]
    return required


def addresses(root: Mapping[str, Any]) -> list[str]:
    """The resources of a root's document."""
    return [f"{kind}.{name}" for kind, named in root.get("resource", {}).items() for name in named]


def written(files: Mapping[str, bytes], folder: Path) -> Path:
    """The folder, with the files in it."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def whole(files: Mapping[str, bytes]) -> dict[str, Any]:
    """All files of a root as the one document that Terraform makes of them."""
    tree: dict[str, Any] = {}
    for content in files.values():
        for section, kinds in json.loads(content).items():
            for kind, named in kinds.items():
                place = tree.setdefault(section, {})
                place[kind] = {**place[kind], **named} if kind in place else named
    return tree
