"""Argo CD against a control plane of the rig, following git repositories in local folders.

    with argo_cd(cluster) as argo:
        argo.apply_application("demo", repository=folder, path="overlays/dev/demo", namespace="demo")
        argo.wait_synced("demo", revision=commit)

The repository server, which renders, and the application controller, which compares and syncs, are enough for it.
`start_server` adds the API server, which the client `argocd` speaks to, and `start_application_sets` the controller
that makes Applications of ApplicationSets. There are no notifications, and nobody signs in from outside.

Source: Argo CD 3.2 documentation, "Declarative Setup" and "Server Commands".
"""

from __future__ import annotations

import os
import secrets
import shutil
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import yaml

from . import argocd_client
from .argocd_client import ArgoCdClient, sign_in
from .client import NOT_FOUND, ApiError
from .faults import RigFault
from .ports import HOST
from .programs import REDIS, folder, missing, program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .control_plane import ControlPlane
    from .processes import Programs

PROGRAMS: Final = (
    argocd_client.NAME,
    "argocd-repo-server",
    "argocd-application-controller",
    "kustomize",
    "helm",
    REDIS,
)

NAMESPACE: Final = "argocd"
API_VERSION: Final = "argoproj.io/v1alpha1"
IN_CLUSTER: Final = "https://kubernetes.default.svc"
SYNC_TIMEOUT_S: Final = 120.0
RESYNC_S: Final = 5
HEAL_S: Final = 10
NO_AUTHORITIES: Final[Mapping[str, Path]] = MappingProxyType({})
_PART_OF: Final = {"app.kubernetes.io/part-of": "argocd"}
_REPO_SERVER: Final = "argocd-repo-server"
_CONTROLLER: Final = "argocd-application-controller"
_SERVER: Final = "argocd-server"
_SETS: Final = "argocd-applicationset-controller"
_ROLE: Final = "ARGOCD_BINARY_NAME"
"""What the one binary is, where its file's name does not say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How one program of Argo CD is started, and where it says that it is healthy."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    health: str = ""
    """What it answers when it is healthy; empty where nobody need ask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgoCd:
    """A running Argo CD."""

    cluster: ControlPlane
    _parts: Mapping[str, Part] = field(repr=False)

    def apply_application(self, name: str, *, repository: Path, path: str, namespace: str) -> None:
        """An Application that follows the branch `main` of a local repository and syncs by itself."""
        self.cluster.client.apply(
            {
                "apiVersion": API_VERSION,
                "kind": "Application",
                "metadata": {"name": name, "namespace": NAMESPACE},
                "spec": {
                    "project": "default",
                    "source": {"repoURL": address(repository), "path": path, "targetRevision": "main"},
                    "destination": {"server": IN_CLUSTER, "namespace": namespace},
                    "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
                },
            }
        )

    def application(self, name: str) -> Mapping[str, Any]:
        """An Application as it is now; empty where there is none."""
        return self.cluster.client.get(API_VERSION, "Application", name, NAMESPACE) or {}

    def refresh(self, name: str) -> None:
        """Ask Argo CD to look at the repository again now, as a webhook of its host does.

        An Application that has gone in the meantime is asked for nothing.
        """
        change = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
        try:
            self.cluster.client.merge(API_VERSION, "Application", name, NAMESPACE, change)
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise

    def kill_controller(self) -> None:
        """End the application controller in the middle of whatever it does."""
        self.cluster.programs.stop(_CONTROLLER)

    def start_controller(self) -> None:
        """Start the application controller again, and wait until it is healthy."""
        _start(self.cluster.programs, {_CONTROLLER: self._parts[_CONTROLLER]})

    def start_application_sets(self) -> None:
        """Start the ApplicationSet controller, and wait until it is healthy."""
        _start(self.cluster.programs, {_SETS: self._parts[_SETS]})

    def start_server(self) -> ArgoCdClient:
        """Start the API server, wait until it is healthy, and sign in as its first user."""
        part = self._parts[_SERVER]
        _start(self.cluster.programs, {_SERVER: part})
        home = self.cluster.programs.folder / "home"
        return sign_in(urlsplit(part.health).netloc, self.cluster.client, namespace=NAMESPACE, home=home)

    def wait_synced(
        self, name: str, *, revision: str | None = None, timeout_s: float = SYNC_TIMEOUT_S
    ) -> None:
        """Wait until an Application is Synced and Healthy, at a commit where one is given.

        Raises:
            RigFault: it is not, after the deadline; the message has what Argo CD says of it.
        """
        try:
            self.cluster.wait(
                f"{name} is Synced and Healthy" + (f" at {revision}" if revision else ""),
                lambda: _is_synced(self.application(name), revision),
                timeout_s,
            )
        except RigFault as fault:
            raise RigFault(f"{explain(self.application(name))}\n{fault}") from None


@contextmanager
def argo_cd(
    cluster: ControlPlane,
    *,
    is_installed: bool = False,
    authorities: Mapping[str, Path] = NO_AUTHORITIES,
    resync_s: int = RESYNC_S,
) -> Iterator[ArgoCd]:
    """Argo CD for a cluster; ends with the `with`, its objects stay.

    `is_installed` says that the cluster has Argo CD's objects already, as an installation brings them, and only
    needs somebody to do what its pods would. `authorities` are certificates in PEM, by the host of repositories that
    they speak for. `resync_s` is how often everything is compared again unasked; an installation has 120 or more.

    Raises:
        RigFault: a program is not built or does not get ready; with the ends of the logs.
    """
    lacking = missing(*PROGRAMS)
    if lacking:
        raise RigFault(lacking)
    # Argo CD watches service accounts and prunes by the garbage collector.
    cluster.add_controllers()
    if is_installed:
        # Argo CD's web server writes this one at its first start.
        change = {"stringData": {"server.secretkey": secrets.token_hex(16)}}
        cluster.client.merge("v1", "Secret", "argocd-secret", NAMESPACE, change)
    else:
        cluster.apply_all(_objects())
    parts = _parts(cluster, authorities, resync_s)
    try:
        _start(cluster.programs, {name: parts[name] for name in (REDIS, _REPO_SERVER, _CONTROLLER)})
        yield ArgoCd(cluster=cluster, _parts=parts)
    except Exception:
        cluster.programs.keep_logs = True
        raise
    finally:
        for name in reversed(tuple(parts)):
            if name in cluster.programs.running:
                cluster.programs.stop(name)


def address(repository: Path) -> str:
    """What an Application calls a local repository."""
    return repository.absolute().as_uri()


def explain(application: Mapping[str, Any]) -> str:
    """What an Application says of itself, a line for each thing that is not as it should be."""
    if not application:
        return "there is no such Application"
    status = application.get("status", {})
    sync, health = status.get("sync", {}), status.get("health", {})
    verdict = f"{sync.get('status', 'not compared yet')}, {health.get('status', 'health unknown')}"
    lines = [f"{application['metadata']['name']}: {verdict}, at {sync.get('revision', 'no commit')}"]
    lines += [f"  {each['type']}: {each['message']}" for each in status.get("conditions", ())]
    operation = status.get("operationState", {})
    if operation:
        lines.append(f"  operation {operation.get('phase')}: {operation.get('message', '')}")
    for each in operation.get("syncResult", {}).get("resources", ()):
        if each.get("status") not in {"Synced", "Pruned", "PruneSkipped"}:
            lines.append(f"  {each['kind']} {each['name']}: {each.get('message', each.get('status'))}")
    for each in status.get("resources", ()):
        condition = each.get("health", {})
        if each.get("status") != "Synced" or condition.get("status", "Healthy") != "Healthy":
            said = (
                f"{each.get('status')}, {condition.get('status', 'no health')} {condition.get('message', '')}"
            )
            lines.append(f"  {each['kind']} {each['name']}: {said.rstrip()}")
    return "\n".join(lines)


def _is_synced(application: Mapping[str, Any], revision: str | None) -> bool:
    status = application.get("status", {})
    sync = status.get("sync", {})
    return (
        sync.get("status") == "Synced"
        and status.get("health", {}).get("status") == "Healthy"
        and revision in {None, sync.get("revision")}
        # An operation that still runs has hooks and waves to come.
        and status.get("operationState", {}).get("phase", "Succeeded") == "Succeeded"
    )


def _objects() -> Iterator[Mapping[str, Any]]:
    """What Argo CD's own installation would bring, as far as these two parts read it."""
    for path in sorted((folder() / "share" / "argocd" / "crds").iterdir()):
        yield yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
    yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    for name in ("argocd-cm", "argocd-rbac-cm"):
        yield _labelled("ConfigMap", name, {"data": {}})
    yield _labelled("Secret", "argocd-secret", {"stringData": {"server.secretkey": secrets.token_hex(16)}})
    everything = {"group": "*", "kind": "*"}
    yield {
        "apiVersion": API_VERSION,
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": NAMESPACE},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [everything],
        },
    }


def _labelled(kind: str, name: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = {"name": name, "namespace": NAMESPACE, "labels": _PART_OF}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **content}


def _parts(cluster: ControlPlane, authorities: Mapping[str, Path], resync_s: int) -> Mapping[str, Part]:
    ports = cluster.programs.ports
    redis, rendering = (f"{HOST}:{ports.port()}" for _ in range(2))
    environment = _environment(cluster)
    for host, certificate in authorities.items():
        shutil.copy(certificate, Path(environment["ARGOCD_TLS_DATA_PATH"]) / host)
    rendered, synced, served, made = (f"{HOST}:{ports.port()}" for _ in range(4))
    asks_for_manifests = (f"--repo-server={rendering}", "--repo-server-plaintext", f"--redis={redis}")
    return {
        REDIS: Part(
            command=(
                _path(REDIS),
                *("--port", _port(redis)),
                *("--bind", HOST),
                *("--save", ""),
                *("--appendonly", "no"),
            ),
            environment={},
        ),
        _REPO_SERVER: Part(
            command=(
                _path(_REPO_SERVER),
                f"--redis={redis}",
                f"--port={_port(rendering)}",
                f"--address={HOST}",
                f"--metrics-port={_port(rendered)}",
                f"--metrics-address={HOST}",
                "--disable-tls",
            ),
            # For kustomize, which it calls: a call is over before there is much to tidy up.
            environment={**environment, "GOGC": "400"},
            health=f"http://{rendered}/healthz?full=true",
        ),
        _CONTROLLER: Part(
            command=(
                _path(_CONTROLLER),
                f"--namespace={NAMESPACE}",
                *asks_for_manifests,
                # The one thing of the rig that listens on every address: no flag names another one.
                f"--metrics-port={_port(synced)}",
                f"--app-resync={resync_s}",
                # It compares once after a sync, and again when it would sync again: soon, and not minutes later.
                # On a slow machine it has not seen new definitions by then, and no event tells it of them.
                f"--self-heal-backoff-cap-seconds={HEAL_S}",
            ),
            environment=environment,
            health=f"http://{synced}/healthz?full=true",
        ),
        _SERVER: Part(
            command=(
                _path(argocd_client.NAME),
                f"--namespace={NAMESPACE}",
                *asks_for_manifests,
                f"--port={_port(served)}",
                f"--address={HOST}",
                f"--metrics-port={ports.port()}",
                f"--metrics-address={HOST}",
                "--insecure",
                f"--staticassets={cluster.programs.folder}",
            ),
            environment={**environment, _ROLE: _SERVER},
            health=f"http://{served}/healthz?full=true",
        ),
        _SETS: Part(
            command=(
                _path(argocd_client.NAME),
                f"--namespace={NAMESPACE}",
                f"--argocd-repo-server={rendering}",
                "--repo-server-plaintext",
                f"--metrics-addr={made}",
                f"--probe-addr={HOST}:{ports.port()}",
                f"--webhook-addr={HOST}:{ports.port()}",
            ),
            environment={**environment, _ROLE: _SETS},
            health=f"http://{made}/metrics",  # its probe answers nothing
        ),
    }


def _start(programs: Programs, parts: Mapping[str, Part]) -> None:
    for name, part in parts.items():
        programs.start(name, part.command, part.environment)
    for name, part in parts.items():
        if part.health:
            programs.wait(f"{name} is healthy", lambda url=part.health: _is_healthy(url))


def _environment(cluster: ControlPlane) -> Mapping[str, str]:
    """Both parts believe that they run in the cluster, and find nothing of this machine's settings."""
    home = cluster.programs.folder / "home"
    kubeconfig = home / ".kube" / "config"
    kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(cluster.kubeconfig(namespace=NAMESPACE), kubeconfig)
    folders = {}
    for variable in ("ARGOCD_TLS_DATA_PATH", "ARGOCD_SSH_DATA_PATH", "ARGOCD_PLUGINSOCKFILEPATH", "TMPDIR"):
        path = cluster.programs.folder / "argocd" / variable.lower()
        path.mkdir(parents=True, exist_ok=True)
        folders[variable] = str(path)
    return {
        "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_GPG_ENABLED": "false",
        "PATH": f"{folder() / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        **folders,
    }


def _is_healthy(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _port(address: str) -> str:
    return address.rpartition(":")[2]


def _path(name: str) -> str:
    path = program(name)
    if path is None:
        raise RigFault(missing(name))
    return path
