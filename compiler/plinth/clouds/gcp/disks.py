"""Scratch disks: part of some machines, attached to others in numbers that the machine decides.

Source: Compute Engine, "About Local SSD disks", "Choose a valid number of Local SSD disks".
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from plinth.clouds.gcp.names import TITLE
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.machine_choice import Chosen, machine_for
from plinth.ir.pools import shape_origins
from plinth.ir.said import Said
from plinth.ir.said import said as said_of
from plinth.spec.pools import memory_gib

if TYPE_CHECKING:
    from plinth.catalog.machines import Machine
    from plinth.spec.pools import NodePool

DISK_GIB: Final = 375

_BY_VCPU: Final[dict[str, tuple[tuple[int, tuple[int, ...]], ...]]] = {
    "n1": ((96, (1, 2, 3, 4, 5, 6, 7, 8, 16, 24)),),
    "n2": (
        (10, (1, 2, 4, 8, 16, 24)),
        (20, (2, 4, 8, 16, 24)),
        (40, (4, 8, 16, 24)),
        (80, (8, 16, 24)),
        (128, (16, 24)),
    ),
    "n2d": ((16, (1, 2, 4, 8, 16, 24)), (48, (2, 4, 8, 16, 24)), (80, (4, 8, 16, 24)), (224, (8, 16, 24))),
}
"""Allowed numbers of disks, by family and by the vCPUs up to which they hold."""

_BY_MACHINE: Final[tuple[tuple[re.Pattern[str], tuple[int, ...]], ...]] = (
    (re.compile(r"g2-standard-(4|8|12|16|32)"), (1,)),
    (re.compile(r"g2-standard-24"), (2,)),
    (re.compile(r"g2-standard-48"), (4,)),
    (re.compile(r"g2-standard-96"), (8,)),
    (re.compile(r"a2-highgpu-1g"), (1, 2, 4, 8)),
    (re.compile(r"a2-highgpu-2g"), (2, 4, 8)),
    (re.compile(r"a2-highgpu-4g"), (4, 8)),
    (re.compile(r"a2-(highgpu-8g|megagpu-16g)"), (8,)),
)


class LocalDisks(Struct, frozen=True):
    """Local disks of one node, in `DISK_GIB` each."""

    count: int

    def said(self, pool: NodePool) -> Said:
        """The number, from what was asked and from the machine that it depends on."""
        return Said(self.count, (*said_of(pool, "local_ssd").origins, *shape_origins(pool, "gcp")))


def machine_and_disks(pool: NodePool, pinned: str | None) -> tuple[Chosen, LocalDisks | None] | Diagnostic:
    """The machine of a pool with the disks that it asks for, or why there is none.

    Disks are attached to the machine that the rest of the shape picks, where it has none and takes
    enough of them; else the machine has to have them.
    """
    plain = pool if pool.local_ssd is None else pool.model_copy(update={"local_ssd": None})
    without = machine_for(plain, cloud="gcp", title=TITLE, pinned=pinned)
    if isinstance(without, Diagnostic):
        return without
    if pool.local_ssd is None:
        return without, None
    wanted = math.ceil(memory_gib(pool.local_ssd) / DISK_GIB)
    count = min((each for each in attachable(without.machine) if each >= wanted), default=None)
    if count is not None:
        return without, LocalDisks(count)
    chosen = machine_for(pool, cloud="gcp", title=TITLE, pinned=pinned)
    if isinstance(chosen, Chosen):
        own = chosen.machine.local_ssd_gib
        return (chosen, LocalDisks(own // DISK_GIB)) if own else _no_disks(pool, chosen.machine)
    return chosen


def attachable(machine: Machine) -> tuple[int, ...]:
    """How many disks may be attached to a machine; nothing where none may."""
    for vcpu, counts in _BY_VCPU.get(machine.family, ()):
        if machine.vcpu <= vcpu:
            return counts
    for pattern, counts in _BY_MACHINE:
        if pattern.fullmatch(machine.machine_type):
            return counts
    return ()


def _no_disks(pool: NodePool, machine: Machine) -> Diagnostic:
    counts = attachable(machine)
    return Diagnostic(
        code="PLN305",
        message=f"`{machine.machine_type}` takes no `{pool.local_ssd}` of local disks",
        help=f"it takes `{counts[-1] * DISK_GIB}Gi` at most"
        if counts
        else "leave out `localSsd`, or name another machine: `n2d-standard-8`",
        path=pool.said_path("local_ssd"),
    )
