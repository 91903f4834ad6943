"""The passes, in order: from the bytes of a `platform.yaml` to the files of every environment.

    read -> for each environment: close over requirements -> needs -> answers -> emit -> order
         -> render -> check -> files

This is the page to read first; what a stage does is in `compilation`. Nothing here touches a file,
a clock or a network: what else is to be read (patches, vendored objects) comes through `Inputs`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from plinth import __version__, registry
from plinth.catalog.components import Upstream, load
from plinth.compilation import Bases, Compilation, Draft, Inputs
from plinth.compilation.output import Output, fingerprint, output_of
from plinth.compilation.pinned import refuse_lost_state
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError, SpecError, has_errors
from plinth.diagnostics.suggest import did_you_mean
from plinth.ir.fileset import File
from plinth.ir.lock import PATH as LOCK_PATH
from plinth.ir.lock import Lock, Vendored, lock_text
from plinth.ir.outputs import PATH as OUTPUTS_PATH
from plinth.ir.outputs import outputs_text
from plinth.spec.read import fold, locate, ordered, read_spec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plinth.spec.read import Environment

__all__ = ["BASE", "LOCK_PATH", "Compilation", "Inputs", "Output", "Result", "compile_spec", "lock_file"]

BASE: Final = "base"
"""The group of files that is the same in every environment."""

SHARED: Final = f"generated/{BASE}/"
"""How the path of each of its files begins."""


class Result(Struct, frozen=True, kw_only=True):
    """Every environment, and the files in the groups that a workspace writes."""

    compilations: tuple[Compilation, ...]
    """Those that were compiled here and now: all of them, unless `Inputs.kept` had one."""
    outputs: tuple[Output, ...]
    """What every environment compiles to."""
    groups: Mapping[str, Mapping[str, File]]
    lock: File
    released: Mapping[str, File]
    """The record of outputs without those of released environments; empty where it stays as it is."""
    diagnostics: tuple[Diagnostic, ...]
    """Warnings; what is wrong is raised."""

    def named(self, names: Sequence[str]) -> tuple[Compilation, ...]:
        """The environments of these names, all where none is named.

        Raises:
            PlinthError: there is no environment of that name.
        """
        self.check_names(names)
        return tuple(each for each in self.compilations if not names or each.environment.name in names)

    def check_names(self, names: Sequence[str]) -> None:
        """Accept names of environments.

        Raises:
            PlinthError: there is no environment of that name.
        """
        known = [each.environment for each in self.outputs]
        for name in names:
            if name not in known:
                raise PlinthError(
                    Diagnostic(
                        code="PLN909",
                        message=f"there is no environment `{name}`",
                        help=did_you_mean(name, known, otherwise=f"there are {', '.join(known)}"),
                    )
                )


def compile_spec(
    data: bytes, file: str, inputs: Inputs, *, checked: bool = True, as_files: bool = True
) -> Result:
    """Everything that a platform file compiles to.

    Args:
        data: The bytes of the file.
        file: Its name, for messages.
        inputs: What is read beside it.
        checked: Look at the final objects. Who has not got upstream's objects yet cannot judge them.
        as_files: Write the targets as text, half of a compile. Who looks at targets, objects, the lock or
            diagnostics alone does without, and no group has a file then.

    Raises:
        SpecError: with every fault of the first stage that found one.
    """
    environments, warnings = read_spec(data, file)
    refuse_lost_state(environments, inputs)
    marks = {each.name: fingerprint(each, inputs) if inputs.kept else "" for each in environments}
    kept = {each.name: _kept(each, marks[each.name], inputs) for each in environments}
    bases = Bases(inputs)
    drafts = {each.name: Draft(each, inputs, bases) for each in environments if kept[each.name] is None}
    stages = (Draft.close, Draft.ask, Draft.emit, *([Draft.check] if checked else []))
    told: list[dict[str, tuple[Diagnostic, ...]]] = []
    for number, stage in enumerate(stages):
        told.append(
            {
                name: tuple(stage(drafts[name])) if output is None else output.warnings[number]
                for name, output in kept.items()
            }
        )
        warnings += _judged(told[-1], environments)
    compilations = {name: draft.compiled(as_files=as_files) for name, draft in drafts.items()}
    outputs = tuple(
        output or output_of(compilations[name], marks[name], tuple(each[name] for each in told))
        for name, output in kept.items()
    )
    return Result(
        compilations=tuple(compilations.values()),
        outputs=outputs,
        groups=_groups(outputs),
        lock=lock_file(outputs, inputs.lock),
        released=_released(inputs),
        diagnostics=warnings,
    )


def _released(inputs: Inputs) -> dict[str, File]:
    if not inputs.release & inputs.outputs.keys():
        return {}
    left = {name: values for name, values in inputs.outputs.items() if name not in inputs.release}
    return {OUTPUTS_PATH: File(content=outputs_text(left).encode(), backend="outputs")}


def _kept(environment: Environment, mark: str, inputs: Inputs) -> Output | None:
    """The output of an environment if it was kept, and what it builds on is as it was then."""
    output = inputs.kept(environment.name, mark) if inputs.kept else None
    if output is None or environment.platform.upstreams != "vendored":
        return output
    # Nothing is made of the upstreams, but an edit of a vendored file is told all the same.
    there = [inputs.vendored(component, version) for component, version in output.upstreams]
    return None if None in there else output


def _groups(outputs: tuple[Output, ...]) -> dict[str, dict[str, File]]:
    groups: dict[str, dict[str, File]] = {BASE: {}}
    for output in outputs:
        own = groups.setdefault(output.environment, {})
        for path, made in output.files.items():
            if not path.startswith(SHARED):
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


def lock_file(outputs: tuple[Output, ...], before: Lock) -> File:
    """The lock after a compile: what is in use, pinned."""
    upstreams: dict[str, Upstream] = {
        f"{component}/{version}": load(component, version, registry.catalog_folders())
        for output in outputs
        for component, version in output.upstreams
    }
    vendored: dict[str, Vendored] = {
        name: entry for name, entry in before.vendored.items() if name in upstreams
    }
    content = lock_text(
        compiler=__version__,
        versions={each.environment: each.versions for each in outputs},
        pools={each.environment: each.pools for each in outputs},
        layouts={each.environment: each.layout for each in outputs},
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
