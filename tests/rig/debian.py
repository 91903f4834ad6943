"""What the rig takes from the distribution: programs that are not written in Go."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from .faults import RigFault
from .programs import JQ, REDIS, ZSH

if TYPE_CHECKING:
    from collections.abc import Callable

LEFT_OUT: Final = {
    REDIS: "Argo CD's tests are",
    ZSH: "the test of its completion is",
    JQ: "the tests of scripts that use it are",
}
"""Package -> what a machine without it does not try."""


def by_hand(name: str) -> str:
    """What to do where a package is missing."""
    return f"install {name} by hand: {LEFT_OUT[name]} left out until it is on PATH"


def ensure(name: str, say: Callable[[str], None]) -> str:
    """The path of a program, installed by apt-get where it is missing and that is possible.

    Raises:
        RigFault: it is not on PATH and cannot be installed; everything else can be built all the same.
    """
    found = shutil.which(name)
    if found:
        return found
    if not shutil.which("apt-get"):
        raise RigFault(f"{name} is not on PATH and there is no apt-get; {by_hand(name)}")
    if os.geteuid() != 0:
        raise RigFault(f"{name} is not on PATH, and only root may call apt-get; {by_hand(name)}")
    say(f"{name} is not on PATH: installing Debian's")
    # At run level 1 Debian's packages start no service: nothing is to listen on the port that everybody knows.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for words in (("update",), ("install", "--yes", "--no-install-recommends", name)):
        done = subprocess.run(
            ["apt-get", "-qq", *words], check=False, capture_output=True, text=True, env=environment
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            raise RigFault(f"`apt-get {' '.join(words)}` failed: {said}\n{by_hand(name)}")
    installed = shutil.which(name)
    if not installed:
        raise RigFault(f"apt-get installed {name}, and it is still not on PATH; {by_hand(name)}")
    return installed
