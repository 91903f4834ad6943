"""The objects of an overlay, put together from the files of a compiled tree.

What is in the tree is read as kustomize would read it, not asked of the compiler: an older one has
written it, or somebody has edited it. Objects that Argo CD fetches are not at hand; a patch of such
an object stands for it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from plinth.catalog import CatalogError
from plinth.catalog.facts import key_of
from plinth.catalog.objects import ObjectKey
from plinth.ir import patch as json_patch
from plinth.ir.kubernetes import may_hold_pods
from plinth.ir.render import in_namespace, with_images
from plinth.ir.said import pointer
from plinth.ir.targets import Image
from plinth.plan.tree import UnreadableFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plinth.plan.tree import Tree

KUSTOMIZATION: Final = "kustomization.yaml"


class Built(Struct, frozen=True, kw_only=True):
    """An object, or what is known of one."""

    key: ObjectKey
    body: Mapping[str, Any]
    files: tuple[str, ...]
    """The files of the tree that it is made of."""
    is_upstream: bool = False
    """It comes from what the overlay builds on."""
    is_sketch: bool = False
    """The object is not at hand: `body` is `{JSON pointer: value}` of what our patches set."""


class Build(Struct, frozen=True, kw_only=True):
    """What a kustomization gives."""

    objects: tuple[Built, ...] = ()
    fetched: tuple[tuple[str, Any], ...] = ()
    """What Argo CD fetches, and the images that it moves in it: (file that says so, its entry)."""


def folders_read(tree: Tree, folder: str) -> frozenset[str]:
    """Every folder that building a folder reads; none where it has no kustomization."""
    found: set[str] = set()
    rest = [folder]
    while rest:
        each = rest.pop()
        if each in found or f"{each}/{KUSTOMIZATION}" not in tree.marks:
            continue
        found.add(each)
        rest += [target for target in _local(tree, each) if not _is_file(target)]
    return frozenset(found)


def build(tree: Tree, folder: str, *, is_upstream: bool = False) -> Build:
    """The objects of a folder with a kustomization; nothing where it has none.

    Raises:
        UnreadableFile: a file of it is missing or is not what any compile writes.
    """
    path = f"{folder}/{KUSTOMIZATION}"
    if path not in tree.marks:
        return Build()
    kustomization = _kustomization(tree, folder)
    objects: list[Built] = []
    fetched: list[tuple[str, Any]] = [(path, each) for each in _list(kustomization, "helmCharts")]
    for target in _local(tree, folder):
        if _is_file(target):
            objects.append(_object(tree, target, is_upstream=is_upstream))
        else:
            below = build(tree, target, is_upstream=True)
            # Which base it is comes from here, and with it every object of the base.
            objects += [replace(each, files=(*each.files, path)) for each in below.objects]
            fetched += below.fetched
    fetched += [(path, each) for each in _list(kustomization, "resources") if _is_remote(each)]
    for patch in _list(kustomization, "patches"):
        objects = _patched(tree, folder, patch, objects, fetched=bool(fetched))
    if kustomization.get("namespace"):
        objects = _moved(objects, str(kustomization["namespace"]), path)
    listed = _list(kustomization, "images")
    if fetched and listed:
        fetched.append((path, {"images": listed}))
    images = tuple(_image(each) for each in listed)
    if images:
        objects = [_with_images(each, images, path) for each in objects]
    return Build(objects=tuple(objects), fetched=tuple(fetched))


def _kustomization(tree: Tree, folder: str) -> Mapping[str, Any]:
    data = tree.data(f"{folder}/{KUSTOMIZATION}")
    if not isinstance(data, Mapping):
        raise UnreadableFile(f"`{folder}/{KUSTOMIZATION}` is no map")
    return data


def _list(kustomization: Mapping[str, Any], key: str) -> list[Any]:
    value = kustomization.get(key)
    return value if isinstance(value, list) else []


def _is_remote(resource: object) -> bool:
    return isinstance(resource, str) and "//" in resource


def _is_file(path: str) -> bool:
    return path.endswith((".yaml", ".yml", ".json"))


def _local(tree: Tree, folder: str) -> Iterator[str]:
    """The files and folders of the tree that a kustomization takes its objects from."""
    for each in _list(_kustomization(tree, folder), "resources"):
        if isinstance(each, str) and not _is_remote(each):
            yield posixpath.normpath(posixpath.join(folder, each))


def _object(tree: Tree, path: str, *, is_upstream: bool) -> Built:
    if path not in tree.marks:
        raise UnreadableFile(f"`{path}` is named by a kustomization and is not there")
    body = tree.data(path)
    try:
        if isinstance(body, Mapping):
            return Built(key=key_of(body), body=body, files=(path,), is_upstream=is_upstream)
    except CatalogError as error:
        raise UnreadableFile(f"`{path}`: {error}") from None
    raise UnreadableFile(f"`{path}` holds no object")


def _patched(tree: Tree, folder: str, patch: Any, objects: list[Built], *, fetched: bool) -> list[Built]:
    target = patch.get("target") if isinstance(patch, Mapping) else None
    name = patch.get("path") if isinstance(patch, Mapping) else None
    if not isinstance(target, Mapping) or not isinstance(name, str):
        raise UnreadableFile(f"`{folder}/{KUSTOMIZATION}` has a patch without a path or a target")
    path = posixpath.normpath(posixpath.join(folder, name))
    if path not in tree.marks:
        raise UnreadableFile(f"`{path}` is named by a kustomization and is not there")
    content = tree.data(path)
    chosen = [_is_target(each.key, target) for each in objects]
    if isinstance(content, Mapping) and content.get("$patch") == "delete":
        return [each for each, is_chosen in zip(objects, chosen, strict=True) if not is_chosen]
    if not any(chosen):
        return [*objects, _sketch(target, content, path)] if fetched else objects
    return [
        _apply(each, content, path) if is_chosen else each
        for each, is_chosen in zip(objects, chosen, strict=True)
    ]


def _is_target(key: ObjectKey, target: Mapping[str, Any]) -> bool:
    """Whether a patch is for an object. Kustomize takes each part as an anchored regular expression."""
    parts = {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}
    return all(re.fullmatch(str(target[part]), value) for part, value in parts.items() if target.get(part))


def _apply(built: Built, content: Any, path: str) -> Built:
    files = (*built.files, path)
    if built.is_sketch:
        return replace(built, body={**built.body, **_settings(content)}, files=files)
    try:
        if isinstance(content, Mapping):
            return replace(built, body=json_patch.merge(built.body, content), files=files)
        return replace(built, body=json_patch.apply(built.body, content), files=files)
    except (json_patch.PatchError, AttributeError, TypeError) as error:
        raise UnreadableFile(f"`{path}` does not fit {built.key}: {error}") from None


def _sketch(target: Mapping[str, Any], content: Any, path: str) -> Built:
    parts = {part: _plain(str(target.get(part, ""))) for part in ("group", "kind", "namespace", "name")}
    return Built(
        key=ObjectKey(**parts), body=_settings(content), files=(path,), is_upstream=True, is_sketch=True
    )


def _plain(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern)


def _settings(content: Any) -> dict[str, Any]:
    """What a patch sets, by JSON pointer; None for what it takes out."""
    if isinstance(content, Mapping):
        return dict(_merged(content, ""))
    found: dict[str, Any] = {}
    for operation in content if isinstance(content, list) else ():
        if isinstance(operation, Mapping) and operation.get("op") != "test":
            place = str(operation.get("path", ""))
            while place in found:  # `add` at `/-` says where, not which
                place += "+"
            found[place] = operation.get("value")
    return found


def _merged(content: Mapping[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        where = place + pointer(key)
        if isinstance(value, Mapping) and value:
            yield from _merged(value, where)
        else:
            yield where, value


def _moved(objects: Iterable[Built], namespace: str, path: str) -> list[Built]:
    listed = list(objects)
    whole = [each for each in listed if not each.is_sketch]
    bodies = iter(in_namespace([each.body for each in whole], namespace))
    found: list[Built] = []
    for each in listed:
        if each.is_sketch:
            found.append(replace(each, key=replace(each.key, namespace=namespace)))
            continue
        body = next(bodies)
        files = each.files if body == each.body else (*each.files, path)
        found.append(replace(each, body=body, key=key_of(body), files=files))
    return found


def _image(entry: Any) -> Image:
    fields = entry if isinstance(entry, Mapping) else {}
    tag, digest = fields.get("newTag"), fields.get("digest")
    return Image(application="", name=str(fields.get("name", "")), tag=tag, digest=digest)


def _with_images(built: Built, images: tuple[Image, ...], path: str) -> Built:
    if built.is_sketch or not may_hold_pods(built.key):
        return built
    body = with_images(built.body, images)
    return built if body == built.body else replace(built, body=body, files=(*built.files, path))
