"""The objects that will be applied: what `kustomize build` gives for our overlays, without kustomize.

Only what our own kustomizations use is here: resources, JSON 6902 and merge patches with a target,
`namespace` and `images`. Tests hold the result against kustomize's own, object by object.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.catalog.facts import key_of
from plinth.ir import patch as json_patch
from plinth.ir.kubernetes import may_hold_pods
from plinth.ir.said import settle
from plinth.ir.targets import Base, Image, Manifest, Patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from plinth.catalog.objects import ObjectKey

_BINDINGS: Final = frozenset({"ClusterRoleBinding", "RoleBinding"})
_WEBHOOKS: Final = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"})
_TAG_AND_DIGEST: Final = re.compile(r"(:[A-Za-z0-9_.-]{1,128})?(@sha256:[0-9a-f]{64})?")
_PARTS: Final = (dict, list)
_LISTS_OF_CONTAINERS: Final = frozenset({"containers", "initContainers"})


class PatchFailed(Exception):
    """A patch does not fit its object."""

    def __init__(self, patch: Patch | ObjectKey, reason: str) -> None:
        super().__init__(f"{patch.target if isinstance(patch, Patch) else patch}: {reason}")
        self.patch = patch
        self.reason = reason


class Rendered(Struct, frozen=True):
    """A final object."""

    key: ObjectKey
    body: Mapping[str, Any]


def base_objects(base: Base) -> tuple[Rendered, ...]:
    """The objects of a base as its kustomization gives them; none where upstream is not at hand."""
    bodies: list[Any] = list(base.objects or ())
    for key, operations in base.operations.items():
        bodies = [_patched(body, key, operations) if _is(body, key) else body for body in bodies]
    if base.namespace:
        bodies = in_namespace(bodies, base.namespace)
    return tuple(Rendered(key_of(body), body) for body in bodies)


def overlay_objects(
    base: tuple[Rendered, ...],
    manifests: Iterable[Manifest],
    patches: Iterable[Patch],
    images: Iterable[Image],
) -> tuple[Rendered, ...]:
    """The objects of an overlay: those of its base, patched, and ours.

    Raises:
        PatchFailed: a patch does not fit.
    """
    found = {rendered.key: rendered.body for rendered in base}
    found |= {manifest.key: manifest.plain for manifest in manifests}
    for patch in patches:
        if patch.target in found:
            found[patch.target] = _apply(found[patch.target], patch)
    changes = tuple(images)
    if changes:
        found = {
            key: with_images(body, changes) if may_hold_pods(key) else body for key, body in found.items()
        }
    return tuple(Rendered(key, found[key]) for key in sorted(found))


def _apply(body: Mapping[str, Any], patch: Patch) -> Mapping[str, Any]:
    try:
        if patch.merge is not None:
            return json_patch.merge(body, settle(patch.merge)[0])  # type: ignore[no-any-return]  # a map stays one
        return json_patch.apply(body, settle(list(patch.operations))[0])  # type: ignore[no-any-return]  # as above
    except json_patch.PatchError as error:
        raise PatchFailed(patch, str(error)) from None


def _patched(body: Mapping[str, Any], key: ObjectKey, operations: Iterable[Mapping[str, Any]]) -> Any:
    try:
        return json_patch.apply(body, operations)
    except json_patch.PatchError as error:
        raise PatchFailed(key, str(error)) from None


def _is(body: Mapping[str, Any], key: ObjectKey) -> bool:
    return (body["kind"], body["metadata"]["name"]) == (key.kind, key.name)


def in_namespace(bodies: list[Any], namespace: str) -> list[Any]:
    """What the `namespace` of a kustomization does.

    Source: kustomize 5, filters/namespace and name references.
    """
    accounts = {
        (body["metadata"].get("namespace", ""), body["metadata"]["name"])
        for body in bodies
        if body["kind"] == "ServiceAccount"
    }
    services = {
        (body["metadata"].get("namespace", ""), body["metadata"]["name"])
        for body in bodies
        if body["kind"] == "Service"
    }
    return [_moved(body, namespace, accounts, services) for body in bodies]


def _moved(body: Any, namespace: str, accounts: set[tuple[str, str]], services: set[tuple[str, str]]) -> Any:
    if body["kind"] in _BINDINGS and body.get("subjects"):
        own = body["metadata"].get("namespace", "")
        body = {**body, "subjects": [_subject(each, namespace, own, accounts) for each in body["subjects"]]}
    if body["kind"] in _WEBHOOKS:
        body = {
            **body,
            "webhooks": [_webhook(each, namespace, services) for each in body.get("webhooks") or []],
        }
    if body["kind"] == "Namespace":
        return {**body, "metadata": {**body["metadata"], "name": namespace}}
    if key_of(body).is_cluster_scoped:
        return body
    return {**body, "metadata": {**body["metadata"], "namespace": namespace}}


def _subject(subject: Any, namespace: str, own: str, accounts: set[tuple[str, str]]) -> Any:
    # Kustomize looks at the name alone, not at the kind.
    follows = subject["name"] == "default" or (subject.get("namespace", own), subject["name"]) in accounts
    return {**subject, "namespace": namespace} if follows else subject


def _webhook(webhook: Any, namespace: str, services: set[tuple[str, str]]) -> Any:
    service = webhook.get("clientConfig", {}).get("service")
    if not service or (service.get("namespace", ""), service["name"]) not in services:
        return webhook
    return {
        **webhook,
        "clientConfig": {**webhook["clientConfig"], "service": {**service, "namespace": namespace}},
    }


def with_images(node: Any, images: tuple[Image, ...]) -> Any:
    """What the `images` of a kustomization do to a map or a list; the very same one where none is moved."""
    if isinstance(node, list):
        return _each(node, with_images, images)
    changed = {}
    for key, value in node.items():
        if isinstance(value, _PARTS):
            if key in _LISTS_OF_CONTAINERS and isinstance(value, list):
                moved = _each(value, _container, images)
            else:
                moved = with_images(value, images)
            if moved is not value:
                changed[key] = moved
    return {**node, **changed} if changed else node


def _each(
    items: list[Any], change: Callable[[Any, tuple[Image, ...]], Any], images: tuple[Image, ...]
) -> Any:
    """The list with every part of it changed; the very same one where none is."""
    changed = [change(each, images) if isinstance(each, _PARTS) else each for each in items]
    return items if all(map(operator.is_, changed, items)) else changed


def _container(container: Any, images: tuple[Image, ...]) -> Any:
    if not isinstance(container, dict) or not isinstance(container.get("image"), str):
        return with_images(container, images)
    text = container["image"]
    for image in images:
        text = moved_image(text, image)
    return container if text == container["image"] else {**container, "image": text}


def moved_image(text: str, image: Image) -> str:
    """An image as an `images` entry of a kustomization leaves it."""
    name, rest = text[: len(image.name)], text[len(image.name) :]
    if not _is_called(name, image.name) or not _TAG_AND_DIGEST.fullmatch(rest):
        return text
    tag = f":{image.tag}" if image.tag else ""
    digest = f"@{image.digest}" if image.digest else ""
    return f"{name}{tag}{digest}"


def _is_called(name: str, pattern: str) -> bool:
    # Kustomize reads the name as a pattern, in which a dot stands for any character.
    return name == pattern or (
        len(name) == len(pattern)
        and all(
            one == other or (other == "." and one != "\n") for one, other in zip(name, pattern, strict=True)
        )
    )
