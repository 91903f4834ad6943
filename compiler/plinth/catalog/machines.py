"""The rule that picks a machine for a shape.

A person asks for a GPU, CPU and memory; this picks what a cloud rents. The answer depends on
the ask and on the catalogue alone: not on the order of rows, on a clock or on spot prices, which
halve and double within weeks. A lock file pins it, so that new prices move nobody's node pool.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from plinth.catalog.machine_table import CLOUDS, Machine, gpu_models, machines, read_machines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

__all__ = [
    "CLOUDS",
    "Ask",
    "Choice",
    "Machine",
    "NoMatch",
    "choose",
    "choose_from",
    "gpu_models",
    "has_device",
    "machines",
    "read_machines",
]

# Families of the same rank serve different purposes; among them the price decides.
_PREFERENCE: Final[Mapping[str, Mapping[str, int]]] = {
    "gcp": {"n2d": 0, "n2": 1, "e2": 2, "g2": 0, "a2": 0, "a3": 0},
    "aws": {"m7i": 0, "m6i": 1, "r7i": 0, "c7i": 0, "g6": 0, "g5": 1, "g4dn": 2, "p4d": 0, "p5": 0},
    "azure": {"Das_v5": 0, "Ds_v5": 1, "Eas_v5": 0, "NCas_T4_v3": 0, "NCads_A100_v4": 0},
}
_UNRANKED: Final = 9
_NEAREST: Final = 2


class Ask(Struct, frozen=True, kw_only=True):
    """A shape, and what a machine must have beside it; None and `()` leave a thing open."""

    cloud: str
    gpu_model: str | None = None
    """As a spec writes it. Without it, `gpu_count` means any NVIDIA GPU."""
    gpu_count: int | None = None
    """Exactly so many whole GPUs; 1 where only a model or a memory is named."""
    gpu_memory_gib: float | None = None
    """Memory of one GPU as it is sold, at least."""
    oversize: bool = False
    """Where no machine has so few GPUs, the next larger count will do."""
    accelerator: bool = False
    """Model and count are those of an accelerator that is no GPU: a TPU, Trainium, Inferentia."""
    cpu: Decimal | float | None = None
    """Cores, at least."""
    memory_gib: float | None = None
    """At least."""
    nominal: bool = True
    """True where cpu and memory are a machine's printed size, as for a pool; False where they
    are what pods request, as for a tier, so that system and daemons must fit beside them."""
    arch: str = "amd64"
    interconnect: str | None = None
    """The link between the GPUs of one machine: `nvlink`, `nvlink-bridge`, `pcie`."""
    rdma: bool = False
    """GPUs of different machines reach each other's memory over the network."""
    local_ssd_gib: int | None = None
    """At least, part of the machine."""
    burstable: bool = False
    """Machines that hold full speed only for a while are welcome."""
    family: tuple[str, ...] = ()
    """Only these families, the first preferred; a legacy family must be named to be picked."""


class Choice(Struct, frozen=True):
    """The machine that the rule picks."""

    machine: Machine
    runners_up: tuple[Machine, ...]
    """The next in rank, two at most: what a spot pool may fall back on."""


class NoMatch(Struct, frozen=True):
    """Nothing that the cloud rents has the shape."""

    constraint: str
    """The field of `Ask` that leaves nothing of what all fields before it allow; `cloud` where that
    rents nothing of the kind at all."""
    wanted: str
    offered: tuple[str, ...]
    """What that field could be: numbers from small to large, names with the likeliest first."""
    nearest: tuple[Machine, ...]
    """Machines that differ from the ask least in that field, two at most."""


@cache
def choose(ask: Ask) -> Choice | NoMatch:
    """Pick a machine, or say which part of the ask cannot be met.

    Never picked, whatever the shape: shares of a GPU and bare metal. Who wants one names the machine.
    """
    return choose_from(machines(ask.cloud), ask)


def by_name(cloud: str, name: str) -> Machine | None:
    """A machine by the catalogue's name or by the cloud's own type, None where it is not known.

    Of a type that accelerators are attached to, it is the one without.
    """
    found = [row for row in machines(cloud) if name in {row.name, row.machine_type}]
    return min(found, key=lambda row: (row.name != name, row.gpu_count, row.name), default=None)


def device_resource(model: str) -> str | None:
    """The resource by which pods ask for a device of a model, None where no cloud rents it."""
    rows = (row for cloud in CLOUDS for row in machines(cloud))
    return next((row.device_resource for row in rows if row.gpu_model == model), None)


def choose_from(rows: Sequence[Machine], ask: Ask) -> Choice | NoMatch:
    """`choose` among given machines."""
    left = sorted((row for row in rows if _is_candidate(row, ask)), key=lambda row: _rank(row, ask))
    if not left:
        return NoMatch("cloud", ask.cloud, (), ())
    for narrow in (_by_model, _by_gpu_memory, _by_count, _by_name, _by_size):
        answer = narrow(left, ask)
        if isinstance(answer, NoMatch):
            return answer
        left = answer
    return Choice(left[0], tuple(left[1 : 1 + _NEAREST]))


def _is_candidate(row: Machine, ask: Ask) -> bool:
    """Nothing speaks against the machine but its shape."""
    is_named = row.family in ask.family or (ask.gpu_model is not None and ask.gpu_model == row.gpu_model)
    return (
        row.cloud == ask.cloud
        and not (row.is_metal or row.is_fractional)
        and (ask.burstable or not row.is_burstable)
        and (is_named or not row.is_legacy)
        and has_device(row, ask)
    )


def has_device(row: Machine, ask: Ask) -> bool:
    """It has a device of the kind that is asked for, of whatever model; none where none is asked for."""
    if ask.accelerator:
        return row.gpu_count > 0 and not row.is_gpu
    if ask.gpu_model is not None:
        return row.is_gpu
    if ask.gpu_count or ask.gpu_memory_gib:
        # Images are built for one maker's devices; without a model, for the common one's.
        return row.device_resource == "nvidia.com/gpu"
    return row.gpu_count == 0


def _rank(row: Machine, ask: Ask) -> tuple[int, bool, Decimal | int, int, int, float, str]:
    """A total order: names are unique within a cloud."""
    if row.family in ask.family:
        preference = ask.family.index(row.family)
    elif row.cloud == "azure" and row.family.startswith("ND"):
        preference = 0
    else:
        preference = _PREFERENCE.get(row.cloud, {}).get(row.family, _UNRANKED)
    price = row.on_demand_usd_h
    return preference, price is None, price or 0, -row.generation, row.vcpu, row.memory_gib, row.name


def _by_model(left: list[Machine], ask: Ask) -> list[Machine] | NoMatch:
    model = ask.gpu_model
    if model is None:
        return left
    found = [row for row in left if row.gpu_model == model]
    if found:
        return found
    offered = _likeliest(model, {row.gpu_model for row in left if row.gpu_model})
    nearest = [next(row for row in left if row.gpu_model == name) for name in offered[:_NEAREST]]
    return NoMatch("gpu_model", model, offered, tuple(nearest))


def _by_gpu_memory(left: list[Machine], ask: Ask) -> list[Machine] | NoMatch:
    wanted = ask.gpu_memory_gib
    if wanted is None:
        return left
    found = [row for row in left if row.gpu_memory_gib >= wanted]
    if found:
        return found
    offered = [f"{size:g}Gi" for size in sorted({row.gpu_memory_gib for row in left})]
    nearest = sorted(left, key=lambda row: -row.gpu_memory_gib)[:_NEAREST]
    return NoMatch("gpu_memory_gib", f"{wanted:g}Gi", tuple(offered), tuple(nearest))


def _by_count(left: list[Machine], ask: Ask) -> list[Machine] | NoMatch:
    if ask.gpu_model is None and not ask.gpu_count and ask.gpu_memory_gib is None:
        return left
    count = ask.gpu_count or 1
    found = [row for row in left if row.gpu_count == count]
    if found:
        return found
    counts = sorted({int(row.gpu_count) for row in left})
    larger = [each for each in counts if each > count]
    if ask.oversize and larger:
        return [row for row in left if row.gpu_count == larger[0]]
    near = [*[n for n in counts if n < count][-1:], *[n for n in counts if n > count][:1]]
    nearest = [next(row for row in left if row.gpu_count == n) for n in near]
    return NoMatch("gpu_count", str(count), tuple(map(str, counts)), tuple(nearest))


def _by_name(left: list[Machine], ask: Ask) -> list[Machine] | NoMatch:
    """What a machine has or has not: architecture, family, link between GPUs."""
    link = (ask.interconnect,) if ask.interconnect else ()
    names: list[tuple[str, tuple[str, ...], Callable[[Machine], str | None]]] = [
        ("arch", (ask.arch,), lambda row: row.arch),
        ("family", ask.family, lambda row: row.family),
        ("interconnect", link, lambda row: row.gpu_interconnect),
        ("rdma", ("rdma",) if ask.rdma else (), lambda row: "rdma" if row.rdma else None),
    ]
    for constraint, wanted, value in names:
        found = [row for row in left if not wanted or value(row) in wanted]
        if not found:
            said = ", ".join(wanted)
            offered = _likeliest(said, {text for row in left if (text := value(row))})
            return NoMatch(constraint, said, offered, tuple(left[:_NEAREST]))
        left = found
    return left


def _by_size(left: list[Machine], ask: Ask) -> list[Machine] | NoMatch:
    """What a machine has enough of, measured as the ask measures it."""
    sizes: list[tuple[str, float | None, str, Callable[[Machine], float]]] = [
        ("local_ssd_gib", ask.local_ssd_gib, "Gi", lambda row: row.local_ssd_gib or 0),
        ("cpu", None if ask.cpu is None else float(ask.cpu), "", lambda row: _cpu(row, ask)),
        ("memory_gib", ask.memory_gib, "Gi", lambda row: _memory_gib(row, ask)),
    ]
    for constraint, wanted, unit, value in sizes:
        if wanted is None:
            continue
        found = [row for row in left if value(row) >= wanted]
        if not found:
            offered = [f"{size:g}{unit}" for size in sorted({value(row) for row in left})]
            nearest = sorted(left, key=lambda row: -value(row))[:_NEAREST]
            return NoMatch(constraint, f"{wanted:g}{unit}", tuple(offered), tuple(nearest))
        left = found
    return left


def _cpu(row: Machine, ask: Ask) -> float:
    return row.vcpu if ask.nominal else row.usable_cpu_m / 1000


def _memory_gib(row: Machine, ask: Ask) -> float:
    return row.memory_gib if ask.nominal else row.usable_memory_mib / 1024


def _likeliest(word: str, names: set[str]) -> tuple[str, ...]:
    """The names, those first that begin with the word, then those that share most letters with it."""
    letters = Counter(word.lower())

    def order(name: str) -> tuple[bool, float, str]:
        shared = (letters & Counter(name.lower())).total()
        return not name.lower().startswith(word.lower()), -shared / (len(word) + len(name)), name

    return tuple(sorted(names, key=order))
