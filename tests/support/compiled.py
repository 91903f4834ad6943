"""What a check looks at, made out of the example or of pieces, and the examples of its page.

The checks of the compiler itself are not run while a platform is compiled here, so that each can be
run by itself on what another refuses.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from msgspec.structs import replace

from plinth import registry
from plinth.catalog.facts import key_of
from plinth.checks import Check, Compiled, FinalObject
from plinth.ir import graph as graphs
from plinth.ir.targets import Application, Manifest
from plinth.text.manifests import read_manifests
from support.platforms import compile_bytes, example, mirror

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir.targets import Target

_FENCE: Final = re.compile(r"^```(?P<mark>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def remote() -> tuple[Compiled, ...]:
    """Every environment of the example, its upstreams fetched by Argo CD."""
    return _environments(example(), vendored=False)


def vendored() -> tuple[Compiled, ...]:
    """Every environment of the example, its upstreams at hand; only where there is a mirror."""
    return _environments(example().replace(b"upstreams: remote", b"upstreams: vendored"), vendored=True)


def silent_everywhere(check: Check, environments: tuple[Compiled, ...]) -> bool:
    """True where the check says nothing about any of the environments, which it then did look at."""
    assert {each.environment for each in environments} == {"dev", "prod"}
    return not [found for each in environments for found in check.run(each)]


def with_object(compiled: Compiled, body: Mapping[str, Any], application: str = "mlflow") -> Compiled:
    """The environment with an object of ours more."""
    owner = next(each for each in compiled.graph.of(Application) if each.name == application)
    manifest = Manifest(application=application, key=key_of(body), body=body, origins=owner.origins)
    path = next(origin for origin in owner.origins if isinstance(origin, tuple))
    final = FinalObject(application=owner, key=manifest.key, body=body, path=path)
    graph = graphs.build((*compiled.graph.targets, manifest))
    return replace(compiled, graph=graph, objects=(*compiled.objects, final))


def with_targets(compiled: Compiled, change: Callable[[Target], Target | None], *more: Target) -> Compiled:
    """The environment with each target changed, or left out, and others added."""
    changed = [new for old in compiled.graph.targets if (new := change(old)) is not None]
    return replace(compiled, graph=graphs.build((*changed, *more)))


def read(text: str) -> dict[str, Any]:
    """The one object of a YAML text."""
    (body,) = read_manifests(text.encode())
    return body


def fences(page: str, mark: str) -> tuple[str, ...]:
    """The texts of a page's examples with a mark, `yaml object speaks`."""
    return tuple(found["text"] for found in _FENCE.finditer(page) if found["mark"] == mark)


def said(check: Check, compiled: Compiled) -> tuple[Diagnostic, ...]:
    """What the check says: each fault once, its own, the same whatever the order of objects."""
    found = tuple(check.run(compiled))
    assert len(set(found)) == len(found)
    assert {each.code for each in found} <= {check.code}
    assert tuple(check.run(replace(compiled, objects=compiled.objects[::-1]))) == found
    return found


def only(check: Check, compiled: Compiled) -> Diagnostic:
    """The one thing that the check says."""
    (found,) = said(check, compiled)
    return found


@cache
def _environments(data: bytes, *, vendored: bool) -> tuple[Compiled, ...]:
    load_all = registry.load_all
    with patch.object(registry, "load_all", lambda kind: () if kind == "checks" else load_all(kind)):
        result = compile_bytes(data, mirror() if vendored else None)
    return tuple(
        Compiled(environment=each.environment.name, graph=each.graph, objects=each.objects)
        for each in result.compilations
    )
