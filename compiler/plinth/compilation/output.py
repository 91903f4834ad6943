"""What one environment compiles to, and how it is kept until the next compile.

An output is a function of what `fingerprint` puts together: the environment as the file says it, what
is pinned for it, and the patches that it names; and of the compiler, which whoever keeps it knows. It is
kept without the bytes of its files: those are in the tree, where they are held against their digests.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from plinth.diagnostics.diagnostic import Diagnostic, Related
from plinth.ir.digest import digest
from plinth.ir.people import PatchFault
from plinth.ir.targets import Base, Delivery
from plinth.text.nodes import walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plinth.compilation.draft import Compilation
    from plinth.compilation.inputs import Inputs
    from plinth.ir.fileset import File
    from plinth.spec.read import Environment


class Withheld(Struct, frozen=True, kw_only=True):
    """An Application that is not delivered yet."""

    application: str
    needs: tuple[str, ...]
    """What it waits for."""


class Output(Struct, frozen=True, kw_only=True):
    """What one environment compiles to."""

    environment: str
    fingerprint: str
    """Of all that decided it; empty where nobody keeps outputs."""
    files: Mapping[str, File]
    upstreams: tuple[tuple[str, str], ...]
    """Component and version of every base."""
    versions: Mapping[str, str]
    pools: Mapping[str, Mapping[str, Any]]
    layout: str
    """How many Terraform roots it has: `layered` or `single`."""
    withheld: tuple[Withheld, ...]
    repository: tuple[str, str | None]
    """Where Argo CD reads from, and the name of the Secret that it needs for it."""
    warnings: tuple[tuple[Diagnostic, ...], ...]
    """By stage, without their places: lines move under an environment that stays what it is."""


def fingerprint(environment: Environment, inputs: Inputs) -> str:
    """A digest of all that decides an environment's output, the compiler apart."""
    name = environment.name
    said = [(node.path, _value(node.value), node.text) for node in walk(environment.node)]
    pinned = {key: [each.digest, each.incomplete] for key, each in inputs.lock.vendored.items()}
    parts = [
        name,
        environment.platform_name,
        said,
        inputs.lock.versions.get(name),
        inputs.lock.pools.get(name),
        sorted(inputs.update),
        inputs.outputs.get(name),
        pinned,
        list(_patches(environment, inputs)),
    ]
    return digest(json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def output_of(compilation: Compilation, mark: str, warnings: tuple[tuple[Diagnostic, ...], ...]) -> Output:
    """What a compiled environment gives, with its fingerprint and the warnings of each stage."""
    graph = compilation.graph
    (delivery,) = graph.of(Delivery)
    return Output(
        environment=compilation.environment.name,
        fingerprint=mark,
        files=compilation.files,
        upstreams=tuple((base.component, base.version) for base in graph.of(Base)),
        versions=compilation.versions,
        pools=compilation.pools,
        layout=compilation.environment.platform.layout,
        withheld=tuple(Withheld(application=each.name, needs=each.withheld) for each in compilation.withheld),
        repository=(delivery.url.value, delivery.credentials.value if delivery.credentials else None),
        warnings=warnings,
    )


def as_data(output: Output) -> dict[str, Any]:
    """An output as plain data without the bytes of its files."""
    return {
        "upstreams": output.upstreams,
        "versions": output.versions,
        "pools": output.pools,
        "layout": output.layout,
        "withheld": [(each.application, each.needs) for each in output.withheld],
        "repository": output.repository,
        "warnings": [[_as_data(each) for each in stage] for stage in output.warnings],
    }


def from_data(environment: str, mark: str, data: Mapping[str, Any], files: Mapping[str, File]) -> Output:
    """The output that `as_data` was given, on its files.

    Raises:
        KeyError, TypeError, ValueError: the data is something else.
    """
    url, secret = data["repository"]
    return Output(
        environment=environment,
        fingerprint=mark,
        files=files,
        upstreams=tuple((component, version) for component, version in data["upstreams"]),
        versions=data["versions"],
        pools=data["pools"],
        layout=data["layout"],
        withheld=tuple(Withheld(application=name, needs=tuple(needs)) for name, needs in data["withheld"]),
        repository=(url, secret),
        warnings=tuple(tuple(_diagnostic(each) for each in stage) for stage in data["warnings"]),
    )


def _value(value: Any) -> Any:
    """A scalar, or of what kind a collection is: what is in it is walked."""
    return value if value is None or isinstance(value, str | int | float) else [type(value).__name__]


def _patches(environment: Environment, inputs: Inputs) -> Iterator[tuple[str, Any]]:
    sections = environment.platform.components
    for field_name in type(sections).model_fields:
        section = getattr(sections, field_name)
        for path in section.patches if section is not None else ():
            try:
                yield path, inputs.patch(path)
            except PatchFault as error:
                yield path, ["fault", str(error)]


def _as_data(warning: Diagnostic) -> dict[str, Any]:
    if warning.span or any(each.span for each in warning.related):
        raise ValueError(f"{warning.code} has a place before it is told")
    return {
        "code": warning.code,
        "message": warning.message,
        "help": warning.help,
        "severity": warning.severity,
        "path": warning.path,
        "at_key": warning.at_key,
        "label": warning.label,
        "related": [(each.message, each.path) for each in warning.related],
    }


def _diagnostic(data: Mapping[str, Any]) -> Diagnostic:
    related = tuple(Related(message=message, path=tuple(path)) for message, path in data["related"])
    return Diagnostic(**{**data, "path": tuple(data["path"]), "related": related})
