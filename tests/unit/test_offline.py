"""Nothing leaves this machine: the tests run with loopback alone, or what they dial is seen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support import offline
from support.watched import _address

SUPPORT = Path(offline.__file__).parent
REFUSED = 77
DEADLINE_S = 30.0
FIRST_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")

DIALLING = """
import fcntl, json, socket, struct, subprocess, sys
sys.path.insert(0, sys.argv[1])
import offline
# An address of documentation, on the loopback of this namespace: what is dialled stays inside it.
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    address = struct.pack("16sH2s4s8x", b"lo:1", socket.AF_INET, bytes(2), socket.inet_aton("192.0.2.1"))
    fcntl.ioctl(control, 0x8916, address)
sys.path[0] = sys.argv[1] + "/.."
from support.watched import Watch
listener = socket.create_server((sys.argv[2], 0))
watch = Watch()
watch.start()
dial = "import socket, sys; held = socket.create_connection((sys.argv[1], int(sys.argv[2]))); sys.stdin.read()"
words = [sys.executable, "-c", dial, sys.argv[2], str(listener.getsockname()[1])]
with subprocess.Popen(words, stdin=subprocess.PIPE) as child:
    listener.accept()
    watch.stop()
    child.stdin.close()
print(json.dumps(sorted(watch.seen)))
"""


def run_offline(*words):
    """What a command prints in a namespace of its own; the test is left out where there is none."""
    command = [sys.executable, str(SUPPORT / "offline.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=DEADLINE_S)
    if done.stderr:
        pytest.skip(done.stderr.strip())
    return done.stdout


def nested(*words):
    """As `run_offline`, in a namespace inside the one that the tests may be in already."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import offline, os; reason = offline.enter()\n"
    code += f"reason and (print(reason), sys.exit({REFUSED})) or os.execvp(sys.argv[2], sys.argv[2:])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(SUPPORT), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    if done.returncode == REFUSED:
        pytest.skip(f"no network namespace here: {done.stdout.strip()}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_command_sees_loopback_and_nothing_else():
    code = "import socket; print([name for _, name in socket.if_nameindex()]); "
    code += "server = socket.create_server(('127.96.0.1', 0)); "
    code += "print(socket.create_connection(server.getsockname()).getpeername()[0])"
    assert run_offline(sys.executable, "-c", code).split("\n") == ["['lo']", "127.96.0.1", ""]


LISTENING = """
import os, socket
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(socket.create_server(("127.0.0.1", 443)).getsockname()[1])
"""


def test_an_ordinary_user_may_listen_at_the_port_of_webhooks_there_and_nowhere_else():
    before = FIRST_PORT.read_text()
    assert nested(sys.executable, "-c", LISTENING) == "443\n"
    assert FIRST_PORT.read_text() == before


def test_a_command_that_fails_fails():
    done = subprocess.run(
        [sys.executable, str(SUPPORT / "offline.py"), "false"], check=False, timeout=DEADLINE_S
    )
    assert done.returncode == 1


@pytest.mark.parametrize(("address", "is_seen"), [("192.0.2.1", True), ("127.0.0.1", False)])
def test_who_dials_beyond_loopback_is_seen(address, is_seen):
    seen = json.loads(nested(sys.executable, "-c", DIALLING, str(SUPPORT), address))
    assert [each.partition(" -> ")[2] for each in seen] == ([address] if is_seen else [])


@pytest.mark.parametrize(
    ("kernel", "address", "is_loopback"),
    [
        ("0100007F", "127.0.0.1", True),
        ("010200C0", "192.0.2.1", False),
        ("00000000000000000000000001000000", "::1", True),
        ("0000000000000000FFFF00000100607F", "127.96.0.1", True),
        ("B80D0120000000000000000001000000", "2001:db8::1", False),
    ],
)
def test_addresses_are_read_as_the_kernel_writes_them(kernel, address, is_loopback):
    found = _address(kernel)
    assert (str(found), found.is_loopback) == (address, is_loopback)
