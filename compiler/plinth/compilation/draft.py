"""One environment on its way from a typed spec to files.

    close over requirements -> needs -> answers -> emit -> order -> render -> check -> files

Each stage is a method that gives what is wrong; after an error the next one is not run. `pipeline`
runs a stage over all environments, so that a fault that they share is said once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from plinth import registry
from plinth.catalog.components import versions
from plinth.checks import Compiled, FinalObject
from plinth.compilation.faults import is_one, name_taken, patch_failed, tier_faults
from plinth.compilation.layout import rooted
from plinth.compilation.parts import Part, applications, waiting, wanted_secret
from plinth.components import Given
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.diagnostics.suggest import did_you_mean
from plinth.ir import graph as graphs
from plinth.ir import needs
from plinth.ir.people import PatchFault, read_patch
from plinth.ir.render import PatchFailed, Rendered, overlay_objects
from plinth.ir.said import Because, Origin, Said, said, spec_path
from plinth.ir.targets import Application, Base, Delivery, Image, Manifest, Patch, Target

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

    from plinth.clouds import Answers, Needed
    from plinth.compilation.bases import Bases
    from plinth.compilation.inputs import Inputs
    from plinth.components import Component
    from plinth.ir.answers import Answer, PoolFacts
    from plinth.ir.commands import CloudCommands, WantedSecret
    from plinth.ir.fileset import File
    from plinth.ir.graph import Graph
    from plinth.spec.platform import ComponentSection
    from plinth.spec.read import Environment

ALWAYS: Final = "argo-cd"
"""The component that every environment has: it brings all others."""


class Compilation(Struct, frozen=True, kw_only=True):
    """One environment, compiled."""

    environment: Environment
    graph: Graph
    objects: tuple[FinalObject, ...]
    files: Mapping[str, File]
    withheld: tuple[Application, ...]
    versions: Mapping[str, str]
    pools: Mapping[str, Mapping[str, Any]]
    commands: CloudCommands
    """What its first hour and its last ask of the cloud's own program."""


class Draft:
    """One environment on its way; each stage gives its faults, and the next is not run after an error."""

    def __init__(self, environment: Environment, inputs: Inputs, bases: Bases) -> None:
        self.environment = environment
        self._inputs = inputs
        self._bases = bases
        platform = environment.platform
        cloud = registry.load("clouds", platform.cloud.provider)
        self._context = needs.Context(
            environment=environment.name,
            platform_name=Said(environment.platform_name, (("metadata", "name"),)),
            platform=platform,
            has_secret_store=cloud.has_secret_store,
            outputs=inputs.outputs.get(environment.name, {}),
        )
        self._pinned: Mapping[str, Mapping[str, Any]] = (
            {} if "machines" in inputs.update else inputs.lock.pools.get(environment.name, {})
        )
        pins = {pool: pin["machine"] for pool, pin in self._pinned.items()}
        self._answers: Answers = cloud.answering(self._context, pins)
        self._needed: Mapping[str, Needed] = {each.component: each for each in cloud.needed(platform)}
        self._parts: dict[str, Part] = {}
        self._targets: list[Target] = []
        self._facts: dict[str, dict[str, Any]] = {}
        self._waits: dict[str, tuple[str, ...]] = {}
        self._pools: dict[str, PoolFacts] = {}
        self._asked: dict[tuple[str, ...], needs.Need] = {}
        self._answered: dict[tuple[str, ...], Answer[Any]] = {}
        self._secrets: dict[tuple[str, str], WantedSecret] = {}
        self._graph: Graph | None = None
        self._objects: tuple[FinalObject, ...] = ()

    def close(self) -> Iterable[Diagnostic]:
        """Find every component that is asked for, and what those need, in their versions.

        What two components need has the origins of both, whatever their order in the file.
        """
        wanted: list[tuple[str, tuple[Origin, ...]]] = [
            (ALWAYS, (Because("Argo CD brings everything else into the cluster"),))
        ]
        wanted += [(name, each.origins) for name, each in self._needed.items()]
        sections = self.environment.platform.components
        for field_name in sorted(type(sections).model_fields):
            section = getattr(sections, field_name)
            if section is not None:
                wanted.append((type(sections).key_of(field_name), (section.spec_path,)))
        while wanted:
            name, origins = wanted.pop()
            said_section = self._section(name)
            if said_section is not None:
                origins = (said_section.spec_path,)
            part = self._parts.get(name)
            if part is None:
                component: Component[Any] = registry.load("components", name)
                # Where nothing was written nothing is read: the defaults are right as they are.
                section = said_section or component.Section.model_construct()
                version, fault = self._version(component, section)
                if fault:
                    yield fault
                    continue
                part = Part(component, section, version, (*origins, *self._version_origins(name, section)))
                yield from component.faults(section, self._context)
            elif set(origins) <= set(part.origins):
                continue
            else:
                part = replace(part, origins=tuple(dict.fromkeys((*part.origins, *origins))))
            self._parts[name] = part
            wanted += [
                (required, (*origins, Because(f"`{name}` needs `{required}`")))
                for required in part.component.requires(part.section, self._context)
            ]

    def ask(self) -> Iterable[Diagnostic]:
        """Collect the needs of the platform and of every component, and have the cloud answer each once."""
        yield from self._answers.faults()
        for need in needs.platform_needs(self._context):
            answer = yield from self._answer(need)
            if isinstance(need, needs.NodePool):
                self._pools[need.pool.name] = answer.facts
        yield from tier_faults(self.environment.platform, self._pools)
        for name, part in sorted(self._parts.items()):
            self._facts[name] = {}
            for key, need in part.component.needs(part.section, self._context, part.origins).items():
                answer = yield from self._answer(need)
                self._facts[name][key] = answer.facts
                self._waits[name] = (*self._waits.get(name, ()), *answer.waits)
                secret = wanted_secret(need, part.component.namespace)
                if secret:
                    self._secrets.setdefault((secret.namespace, secret.name), secret)
        self._targets = list(rooted(self._targets, self.environment.platform))

    def emit(self) -> Iterable[Diagnostic]:
        """Build every component on its base, with the patches of people, and put all in order."""
        store = self._answers.secret_store(needs.SecretStore(origins=()))
        waits = waiting(self._parts, self._context, self._waits)
        health = {
            kind: script for part in self._parts.values() for kind, script in part.component.health.items()
        }
        for name, part in sorted(self._parts.items()):
            base = yield from self._base(part)
            given = Given(
                context=self._context,
                version=part.version,
                base=base,
                origins=part.origins,
                pools=self._pools,
                store=store.facts,
                storage_class=self._answers.storage_class(),
                facts=self._facts[name],
                health=health,
            )
            emitted = list(part.component.emit(part.section, given))
            yield from self._people(part, base, emitted)
            self._targets += [
                *([base] if base else []),
                *emitted,
                *applications(part, base, self._context, waits),
            ]
        self._targets.append(self._delivery())
        self._graph = graphs.build(self._targets)

    def check(self) -> Iterable[Diagnostic]:
        """Render every object that is at hand, and run every check over them."""
        assert self._graph is not None, "`emit` comes first"  # noqa: S101 - the order of the stages
        objects: list[FinalObject] = []
        bases = {base.component: base for base in self._graph.of(Base)}
        for application in self._graph.of(Application):
            if application.holds_crds:
                continue
            base = bases.get(application.component)
            try:
                rendered = _render(application, self._graph, self._bases.objects(base) if base else ())
            except PatchFailed as error:
                part = self._parts[application.component]
                yield patch_failed(error, application, part.path, part.section.said_path("patches"))
                continue
            path = spec_path(application.origins)
            objects += [
                FinalObject(application=application, key=each.key, body=each.body, path=path)
                for each in rendered
            ]
        self._objects = tuple(objects)
        compiled = Compiled(environment=self.environment.name, graph=self._graph, objects=self._objects)
        for check in registry.load_all("checks"):
            yield from check.run(compiled)

    def compiled(self, *, as_files: bool) -> Compilation:
        """The environment, with its files where they are asked for."""
        assert self._graph is not None, "`emit` comes first"  # noqa: S101 - the order of the stages
        return Compilation(
            environment=self.environment,
            graph=self._graph,
            objects=self._objects,
            files=_files(self._graph, self.environment.name) if as_files else {},
            withheld=tuple(each for each in self._graph.of(Application) if each.withheld),
            versions={name: part.version for name, part in sorted(self._parts.items())},
            pools={
                name: _kept(facts.pin, self._pinned.get(name))
                for name, facts in sorted(self._pools.items())
                if facts.pin
            },
            commands=self._answers.commands(tuple(each for _, each in sorted(self._secrets.items()))),
        )

    def _section(self, name: str) -> ComponentSection | None:
        sections = self.environment.platform.components
        for field_name in type(sections).model_fields:
            if type(sections).key_of(field_name) == name:
                return getattr(sections, field_name)  # type: ignore[no-any-return]  # the type is made at run time
        return None

    def _version(self, component: Component[Any], section: ComponentSection) -> tuple[str, Diagnostic | None]:
        known = component.versions(registry.catalog_folders())
        if section.version is not None and section.version not in known:
            fault = Diagnostic(
                code="PLN316",
                message=f"the catalogue has no version `{section.version}` of `{component.name}`",
                help=did_you_mean(section.version, known, otherwise=f"it has {', '.join(known)}"),
                path=section.said_path("version"),
            )
            return "", fault
        pinned = self._inputs.lock.versions.get(self.environment.name, {}).get(component.name)
        fitting = self._following(component.name, known)
        return section.version or (pinned if pinned in fitting else fitting[-1]), None

    def _following(self, name: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """Of a component whose version follows that of Kubernetes, the versions that do; else all."""
        needed = self._needed.get(name)
        if needed is None or needed.kubernetes is None:
            return known
        minor = needed.kubernetes.value
        return tuple(each for each in known if each.startswith(f"{minor}.")) or known

    def _version_origins(self, name: str, section: ComponentSection) -> tuple[Origin, ...]:
        if path := section.origin("version"):
            return (path,)
        needed = self._needed.get(name)
        return needed.kubernetes.origins if needed and needed.kubernetes else ()

    def _answer(self, need: needs.Need) -> Generator[Diagnostic, None, Answer[Any]]:
        """The answer to a need, asked once however many ask; yields what is wrong with it."""
        identity = needs.identity_of(need)
        first = self._asked.setdefault(identity, need)
        if isinstance(need, needs.Secret) and isinstance(first, needs.Secret) and not is_one(first, need):
            yield name_taken(first, need)
        if identity not in self._answered:
            answer = self._answered[identity] = self._answers.answer(need)
            self._targets += answer.targets
            yield from answer.diagnostics
        return self._answered[identity]

    def _base(self, part: Part) -> Generator[Diagnostic, None, Base | None]:
        """The base of a component, or None for one that is all ours; yields what is wrong with it."""
        name, folders = part.component.name, registry.catalog_folders()
        if part.version not in versions(name, folders):
            return None
        platform = self.environment.platform
        is_vendored = platform.upstreams == "vendored"
        shared = self._bases.shared(part.component, part.version, is_vendored=is_vendored)
        if is_vendored and shared.objects is None:
            yield Diagnostic(
                code="PLN320",
                message=f"`{name}` {part.version} is not vendored",
                help="run `plinth vendor --mirror DIR`, or have Argo CD fetch it with `upstreams: remote`",
                path=platform.said_path("upstreams") if platform.origin("upstreams") else part.path,
                at_key=True,
            )
        return replace(shared, origins=(*part.origins, *said(platform, "upstreams").origins))

    def _people(self, part: Part, base: Base | None, emitted: list[Target]) -> Iterable[Diagnostic]:
        # What the cloud puts into the Application is there as well: node pools, classes of disks.
        known = [
            each.key
            for each in (*emitted, *self._targets)
            if isinstance(each, Manifest) and each.application == part.component.name
        ]
        known += [
            key for key in (base.upstream.objects if base else ()) if key.kind != "CustomResourceDefinition"
        ]
        patches = said(part.section, "patches")
        for path in patches.value:
            try:
                target, operations, merged = read_patch(self._inputs.patch(path), known)
            except PatchFault as error:
                yield Diagnostic(
                    code="PLN317",
                    message=f"`{path}` cannot be used: {error}",
                    help="see `plinth explain PLN317` for the two forms of a patch",
                    path=part.section.said_path("patches"),
                )
                continue
            emitted.append(
                Patch(
                    application=part.component.name,
                    target=target,
                    operations=operations,
                    merge=merged,
                    origins=patches.origins,
                    file=path,
                )
            )

    def _delivery(self) -> Delivery:
        repository = self.environment.platform.repository
        url, path = said(repository, "url"), said(repository, "path")
        return Delivery(
            environment=self.environment.name,
            platform_name=self._context.platform_name,
            url=url,
            revision=said(repository, "branch"),
            path=path,
            credentials=said(repository.credentials, "secret") if repository.credentials else None,
            origins=(repository.spec_path,),
        )


def _files(graph: Graph, environment: str) -> dict[str, File]:
    files: dict[str, File] = {}
    for backend in registry.load_all("backends"):
        for path, made in backend.emit(graph, environment).items():
            if path in files:
                raise ValueError(f"{files[path].backend} and {made.backend} both write {path}")
            files[path] = made
    return files


def _render(application: Application, graph: Graph, objects: tuple[Rendered, ...]) -> tuple[Rendered, ...]:
    """The final objects of an Application, those of its base among them."""

    def own(kind: type[Any]) -> list[Any]:
        return [each for each in graph.of(kind) if each.application == application.name]

    return overlay_objects(objects, own(Manifest), own(Patch), own(Image))


def _kept(chosen: Mapping[str, Any], pinned: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What the lock has, where it is the same machine: its price is that of the day it was chosen."""
    return pinned if pinned and pinned["machine"] == chosen["machine"] else chosen
