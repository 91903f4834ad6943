"""Bring the upstream manifests that the platform builds on into the tree, verified and pinned.

From then on a compile sees every final object, and nobody fetches anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from plinth import registry
from plinth.catalog import CatalogError
from plinth.catalog.components import load, placed
from plinth.catalog.facts import key_of, objects_of
from plinth.cli import DIFFERENT, DONE
from plinth.cli.project import Project, told
from plinth.cli.tree_arguments import add_tree_arguments
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError
from plinth.diagnostics.suggest import did_you_mean
from plinth.ir.fileset import File, digest
from plinth.ir.layout import vendor
from plinth.ir.lock import PATH as LOCK
from plinth.ir.lock import Vendored
from plinth.ir.targets import Base
from plinth.ir.vendored import digest_of, files, left_out, tree_digest
from plinth.pipeline import Result, compile_spec, lock_file
from plinth.text.manifests import ManifestError, read_manifests
from plinth.workspace import Workspace

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from plinth.catalog.components import Upstream
    from plinth.cli.console import Console

EXAMPLES = """\
examples:
  plinth vendor --mirror ../mirror              every upstream of the platform
  plinth vendor --mirror ../mirror jupyterhub   one of them
  plinth vendor --mirror ../mirror --check      exit 2 if the tree does not hold what the mirror has

A mirror holds <component>/<version>/manifests.yaml and crds.yaml, and a SOURCE that says what it leaves out.
"""

GROUP = "vendor"
SCHEMA = "plinth.dev/vendor/v1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `plinth vendor`."""
    parser.add_argument(
        "components",
        metavar="NAME",
        nargs="*",
        help="only these components (default: all that the platform has)",
    )
    parser.add_argument("--mirror", metavar="DIR", help="a folder with the manifests")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 2 if the tree is not what it would be"
    )
    add_tree_arguments(parser)


def run(options: argparse.Namespace, console: Console) -> int:
    """Take the manifests from a mirror and split them into the tree."""
    with told():
        project = Project(options, console)
        mirror = _mirror(options.mirror)
        lock = project.lock()
        # What is vendored does not decide what there is to vendor: any answer will do here. Checks
        # would miss what is still to come, such as the namespace that an upstream brings.
        result = compile_spec(
            project.spec(),
            project.file,
            replace(project.inputs(), vendored=lambda _name, _version: ()),
            checked=False,
            as_files=False,
        )
        wanted = _wanted(result, options.components)
        made: dict[str, File] = dict(_kept(project, result, wanted))
        pinned: dict[str, Vendored] = dict(lock.vendored)
        for component, version in wanted:
            found, entry = _take(mirror, component, version)
            made |= found
            pinned[f"{component}/{version}"] = entry
        extra = {LOCK: lock_file(result.outputs, replace(lock, vendored=pinned))}
        plan = project.workspace.plan({GROUP: made}, extra=extra, overwrite=True, all_groups=False)
        if not options.check:
            project.workspace.write(plan)
    _report(
        result,
        console,
        options,
        plan.written,
        plan.removed,
        {f"{name}/{version}": pinned[f"{name}/{version}"] for name, version in wanted},
    )
    return DIFFERENT if options.check and not plan.is_clean else DONE


def _mirror(folder: str | None) -> Workspace:
    if folder is None:
        raise PlinthError(
            Diagnostic(
                code="PLN910",
                message="no mirror is named, and upstreams can be taken from nowhere else",
                help="name a folder of `<component>/<version>/manifests.yaml` with `--mirror DIR`",
            )
        )
    if not Path(folder).is_dir():
        raise PlinthError(
            Diagnostic(
                code="PLN910",
                message=f"there is no folder `{folder}`",
                help="name the mirror's folder with `--mirror`",
            )
        )
    return Workspace(Path(folder))


def _used(result: Result) -> list[tuple[str, str]]:
    bases = {(base.component, base.version) for each in result.compilations for base in each.graph.of(Base)}
    return sorted(bases)


def _wanted(result: Result, names: list[str]) -> list[tuple[str, str]]:
    used = _used(result)
    known = sorted({name for name, _ in used})
    for name in names:
        if name not in known:
            raise PlinthError(
                Diagnostic(
                    code="PLN909",
                    message=f"the platform has no upstream called `{name}`",
                    help=did_you_mean(name, known, otherwise=f"it has {', '.join(known)}"),
                )
            )
    return [(name, version) for name, version in used if not names or name in names]


def _kept(project: Project, result: Result, wanted: list[tuple[str, str]]) -> Iterable[tuple[str, File]]:
    """What is vendored already and is neither asked for now nor out of use."""
    others = [vendor(name, version) + "/" for name, version in _used(result) if (name, version) not in wanted]
    for entry in project.vendor_ledger().entries:
        if any(entry.path.startswith(folder) for folder in others):
            data = project.workspace.read_optional(entry.path)
            if data is not None and digest(data) == entry.digest:
                yield entry.path, File(content=data, backend=entry.backend, origins=entry.origins)


def _take(mirror: Workspace, component: str, version: str) -> tuple[dict[str, File], Vendored]:
    """The files of one upstream, its objects proven to be those that the catalogue knows."""
    folder = f"{component}/{version}"
    upstream = load(component, version, registry.catalog_folders())
    objects: list[Mapping[str, Any]] = []
    for name in ("manifests.yaml", "crds.yaml"):
        data = mirror.read_optional(f"{folder}/{name}")
        if data is None and name == "manifests.yaml":
            raise _unlike(
                f"the mirror has no `{folder}/{name}`", "add it, or choose a version that the mirror has"
            )
        try:
            objects += objects_of(read_manifests(data or b""))
        except ManifestError as error:
            raise _unlike(f"`{folder}/{name}` in the mirror is not YAML: {error}", "fetch it again") from None
    try:
        found = digest_of(objects)
    except CatalogError as error:
        raise _unlike(f"`{folder}` in the mirror: {error}", "fetch it again") from None
    if found != upstream.digest:
        raise _unlike(
            f"`{folder}` in the mirror holds other objects than the catalogue knows "
            f"({found[:19]}, not {upstream.digest[:19]})",
            "fetch it again from the source that `plinth.lock.yaml` names",
        )
    incomplete = left_out((mirror.read_optional(f"{folder}/SOURCE") or b"").decode("utf-8", "replace"))
    made = files(
        component,
        version,
        _without(component, upstream, objects),
        f"because the platform builds on {component} {version}",
    )
    mark = tree_digest({path: digest(each.content) for path, each in made.items()})
    return made, Vendored(digest=mark, incomplete=incomplete)


def _without(component: str, upstream: Upstream, objects: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The objects that our variant has: those that its values switch off are left out."""
    variant = registry.load("components", component).variant(upstream.version)
    kept = placed(upstream, variant.namespace, variant.without).objects
    found = []
    for body in objects:
        key = key_of(body)
        place = replace(key, namespace=variant.namespace) if variant.namespace and not key.namespace else key
        if key in kept or place in kept:
            found.append(body)
    return found


def _report(
    result: Result,
    console: Console,
    options: argparse.Namespace,
    written: tuple[str, ...],
    removed: tuple[str, ...],
    taken: Mapping[str, Vendored],
) -> None:
    incomplete = {name: list(entry.incomplete) for name, entry in taken.items() if entry.incomplete}
    console.data(
        {
            "schema": SCHEMA,
            "vendored": sorted(taken),
            "incomplete": incomplete,
            "written": list(written),
            "removed": list(removed),
        }
    )
    for name, entry in sorted(taken.items()):
        note = (
            f" (incomplete: {', '.join(entry.incomplete)}; good for tests, never for a commit)"
            if entry.incomplete
            else ""
        )
        console.say(f"{name}{note}")
    if taken and all(each.environment.platform.upstreams == "remote" for each in result.compilations):
        console.say("the platform says `upstreams: remote`: this is used once it says `vendored`")
    verbs = ("would write", "would remove") if options.check else ("wrote", "removed")
    console.say(f"{verbs[0]} {len(written)}, {verbs[1]} {len(removed)}")


def _unlike(message: str, help_: str) -> PlinthError:
    return PlinthError(Diagnostic(code="PLN910", message=message, help=help_))
