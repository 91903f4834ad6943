"""The resources of a compiled tree: Terraform's, the objects of overlays, and Argo CD's own.

Only what a changed file is part of is put together; a tree of thousands of objects in which one value
changed costs no more than that value's overlay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct

from plinth.catalog import CatalogError
from plinth.catalog.facts import key_of
from plinth.ir.said import pointer
from plinth.plan.overlays import KUSTOMIZATION, build, folders_read
from plinth.plan.tree import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plinth.catalog.objects import ObjectKey
    from plinth.plan.overlays import Built
    from plinth.plan.tree import Tree

Layer = Literal["terraform", "manifest", "argocd", "spec"]

TERRAFORM_FILE: Final = re.compile(r"generated/(?P<env>[^/]+)/terraform/(?P<root>[^/]+)/[^/]+\.tf\.json")
_ARGOCD: Final = re.compile(r"generated/(?P<env>[^/]+)/argocd/(?:.+/)?(?P<file>[^/]+\.yaml)")
_OVERLAY: Final = re.compile(rf"overlays/(?P<env>[^/]+)/(?P<component>[^/]+)/{re.escape(KUSTOMIZATION)}")
_BASE: Final = re.compile(r"generated/base/[^/]+/[^/]+")
_TWO_NAMES: Final = frozenset({"resource", "data", "ephemeral"})
_ONE_NAME: Final = frozenset({"provider", "output", "variable", "module", "locals"})


class Identity(Struct, frozen=True, kw_only=True, order=True):
    """What makes two resources of two trees the same one."""

    layer: Layer
    env: str
    home: str
    """Terraform's root, or the Application that holds the object."""
    address: str
    """As Terraform writes it within its root; of an object `Kind[.group]/[namespace/]name`."""


class Resource(Struct, frozen=True, kw_only=True):
    """A resource with all that a tree says of it."""

    identity: Identity
    body: Any
    files: tuple[str, ...]
    """The files that it is made of."""
    place: str = ""
    """The JSON pointer of its body in its file, where a file holds several."""
    key: ObjectKey | None = None
    is_upstream: bool = False
    is_sketch: bool = False
    """Only what our patches set is known of it: `{JSON pointer: value}`."""
    is_fetched: bool = False
    """It stands for all objects that Argo CD fetches for its Application."""

    @property
    def is_secret(self) -> bool:
        """Whether its values are for nobody's eyes."""
        return self.key is not None and (self.key.group, self.key.kind) == ("", "Secret")


class Unit(Struct, frozen=True, kw_only=True, order=True):
    """What is put together at once: a file, an overlay, or the CRDs of its component."""

    env: str
    kind: Literal["file", "overlay", "crds"]
    name: str
    """A path, or the name of a component."""


def touched(tree: Tree, paths: frozenset[str]) -> frozenset[Unit]:
    """The units of a tree that one of the files is part of."""
    folders = {path.rpartition("/")[0] for path in paths}
    found: set[Unit] = set()
    for path in paths:
        match = TERRAFORM_FILE.fullmatch(path) or _argocd(path)
        if match and path in tree.marks:
            found.add(Unit(env=match["env"], kind="file", name=path))
    for path in tree.marks:
        match = _OVERLAY.fullmatch(path)
        if not match:
            continue
        env, component = match["env"], match["component"]
        overlay = path.rpartition("/")[0]
        if folders & folders_read(tree, overlay):
            found.add(Unit(env=env, kind="overlay", name=component))
        crds = _crds(tree, overlay)
        if crds is not None and folders & folders_read(tree, crds):
            found.add(Unit(env=env, kind="crds", name=component))
    return frozenset(found)


def resources(tree: Tree, unit: Unit) -> Iterator[Resource]:
    """Every resource of a unit; none where the tree has no such unit.

    Raises:
        UnreadableFile: a file of it is not what any compile writes.
    """
    if unit.kind != "file":
        overlay = f"overlays/{unit.env}/{unit.name}"
        is_crds = unit.kind == "crds"
        folder = _crds(tree, overlay) if is_crds else overlay
        if folder is not None:
            yield from _objects(tree, folder, unit.env, f"{unit.name}-crds" if is_crds else unit.name)
    elif unit.name in tree.marks:
        match = TERRAFORM_FILE.fullmatch(unit.name)
        if match:
            yield from _terraform(tree, unit.name, match["env"], match["root"])
        else:
            yield _application(tree, unit.name, unit.env)


def address_of(key: ObjectKey) -> str:
    """An object as kubectl names its kind, with its namespace: `Deployment.apps/mlflow/mlflow`."""
    kind = f"{key.kind}.{key.group}" if key.group else key.kind
    return "/".join(part for part in (kind, key.namespace, key.name) if part)


def _argocd(path: str) -> re.Match[str] | None:
    match = _ARGOCD.fullmatch(path)
    return match if match and match["file"] != KUSTOMIZATION else None


def _crds(tree: Tree, overlay: str) -> str | None:
    """The folder of the CRDs that an overlay's component brings."""
    for folder in folders_read(tree, overlay):
        if _BASE.fullmatch(folder) and f"{folder}/crds/{KUSTOMIZATION}" in tree.marks:
            return f"{folder}/crds"
    return None


def _terraform(tree: Tree, path: str, env: str, root: str) -> Iterator[Resource]:
    data = tree.data(path)
    if not isinstance(data, Mapping):
        raise UnreadableFile(f"`{path}` is no map")
    for kind, body in data.items():
        for names, part in _blocks(kind, body):
            shown = names if kind == "resource" else (kind, *names)
            identity = Identity(layer="terraform", env=env, home=root, address=".".join(shown))
            yield Resource(identity=identity, body=part, files=(path,), place=pointer(kind, *names))


def _blocks(kind: str, body: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The blocks of one kind in a file, each with its labels."""
    if kind in _TWO_NAMES and isinstance(body, Mapping):
        for type_, some in body.items():
            for name, part in some.items() if isinstance(some, Mapping) else ():
                yield (type_, name), part
    elif kind in _ONE_NAME and isinstance(body, Mapping):
        for name, part in body.items():
            yield (name,), part
    elif isinstance(body, list):
        for index, part in enumerate(body):
            yield (str(index),), part
    else:
        yield (), body


def _application(tree: Tree, path: str, env: str) -> Resource:
    body = tree.data(path)
    try:
        key = key_of(body)
    except (CatalogError, AttributeError) as error:
        raise UnreadableFile(f"`{path}`: {error}") from None
    identity = Identity(layer="argocd", env=env, home="root", address=address_of(key))
    return Resource(identity=identity, body=body, files=(path,), key=key)


def _objects(tree: Tree, folder: str, env: str, application: str) -> Iterator[Resource]:
    built = build(tree, folder)
    for each in built.objects:
        yield _resource(each, env, application)
    if built.fetched:
        identity = Identity(layer="manifest", env=env, home=application, address=f"upstream/{application}")
        bodies = [entry if isinstance(entry, Mapping) else {"resource": entry} for _, entry in built.fetched]
        files = tuple(dict.fromkeys(path for path, _ in built.fetched))
        yield Resource(
            identity=identity, body={"sources": bodies}, files=files, is_upstream=True, is_fetched=True
        )


def _resource(built: Built, env: str, application: str) -> Resource:
    identity = Identity(layer="manifest", env=env, home=application, address=address_of(built.key))
    return Resource(
        identity=identity,
        body=built.body,
        files=built.files,
        key=built.key,
        is_upstream=built.is_upstream,
        is_sketch=built.is_sketch,
    )
