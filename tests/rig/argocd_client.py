"""The client `argocd`, signed in to an API server of the rig.

    client = argo.start_server()
    client("app", "get", "demo", "--output", "json")

It reads no settings of this machine: server and token are in its environment, its home is the rig's.

Source: Argo CD documentation, "Environment Variables" and "API Docs".
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import subprocess
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .faults import RigFault
from .programs import program

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .client import Client

NAME: Final = "argocd"
USER: Final = "admin"
TIMEOUT_S: Final = 60.0
_FIRST: Final = "argocd-initial-admin-secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgoCdClient:
    """A user of an API server."""

    server: str
    """Host and port."""
    home: Path
    token: str = field(repr=False)

    def settings(self) -> Mapping[str, str]:
        """The variables by which `argocd` knows its server; one is a token."""
        return {
            "ARGOCD_SERVER": self.server,
            "ARGOCD_AUTH_TOKEN": self.token,
            "ARGOCD_OPTS": "--plaintext",
        }

    def write_settings(self, path: Path) -> None:
        """A file for a shell to read, which nobody else may."""
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in self.settings().items()]
        path.touch(mode=0o600)
        path.write_text("".join(lines), encoding="utf-8")

    def __call__(self, *words: str) -> str:
        """What `argocd` prints.

        Raises:
            RigFault: it fails; with its own words.
        """
        environment = {"PATH": os.defpath, "HOME": str(self.home), **self.settings()}
        done = subprocess.run(
            [str(program(NAME)), *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
            env=environment,
        )
        if done.returncode:
            raise RigFault(f"`argocd {' '.join(words)}` ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout


def sign_in(server: str, cluster: Client, *, namespace: str, home: Path) -> ArgoCdClient:
    """Sign in as the first user, whose password the server wrote when it started.

    Raises:
        RigFault: there is no such password, e.g. because somebody changed it.
    """
    secret = cluster.get("v1", "Secret", _FIRST, namespace)
    if secret is None:
        raise RigFault(f"Argo CD keeps no first password in the Secret {_FIRST}")
    password = base64.b64decode(secret["data"]["password"]).decode()
    asked = urllib.request.Request(
        f"http://{server}/api/v1/session",
        data=json.dumps({"username": USER, "password": password}).encode(),
        headers={"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(asked, timeout=TIMEOUT_S) as response:
        token = json.load(response)["token"]
    return ArgoCdClient(server=server, home=home, token=token)
