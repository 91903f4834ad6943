"""The example platform, compiled in memory.

    result = compile_bytes(example())
    tree(result)["plinth.lock.yaml"]

Nothing is written anywhere. What a compile would read beside the spec is a folder of upstream
manifests, and that only for a spec that says `upstreams: vendored`.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest
from msgspec.structs import replace

from plinth.cli.vendor import _take
from plinth.ir.ledger import ledger_text
from plinth.ir.lock import Lock, Vendored
from plinth.ir.people import PatchFault
from plinth.pipeline import LOCK_PATH, Inputs, Result, compile_spec, lock_file
from plinth.text.manifests import read_manifests
from plinth.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).resolve().parents[2]
"""The root of this repository."""

FILE: Final = "platform.yaml"
MIRROR_VARIABLE: Final = "PLINTH_MIRROR"


def example() -> bytes:
    """The `platform.yaml` at the root of this repository."""
    return (ROOT / FILE).read_bytes()


def example_of_dev() -> bytes:
    """The example without its environment `prod`, which takes half as long: for what looks at one environment."""
    kept, marker, _ = example().partition(b"    prod:\n")
    assert marker, "the example has no `prod` at its end"
    return kept


def compile_bytes(data: bytes, vendored_root: Path | None = None) -> Result:
    """What a platform file compiles to beside an empty lock.

    `vendored_root` is a mirror, `<component>/<version>/{manifests,crds}.yaml`, whose upstreams count
    as vendored and are pinned in the lock; without it none are. There are no patches of people.

    Raises:
        SpecError: with every fault of the first stage that found one.
    """
    pins: dict[str, Vendored] = {}

    def pinned(component: str, version: str) -> tuple[Mapping[str, Any], ...] | None:
        if vendored_root is None:
            return None
        objects, pins[f"{component}/{version}"] = _vendored(vendored_root, component, version)
        return objects

    result = compile_spec(data, FILE, Inputs(patch=_no_patch, vendored=pinned))
    return replace(result, lock=lock_file(result.outputs, Lock(vendored=pins)))


def tree(result: Result) -> dict[str, bytes]:
    """Every file that a compile would write by its path: all groups, their ledgers, the lock."""
    files = {path: made.content for group in result.groups.values() for path, made in group.items()}
    ledgers = {f"generated/{name}/index.jsonl": ledger_text(group) for name, group in result.groups.items()}
    return {**files, **ledgers, LOCK_PATH: result.lock.content}


def mirror() -> Path | None:
    """The folder of upstream manifests on this machine, or None where there is none."""
    named = os.environ.get(MIRROR_VARIABLE)
    folder = Path(named) if named else ROOT.parent / "shared" / "upstream"
    return folder if folder.is_dir() else None


needs_mirror = pytest.mark.skipif(
    mirror() is None,
    reason=f"no upstream manifests: {MIRROR_VARIABLE} names no folder, and ../shared/upstream is none",
)


def vendored(root: Path, component: str, version: str) -> tuple[Mapping[str, Any], ...]:
    """Every object but CRDs of an upstream, as it is vendored from a mirror."""
    return _vendored(root, component, version)[0]


def _no_patch(path: str) -> NoReturn:
    raise PatchFault(f"there is no {path}")


@cache
def _vendored(root: Path, component: str, version: str) -> tuple[tuple[Mapping[str, Any], ...], Vendored]:
    """What `plinth vendor` takes from a mirror and `plinth compile` reads back, and its pin."""
    files, pin = _take(Workspace(root), component, version)
    own = (
        path for path in sorted(files) if "/crds/" not in path and not path.endswith("/kustomization.yaml")
    )
    return tuple(body for path in own for body in read_manifests(files[path].content)), pin
