"""The example platform on a cluster: compiled, committed, bootstrapped as a person does it, brought up by Argo CD.

The API server, its controllers and Argo CD are real, and so are kubectl and git. Nodes are simulated, and what
pods would have done is done by `rig.standins`. Nothing is there before the two commands of docs/bootstrap.md.

Slow: a minute or two to come up, and seconds to half a minute for each thing that happens to it then.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from plinth.cli import main
from rig import missing
from rig.argocd import API_VERSION, NAMESPACE, argo_cd, explain
from rig.argocd import PROGRAMS as ARGO_CD
from rig.certificates import new_authority
from rig.control_plane import NODES, control_plane
from rig.control_plane import PROGRAMS as CONTROL_PLANE
from rig.faults import RigFault
from rig.standins import missing_for_stand_ins, stand_ins
from support import platforms
from support.git_server import HOST, git_host
from support.repository import commit, git

pytestmark = [platforms.needs_mirror]

BRANCH = "main"
REPOSITORY = "acme/ml-platform.git"
UPSTREAM_URL = b"https://github.com/acme/ml-platform.git"

UP_S = 240.0
"""A deadline for a machine that does other things as well."""
CHANGE_S = 120.0
POLL_S = 0.5
RESYNC_S = 180
"""What Argo CD waits by itself; a commit is told to it, as the host of the repository would."""

APPLICATIONS = {
    "argo-cd": 1,
    "argo-cd-crds": 0,
    "cert-manager": 1,
    "cert-manager-crds": 0,
    "external-secrets": 1,
    "external-secrets-crds": 0,
    "jupyterhub": 2,
    "mlflow": 2,
    "root": 0,
    "training-operator": 1,
    "training-operator-crds": 0,
}
"""Every Application of `dev`, and its wave."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Platform:
    """A platform that runs."""

    cluster: Any
    argo: Any
    others: Any
    folder: Path
    """The person's clone: `platform.yaml` and what it compiles to."""
    seconds: Mapping[str, float]
    """When each Application was Synced and Healthy, from when the root was applied."""

    def edit(self, change: Callable[[str], str]) -> str:
        """Change the spec, compile, commit and push; gives the commit."""
        spec = self.folder / "platform.yaml"
        before = spec.read_text(encoding="utf-8")
        after = change(before)
        assert after != before
        spec.write_text(after, encoding="utf-8")
        assert main(["compile", "-C", str(self.folder)]) == 0
        return self.publish()

    def publish(self) -> str:
        """Commit and push what is in the folder, and tell Argo CD, as a webhook of the host would."""
        commit(self.folder)
        git(self.folder, "push", "-q", "origin", BRANCH)
        for name in self.applications():
            self.argo.refresh(name)
        return git(self.folder, "rev-parse", "HEAD").strip()

    def applications(self) -> Mapping[str, Mapping[str, Any]]:
        """All Applications, by name."""
        path = f"/apis/{API_VERSION}/namespaces/{NAMESPACE}/applications"
        return {each["metadata"]["name"]: each for each in self.cluster.client.call("GET", path)["items"]}

    def get(self, api_version: str, kind: str, name: str, namespace: str = "") -> Mapping[str, Any] | None:
        return self.cluster.client.get(api_version, kind, name, namespace)

    def wait(self, what: str, is_so: Callable[[], object]) -> None:
        """Wait until something is so; where it is not, say what is wrong with which Application."""
        waited(self, what, is_so, CHANGE_S)

    def wait_settled(self, revision: str) -> None:
        """Wait until every Application is Synced and Healthy at a commit."""
        self.wait(
            f"everything is Synced and Healthy at {revision}",
            lambda: all(is_settled(each, revision) for each in self.applications().values()),
        )


@pytest.fixture(scope="module")
def platform(vendored_example, tmp_path_factory):
    """The example's environment `dev`, up and settled."""
    lacking = missing(*CONTROL_PLANE, *NODES, *ARGO_CD) or missing_for_stand_ins()
    if not lacking and not shutil.which("kubectl"):
        lacking = "there is no `kubectl` on PATH"
    if lacking:
        pytest.skip(lacking)
    with ExitStack() as parts:
        cluster = parts.enter_context(control_plane())
        folder = tmp_path_factory.mktemp("end-to-end")
        authority = new_authority(folder / "authority")
        port = cluster.programs.ports.port()
        clone = cloned(vendored_example, folder, port)
        parts.enter_context(git_host(folder / "host", authority.server_context(HOST), port))
        cluster.add_nodes("node-1")
        others = parts.enter_context(stand_ins(cluster))
        install(cluster, clone)
        argo = parts.enter_context(
            argo_cd(cluster, is_installed=True, authorities={HOST: authority.certificate}, resync_s=RESYNC_S)
        )
        yield brought_up(Platform(cluster=cluster, argo=argo, others=others, folder=clone, seconds={}))


def cloned(example, folder, port):
    """The example as a repository of that host, compiled for its address, committed and pushed."""
    bare, clone = folder / "host" / REPOSITORY, folder / "clone"
    bare.mkdir(parents=True)
    git(bare, "init", "-q", "--bare", "-b", BRANCH)
    shutil.copytree(example, clone, ignore=shutil.ignore_patterns(".plinth"))
    spec = clone / "platform.yaml"
    url = f"https://{HOST}:{port}/{REPOSITORY}".encode()
    spec.write_bytes(spec.read_bytes().replace(UPSTREAM_URL, url))
    assert main(["compile", "-C", str(clone)]) == 0
    git(clone, "init", "-q", "-b", BRANCH)
    commit(clone)
    git(clone, "remote", "add", "origin", str(bare))
    git(clone, "push", "-q", "origin", BRANCH)
    return clone


def kubectl(cluster, *words):
    """What kubectl prints; a command that fails fails the test."""
    home = str(cluster.programs.folder / "home")  # where kubectl keeps what it has asked
    environment = {"PATH": os.environ["PATH"], "HOME": home, "KUBECONFIG": str(cluster.kubeconfig())}
    done = subprocess.run(["kubectl", *words], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def apply(cluster, folder):
    words = ("apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-k")
    kubectl(cluster, *words, str(folder))


def install(cluster, clone):
    """The first command of docs/bootstrap.md, and the wait after it."""
    apply(cluster, clone / "generated/dev/bootstrap/install")
    crds = ("crd/applications.argoproj.io", "crd/appprojects.argoproj.io")
    kubectl(cluster, "wait", "--for=condition=established", "--timeout=120s", *crds)


def brought_up(platform):
    """The second command, and then nobody but Argo CD."""
    revision = git(platform.folder, "rev-parse", "HEAD").strip()
    apply(platform.cluster, platform.folder / "generated/dev/bootstrap/root")
    began, seconds = time.monotonic(), {}

    def is_up():
        now = platform.applications()
        for name, each in now.items():
            if is_settled(each, revision):
                seconds.setdefault(name, time.monotonic() - began)
        return set(now) == set(APPLICATIONS) and all(is_settled(each, revision) for each in now.values())

    waited(platform, "every Application is Synced and Healthy", is_up, UP_S)
    return dataclasses.replace(platform, seconds=seconds)


def waited(platform, what, is_so, timeout_s):
    try:
        platform.cluster.wait(what, is_so, timeout_s, poll_s=POLL_S)
    except RigFault as fault:
        said = "\n".join(explain(each) for each in platform.applications().values())
        raise RigFault(f"{fault}\n{said}") from None


def is_settled(application, revision):
    status = application.get("status", {})
    return (
        status.get("sync", {}).get("status") == "Synced"
        and status["sync"].get("revision") == revision
        and status.get("health", {}).get("status") == "Healthy"
        and status.get("operationState", {}).get("phase", "Succeeded") == "Succeeded"
        and "operation" not in application
    )


def wave(application):
    annotations = application["metadata"].get("annotations", {})
    return int(annotations.get("argocd.argoproj.io/sync-wave", "0"))


def test_argo_cd_alone_brings_every_application_up(platform, capsys):
    found = platform.applications()
    rows = [("Application", "wave", "objects", "seconds to Healthy")]
    rows += [
        (
            name,
            str(wave(found[name])),
            str(len(found[name]["status"]["resources"])),
            f"{platform.seconds[name]:.0f}",
        )
        for name in sorted(found, key=lambda name: (platform.seconds[name], name))
    ]
    with capsys.disabled():
        for row in rows:
            print("{:24}{:>6}{:>9}{:>20}".format(*row))
        print(f"reviews answered: {dict(platform.others.answered)}")
    assert {name: wave(each) for name, each in found.items()} == APPLICATIONS
