"""An upstream as it lies under `generated/vendor/`: one object in a file, CRDs in a folder below.

Writing and reading are here, so that what `vendor` splits is what `compile` puts together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from plinth.catalog.facts import digest, key_of
from plinth.ir import fileset, layout
from plinth.ir.fileset import File
from plinth.text.emit import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plinth.catalog.objects import ObjectKey

BACKEND: Final = "vendor"
CRD: Final = "CustomResourceDefinition"

_KUSTOMIZATION: Final = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
_OBJECT: Final = re.compile(r"[A-Z][A-Za-z]*/[a-z0-9.:-]*[a-z0-9]")


def files(component: str, version: str, objects: Iterable[Mapping[str, Any]], origin: str) -> dict[str, File]:
    """The files of an upstream's objects, with a kustomization for the CRDs and one for all others."""
    folder = layout.vendor(component, version)
    found: dict[str, File] = {}
    names: dict[str, list[str]] = {folder: [], f"{folder}/crds": []}
    for body in _in_order(objects):
        key = key_of(body)
        home = f"{folder}/crds" if key.kind == CRD else folder
        name = _free(layout.object_file(key, ""), names[home], key)
        names[home].append(name)
        found[f"{home}/{name}"] = _file(body, origin)
    for home, resources in names.items():
        if resources:
            found[f"{home}/kustomization.yaml"] = _file(
                {**_KUSTOMIZATION, "resources": sorted(resources)}, origin
            )
    return found


def digest_of(objects: Iterable[Mapping[str, Any]]) -> str:
    """The digest of an upstream's objects, as the catalogue counts it: in the order of their keys."""
    return digest(list(_in_order(objects)))


def tree_digest(digests: Mapping[str, str]) -> str:
    """The digest of vendored files by the digest of each: what the lock pins."""
    return fileset.digest("".join(f"{path} {mark}\n" for path, mark in sorted(digests.items())).encode())


def left_out(source: str) -> tuple[str, ...]:
    """The objects that a mirror's SOURCE says are left out or blanked, as `Kind/name`.

    A line of the list that names no object is given as it stands.
    """
    _, found, listed = source.partition("left out:")
    lines = [line.strip()[2:] for line in listed.splitlines() if line.startswith("  - ")] if found else []
    named = (_OBJECT.match(line) for line in lines)
    return tuple(sorted({match[0] if match else line for match, line in zip(named, lines, strict=True)}))


def _in_order(objects: Iterable[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return sorted(objects, key=key_of)


def _file(body: Mapping[str, Any], origin: str) -> File:
    return File(content=yaml_text(body).encode(), backend=BACKEND, origins={"": (origin,)})


def _free(name: str, taken: Sequence[str], key: ObjectKey) -> str:
    # Two groups may have a kind of one name.
    return name if name not in taken else f"{key.group.replace('.', '-') or 'core'}-{name}"
