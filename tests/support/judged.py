"""Every environment that tests look at as a whole: those of the example, and of each golden case.

    for environment in environments("component-mlflow", vendored=True): ...

As they stand, most have our own objects at hand only; vendored from the mirror, upstream's as well.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from plinth.checks import Compiled
from plinth.cli.console import Console
from plinth.cli.project import Project
from plinth.pipeline import compile_spec
from plinth.text.manifests import read_manifests
from support import golden, platforms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from plinth.pipeline import Result

EXAMPLE: Final = "example"
PLATFORMS: Final = (EXAMPLE, *(case.name for case in golden.cases()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One environment of one platform."""

    name: str
    """E.g. `example/prod vendored`."""
    compiled: Compiled
    delivered: tuple[Mapping[str, Any], ...]
    """The Applications and projects of Argo CD."""

    def objects(self) -> Iterator[Mapping[str, Any]]:
        """Every object that is at hand as a whole, as it is applied, its namespace said."""
        for each in self.compiled.known:
            if each.is_whole:
                named = {"namespace": each.key.namespace} if each.key.namespace else {}
                yield {**each.body, "metadata": {**each.body["metadata"], **named}}
        yield from self.delivered


@cache
def environments(platform: str, *, vendored: bool) -> tuple[Environment, ...]:
    """The environments of a platform, its upstreams fetched or, where there is a mirror, vendored from it."""
    folder = platforms.ROOT if platform == EXAMPLE else golden.FOLDER / platform
    result = _vendored(folder) if vendored else golden.compiled(folder)
    return tuple(_environments(f"{platform}/{{}}{' vendored' if vendored else ''}", result))


def _vendored(folder: Path) -> Result:
    project = Project(argparse.Namespace(directory=str(folder), file=platforms.FILE), Console())
    text = project.spec().replace(b"upstreams: remote", b"upstreams: vendored")
    assert b"upstreams: vendored" in text
    mirror = platforms.mirror()
    assert mirror is not None
    inputs = replace(
        project.inputs(), vendored=lambda component, version: platforms.vendored(mirror, component, version)
    )
    return compile_spec(text, platforms.FILE, inputs)


def _environments(name: str, result: Result) -> Iterator[Environment]:
    files = platforms.tree(result)
    for each in result.compilations:
        environment = each.environment.name
        delivered = tuple(
            body
            for path, content in sorted(files.items())
            if path.startswith(f"generated/{environment}/argocd/")
            and not path.endswith("/kustomization.yaml")
            for body in read_manifests(content)
        )
        compiled = Compiled(environment=environment, graph=each.graph, objects=each.objects)
        yield Environment(name=name.format(environment), compiled=compiled, delivered=delivered)
