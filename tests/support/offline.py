"""Run a command where nothing but this machine can be reached: in a network namespace with loopback alone.

    python tests/support/offline.py python -m pytest

The command takes the place of this process, as the user who called it. Where the system refuses a namespace, the
command runs all the same and this says why; `support.watched` looks at what it dials instead.

Source: Linux, network_namespaces(7), user_namespaces(7), netdevice(7), ip(7), "ip_unprivileged_port_start" in the
kernel's ip-sysctl.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST_PORT = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP, _IFREQ = 0x8913, 0x8914, 0x1, "16sh14x"


def interfaces() -> frozenset[str]:
    """The names of the network interfaces that this process sees; none where the system does not say."""
    return frozenset(name for _, name in socket.if_nameindex())


def is_offline() -> bool:
    """Whether there is nothing but loopback."""
    return interfaces() == {"lo"}


def enter() -> str | None:
    """Move this process into a namespace of its own; gives the reason where that is refused."""
    user, group = os.geteuid(), os.getegid()
    if user != 0 or not _unshare(_NEW_NETWORK):
        # Who is not root needs a namespace of users as well, in which everybody stays who they are.
        if not _unshare(_NEW_USER | _NEW_NETWORK):
            return os.strerror(ctypes.get_errno())
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            Path("/proc/self", name).write_text(text, encoding="ascii")
    bring_up("lo")
    # Here every port is free, and this is the namespace's own setting: webhooks listen at 443, whoever runs the tests.
    with suppress(OSError):
        _FIRST_PORT.write_text("0", encoding="ascii")
    return None


def bring_up(interface: str) -> None:
    """Set an interface of this namespace up; loopback then has 127.0.0.0/8."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        asked = struct.pack(_IFREQ, interface.encode(), 0)
        _, flags = struct.unpack(_IFREQ, fcntl.ioctl(control, _SIOCGIFFLAGS, asked))
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack(_IFREQ, interface.encode(), flags | _IFF_UP))


def _unshare(flags: int) -> bool:
    try:
        call = ctypes.CDLL(None, use_errno=True).unshare
    except AttributeError:  # not Linux
        ctypes.set_errno(errno.ENOSYS)
        return False
    return bool(call(flags) == 0)


def main(words: Sequence[str]) -> None:
    """Become the command."""
    reason = None if is_offline() else enter()
    if reason:
        sys.stderr.write(f"no network namespace here ({reason}): what is dialled is watched instead\n")
        sys.stderr.flush()
    os.execvp(words[0], words)  # noqa: S606 - there is no shell


if __name__ == "__main__":
    main(sys.argv[1:])
