"""The passes, in order: from the bytes of a `platform.yaml` to the files of every environment.

    read -> for each environment: close over requirements -> needs -> answers -> emit -> order
         -> render -> check -> files

This is the page to read first; what a stage does is in `compilation`. Nothing here touches a file,
a clock or a network: what else is to be read (patches, vendored objects) comes through `Inputs`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from plinth import __version__, registry
from plinth.catalog.components import Upstream, load
from plinth.compilation import Bases, Compilation, Draft, Inputs
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError, SpecError, has_errors
from plinth.diagnostics.suggest import did_you_mean
from plinth.ir.fileset import File
from plinth.ir.lock import PATH as LOCK_PATH
from plinth.ir.lock import Lock, Vendored, lock_text
from plinth.ir.targets import Base
from plinth.spec.read import fold, locate, ordered, read_spec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plinth.spec.read import Environment

__all__ = ["BASE", "LOCK_PATH", "Compilation", "Inputs", "Result", "compile_spec", "lock_file"]

BASE: Final = "base"
"""The group of files that is the same in every environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Every environment, and the files in the groups that a workspace writes."""

    compilations: tuple[Compilation, ...]
    groups: Mapping[str, Mapping[str, File]]
    lock: File
    diagnostics: tuple[Diagnostic, ...]
    """Warnings; what is wrong is raised."""

    def named(self, names: Sequence[str]) -> tuple[Compilation, ...]:
        """The environments of these names, all where none is named.

        Raises:
            PlinthError: there is no environment of that name.
        """
        known = [each.environment.name for each in self.compilations]
        for name in names:
            if name not in known:
                raise PlinthError(
                    Diagnostic(
                        code="PLN909",
                        message=f"there is no environment `{name}`",
                        help=did_you_mean(name, known, otherwise=f"there are {', '.join(known)}"),
                    )
                )
        return tuple(each for each in self.compilations if not names or each.environment.name in names)


def compile_spec(data: bytes, file: str, inputs: Inputs, *, checked: bool = True) -> Result:
    """Everything that a platform file compiles to.

    Args:
        data: The bytes of the file.
        file: Its name, for messages.
        inputs: What is read beside it.
        checked: Look at the final objects. Who has not got upstream's objects yet cannot judge them.

    Raises:
        SpecError: with every fault of the first stage that found one.
    """
    environments, warnings = read_spec(data, file)
    bases = Bases(inputs)
    drafts = [Draft(each, inputs, bases) for each in environments]
    for stage in (Draft.close, Draft.ask, Draft.emit, *([Draft.check] if checked else [])):
        found: dict[str, tuple[Diagnostic, ...]] = {}
        for draft in drafts:
            found[draft.environment.name] = tuple(stage(draft))
        warnings += _judged(found, environments)
    compilations = tuple(draft.compiled() for draft in drafts)
    return Result(
        compilations=compilations,
        groups=_groups(compilations),
        lock=lock_file(compilations, inputs.lock),
        diagnostics=warnings,
    )


def _groups(compilations: tuple[Compilation, ...]) -> dict[str, dict[str, File]]:
    groups: dict[str, dict[str, File]] = {BASE: {}}
    for compilation in compilations:
        own = groups.setdefault(compilation.environment.name, {})
        for path, made in compilation.files.items():
            if not path.startswith(f"generated/{BASE}/"):
                own[path] = made
                continue
            other = groups[BASE].get(path)
            if other is not None and other.content != made.content:
                raise ValueError(f"{path} is not the same in every environment")
            groups[BASE][path] = replace(made, origins=_joined(other, made)) if other else made
    return {name: files for name, files in groups.items() if files}


def _joined(one: File, other: File) -> dict[str, tuple[str, ...]]:
    pointers = sorted({*one.origins, *other.origins})
    return {
        each: tuple(sorted({*one.origins.get(each, ()), *other.origins.get(each, ())})) for each in pointers
    }


def lock_file(compilations: tuple[Compilation, ...], before: Lock) -> File:
    """The lock after a compile: what is in use, pinned."""
    upstreams: dict[str, Upstream] = {}
    for compilation in compilations:
        for base in compilation.graph.of(Base):
            upstreams[f"{base.component}/{base.version}"] = load(
                base.component, base.version, registry.catalog_folders()
            )
    vendored: dict[str, Vendored] = {
        name: entry for name, entry in before.vendored.items() if name in upstreams
    }
    content = lock_text(
        compiler=__version__,
        versions={each.environment.name: each.versions for each in compilations},
        pools={each.environment.name: each.pools for each in compilations},
        upstreams=upstreams,
        vendored=vendored,
    )
    return File(content=content.encode(), backend="lock")


def _judged(
    found: Mapping[str, tuple[Diagnostic, ...]], environments: tuple[Environment, ...]
) -> tuple[Diagnostic, ...]:
    document = environments[0].document
    told = ordered(locate(each, document) for each in fold(found))
    if has_errors(told):
        raise SpecError(told)
    return told
