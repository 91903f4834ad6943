"""Where each version of a component comes from, and what it holds.

A version is one file, `components/<name>/<version>.json`, in this package or in a plug-in's
catalogue folder. Folders are listed and files are read when somebody asks for them.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from plinth.catalog import CatalogError
from plinth.catalog.facts import FORMAT
from plinth.catalog.objects import ObjectKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PACKAGED: Final[tuple[Path, ...]] = (Path(__file__).parent,)
"""The catalogue folders of the package itself."""

_PRE_RELEASES: Final = frozenset({"a", "alpha", "b", "beta", "c", "dev", "pre", "preview", "rc", "snapshot"})


class GitSource(Struct, frozen=True, kw_only=True):
    """A kustomization in a git repository."""

    repository: str
    commit: str
    ref: str
    """The tag or branch that named the commit; for people."""
    path: str


class FileSource(Struct, frozen=True, kw_only=True):
    """One release file, at an address that names a commit."""

    url: str


class ChartSource(Struct, frozen=True, kw_only=True):
    """A published chart. A chart's folder in git often renders development images instead."""

    repository: str
    name: str
    version: str
    namespace: str
    release: str


Source = GitSource | FileSource | ChartSource


class ContainerFacts(Struct, frozen=True, kw_only=True):
    """A container of a pod template."""

    name: str
    image: str
    keys: frozenset[str]
    """The fields that it sets: `env` must be among them for a patch that adds to it."""
    env: tuple[str, ...]
    """The names of its variables, in the file's order."""


class PodFacts(Struct, frozen=True, kw_only=True):
    """The pod that an object makes, or is."""

    path: str
    """JSON pointer to the pod's spec, e.g. `/spec/template/spec`."""
    keys: frozenset[str]
    has_annotations: bool
    """The template has a map of annotations, perhaps an empty one."""
    service_account: str | None
    containers: tuple[ContainerFacts, ...]
    init_containers: tuple[ContainerFacts, ...]

    def pointer(self, container: str) -> str:
        """JSON pointer to a container by its name, e.g. `/spec/template/spec/containers/0`.

        Raises:
            KeyError: neither a container nor an init container has this name.
        """
        for part, items in (("containers", self.containers), ("initContainers", self.init_containers)):
            for index, item in enumerate(items):
                if item.name == container:
                    return f"{self.path}/{part}/{index}"
        raise KeyError(container)

    def env_index(self, container: str, variable: str) -> int:
        """The place of a variable in a container's `env`, from 0.

        Raises:
            KeyError: there is no such container.
            ValueError: the container has no such variable.
        """
        for item in (*self.containers, *self.init_containers):
            if item.name == container:
                return item.env.index(variable)
        raise KeyError(container)


class ObjectFacts(Struct, frozen=True, kw_only=True):
    """What is known of an object without having it."""

    key: ObjectKey
    api_version: str
    """With the group, as manifests write it: `apps/v1`."""
    digest: str
    has_annotations: bool
    has_labels: bool
    data_keys: frozenset[str] = frozenset()
    """Of a ConfigMap or a Secret."""
    pod: PodFacts | None = None
    webhook_names: tuple[str, ...] = ()
    failure_policies: tuple[str, ...] = ()
    """One for each webhook: `Fail` stops the API where the webhook does not answer."""
    ca_injection: str | None = None
    """The annotation by which cert-manager fills in a CA; where absent, the file or the owner does."""
    is_aggregated: bool = False
    """A ClusterRole whose rules a controller fills in."""
    storage: str | None = None
    """What a PersistentVolumeClaim requests, e.g. `20Gi`."""
    hook: str | None = None
    """`helm.sh/hook`: Argo CD runs it as a hook of its own, Helm's words translated."""


class CrdFacts(Struct, frozen=True, kw_only=True):
    """A kind that an upstream defines."""

    name: str
    group: str
    kind: str
    plural: str
    is_namespaced: bool
    versions: tuple[str, ...]
    """The served ones, in the file's order."""
    storage_version: str
    size_bytes: int
    """As compact JSON."""
    size_is_minimum: bool
    """Descriptions were stripped before the size was taken: what is published is larger."""
    converts: bool
    """A webhook translates between versions, so the kind needs its controller."""


class Upstream(Struct, frozen=True, kw_only=True):
    """A version of a component as its makers publish it."""

    component: str
    version: str
    source: Source
    digest: str
    made_with: str
    incomplete: tuple[str, ...]
    """Objects that the catalogue knows only in part or not at all, as `Kind/name`."""
    objects: Mapping[ObjectKey, ObjectFacts]
    """Every object, CRDs among them, in the order of the keys."""
    crds: tuple[CrdFacts, ...]

    def images(self) -> tuple[str, ...]:
        """Every image that a pod of this upstream runs, sorted, each once."""
        pods = [facts.pod for facts in self.objects.values() if facts.pod]
        return tuple(sorted({item.image for pod in pods for item in (*pod.containers, *pod.init_containers)}))


def placed(upstream: Upstream, namespace: str | None, without: frozenset[ObjectKey]) -> Upstream:
    """An upstream as a base holds it: in a namespace where it names none, and without some objects.

    Kinds that have no namespace are told from the others by `is_cluster_scoped` of their key.
    """
    if not namespace and not without:
        return upstream
    found: dict[ObjectKey, ObjectFacts] = {}
    for key, facts in upstream.objects.items():
        place = key
        if namespace and not key.namespace and not key.is_cluster_scoped:
            place = replace(key, namespace=namespace)
        if place not in without:
            found[place] = facts if place is key else replace(facts, key=place)
    return replace(upstream, objects=found)


def components(folders: Sequence[Path] = PACKAGED) -> tuple[str, ...]:
    """The names of all components with at least one version, sorted."""
    found = tuple(folders)
    return tuple(name for name in sorted(_component_folders(found)) if _version_files(name, found))


def versions(component: str, folders: Sequence[Path] = PACKAGED) -> tuple[str, ...]:
    """The known versions, oldest first; empty where the component is unknown."""
    return tuple(sorted(_version_files(component, tuple(folders)), key=version_key))


def load(component: str, version: str, folders: Sequence[Path] = PACKAGED) -> Upstream:
    """What the catalogue knows of one version.

    Raises:
        KeyError: no folder has it; see `versions`.
        CatalogError: two folders have it, or its file is broken.
    """
    return _load(component, version, tuple(folders))


VersionKey = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...], str]


def version_key(text: str) -> VersionKey:
    """A key that sorts versions as people read them, whatever their scheme.

    `1.9.2` is before `1.10.0`, `1.10.0` before `26.03`, a pre-release (`26.03.1-rc.2`) before
    its release, and any other suffix (`1.36.1-aws`) after the plain version.
    """
    match = re.match(r"v?(\d+(?:\.\d+)*)", text)
    numbers = [int(part) for part in match[1].split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    rest = text[match.end() :] if match else text
    # A number sorts before a word at the same place; the two are never compared.
    parts: list[str] = re.findall(r"\d+|[a-z]+", rest.lower())
    words = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)
    first = words[0][2] if words else None
    stage = 1 if first is None else 0 if first in _PRE_RELEASES else 2
    return tuple(numbers), stage, words, text


@cache
def _component_folders(folders: tuple[Path, ...]) -> Mapping[str, tuple[Path, ...]]:
    found: dict[str, tuple[Path, ...]] = {}
    for folder in folders:
        if (folder / "components").is_dir():
            for path in (folder / "components").iterdir():
                found[path.name] = (*found.get(path.name, ()), path)
    return found


@cache
def _version_files(component: str, folders: tuple[Path, ...]) -> Mapping[str, tuple[Path, ...]]:
    # Only names that were listed are ever opened, so no spelling of a name leaves the folders.
    found: dict[str, tuple[Path, ...]] = {}
    for folder in _component_folders(folders).get(component, ()):
        for path in folder.glob("*.json"):
            found[path.stem] = (*found.get(path.stem, ()), path)
    return found


@cache
def _load(component: str, version: str, folders: tuple[Path, ...]) -> Upstream:
    first, *others = _version_files(component, folders)[version]
    if others:
        raise CatalogError(f"{component} {version} is in {first} and in {others[0]}")
    try:
        return _upstream(json.loads(first.read_bytes()), component, version)
    except (KeyError, TypeError, ValueError) as error:
        raise CatalogError(f"{first} is no catalogue entry: {error!r}") from error


def _upstream(data: Mapping[str, Any], component: str, version: str) -> Upstream:
    if (data["format"], data["component"], data["version"]) != (FORMAT, component, version):
        raise ValueError("format, component or version is not what the file's place says")
    objects = [_object(item) for item in data["objects"]]
    return Upstream(
        component=component,
        version=version,
        source=_source(data["source"]),
        digest=data["digest"],
        made_with=data["madeWith"],
        incomplete=tuple(data["incomplete"]),
        objects={facts.key: facts for facts in objects},
        crds=tuple(_crd(item) for item in data["crds"]),
    )


def _source(data: Mapping[str, str]) -> Source:
    fields = {name: value for name, value in data.items() if name != "kind"}
    match data["kind"]:
        case "git":
            return GitSource(**fields)
        case "file":
            return FileSource(**fields)
        case "chart":
            return ChartSource(**fields)
        case kind:
            raise ValueError(f"a source of unknown kind `{kind}`")


def _object(data: Mapping[str, Any]) -> ObjectFacts:
    group, version = data["group"], data["version"]
    pod = data.get("pod")
    return ObjectFacts(
        key=ObjectKey(group, data["kind"], data["namespace"], data["name"]),
        api_version=f"{group}/{version}" if group else version,
        digest=data["digest"],
        has_annotations="annotations" in data["meta"],
        has_labels="labels" in data["meta"],
        data_keys=frozenset(data.get("data", ())),
        pod=_pod(pod) if pod else None,
        webhook_names=tuple(data.get("webhookNames", ())),
        failure_policies=tuple(data.get("failurePolicy", ())),
        ca_injection=data.get("caInjection"),
        is_aggregated=data.get("aggregated", False),
        storage=data.get("storage"),
        hook=data.get("hook"),
    )


def _pod(data: Mapping[str, Any]) -> PodFacts:
    return PodFacts(
        path=data["path"],
        keys=frozenset(data["keys"]),
        has_annotations=data["annotations"],
        service_account=data.get("serviceAccount"),
        containers=_containers(data.get("containers", ())),
        init_containers=_containers(data.get("initContainers", ())),
    )


def _containers(data: Sequence[Mapping[str, Any]]) -> tuple[ContainerFacts, ...]:
    return tuple(
        ContainerFacts(
            name=item["name"],
            image=item["image"],
            keys=frozenset(item["keys"]),
            env=tuple(item.get("env", ())),
        )
        for item in data
    )


def _crd(data: Mapping[str, Any]) -> CrdFacts:
    return CrdFacts(
        name=data["name"],
        group=data["group"],
        kind=data["kind"],
        plural=data["plural"],
        is_namespaced=data["scope"] == "Namespaced",
        versions=tuple(data["versions"]),
        storage_version=data["storage"],
        size_bytes=data["bytes"],
        size_is_minimum=data.get("stripped", False),
        converts=data["conversion"],
    )
