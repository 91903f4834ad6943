"""The rig's control plane is a cluster: it answers, refuses, reconciles and runs pods that nobody runs."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig import find, missing
from rig.client import ApiError
from rig.programs import KUBERNETES
from rig.watch import Watches
from support.definitions import definition

TESTS = Path(__file__).resolve().parents[1]
DEADLINE_S = 60.0
CHILD_S = 180.0
"""A deadline for a process that starts a cluster and ends it, on a machine that does other things as well."""


def config_map(namespace, name="settings", **data):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": data,
    }


def deployment(namespace, name):
    labels = {"app": name}
    container = {"name": "main", "image": "example.org/nothing:1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def sockets():
    """Every socket that listens, by its inode, to its local address."""
    table = [
        *Path("/proc/net/tcp").read_text().splitlines()[1:],
        *Path("/proc/net/tcp6").read_text().splitlines()[1:],
    ]
    return {line.split()[9]: line.split()[1].partition(":")[0] for line in table if line.split()[3] == "0A"}


def inodes(group, but):
    """The sockets that the processes of a group hold, but for one process."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) != group or int(process.name) == but:
                continue
            links = [str(each.readlink()) for each in (process / "fd").iterdir()]
        except OSError:
            continue
        found |= {each[len("socket:[") : -1] for each in links if each.startswith("socket:[")}
    return found


def test_the_server_says_its_version_as_clients_read_it(control_plane):
    version = control_plane.client.call("GET", "/version")
    assert (version["major"], version["minor"], version["gitVersion"]) == ("1", "36", f"v{KUBERNETES}")


def test_an_applied_object_is_owned_by_who_applied_it(control_plane):
    namespace = control_plane.namespace()
    control_plane.client.apply(config_map(namespace, a="1"), manager="somebody")
    found = control_plane.client.get("v1", "ConfigMap", "settings", namespace)
    assert found["data"] == {"a": "1"}
    assert [each["manager"] for each in found["metadata"]["managedFields"]] == ["somebody"]
    control_plane.client.delete("v1", "ConfigMap", "settings", namespace)
    assert control_plane.client.get("v1", "ConfigMap", "settings", namespace) is None


def test_every_namespace_is_a_new_one(control_plane):
    assert control_plane.namespace("a") != control_plane.namespace("a")


def test_only_the_admin_may_do_what_nobody_granted(control_plane):
    namespace = control_plane.namespace()
    with pytest.raises(ApiError, match=r"403: configmaps .* forbidden"):
        control_plane.as_identity("stranger").apply(config_map(namespace))


def test_an_identity_may_do_what_a_test_grants_it(control_plane):
    namespace = control_plane.namespace()
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader"}
    control_plane.client.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "readers", "namespace": namespace},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
            "subjects": [subject],
        }
    )
    # The server learns of a grant by a watch of its own.
    control_plane.wait("the grant holds", lambda: may_apply(control_plane.as_identity("reader"), namespace))


def may_apply(client, namespace):
    try:
        client.apply(config_map(namespace))
    except ApiError:
        return False
    return True


@pytest.mark.skipif(find("kubectl") is None, reason=str(missing("kubectl")))
def test_a_kubeconfig_is_one_that_kubectl_takes(control_plane):
    namespace = control_plane.namespace()
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "robot", "namespace": namespace},
    }
    control_plane.client.apply(account)
    for path, name in (
        (control_plane.kubeconfig(), "admin"),
        (control_plane.kubeconfig("reader"), "reader"),
        (
            control_plane.kubeconfig_of_service_account(namespace, "robot"),
            f"system:serviceaccount:{namespace}:robot",
        ),
    ):
        asked = [str(find("kubectl")), f"--kubeconfig={path}", "auth", "whoami", "--output=json"]
        said = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
        assert json.loads(said)["status"]["userInfo"]["username"] == name


def test_a_deployment_becomes_available_on_a_simulated_node(simulated_cluster):
    client, namespace = simulated_cluster.client, simulated_cluster.namespace()
    client.apply(deployment(namespace, "web"))

    def available():
        found = client.get("apps/v1", "Deployment", "web", namespace)
        return found.get("status", {}).get("availableReplicas") == 2

    simulated_cluster.wait("both replicas are available", available)


def test_a_simulated_node_has_no_address_but_this_machine(simulated_cluster):
    node = simulated_cluster.client.get("v1", "Node", "node-1")
    assert {each["address"] for each in node["status"]["addresses"]} <= {"127.0.0.1", "node-1"}


def test_a_service_gets_an_address_that_never_leaves_the_machine(control_plane):
    namespace = control_plane.namespace()
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"ports": [{"port": 80}]},
    }
    made = control_plane.client.apply(service)
    assert made["spec"]["clusterIP"].startswith("127.")


def test_nothing_listens_but_on_loopback(control_plane):
    programs = control_plane.programs
    # Argo CD's controller, where another test has started it, offers no choice for its metrics.
    controller = programs.running.get("argocd-application-controller")
    listening, held = sockets(), inodes(programs.group, controller.pid if controller else None)
    addresses = {address for inode, address in listening.items() if inode in held}
    assert addresses == {"0100007F"}  # 127.0.0.1, as the kernel writes it


class HeldWatches(Watches):
    """Watches that are opened when a test says so."""

    def __init__(self, *words):
        super().__init__(*words)
        self.may_open, self.waits = threading.Event(), threading.Event()

    def _lines(self, *words):
        self.waits.set()
        assert self.may_open.wait(DEADLINE_S)
        self.waits.clear()
        yield from super()._lines(*words)

    def __exit__(self, *words):
        self.may_open.set()
        super().__exit__(*words)


def test_a_watch_that_a_changed_definition_ends_misses_nothing(control_plane):
    group = "watched.example.com"
    client, namespace, told = control_plane.client, control_plane.namespace(), queue.SimpleQueue()

    def apply(name, **data):
        metadata = {"name": name, "namespace": namespace}
        client.apply({"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": metadata, "data": data})

    def news(count):
        found = [told.get(timeout=DEADLINE_S)[1] for _ in range(count)]
        return sorted((each["type"], each["object"]["metadata"]["name"]) for each in found)

    client.apply(definition(group, "Thing", "things", "v1"))
    control_plane.wait("the kind is there", lambda: client.serves(f"{group}/v1", "Thing"))
    for name in ("same", "changed", "gone"):
        apply(name)
    try:
        watches = HeldWatches(client, [(f"{group}/v1", "things")], told.put)
        with watches:
            watches.may_open.set()
            assert news(3) == [("ADDED", "changed"), ("ADDED", "gone"), ("ADDED", "same")]
            watches.may_open.clear()
            client.apply(definition(group, "Thing", "things", "v1", said="another"))
            assert watches.waits.wait(DEADLINE_S)  # for to be opened again
            client.delete(f"{group}/v1", "Thing", "gone", namespace)
            apply("changed", a="1")
            apply("new")
            watches.may_open.set()
            assert news(3) == [("ADDED", "changed"), ("ADDED", "new"), ("DELETED", "gone")]
            apply("same", a="2")
            assert news(1) == [("MODIFIED", "same")]
    finally:
        client.delete("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"things.{group}")


@contextmanager
def started(*command, **options):
    """A process that is killed when it takes too long, so that who reads what it says sees an end, and in any case."""
    # Whoever started the tests may have told them to ignore Ctrl-C, as a shell does in the background.
    heeding = ("env", "--default-signal=INT", *command)
    with subprocess.Popen(heeding, stdout=subprocess.PIPE, **options) as process:
        timer = threading.Timer(CHILD_S, process.kill)
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            process.kill()


UP = (sys.executable, "-m", "tests.rig", "up")


def test_up_gives_a_kubeconfig_and_cleans_up_at_ctrl_c(control_plane):
    with started(*UP, cwd=TESTS.parent, stderr=subprocess.DEVNULL) as up:
        said = up.stdout.readline().decode().strip()
        assert said, "it ended, or was ended, and said nothing"
        path = Path(said)
        assert json.loads(path.read_text())["current-context"] == "rig"
        up.send_signal(signal.SIGINT)
        up.communicate()
    assert up.returncode == 0
    assert not path.parents[1].exists()


RUNNER = """
def test_it(control_plane):
    programs = control_plane.programs
    print("FOUND", programs.folder, programs.group, *[each.pid for each in programs.running.values()], flush=True)
    import time
    time.sleep(1000)
"""


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, pytest.ExitCode.INTERRUPTED)]
)
def test_a_test_run_that_is_ended_leaves_nothing(control_plane, tmp_path, how, code):
    (tmp_path / "test_it.py").write_text(RUNNER)
    words = [
        "-q",
        "-s",
        "-p",
        "no:cacheprovider",
        "-p",
        "rig.fixtures",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with started(sys.executable, "-m", "pytest", *words, cwd=tmp_path, env=environment) as runner:
        said = next((line for line in iter(runner.stdout.readline, b"") if line.startswith(b"FOUND")), None)
        assert said, "it ended, or was ended, before its test began"
        _, folder, *pids = said.decode().split()
        assert len(pids) == 4
        assert all(is_running(each) for each in pids)
        runner.send_signal(how)
        runner.communicate()
    assert runner.returncode == code
    until = time.monotonic() + DEADLINE_S
    while (left := [each for each in pids if is_running(each)]) or Path(folder).exists():
        assert time.monotonic() < until, f"left: {left} {folder}"
        time.sleep(0.05)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
