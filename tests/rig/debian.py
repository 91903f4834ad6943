"""redis-server, from the distribution: it is written in C, and its only use here is beside Argo CD."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from .faults import RigFault
from .programs import REDIS

if TYPE_CHECKING:
    from collections.abc import Callable

BY_HAND: Final = f"install {REDIS} by hand: Argo CD's tests are left out until it is on PATH"


def ensure_redis(say: Callable[[str], None]) -> str:
    """The path of redis-server, installed by apt-get where it is missing and that is possible.

    Raises:
        RigFault: it is not on PATH and cannot be installed; everything else can be built all the same.
    """
    found = shutil.which(REDIS)
    if found:
        return found
    if not shutil.which("apt-get"):
        raise RigFault(f"{REDIS} is not on PATH and there is no apt-get; {BY_HAND}")
    if os.geteuid() != 0:
        raise RigFault(f"{REDIS} is not on PATH, and only root may call apt-get; {BY_HAND}")
    say(f"{REDIS} is not on PATH: installing Debian's")
    # At run level 1 Debian's packages start no service: nothing is to listen on the port that everybody knows.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for words in (("update",), ("install", "--yes", "--no-install-recommends", REDIS)):
        done = subprocess.run(
            ["apt-get", "-qq", *words], check=False, capture_output=True, text=True, env=environment
        )
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            raise RigFault(f"`apt-get {' '.join(words)}` failed: {said}\n{BY_HAND}")
    installed = shutil.which(REDIS)
    if not installed:
        raise RigFault(f"apt-get installed {REDIS}, and it is still not on PATH; {BY_HAND}")
    return installed
