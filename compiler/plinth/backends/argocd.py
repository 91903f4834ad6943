"""Argo CD: projects, Applications, the root that holds them, and the two steps of the first hour.

Every Application names each folder that its build reads, for with `.` alone a change of a base is
reported as synced while the cluster keeps the old one. CRDs are an Application of their own that
is never pruned: comparing megabytes of schema at every event would cost seconds each.

No field of an Application is false or empty. Argo CD leaves such fields out where it writes an Application
back, with each sync, and the root would sync it again for them, at growing intervals, for ever.

Source: Argo CD 3.5, `Application` and `AppProject`, "Sync Options", "High Availability".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.backends import Backend
from plinth.ir import layout
from plinth.ir.fileset import File, FileSet
from plinth.ir.said import Because, Origin, Said, origins_of, settle, show_origins, text
from plinth.ir.targets import Application, Base, Delivery
from plinth.text.emit import yaml_text

if TYPE_CHECKING:
    from plinth.ir.graph import Graph

NAMESPACE: Final = "argocd"
PROJECT: Final = "platform"
ROOT: Final = "root"
CLUSTER: Final = "https://kubernetes.default.svc"
"""Argo CD runs in the cluster that it drives."""

API: Final = "argoproj.io/v1alpha1"

_KUSTOMIZATION: Final = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}

SYNC_OPTIONS: Final = ("FailOnSharedResource=true", "RespectIgnoreDifferences=true", "ServerSideApply=true")

# `RespectIgnoreDifferences` has Argo CD apply its remembered copy of what it ignores, statuses among it. An
# Application has its status in the object itself, so the root would write yesterday's over today's.
ROOT_SYNC_OPTIONS: Final = ("FailOnSharedResource=true", "ServerSideApply=true")

ROOT_IGNORES: Final = (
    {
        "group": "argoproj.io",
        "kind": "Application",
        "jsonPointers": ["/metadata/annotations/argocd.argoproj.io~1refresh", "/operation"],
    },
)
"""What Argo CD writes into an Application beside its status.

A server-side diff has the API server's newest object on one side and a remembered one on the other: a sync of
a component would be a difference of the root; so would its own, and nothing makes it look at that again.
"""


class ArgoCd(Backend):
    """`generated/<env>/argocd/` and `generated/<env>/bootstrap/`."""

    name = "argocd"

    def emit(self, graph: Graph, environment: str) -> FileSet:
        writer = _Writer(graph, environment, self.name)
        for delivery in graph.of(Delivery):
            writer.projects(delivery)
            writer.applications(delivery)
            writer.root(delivery)
            writer.bootstrap(delivery)
        return writer.found


class _Writer:
    """The files of one environment as they are made."""

    def __init__(self, graph: Graph, environment: str, backend: str) -> None:
        self.found: dict[str, File] = {}
        self._environment = environment
        self._backend = backend
        self._bases = {base.component: base for base in graph.of(Base)}
        self._delivered = [each for each in graph.of(Application) if not each.withheld]
        self._folder = layout.applications(environment)

    def projects(self, delivery: Delivery) -> None:
        """One project for the platform, one for the root, and nothing left in Argo CD's own."""
        folder = f"{self._folder}/projects"
        every = tuple(dict.fromkeys(origin for each in self._delivered for origin in each.origins))
        platform = {
            "description": "What Plinth compiles for the platform",
            "sourceRepos": [delivery.url],
            # What a project does not permit Argo CD does not remove either. A list of what there is would
            # lose a component's namespace in the commit that takes it out, and leave its objects behind.
            "destinations": [{"server": CLUSTER, "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        }
        root = {
            "description": "The Applications themselves",
            "sourceRepos": [delivery.url],
            "destinations": [{"server": CLUSTER, "namespace": NAMESPACE}],
            "clusterResourceWhitelist": [],
            "namespaceResourceWhitelist": [
                {"group": "argoproj.io", "kind": "AppProject"},
                {"group": "argoproj.io", "kind": "Application"},
            ],
        }
        nothing = {"description": "Nothing may run here", "sourceRepos": [], "destinations": []}
        for name, spec, origins in (
            (PROJECT, platform, every),
            (ROOT, root, delivery.origins),
            ("default", nothing, ()),
        ):
            because = (*origins, Because("an Application belongs to a project that says what it may touch"))
            self._add(f"{folder}/{name}.yaml", _object("AppProject", name, spec, wave=-1), because)
        self._kustomization(folder, ["default.yaml", f"{PROJECT}.yaml", f"{ROOT}.yaml"], delivery.origins)

    def applications(self, delivery: Delivery) -> None:
        """An Application for each component, and one for the CRDs that it brings."""
        folder = f"{self._folder}/applications"
        for application in self._delivered:
            body = self._application(application, delivery)
            self._add(f"{folder}/{application.name}.yaml", body, application.origins)
        self._kustomization(folder, [f"{each.name}.yaml" for each in self._delivered], delivery.origins)

    def root(self, delivery: Delivery) -> None:
        """The Application that brings all others, itself included."""
        spec = {
            "project": ROOT,
            "source": self._source(self._folder, delivery),
            "destination": {"server": CLUSTER, "namespace": NAMESPACE},
            "ignoreDifferences": list(ROOT_IGNORES),
            "syncPolicy": _sync_policy(ROOT_SYNC_OPTIONS, prune=True),
            "revisionHistoryLimit": 3,
        }
        body = _object("Application", ROOT, spec, annotations=_paths((self._folder,), delivery))
        self._add(f"{self._folder}/root/root.yaml", body, delivery.origins)
        self._kustomization(f"{self._folder}/root", ["root.yaml"], delivery.origins)
        self._kustomization(self._folder, ["applications", "projects", "root"], delivery.origins)

    def bootstrap(self, delivery: Delivery) -> None:
        """Argo CD itself, and then, when its CRDs are there, the projects and the root."""
        folder = layout.bootstrap(self._environment)
        needed = [each for each in self._delivered if each.component == "argo-cd"]
        sources = [layout.source_path(self._environment, each) for each in needed]
        install = f"{folder}/install"
        self._kustomization(
            install, [layout.relative(install, source) for source in sorted(sources)], delivery.origins
        )
        root = f"{folder}/root"
        parts = [layout.relative(root, f"{self._folder}/{part}") for part in ("projects", "root")]
        self._kustomization(root, parts, delivery.origins)

    def _application(self, application: Application, delivery: Delivery) -> dict[str, Any]:
        spec: dict[str, Any] = {
            "project": PROJECT,
            "source": self._source(layout.source_path(self._environment, application), delivery),
            "destination": {"server": CLUSTER, "namespace": application.namespace},
            "syncPolicy": _sync_policy(SYNC_OPTIONS, prune=not application.holds_crds),
            "revisionHistoryLimit": 3,
        }
        if application.ignore:
            # The core group has an empty name.
            spec["ignoreDifferences"] = [
                {field: value for field, value in rule.items() if value} for rule in application.ignore
            ]
        base = self._bases.get(application.component)
        folders = layout.reads(self._environment, application, self._bases)
        annotations = _paths(folders, delivery, because=base.origins if base else ())
        body = _object("Application", application.name, spec, wave=application.wave, annotations=annotations)
        if not application.holds_crds:
            # Leaving git takes its objects away, but for those that say they stay.
            body["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
        return body

    def _source(self, path: str, delivery: Delivery) -> dict[str, Any]:
        return {
            "repoURL": delivery.url,
            # In full: a short name makes Argo CD look at every ref of the repository.
            "targetRevision": text("refs/heads/", delivery.revision),
            "path": _inside(path, delivery),
        }

    def _add(self, path: str, body: Any, origins: tuple[Origin, ...]) -> None:
        plain, found = settle(body, origins)
        self.found[path] = File(
            content=yaml_text(plain).encode(), backend=self._backend, origins=show_origins(found)
        )

    def _kustomization(self, folder: str, resources: list[str], origins: tuple[Origin, ...]) -> None:
        self._add(f"{folder}/kustomization.yaml", {**_KUSTOMIZATION, "resources": sorted(resources)}, origins)


def _object(
    kind: str,
    name: str,
    spec: dict[str, Any],
    *,
    wave: int | None = None,
    annotations: dict[str, Any] | None = None,
) -> dict[str, Any]:
    notes = dict(annotations or {})
    if wave is not None:
        notes["argocd.argoproj.io/sync-wave"] = str(wave)
    metadata: dict[str, Any] = {"name": name, "namespace": NAMESPACE}
    if notes:
        metadata["annotations"] = notes
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": spec}


def _sync_policy(options: tuple[str, ...], *, prune: bool) -> dict[str, Any]:
    return {
        # No `allowEmpty`: an empty render is a fault, never a wish to have nothing.
        "automated": {**({"prune": True} if prune else {}), "selfHeal": True},
        "retry": {"backoff": {"duration": "10s", "factor": 2, "maxDuration": "3m"}, "limit": 10},
        "syncOptions": list(options),
    }


def _paths(folders: tuple[str, ...], delivery: Delivery, because: tuple[Origin, ...] = ()) -> dict[str, Any]:
    parts = [text("/", _inside(folder, delivery)) for folder in folders]
    paths = Said(";".join(part.value for part in parts), (*because, *origins_of(parts)))
    return {
        "argocd.argoproj.io/compare-options": "ServerSideDiff=true",
        "argocd.argoproj.io/manifest-generate-paths": paths,
    }


def _inside(path: str, delivery: Delivery) -> Said:
    """A folder of the tree as the repository has it."""
    return delivery.path.map(lambda folder: path if folder == "." else f"{folder}/{path}")


BACKEND = ArgoCd()
