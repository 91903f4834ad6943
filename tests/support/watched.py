"""Which addresses beyond loopback this process and those that it started are connected to, as the kernel says.

For machines that refuse a network namespace (`support.offline`): nothing is kept from dialling there, but
nobody does it unseen. Datagrams that are sent without a connection leave no trace here.

Source: Linux, proc_net(5), proc_pid_fd(5).
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PROC: Final = Path("/proc")
POLL_S: Final = 0.05
_TABLES: Final = ("tcp", "tcp6", "udp", "udp6")


class Watch:
    """Looks twenty times a second, from `start` to `stop`."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        """`name of the program -> address`, one for each that was seen."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watched", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look once more, and end."""
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while True:
            is_last = self._over.wait(POLL_S)
            self.seen.update(dialled())
            if is_last:
                return


def dialled() -> set[str]:
    """Every connection beyond loopback of this process and its descendants, as `program -> address`."""
    # Most of the time there is none on the machine at all, and nobody has to ask whose it is.
    remote = {inode: address for inode, address in _connections() if not address.is_loopback}
    if not remote:
        return set()
    found = set()
    for process in _family():
        for inode in _sockets(process):
            if inode in remote:
                found.add(f"{_name(process)} -> {remote[inode]}")
    return found


def _connections() -> Iterator[tuple[str, Address]]:
    """Inode and other end of every socket that has one."""
    for table in _TABLES:
        with contextlib.suppress(OSError):
            for line in (PROC / "net" / table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                address = _address(fields[2].partition(":")[0])
                if not address.is_unspecified:
                    yield fields[9], address


def _address(text: str) -> Address:
    """An address as the kernel prints it: words of four bytes, each in the order of the machine."""
    raw = b"".join(bytes.fromhex(word)[::-1] for word in re.findall("........", text))
    if len(raw) == 4:  # bytes
        return ipaddress.IPv4Address(raw)
    address = ipaddress.IPv6Address(raw)
    return address.ipv4_mapped or address


def _family() -> list[str]:
    """This process and its descendants."""
    children: dict[str, list[str]] = {}
    for process in _processes():
        with contextlib.suppress(OSError):
            # The name in parentheses may hold anything; the parent is the second field after it.
            after = (PROC / process / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
            children.setdefault(after.split()[1], []).append(process)
    found = [str(os.getpid())]
    for process in found:
        found += children.get(process, [])
    return found


def _processes() -> list[str]:
    with contextlib.suppress(OSError):
        return [path.name for path in PROC.iterdir() if path.name.isdecimal()]
    return []


def _sockets(process: str) -> Iterator[str]:
    with contextlib.suppress(OSError):
        for path in (PROC / process / "fd").iterdir():
            with contextlib.suppress(OSError):
                target = str(path.readlink())
                if target.startswith("socket:["):
                    yield target[len("socket:[") : -1]


def _name(process: str) -> str:
    with contextlib.suppress(OSError):
        return (PROC / process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    return process
