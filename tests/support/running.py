"""A platform that runs: compiled, committed, bootstrapped as a person does it, brought up by Argo CD.

    with running(example, folder) as platform:
        platform.settle(platform.edit(another_idle_time))

The API server, its controllers and Argo CD are real, and so are kubectl and git. Nodes are simulated, and what
pods would have done is done by `rig.standins`. Nothing is there before the two commands of docs/bootstrap.md.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from plinth.cli import main
from rig import find, missing
from rig.argocd import API_VERSION, NAMESPACE, argo_cd, explain
from rig.argocd import PROGRAMS as ARGO_CD
from rig.certificates import new_authority
from rig.control_plane import ADMIN, NODES, control_plane
from rig.control_plane import PROGRAMS as CONTROL_PLANE
from rig.faults import RigFault
from rig.standins import missing_for_stand_ins, stand_ins
from support.git_server import HOST, git_host
from support.platforms import mirror
from support.record import is_asked, is_settled, watched_applications, wave
from support.repository import commit, git

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from support.record import Record

BRANCH = "main"
REPOSITORY = "acme/ml-platform.git"
UPSTREAM_URL = "https://github.com/acme/ml-platform.git"
MANAGER = "argocd-controller"
"""Who applies: docs/bootstrap.md says why it has to be the name that Argo CD uses."""

UP_S = 600.0
"""A deadline for a machine that does other things as well; a quarter of it is what two idle cores need."""
CHANGE_S = 240.0
POLL_S = 0.5
SHOWN = 20
"""How many findings a message has: where nothing came up everything is missing."""
RESYNC_S = 60
"""When Argo CD looks by itself; installed it is 120 or more. A commit is told to it, as the host of the repository
would."""

OLDER = (
    ("v1", "ConfigMap", "argocd-cm", ("data", "statusbadge.enabled"), "true"),
    ("apps/v1", "Deployment", "argocd-server", ("spec", "minReadySeconds"), 5),
)
"""Keys of the manifests that Argo CD is installed from, which those in git do not have any more."""


def missing_to_run() -> str | None:
    """Why no platform can run on this machine; None where one can."""
    lacking = missing(*CONTROL_PLANE, *NODES, *ARGO_CD) or missing_for_stand_ins()
    return lacking or (None if find("kubectl") else missing("kubectl"))


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Where the first sync stood when its controller was killed."""

    at: int
    """A moment of the record."""
    settled: frozenset[str]
    root: Mapping[str, Any]
    """`status.operationState` of the root."""


@dataclass(frozen=True, kw_only=True)
class Started:
    """How long the rig took, and when its user began."""

    control_plane_s: float
    argo_cd_s: float
    bootstrap_at_s: float
    """The first command of docs/bootstrap.md, on the clock of `time.monotonic`."""


@dataclass(frozen=True, kw_only=True)
class Came:
    """How an Application came up."""

    wave: int
    objects: int
    seconds: float
    """When it was settled, from the first command of the bootstrap on."""
    syncs: int
    retries: int


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A platform that runs, or comes up."""

    cluster: Any
    argo: Any
    others: Any
    folder: Path
    """The person's clone: `platform.yaml` and what it compiles to."""
    record: Record
    started: Started
    came: dict[str, Came] = field(default_factory=dict)
    """Each Application, when all of them were up."""
    cuts: list[Cut] = field(default_factory=list)

    def spec(self) -> str:
        """The text of `platform.yaml`."""
        return (self.folder / "platform.yaml").read_text(encoding="utf-8")

    def edit(self, change: Callable[[str], str]) -> str:
        """Change the spec, compile, commit and push; gives the commit."""
        before = self.spec()
        after = change(before)
        assert after != before
        (self.folder / "platform.yaml").write_text(after, encoding="utf-8")
        compiled(self.folder)
        return self.publish()

    def publish(self) -> str:
        """Commit and push what is in the folder, and tell Argo CD, as a webhook of the host would."""
        commit(self.folder)
        git(self.folder, "push", "-q", "origin", BRANCH)
        self.refresh()
        return git(self.folder, "rev-parse", "HEAD").strip()

    def refresh(self) -> None:
        """Ask for a look at every Application."""
        for name in self.applications():
            self.argo.refresh(name)

    def applications(self) -> Mapping[str, Mapping[str, Any]]:
        """All Applications, by name."""
        path = f"/apis/{API_VERSION}/namespaces/{NAMESPACE}/applications"
        return {each["metadata"]["name"]: each for each in self.cluster.client.call("GET", path)["items"]}

    def get(self, api_version: str, kind: str, name: str, namespace: str = "") -> Mapping[str, Any] | None:
        """An object, or None where there is none."""
        found: Mapping[str, Any] | None = self.cluster.client.get(api_version, kind, name, namespace)
        return found

    def uid(self, api_version: str, kind: str, name: str, namespace: str = "") -> str | None:
        """What tells an object from another one of its name; None where there is none."""
        found = self.get(api_version, kind, name, namespace)
        return found["metadata"]["uid"] if found else None

    def wait(self, what: str, is_so: Callable[[], object], timeout_s: float = CHANGE_S) -> None:
        """Wait until something is so; where it is not, say what is wrong with which Application."""

        def is_so_and_nobody_has_failed() -> bool:
            self.others.check()
            return bool(is_so())

        try:
            self.cluster.wait(what, is_so_and_nobody_has_failed, timeout_s, poll_s=POLL_S)
        except RigFault as fault:
            # The ends of all logs would hide what Argo CD says; where they are is in the last line.
            lines = str(fault).splitlines()
            said = [explain(each) for each in self.applications().values()]
            raise RigFault("\n".join([lines[0], *said, told(self.drift()[1]), lines[-1]])) from None

    def settle(self, revision: str) -> None:
        """Wait until every Application is Synced and Healthy at a commit; then nothing may have drifted."""

        def is_so() -> bool:
            found = self.applications()
            for name, each in found.items():
                # A refresh that is asked for while another one runs goes with that one.
                if each.get("status", {}).get("sync", {}).get("revision") != revision and not is_asked(each):
                    self.argo.refresh(name)
            return all(is_settled(each, revision) for each in found.values()) and self.record.has(found)

        self.wait(f"everything is Synced and Healthy at {revision}", is_so)
        self.check_drift()

    def drift(self, identity: str = ADMIN) -> tuple[int, Mapping[str, Any], str]:
        """What `plinth drift` ends with, reports, and prints in all."""
        out, err = io.StringIO(), io.StringIO()
        kubeconfig = str(self.cluster.kubeconfig(identity))
        with patch.dict(os.environ, KUBECONFIG=kubeconfig), redirect_stdout(out), redirect_stderr(err):
            code = main(["drift", "--env", "dev", "-C", str(self.folder), "--format", "json"])
        return code, json.loads(out.getvalue()), out.getvalue() + err.getvalue()

    def peak_mib(self) -> int:
        """What the programs of the rig hold at most, each at its own worst moment."""
        found = 0
        for each in self.cluster.programs.running.values():
            status = Path("/proc", str(each.pid), "status").read_text(encoding="ascii")
            (line,) = re.findall(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
            found += int(line)
        return found // 1024

    def check_drift(self) -> None:
        """Nothing has drifted, and nothing is unknown but what the mirror leaves out."""
        code, report, _ = self.drift()
        # The mirror leaves the values of the hub out, so there is nothing to compare its Secret with.
        unknown = ["Secret hub"] if "jupyterhub" in self.applications() else []
        assert report["findings"] == [], told(report)
        assert [each["what"] for each in report["unknown"]] == unknown, told(report)
        assert code == (3 if unknown else 0)


@contextmanager
def running(example: Path, folder: Path, spec: Callable[[str], str]) -> Iterator[Platform]:
    """The environment `dev` of an example, installed; Argo CD runs and knows of nothing but its own installation.

    `spec` changes the example before it is compiled.
    """
    with ExitStack() as parts:
        began = time.monotonic()
        cluster = parts.enter_context(control_plane())
        control_plane_s = time.monotonic() - began
        authority = new_authority(folder / "authority")
        port = cluster.programs.ports.port()
        clone = _cloned(example, folder, f"https://{HOST}:{port}/{REPOSITORY}", spec)
        parts.enter_context(git_host(folder / "host", authority.server_context(HOST), port))
        cluster.add_nodes("node-1")
        others = parts.enter_context(stand_ins(cluster))
        bootstrap_at_s = time.monotonic()
        _install(cluster, clone)
        # Its pods would take longer to start than a person needs for the second command.
        apply(cluster, clone / "generated/dev/bootstrap/root")
        record = parts.enter_context(watched_applications(cluster))
        certificates = {HOST: authority.certificate}
        began = time.monotonic()
        argo = parts.enter_context(
            argo_cd(cluster, is_installed=True, authorities=certificates, resync_s=RESYNC_S)
        )
        started = Started(
            control_plane_s=control_plane_s,
            argo_cd_s=time.monotonic() - began,
            bootstrap_at_s=bootstrap_at_s,
        )
        yield Platform(
            cluster=cluster, argo=argo, others=others, folder=clone, record=record, started=started
        )


def bring_up(platform: Platform, names: Mapping[str, int]) -> None:
    """Let Argo CD bring these Applications up, its controller killed once on the way when half of them are."""
    began, record = time.monotonic(), platform.record
    revision = git(platform.folder, "rev-parse", "HEAD").strip()

    def is_halfway() -> bool:
        # A sync that ended and was not looked at yet would wait for the next look by itself.
        is_between = any(
            each.phase == "Succeeded" and each.sync != "Synced" for each in record.now().values()
        )
        return len(record.settled()) >= len(names) // 2 and not is_between

    platform.wait("half of the Applications are up", is_halfway, UP_S)
    platform.argo.kill_controller()
    root = platform.applications()["root"]
    settled = frozenset(name for name, each in platform.applications().items() if is_settled(each))
    cut = Cut(at=record.mark(), settled=settled, root=root["status"].get("operationState", {}))
    platform.cuts.append(cut)
    platform.argo.start_controller()

    def is_up() -> bool:
        now = platform.applications()
        is_settled_everywhere = all(is_settled(each, revision) for each in now.values())
        return set(now) == set(names) and is_settled_everywhere and record.has(now)

    platform.wait("every Application is Synced and Healthy", is_up, UP_S - (time.monotonic() - began))
    seen, settled_at = record.since(0), record.settled()
    for name, each in platform.applications().items():
        its = [moment for moment in seen if moment.name == name and moment.started]
        platform.came[name] = Came(
            wave=wave(each),
            objects=len(each["status"]["resources"]),
            seconds=settled_at[name] - platform.started.bootstrap_at_s,
            syncs=len({moment.started for moment in its}),
            retries=max((moment.retries for moment in its), default=0),
        )
    platform.check_drift()


def told(report: Mapping[str, Any]) -> str:
    """What a report of `plinth drift` says, a line for each field, for a message."""
    lines = ["plinth drift says:"]
    for finding in report["findings"][:SHOWN]:
        named = " ".join(str(part) for part in finding["resource"].values() if part)
        lines.append(f"  {finding['class']} {named} {finding.get('reason', '')}".rstrip())
        actors = ", ".join(each["manager"] for each in finding["actors"]) or "nobody on record"
        lines += [
            f"    {field['path']}: {field['desired']!r} declared, {field['live']!r} live, by {actors}"
            for field in finding["fields"]
        ]
    lines += [f"  unknown {each['what']}: {each['reason']}" for each in report["unknown"]]
    return "\n".join(lines)


def compiled(folder: Path) -> None:
    """Vendor what a spec asks for, and compile it."""
    for command in (["vendor", "--mirror", str(mirror())], ["compile"]):
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = main([*command, "-C", str(folder)])
        assert code == 0, said.getvalue()


def kubectl(cluster: Any, *words: str) -> str:
    """What kubectl prints; a command that fails fails the test."""
    home = str(cluster.programs.folder / "home")  # where kubectl keeps what it has asked
    environment = {"PATH": os.environ["PATH"], "HOME": home, "KUBECONFIG": str(cluster.kubeconfig())}
    done = subprocess.run(
        [str(find("kubectl")), *words], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def apply(cluster: Any, folder: Path) -> None:
    """Apply a folder as docs/bootstrap.md says."""
    words = ("apply", "--server-side", "--force-conflicts", f"--field-manager={MANAGER}", "-k")
    kubectl(cluster, *words, str(folder))


def _cloned(example: Path, folder: Path, url: str, spec: Callable[[str], str]) -> Path:
    """The example as a repository of that host, compiled for its address, committed and pushed."""
    bare, clone = folder / "host" / REPOSITORY, folder / "clone"
    bare.mkdir(parents=True)
    git(bare, "init", "-q", "--bare", "-b", BRANCH)
    shutil.copytree(example, clone, ignore=shutil.ignore_patterns(".plinth"))
    file = clone / "platform.yaml"
    file.write_text(spec(file.read_text(encoding="utf-8").replace(UPSTREAM_URL, url)), encoding="utf-8")
    compiled(clone)
    git(clone, "init", "-q", "-b", BRANCH)
    commit(clone)
    git(clone, "remote", "add", "origin", str(bare))
    git(clone, "push", "-q", "origin", BRANCH)
    return clone


def _install(cluster: Any, clone: Path) -> None:
    """The first command of docs/bootstrap.md, from manifests that are a little older, and the wait after it."""
    older = clone.parent / "older"
    older.mkdir()
    patches = [
        {
            "target": {"kind": kind, "name": name},
            "patch": json.dumps([{"op": "add", "path": "/" + "/".join(path), "value": value}]),
        }
        for _, kind, name, path, value in OLDER
    ]
    body = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../clone/generated/dev/bootstrap/install"],
        "patches": patches,
    }
    (older / "kustomization.yaml").write_text(json.dumps(body), encoding="utf-8")
    apply(cluster, older)
    crds = ("crd/applications.argoproj.io", "crd/appprojects.argoproj.io")
    kubectl(cluster, "wait", "--for=condition=established", "--timeout=120s", *crds)
    assert [older_key(cluster, each) for each in OLDER] == [value for *_, value in OLDER]


def older_key(cluster: Any, key: tuple[str, str, str, tuple[str, ...], object]) -> object:
    """What the cluster has under a key of `OLDER`; None where it has none."""
    api_version, kind, name, path, _ = key
    found = cluster.client.get(api_version, kind, name, NAMESPACE)
    for part in path:
        found = (found or {}).get(part)
    return found
