"""Run a program where nothing but itself can be reached: a network namespace of its own, with loopback alone.

    subprocess.run(closed_network.command("terraform", "plan"), env=environment | closed_network.SETTINGS)

A plan of the google provider asks who its token belongs to and where it runs, and there is no setting that keeps
it from asking. Here every such question ends at once. What is answered is on loopback inside the namespace:
`/v1/projects/.../secrets/.../versions/N:access`, because a plan opens ephemeral resources, and reading a secret
that was made up is the only thing that a compiled root asks of Google while it is planned.

Source: Linux, network_namespaces(7), netdevice(7).
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from support import offline

PORT: Final = 8080
"""In a namespace of its own every port is free."""

SETTINGS: Final = {
    # Nothing listens there: what is sent by way of it has failed before a name is looked up.
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "GCE_METADATA_HOST": "127.0.0.1:9",
    "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT": f"http://127.0.0.1:{PORT}/v1/",
}
"""For the environment of a program: all that it asks goes to loopback. Go sends nothing for loopback by a proxy."""

# Processes have a namespace as well: when a test gives up and kills the first of them, the others go with it.
_UNSHARE: Final = ("unshare", "--net", "--pid", "--fork", "--kill-child")
_WAYS: Final = (("--user", "--map-root-user"), ())
"""A namespace of users gives the right to the others to anybody; where there is none, root has it."""

_TESTS: Final = Path(__file__).parents[1]
_INSIDE: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from support import closed_network; sys.exit(closed_network.main(*sys.argv[2:]))"
)

_ACCESS: Final = re.compile(r"/v1/(?P<name>projects/[^/]+/secrets/[^/]+/versions/[^/:]+)(?P<access>:access)?")


def command(*words: str) -> tuple[str, ...]:
    """What runs the words as a command in there, where `missing` says nothing."""
    return _command(_way()[0], words)


def missing() -> str | None:
    """Why no program can be run so on this machine; `None` where one can."""
    if shutil.which(_UNSHARE[0]) is None:
        return "`unshare` is not on PATH, so no program can be kept from the network"
    way, told = _way()
    return f"this machine gives no network namespace: {told}" if way is None else None


@cache
def _way() -> tuple[tuple[str, ...] | None, str]:
    """The options that give us a namespace, or what was said when none did."""
    told = ""
    for way in _WAYS:
        done = subprocess.run(_command(way, ("true",)), check=False, capture_output=True, text=True)
        if done.returncode == 0:
            return way, ""
        told = done.stderr.strip()
    return None, told


def _command(way: tuple[str, ...] | None, words: tuple[str, ...]) -> tuple[str, ...]:
    assert way is not None, "no namespace"
    return (*_UNSHARE, *way, sys.executable, "-P", "-c", _INSIDE, str(_TESTS), *words)


def main(*words: str) -> int:
    """Bring loopback up, answer on it, and run the words as a command."""
    offline.bring_up("lo")
    with ThreadingHTTPServer(("127.0.0.1", PORT), _Secrets) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        code = subprocess.run(words, check=False).returncode
        server.shutdown()
    return code


class _Secrets(BaseHTTPRequestHandler):
    """Secret Manager, whose every entry holds an object with a password. Anything else is not found.

    Source: Secret Manager, REST reference, `projects.secrets.versions` `get` and `access`.
    """

    def do_GET(self) -> None:
        """Answer a version's metadata or its data."""
        asked = _ACCESS.fullmatch(self.path.partition("?")[0])
        if asked is None:
            self.send_error(404)
            return
        data = base64.b64encode(json.dumps({"password": "never-stored"}).encode()).decode()
        version = {"name": asked["name"], "state": "ENABLED", "createTime": "2026-01-01T00:00:00Z"}
        body = json.dumps({"name": asked["name"], "payload": {"data": data}} if asked["access"] else version)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing: what the program prints is read."""
