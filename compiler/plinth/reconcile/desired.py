"""The objects that Argo CD is to bring into one environment, and where each of their fields comes from.

Argo CD marks what it delivers with an annotation, but for CRDs. The mark is part of what it applies, so it is
part of what is desired here: a probe without it would ask to take it away.

Source: Argo CD 3.5, "Resource Tracking"; repo-server, manifest generation.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct

from plinth.backends.argocd import NAMESPACE, ROOT
from plinth.drift import Unknown
from plinth.ir.kubernetes import containers
from plinth.ir.layout import applications
from plinth.ir.render import moved_image
from plinth.ir.said import pointer, settle, show_origins
from plinth.ir.targets import Application, Base, Image, Manifest, Patch
from plinth.text.manifests import read_manifests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from plinth.catalog.objects import ObjectKey
    from plinth.checks import FinalObject
    from plinth.compilation import Compilation

    Crds = Callable[[str, str], tuple[Mapping[str, Any], ...] | None]
    """The CRDs of a vendored component and version; None where they are not at hand."""

TRACKING: Final = "argocd.argoproj.io/tracking-id"
CRD: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")

Origins = dict[str, tuple[str, ...]]
"""JSON pointer into an object -> origins as a ledger holds them; `""` is the whole."""


class Desired(Struct, frozen=True, kw_only=True):
    """An object as Argo CD applies it."""

    env: str
    layer: Literal["manifest", "argocd"]
    application: str
    home: str
    """Where it goes when it names no namespace."""
    body: Mapping[str, Any]
    origins: Mapping[str, tuple[str, ...]]
    ignored: tuple[str, ...] = ()
    """JSON pointers that the Application tells Argo CD to leave as they are."""

    @property
    def group(self) -> str:
        """The group of its kind, `""` for the core."""
        return str(self.body["apiVersion"]).rpartition("/")[0]

    @property
    def version(self) -> str:
        """The version of its kind."""
        return str(self.body["apiVersion"]).rpartition("/")[2]

    @property
    def kind(self) -> tuple[str, str]:
        """Group and kind."""
        return self.group, str(self.body["kind"])


class Wanted(Struct, frozen=True, kw_only=True):
    """All that is desired of one environment's cluster."""

    objects: tuple[Desired, ...]
    unknown: tuple[Unknown, ...]
    """What cannot be compared, because it is not at hand."""
    withheld: tuple[Application, ...]
    """Compiled and not delivered yet, so nothing of it is missed."""


def wanted(compilation: Compilation, crds: Crds) -> Wanted:
    """What Argo CD is to bring: the objects of every Application, its CRDs, and the Applications."""
    env = compilation.environment.name
    bases = {base.component: base for base in compilation.graph.of(Base)}
    delivered = [each for each in compilation.graph.of(Application) if not each.withheld]
    objects: list[Desired] = []
    unknown: list[Unknown] = []
    finals: dict[str, list[FinalObject]] = defaultdict(list)
    for final in compilation.objects:
        finals[final.application.name].append(final)
    for application in delivered:
        base = bases.get(application.component)
        if base is not None and (not base.vendored or base.objects is None):
            unknown.append(
                Unknown(
                    env=env,
                    what=f"Application {application.name}",
                    reason="what upstream publishes is fetched by Argo CD; "
                    "`upstreams: vendored` makes it comparable",
                )
            )
        if application.holds_crds:
            if base is not None and base.vendored:
                objects += _crds(env, application, base, crds, unknown)
            continue
        maker = _Maker(compilation, application, base)
        for final in finals[application.name]:
            if base is not None and f"{final.key.kind}/{final.key.name}" in base.incomplete:
                what = f"{final.key.kind} {final.key.name}"
                unknown.append(
                    Unknown(
                        env=env, what=what, reason="it is vendored in part, from a mirror that leaves it out"
                    )
                )
                continue
            objects.append(maker.desired(env, final.key, final.body))
    objects += _of_argo_cd(compilation)
    return Wanted(
        objects=tuple(sorted(objects, key=_order)),
        unknown=tuple(unknown),
        withheld=tuple(compilation.withheld),
    )


class _Maker:
    """The objects of one Application with the origins of their fields."""

    def __init__(self, compilation: Compilation, application: Application, base: Base | None) -> None:
        def own(kind: type[Any]) -> list[Any]:
            return [each for each in compilation.graph.of(kind) if each.application == application.name]

        self._application = application
        self._base = base
        self._manifests: dict[ObjectKey, Manifest] = {each.key: each for each in own(Manifest)}
        self._patches: list[Patch] = own(Patch)
        self._images: list[Image] = own(Image)

    def desired(self, env: str, key: ObjectKey, body: Mapping[str, Any]) -> Desired:
        application = self._application
        return Desired(
            env=env,
            layer="manifest",
            application=application.name,
            home=application.namespace,
            body=tracked(body, application.name, application.namespace),
            origins=self._origins(key, body),
            ignored=tuple(_ignored(application, key)),
        )

    def _origins(self, key: ObjectKey, body: Mapping[str, Any]) -> Origins:
        manifest = self._manifests.get(key)
        whole = manifest.origins if manifest else self._application.origins
        found: Origins = show_origins({"": whole})
        if manifest:
            found |= show_origins(manifest.settled[1])
        elif self._base is not None:
            found |= _of_operations(self._base.operations.get(key, ()), self._base.origins)
        for patch in self._patches:
            if patch.target == key:
                if patch.merge is not None:
                    merged = settle(patch.merge, patch.origins)[1]
                    # The merge says its leaves, and nothing of the object as a whole.
                    found |= show_origins(dict.fromkeys(_leaves(patch.merge), patch.origins))
                    found |= show_origins({where: some for where, some in merged.items() if where})
                found |= _of_operations(patch.operations, patch.origins)
        for place, container in containers(body):
            for image in self._images:
                if image.origins and moved_image(str(container.get("image", "")), image).startswith(
                    image.name
                ):
                    found[f"{place}/image"] = show_origins({"": image.origins})[""]
        return found


def tracked(body: Mapping[str, Any], application: str, home: str) -> Mapping[str, Any]:
    """An object with Argo CD's mark on it; a CRD gets none."""
    group, _, _ = str(body["apiVersion"]).rpartition("/")
    if (group, body["kind"]) == CRD:
        return body
    metadata = body["metadata"]
    namespace = metadata.get("namespace") or home
    mark = f"{application}:{group}/{body['kind']}:{namespace}/{metadata.get('name', '')}"
    annotations = {**(metadata.get("annotations") or {}), TRACKING: mark}
    return {**body, "metadata": {**metadata, "annotations": annotations}}


def _of_operations(operations: Iterable[Mapping[str, Any]], origins: tuple[Any, ...]) -> Origins:
    found: Origins = {}
    for operation in operations:
        if operation["op"] in {"add", "replace"}:
            _, inside = settle(operation.get("value"), origins)
            found |= {f"{operation['path']}{where}": some for where, some in show_origins(inside).items()}
    return found


def _leaves(node: Any, where: str = "") -> Iterator[str]:
    plain = node if isinstance(node, dict) else None
    if not plain:
        yield where
        return
    for key, part in plain.items():
        yield from _leaves(part, where + pointer(str(key)))


def _ignored(application: Application, key: ObjectKey) -> Iterator[str]:
    for rule in application.ignore:
        is_meant = (rule.get("group", ""), rule.get("kind")) == (key.group, key.kind)
        if is_meant and rule.get("name", key.name) == key.name:
            yield from rule.get("jsonPointers") or ()


def _crds(
    env: str, application: Application, base: Base, crds: Crds, unknown: list[Unknown]
) -> Iterator[Desired]:
    found = crds(base.component, base.version)
    if found is None:
        what = f"Application {application.name}"
        unknown.append(Unknown(env=env, what=what, reason="its CRDs are not under generated/vendor/"))
        return
    origins = show_origins({"": application.origins})
    for body in found:
        yield Desired(
            env=env,
            layer="manifest",
            application=application.name,
            home=application.namespace,
            body=body,
            origins=origins,
        )


def _of_argo_cd(compilation: Compilation) -> Iterator[Desired]:
    """The projects and Applications, which the root brings, itself included."""
    folder = f"{applications(compilation.environment.name)}/"
    for path, made in sorted(compilation.files.items()):
        if not path.startswith(folder) or path.endswith("/kustomization.yaml"):
            continue
        for body in read_manifests(made.content):
            yield Desired(
                env=compilation.environment.name,
                layer="argocd",
                application=ROOT,
                home=NAMESPACE,
                body=tracked(body, ROOT, NAMESPACE),
                origins=made.origins,
            )


def _order(desired: Desired) -> tuple[str, str, str, str]:
    metadata = desired.body["metadata"]
    return (*desired.kind, metadata.get("namespace", ""), metadata.get("name", ""))
