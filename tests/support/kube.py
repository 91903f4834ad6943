"""A real API server with its etcd, on 127.0.0.1 and for as long as a test wants it.

    with kube.start(folder) as server:
        server.apply(body, manager="argocd-controller")

No controller, scheduler or node runs: objects stay as they are written. Cluster addresses are of 127.96.0.0/16, so
that nothing that the API server dials leaves the machine.

Source: Kubernetes, "kube-apiserver", "etcd"; "Server-Side Apply".
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

JsonObject = dict[str, Any]

PROGRAMS: Final = {"kube-apiserver": "PLINTH_KUBE_APISERVER", "etcd": "PLINTH_ETCD"}
"""Programs, each with the variable that names it in place of `PATH`."""

READY_S: Final = 120.0
ADMIN: Final = "token-of-admin"
READER: Final = "token-of-reader"


def find(name: str) -> str | None:
    """The path of a program, if there is one."""
    return shutil.which(os.environ.get(PROGRAMS.get(name, ""), "") or name)


def missing() -> str:
    """The reason to leave a test out; empty where everything is there."""
    for name, variable in PROGRAMS.items():
        if find(name) is None:
            return f"`{name}` is not on PATH and {variable} does not name it"
    return "" if shutil.which("openssl") else "`openssl` is not on PATH"


needs_kube = pytest.mark.skipif(bool(missing()), reason=missing() or "all there")


class Refused(Exception):
    """The API server said no."""


class NotFound(Refused):
    """There is no such thing."""


class Invalid(Refused):
    """The object, or the policy on it, does not allow that."""


class Kube:
    """An API server, asked as one of its users."""

    def __init__(self, address: str, authority: Path) -> None:
        self.address = address
        self._authority = authority
        self._tls: ssl.SSLContext | None = None
        self._plurals: dict[tuple[str, str], tuple[str, bool]] = {}

    def request(
        self, method: str, path: str, body: Any = None, *, kind: str = "application/json", token: str = ADMIN
    ) -> JsonObject:
        """An answer as JSON.

        Raises:
            Refused: the status is no success.
        """
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=str(self._authority))
        request = urllib.request.Request(  # noqa: S310 - an https address of this machine
            self.address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": kind},
        )
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=60) as answer:  # noqa: S310 - as above
                return json.load(answer)  # type: ignore[no-any-return]  # an API server answers with objects
        except urllib.error.HTTPError as error:
            kind_of = {404: NotFound, 422: Invalid}.get(error.code, Refused)
            raise kind_of(f"{error.code}: {error.read().decode('utf-8', 'replace')[:500]}") from None

    def path(self, body: Mapping[str, Any]) -> str:
        """The path of an object by its `apiVersion`, `kind`, namespace and name."""
        version, kind = body["apiVersion"], body["kind"]
        if (version, kind) not in self._plurals:
            root = f"/apis/{version}" if "/" in version else f"/api/{version}"
            for each in self.request("GET", root)["resources"]:
                if "/" not in each["name"]:
                    self._plurals[version, each["kind"]] = f"{root}|{each['name']}", each["namespaced"]
        place, is_namespaced = self._plurals[version, kind]
        root, _, plural = place.partition("|")
        metadata = body["metadata"]
        within = f"/namespaces/{metadata['namespace']}" if is_namespaced else ""
        return f"{root}{within}/{plural}/{metadata['name']}"

    def apply(self, body: Mapping[str, Any], *, manager: str) -> JsonObject:
        """Apply an object for real, as that field manager, by force."""
        query = urlencode({"fieldManager": manager, "force": "true"})
        return self.request("PATCH", f"{self.path(body)}?{query}", body, kind="application/apply-patch+yaml")

    def edit(self, body: Mapping[str, Any], operations: list[JsonObject], *, manager: str) -> JsonObject:
        """Change an object as somebody else would, by a JSON patch."""
        path = f"{self.path(body)}?{urlencode({'fieldManager': manager})}"
        return self.request("PATCH", path, operations, kind="application/json-patch+json")

    def get(self, body: Mapping[str, Any]) -> JsonObject:
        """An object as it is."""
        return self.request("GET", self.path(body))

    def delete(self, body: Mapping[str, Any]) -> None:
        """Delete an object."""
        self.request("DELETE", self.path(body))

    def wait_for(self, path: str, seconds: float = READY_S) -> None:
        """Wait until a path can be read."""
        end = time.monotonic() + seconds
        while True:
            try:
                self.request("GET", path)
            except (Refused, OSError, ValueError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
            else:
                return

    def kubeconfig(self, folder: Path, token: str = ADMIN) -> Path:
        """A kubeconfig of one context, `rig`."""
        path = folder / f"kubeconfig-{token}"
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "current-context": "rig",
                    "contexts": [{"name": "rig", "context": {"cluster": "rig", "user": "me"}}],
                    "clusters": [
                        {
                            "name": "rig",
                            "cluster": {
                                "server": self.address,
                                "certificate-authority": str(self._authority),
                            },
                        }
                    ],
                    "users": [{"name": "me", "user": {"token": token}}],
                }
            )
        )
        return path


@contextmanager
def start(folder: Path) -> Iterator[Kube]:
    """A server that is ready, until the block ends."""
    etcd_port, peer_port, port = _free_ports(3)
    etcd, peer = f"http://127.0.0.1:{etcd_port}", f"http://127.0.0.1:{peer_port}"
    key, tokens, certificates = folder / "sa.key", folder / "tokens.csv", folder / "certificates"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    tokens.write_text(f'{ADMIN},admin,admin,"system:masters"\n{READER},reader,reader,"readers"\n')
    with ExitStack() as stack:
        _run(
            stack,
            folder,
            "etcd",
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
        )
        _run(
            stack,
            folder,
            "kube-apiserver",
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={certificates}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            "--service-cluster-ip-range=127.96.0.0/16",
            "--allow-privileged=true",
        )
        server = Kube(f"https://127.0.0.1:{port}", certificates / "apiserver.crt")
        server.wait_for("/api/v1/namespaces/default")
        yield server


def _run(stack: ExitStack, folder: Path, name: str, *arguments: str) -> None:
    program = find(name)
    assert program is not None
    log = stack.enter_context((folder / f"{name}.log").open("wb"))
    process = subprocess.Popen([program, *arguments], stdout=log, stderr=subprocess.STDOUT)
    stack.callback(_end, process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
