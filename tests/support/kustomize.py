"""Build kustomizations with the real program: `kustomize`, or the one inside `kubectl`.

Builds read files only: no chart is rendered and no address is fetched.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import rig
from plinth.catalog.facts import key_of
from plinth.text.manifests import read_manifests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plinth.catalog.objects import ObjectKey

VARIABLE = "PLINTH_KUSTOMIZE"
TIMEOUT_S = 120.0

MISSING = (
    f"neither `kustomize` nor `kubectl` is on PATH, {VARIABLE} names neither, and `make rig` has built none"
)


class BuildError(Exception):
    """A folder that kustomize does not build; the message is its own."""


def command() -> tuple[str, ...] | None:
    """The words that build the folder named after them, or None where there is no such program."""
    named = os.environ.get(VARIABLE)
    for path in (shutil.which(named),) if named else _found():
        if path:
            return (path, "kustomize" if PurePath(path).name.startswith("kubectl") else "build")
    return None


def _found() -> Iterator[str | None]:
    yield from map(shutil.which, ("kustomize", "kubectl"))
    yield from map(rig.program, ("kustomize", "kubectl"))


def build(folder: Path) -> dict[ObjectKey, dict[str, Any]]:
    """Every object that a folder builds to.

    Raises:
        BuildError: it does not build, or two objects have one key.
    """
    words = command()
    assert words is not None, MISSING
    # A CRD takes two thirds of the time where Go tidies up less often.
    environment = {"PATH": os.defpath, "HOME": str(folder), "GOGC": "400"}
    done = subprocess.run(
        [*words, str(folder)], check=False, capture_output=True, timeout=TIMEOUT_S, env=environment
    )
    if done.returncode:
        raise BuildError(done.stderr.decode(errors="replace"))
    return _objects(done.stdout)


@cache
def _objects(text: bytes) -> dict[ObjectKey, dict[str, Any]]:
    """The objects of an output; the megabytes of a CRD are read once, for every folder that builds to them."""
    bodies = read_manifests(text)
    found = {key_of(body): body for body in bodies}
    if len(found) != len(bodies):
        raise BuildError("two objects have one key")
    return found
