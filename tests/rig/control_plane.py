"""etcd and a Kubernetes API server on loopback; controllers, scheduler and simulated nodes on request.

    with control_plane() as cluster:
        namespace = cluster.namespace("drift")
        cluster.client.apply({...})
        run("kubectl", "--kubeconfig", cluster.kubeconfig())

Ready in about 5 s, for about 0.5 GiB. With `add_nodes` pods "run" without images: kwok says so of them.
What they would have done does not happen.
"""

from __future__ import annotations

import base64
import itertools
import json
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from .client import ApiError, Client
from .faults import RigFault
from .ports import HOST
from .processes import POLL_S, rig_folder
from .programs import missing, program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from .processes import Programs

PROGRAMS: Final = ("etcd", "kube-apiserver")
CONTROLLERS: Final = ("kube-controller-manager",)
NODES: Final = (*CONTROLLERS, "kube-scheduler", "kwok")

ADMIN: Final = "admin"
IDENTITIES: Final[Mapping[str, tuple[str, ...]]] = {
    ADMIN: ("system:masters",),
    "reader": (),
    "stranger": (),
}
"""Users and their groups. Only the admin may do anything; a test grants the others what it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane:
    """A cluster that answers."""

    programs: Programs
    server: str
    client: Client
    """As the admin."""
    service_range: str
    _tokens: Mapping[str, str] = field(repr=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def kubeconfig(self, identity: str = ADMIN, *, namespace: str = "default") -> Path:
        """A kubeconfig for one of the identities that the cluster was started with."""
        return self._write_kubeconfig(identity, self._tokens[identity], namespace)

    def kubeconfig_of_service_account(self, namespace: str, name: str) -> Path:
        """A kubeconfig for a service account of the cluster, with a token that is good for an hour."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        token = self.client.call("POST", path, asked)["status"]["token"]
        return self._write_kubeconfig(f"{namespace}.{name}", token, namespace)

    def as_identity(self, identity: str) -> Client:
        """A client for one of the identities."""
        return Client(server=self.server, authority=self.client.authority, token=self._tokens[identity])

    def namespace(self, prefix: str = "test") -> str:
        """A new namespace, e.g. `test-3`: tests that share a cluster stay out of each other's way."""
        name = f"{prefix}-{next(self._numbers)}"
        self.client.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    def apply_all(self, bodies: Iterable[Mapping[str, Any]], *, manager: str = "rig") -> None:
        """Server-side apply of objects in their order; those of a kind that came just before wait for it."""
        for body in bodies:
            version, kind = body["apiVersion"], body["kind"]
            self.wait(
                f"the server has {kind} of {version}",
                lambda version=version, kind=kind: self.client.serves(version, kind),
            )
            self.client.apply(body, manager=manager)

    def add_controllers(self) -> None:
        """Start kube-controller-manager, unless it runs.

        Without it there are no service accounts, nothing that is deleted takes others with it, no namespace
        ends, and the roles `view`, `edit` and `admin`, which are put together from others, allow nothing.
        """
        if self._is_new("kube-controller-manager"):
            self.programs.start(
                "kube-controller-manager",
                [
                    _path("kube-controller-manager"),
                    f"--kubeconfig={self.kubeconfig()}",
                    f"--service-account-private-key-file={self.programs.folder / 'sa.key'}",
                    f"--root-ca-file={self.client.authority}",
                    "--leader-elect=false",
                    f"--bind-address={HOST}",
                    "--secure-port=0",
                ],
            )
        self.programs.wait(
            "the controllers made the service account of `default`",
            lambda: self.client.get("v1", "ServiceAccount", "default", "default") is not None,
        )

    def add_nodes(self, *names: str, capacity: Mapping[str, str] | None = None) -> None:
        """Start controllers, scheduler and kwok, unless they run, and add simulated nodes.

        `capacity` is that of every node; by default 32 CPUs, 128 GiB and 110 pods.
        """
        self.add_controllers()
        if self._is_new("kube-scheduler"):
            self.programs.start(
                "kube-scheduler",
                [
                    _path("kube-scheduler"),
                    f"--kubeconfig={self.kubeconfig()}",
                    "--leader-elect=false",
                    f"--bind-address={HOST}",
                    "--secure-port=0",
                    "--authentication-tolerate-lookup-failure=true",
                ],
            )
        if self._is_new("kwok"):
            self.programs.start(
                "kwok",
                [
                    _path("kwok"),
                    f"--kubeconfig={self.kubeconfig()}",
                    "--manage-all-nodes=true",
                    "--node-lease-duration-seconds=40",
                    # kwok's own default is an address of the Internet.
                    f"--node-ip={HOST}",
                    f"--server-address={HOST}:{self.programs.ports.port()}",
                ],
            )
        for name in names:
            self._add_node(name, capacity or {"cpu": "32", "memory": "128Gi", "pods": "110"})

    def wait(
        self, what: str, is_so: Callable[[], bool], timeout_s: float = 90.0, *, poll_s: float = POLL_S
    ) -> None:
        """Wait until something is so, by asking again.

        Raises:
            RigFault: a program ended, or the deadline passed.
        """
        self.programs.wait(what, is_so, timeout_s, poll_s=poll_s)

    def _is_new(self, name: str) -> bool:
        return name not in self.programs.running

    def _add_node(self, name: str, capacity: Mapping[str, str]) -> None:
        labels = {
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": name,
        }
        self.client.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
        status = {"capacity": capacity, "allocatable": capacity}
        self.client.merge("v1", "Node", name, "", {"status": status}, status=True)
        self.wait(f"node {name} is ready", lambda: _is_ready(self.client.get("v1", "Node", name)))

    def _write_kubeconfig(self, user: str, token: str, namespace: str) -> Path:
        name = f"{user}.{namespace}"
        path = self.programs.folder / "kubeconfigs" / name
        path.parent.mkdir(exist_ok=True)
        authority = base64.b64encode(self.client.authority.read_bytes()).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "rig", "cluster": {"server": self.server, "certificate-authority-data": authority}}
            ],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [
                {"name": "rig", "context": {"cluster": "rig", "user": user, "namespace": namespace}}
            ],
            "current-context": "rig",
        }
        path.write_text(json.dumps(config, indent=2), encoding="utf-8")  # JSON is YAML
        return path


@contextmanager
def control_plane(identities: Mapping[str, tuple[str, ...]] = IDENTITIES) -> Iterator[ControlPlane]:
    """A new, empty cluster.

    Raises:
        RigFault: a program is not built or does not get ready; with the ends of the logs.
    """
    lacking = missing(*PROGRAMS)
    if lacking:
        raise RigFault(lacking)
    with rig_folder("control-plane") as programs:
        yield _start(programs, identities)


def _start(programs: Programs, identities: Mapping[str, tuple[str, ...]]) -> ControlPlane:
    ports, folder = programs.ports, programs.folder
    # The admin is always there: it is whom the rig's own calls are made as.
    users = {ADMIN: IDENTITIES[ADMIN], **identities}
    tokens = {name: secrets.token_hex(16) for name in users}
    rows = [f'{tokens[name]},{name},{name},"{",".join(groups)}"\n' for name, groups in users.items()]
    _write_private(folder / "tokens.csv", "".join(rows))
    _write_private(folder / "sa.key", _new_key())
    etcd, secure_port, service_range = _start_etcd(programs), ports.port(), ports.service_range()
    certificates = folder / "certificates"
    programs.start(
        "kube-apiserver",
        [
            _path("kube-apiserver"),
            f"--etcd-servers={etcd}",
            f"--bind-address={HOST}",
            f"--advertise-address={HOST}",
            f"--secure-port={secure_port}",
            f"--cert-dir={certificates}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={folder / 'sa.key'}",
            f"--service-account-signing-key-file={folder / 'sa.key'}",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            f"--service-cluster-ip-range={service_range}",
            # A platform's network plug-in and GPU driver are privileged.
            "--allow-privileged=true",
        ],
    )
    server, authority = f"https://{HOST}:{secure_port}", certificates / "apiserver.crt"
    client = Client(server=server, authority=authority, token=tokens[ADMIN])
    at_once = replace(client, patience_s=0.0)
    programs.wait("the API server is ready", lambda: _answers(at_once))
    return ControlPlane(
        programs=programs, server=server, client=client, service_range=service_range, _tokens=tokens
    )


def _start_etcd(programs: Programs) -> str:
    """Start etcd; gives the address that it serves clients at."""
    client, peer = (f"http://{HOST}:{programs.ports.port()}" for _ in range(2))
    programs.start(
        "etcd",
        [
            _path("etcd"),
            f"--data-dir={programs.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            # Its data is thrown away.
            "--unsafe-no-fsync",
        ],
    )
    return client


def _answers(client: Client) -> bool:
    try:
        # Namespaces of the system are made a moment after the server calls itself ready.
        return (
            client.call("GET", "/readyz") == {"text": "ok"}
            and client.get("v1", "Namespace", "default") is not None
        )
    except (OSError, ApiError):
        return False


def _is_ready(node: Mapping[str, Any] | None) -> bool:
    conditions = (node or {}).get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _path(name: str) -> str:
    path = program(name)
    if path is None:
        raise RigFault(missing(name))
    return path


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _new_key() -> str:
    """A private key on the curve P-256, in PEM.

    The structure is `ECPrivateKey` without its optional public key, which Go works out itself, so a key
    is 32 random bytes. (A number above the curve's order, one in 2**32, would be refused: hence the 0.)

    Source: RFC 5915.
    """
    number = b"\x00" + secrets.token_bytes(31)
    structure = bytes.fromhex("3031020101 0420") + number + bytes.fromhex("a00a06082a8648ce3d030107")
    text = base64.b64encode(structure).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{text[:64]}\n{text[64:]}\n-----END EC PRIVATE KEY-----\n"
