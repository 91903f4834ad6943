"""Kustomize: an overlay for each component, and the base that it builds on.

A base is the same for every environment and holds nothing of the spec. An overlay adds objects
of ours and JSON 6902 patches, each in a file of its own; a strategic-merge patch would make every
build parse the whole schema of Kubernetes, and `namespace` or `labels` transformers would rewrite
what nobody asked for. A person's patch is inlined: kustomize reads no file above its folder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from plinth.backends import Backend
from plinth.catalog.components import ChartSource, FileSource, GitSource
from plinth.ir import layout
from plinth.ir.fileset import File, FileSet
from plinth.ir.said import Origin, settle, show_origins
from plinth.ir.targets import Application, Base, Image, Manifest, ObjectKey, Patch
from plinth.text.emit import yaml_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.ir.graph import Graph

KUSTOMIZATION: Final = "kustomization.yaml"

_HEAD: Final = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


class Kustomize(Backend):
    """`overlays/` and `generated/base/`."""

    name = "kustomize"

    def emit(self, graph: Graph, environment: str) -> FileSet:
        files = _Files(self.name)
        for base in graph.of(Base):
            _base(base, files)
        bases = {base.component: base for base in graph.of(Base)}
        for application in graph.of(Application):
            if not application.holds_crds:
                _overlay(application, bases.get(application.component), graph, environment, files)
        return files.found


class _Files:
    """Files as they are made; two of one path are a fault of ours."""

    def __init__(self, backend: str) -> None:
        self.found: dict[str, File] = {}
        self._backend = backend

    def add(self, path: str, data: Any, origins: tuple[Origin, ...]) -> None:
        self.add_settled(path, *settle(data, origins))

    def add_settled(self, path: str, plain: Any, found: Mapping[str, tuple[Origin, ...]]) -> None:
        if path in self.found:
            raise ValueError(f"two files are called {path}")
        self.found[path] = File(
            content=yaml_text(plain).encode(), backend=self._backend, origins=show_origins(found)
        )


def _overlay(
    application: Application, base: Base | None, graph: Graph, environment: str, files: _Files
) -> None:
    folder = layout.overlay(environment, application.component)
    resources = [layout.relative(folder, layout.base(base.component, base.version))] if base else []
    patches: list[dict[str, Any]] = []
    for manifest in graph.of(Manifest):
        if manifest.application == application.name:
            name = layout.object_file(manifest.key, application.namespace)
            files.add_settled(f"{folder}/{name}", *manifest.settled)
            resources.append(name)
    for patch in graph.of(Patch):
        if patch.application == application.name:
            prefix = "patch-people" if patch.file else "patch"
            name = layout.object_file(patch.target, application.namespace, prefix)
            if f"{folder}/{name}" in files.found:  # two of a person's files change one object
                name = f"{name.removesuffix('.yaml')}-{len(patches)}.yaml"
            files.add(f"{folder}/{name}", patch.merge or list(patch.operations), patch.origins)
            patches.append({"path": name, "target": selector(patch.target)})
    images = [image for image in graph.of(Image) if image.application == application.name]
    kustomization: dict[str, Any] = {**_HEAD, "resources": resources}
    if patches:
        kustomization["patches"] = patches
    if images:
        kustomization["images"] = [_image(image) for image in images]
    files.add(f"{folder}/{KUSTOMIZATION}", kustomization, application.origins)


def _base(base: Base, files: _Files) -> None:
    folder = layout.base(base.component, base.version)
    resources, charts = _upstream(base, folder, crds=False)
    kustomization: dict[str, Any] = {**_HEAD, **resources, **charts}
    patches: list[dict[str, Any]] = []
    if base.upstream.crds and not base.vendored:
        files.add(f"{folder}/without-crds.yaml", _delete("CustomResourceDefinition"), base.origins)
        patches.append({"path": "without-crds.yaml", "target": {"kind": "CustomResourceDefinition"}})
    for key, operations in sorted(base.operations.items()):
        name = layout.object_file(key, base.namespace or "", "patch")
        files.add(f"{folder}/{name}", list(operations), base.origins)
        # Patches come before the namespace of the same kustomization: upstream's is not known here.
        patches.append({"path": name, "target": {"kind": key.kind, "name": _exactly(key.name)}})
    if patches:
        kustomization["patches"] = patches
    if base.namespace:
        kustomization["namespace"] = base.namespace
    files.add(f"{folder}/{KUSTOMIZATION}", kustomization, base.origins)
    if base.upstream.crds:
        _crds(base, files)


def _crds(base: Base, files: _Files) -> None:
    folder = layout.base_crds(base.component, base.version)
    resources, charts = _upstream(base, folder, crds=True)
    kustomization: dict[str, Any] = {**_HEAD, **resources, **charts}
    others = sorted({key.kind for key in base.upstream.objects if key.kind != "CustomResourceDefinition"})
    if others and not base.vendored:
        files.add(f"{folder}/only-crds.yaml", _delete(others[0]), base.origins)
        kustomization["patches"] = [{"path": "only-crds.yaml", "target": {"kind": "|".join(others)}}]
    files.add(f"{folder}/{KUSTOMIZATION}", kustomization, base.origins)


def _upstream(base: Base, folder: str, *, crds: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a base's kustomization takes its objects from: `resources`, or a chart."""
    if base.vendored:
        source = layout.vendor(base.component, base.version)
        return {"resources": [layout.relative(folder, f"{source}/crds" if crds else source)]}, {}
    match base.upstream.source:
        case GitSource() as git:
            return {"resources": [f"{git.repository}//{git.path}?ref={git.commit}"]}, {}
        case FileSource() as file:
            return {"resources": [file.url]}, {}
        case ChartSource() as chart:
            return {}, {"helmCharts": [_chart(chart, base)]}


def _chart(chart: ChartSource, base: Base) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": chart.name,
        "repo": chart.repository,
        "version": chart.version,
        "releaseName": chart.release,
        "namespace": chart.namespace,
        "includeCRDs": True,
    }
    return found | ({"valuesInline": base.values} if base.values else {})


def _delete(kind: str) -> dict[str, Any]:
    # Kustomize wants a kind and a name in the patch and looks at neither: the target says which.
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "all"}, "$patch": "delete"}


def selector(key: ObjectKey) -> dict[str, str]:
    """The target of a patch. Kustomize reads each of these as an anchored regular expression."""
    found = {"kind": key.kind, "name": _exactly(key.name)}
    if key.group:
        found["group"] = _exactly(key.group)
    if key.namespace and not key.is_cluster_scoped:
        found["namespace"] = key.namespace
    return found


def _exactly(name: str) -> str:
    return re.sub(r"([.+])", r"\\\1", name)


def _image(image: Image) -> dict[str, str]:
    found = {"name": image.name}
    if image.tag:
        found["newTag"] = image.tag
    if image.digest:
        found["digest"] = image.digest
    return found


BACKEND = Kustomize()
