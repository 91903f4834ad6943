"""Ports and address ranges that no other rig on this machine takes at the same time.

Asking the kernel for a free port and closing it again leaves a gap in which anybody may get it, above
all the kernel's own outgoing connections. So ports come from below the range of those, and each is
reserved by an abstract socket whose name holds the number: it exists once in a network namespace, as
the port does, leaves nothing behind, and goes with its process.
"""

from __future__ import annotations

import random
import socket
from typing import TYPE_CHECKING, Final, Self

from .faults import RigFault

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

HOST: Final = "127.0.0.1"
PORTS: Final = range(20_000, 32_000)
"""Linux takes 32768 and above for outgoing connections, where nobody has changed it."""

SERVICE_RANGES: Final = tuple(f"127.{second}.0.0/16" for second in range(96, 128))
"""Ranges of ClusterIPs. They are loopback addresses, so a call to a Service never leaves the machine."""


class Reservations:
    """What one rig holds; a context manager that gives everything back."""

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._held:
            each.close()

    def port(self, candidates: Iterable[int] | None = None) -> int:
        """A port of 127.0.0.1 that nobody listens on and no other rig has reserved.

        Raises:
            RigFault: every candidate is taken.
        """
        tried = random.SystemRandom().sample(PORTS, 200) if candidates is None else candidates
        for number in tried:
            if _is_free(number) and self._hold(f"port-{number}"):
                return number
        raise RigFault(f"no port of {HOST} is free among those tried ({PORTS.start} to {PORTS.stop - 1})")

    def service_range(self) -> str:
        """A range of loopback addresses for ClusterIPs.

        Stand-ins for webhooks listen on ClusterIPs; with ranges of their own two rigs never want the same one.

        Raises:
            RigFault: all 32 are taken.
        """
        for each in SERVICE_RANGES:
            if self._hold(f"services-{each}"):
                return each
        raise RigFault(f"{len(SERVICE_RANGES)} rigs run on this machine already")

    def _hold(self, name: str) -> bool:
        held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            held.bind(f"\0plinth-rig-{name}")
        except OSError:
            held.close()
            return False
        self._held.append(held)
        return True


def _is_free(number: int) -> bool:
    with socket.socket() as tried:
        # As Go does: a port whose last connections are still being forgotten counts as free.
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, number))
        except OSError:
            return False
    return True
