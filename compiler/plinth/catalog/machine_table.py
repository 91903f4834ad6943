"""The machines that clouds rent, with their prices on a given day.

One row a machine and reference region. A price is the on-demand or spot price of that region on
`as_of`; it ranks machines and estimates costs, and is never fetched while compiling. Spot prices
age within weeks.

Source: figures from public tables of karpenter-provider-{aws,azure,gcp}, kubernetes/autoscaler,
Cyclenerd's Google Cloud lists, spotinfo, gpuhunt and skypilot-catalog; `price_confidence` and
`spot_basis` say how far each can be trusted.
"""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.catalog import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

DATA: Final = Path(__file__).parent / "machines.json"

CLOUDS: Final = {"gcp": "Google Cloud", "aws": "AWS", "azure": "Azure"}
"""The clouds whose machines are listed, with what people call them."""

GPU_RESOURCES: Final = ("nvidia.com/gpu", "amd.com/gpu")
"""What a GPU is to Kubernetes. TPUs, Trainium and Inferentia are other devices, with other images."""

# One name, two sizes of memory: the catalogue's model alone does not say which GPU it is.
_MODELS_BY_MEMORY: Final = ("A100", "H100", "V100")

_GPU_COUNTS: Final = frozenset({0.125, 0.25, 0.1667, 0.3333, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0})
_MEMORY_PER_VCPU: Final = (0.5, 40)
_PRICE_SPREAD: Final = 3
# Beyond this a machine's price is its processors', and says nothing of its GPU.
_VCPUS_PER_GPU: Final = 48

# Where no measured figure exists: what system and kubelet leave of a machine, rounded down.
_USABLE_CPU: Final = Decimal("0.90")
_USABLE_MEMORY: Final = Decimal("0.86")
# What the daemons of a platform take on every node: GPU driver, metrics, logs.
_DAEMONS_CPU_M: Final = 300
_DAEMONS_MEMORY_MIB: Final = 1024

_LEGACY_FAMILIES: Final = frozenset({"p3", "p3dn", "g3", "NCs_v3", "NCrs_v3", "NDrs_v2"})
_LEGACY_ATTACHED: Final = frozenset({"p100", "v100-16gb"})
_BURSTABLE: Final = re.compile(r"t\d[a-z]*\.|e2-(micro|small|medium)$|Standard_B\d")


class Machine(Struct, frozen=True, kw_only=True):
    """A machine that a cloud rents, accelerators included."""

    cloud: str
    region: str
    """The region whose prices these are."""
    name: str
    """The catalogue's name: the machine type, and `+accelerator:count` where one is attached."""
    vcpu: int
    memory_gib: float
    gpu_model: str | None
    """As a spec writes it: `t4`, `a100-80gb`."""
    gpu_count: float
    """Below 1 where the machine holds a share of one GPU. Chips, for TPUs and Trainium."""
    gpu_memory_gib: float
    """Nominal, of one GPU or of the share."""
    local_ssd_gib: int | None
    """Part of the machine; None where unknown."""
    network_gbps: float | None
    on_demand_usd_h: Decimal | None
    spot_usd_h: Decimal | None
    as_of: date | None
    """The day of the on-demand price."""
    arch: str
    gpu_interconnect: str | None
    rdma: str | None
    gke_accelerator_label: str | None
    device_resource: str | None
    """The resource that pods ask for, e.g. `nvidia.com/gpu`."""
    is_fractional: bool
    alloc_cpu_m: int | None
    """Measured allocatable, before daemons; None where nobody has measured."""
    alloc_memory_mib: int | None
    spot_interruption_band: str | None
    spot_basis: str
    price_confidence: str

    @property
    def machine_type(self) -> str:
        """What the cloud calls the machine, without what is attached to it."""
        return self.name.partition("+")[0]

    @property
    def accelerator(self) -> str | None:
        """Google's name of the accelerator, attached or built in."""
        return self.gke_accelerator_label

    @property
    def accelerator_count(self) -> int:
        """How many devices a node shows; a share of one shows as one."""
        return max(1, int(self.gpu_count)) if self.gpu_count else 0

    @property
    def shape(self) -> str:
        """What it is in a few words: `n1-standard-4 with 1 t4`."""
        gpus = f" with {self.gpu_count:g} {self.gpu_model}" if self.gpu_model else ""
        return f"{self.machine_type}{gpus} ({self.vcpu} vCPU, {self.memory_gib:g} GiB)"

    @property
    def is_gpu(self) -> bool:
        """It has GPUs, rather than no accelerator or one of another kind."""
        return self.device_resource in GPU_RESOURCES

    @property
    def family(self) -> str:
        """The series without the size: `n2d`, `m7i`, `Das_v5`, `NCas_T4_v3`."""
        return _family(self.cloud, self.name)

    @property
    def generation(self) -> int:
        """The number in the family's name: 7 for `m7i`, 5 for `Das_v5`; 1 where it has none."""
        return _generation(self.cloud, self.family)

    @property
    def is_metal(self) -> bool:
        """A whole server without a hypervisor: slow to start, and rarely in stock."""
        return self.name.endswith(".metal")

    @property
    def is_burstable(self) -> bool:
        """It runs at full speed only for a while."""
        return _BURSTABLE.match(self.name) is not None

    @property
    def is_legacy(self) -> bool:
        """Its cloud is withdrawing it."""
        is_attached = self.family == "n1" and self.gpu_model in _LEGACY_ATTACHED
        return is_attached or self.family in _LEGACY_FAMILIES

    @property
    def usable_cpu_m(self) -> int:
        """Millicores that pods can request on a node, system and platform daemons taken off."""
        measured = self.alloc_cpu_m
        return (int(self.vcpu * 1000 * _USABLE_CPU) if measured is None else measured) - _DAEMONS_CPU_M

    @property
    def usable_memory_mib(self) -> int:
        """MiB that pods can request on a node, system and platform daemons taken off."""
        measured = self.alloc_memory_mib
        estimate = int(Decimal(str(self.memory_gib)) * 1024 * _USABLE_MEMORY)
        return (estimate if measured is None else measured) - _DAEMONS_MEMORY_MIB


@cache
def _family(cloud: str, name: str) -> str:
    # Every machine of a cloud is looked at for every pool: what its name tells is found out once.
    if cloud == "azure":
        return re.sub(r"^Standard_([A-Z]+)\d+", r"\1", name)
    return re.split(r"[-.]", name, maxsplit=1)[0]


@cache
def _generation(cloud: str, family: str) -> int:
    match = re.search(r"_v(\d+)$" if cloud == "azure" else r"(\d+)", family)
    return int(match[1]) if match else 1


def machines(cloud: str) -> tuple[Machine, ...]:
    """All machines of a cloud, in the order of their names; empty where none are known.

    Raises:
        CatalogError: the data is broken; the message names the row.
    """
    return _by_cloud().get(cloud, ())


def gpu_models(cloud: str) -> tuple[str, ...]:
    """The GPUs that a cloud rents whole, as a spec names them, sorted."""
    rows = machines(cloud)
    return tuple(
        sorted({row.gpu_model for row in rows if row.gpu_model and row.is_gpu and not row.is_fractional})
    )


def read_machines(rows: Iterable[Mapping[str, Any]]) -> tuple[Machine, ...]:
    """Rows as JSON holds them, checked; in the order of cloud and name.

    Raises:
        CatalogError: a row is broken, or contradicts the others.
    """
    found = [_machine(row) for row in rows]
    for machine in found:
        _check_row(machine)
    _check_names(found)
    _check_gpu_prices(found)
    return tuple(sorted(found, key=lambda machine: (machine.cloud, machine.name)))


@cache
def _by_cloud() -> Mapping[str, tuple[Machine, ...]]:
    data = json.loads(DATA.read_bytes(), parse_float=Decimal)
    rows = read_machines(data["machines"])
    return {cloud: tuple(row for row in rows if row.cloud == cloud) for cloud in {row.cloud for row in rows}}


def _machine(row: Mapping[str, Any]) -> Machine:
    try:
        return Machine(
            cloud=row["cloud"],
            region=row["region"],
            name=row["machine"],
            vcpu=int(row["vcpu"]),
            memory_gib=float(row["memory_gib"]),
            gpu_model=_gpu_name(row),
            gpu_count=float(row["gpu_count"]),
            gpu_memory_gib=float(row.get("gpu_memory_gib", 0)),
            local_ssd_gib=row.get("local_ssd_gib"),
            network_gbps=float(row["network_gbps"]) if "network_gbps" in row else None,
            on_demand_usd_h=_price(row, "on_demand_usd_h"),
            spot_usd_h=_price(row, "spot_usd_h"),
            as_of=date.fromisoformat(row["as_of"]) if "as_of" in row else None,
            arch=row["arch"],
            gpu_interconnect=row.get("gpu_interconnect"),
            rdma=row.get("rdma"),
            gke_accelerator_label=row.get("gke_accelerator_label"),
            device_resource=row.get("device_resource"),
            is_fractional=bool(row["fractional_gpu"]),
            alloc_cpu_m=row.get("alloc_cpu_m"),
            alloc_memory_mib=row.get("alloc_memory_mib"),
            spot_interruption_band=row.get("spot_interruption_band"),
            spot_basis=row["spot_basis"],
            price_confidence=row["price_confidence"],
        )
    except (KeyError, TypeError, ValueError) as error:
        place = f"{row.get('cloud')} {row.get('machine')}"
        raise CatalogError(f"machines: {place}: a column is missing or malformed: {error!r}") from error


def _gpu_name(row: Mapping[str, Any]) -> str | None:
    model: str | None = row.get("gpu_model")
    if model in _MODELS_BY_MEMORY:
        return f"{model.lower()}-{row['gpu_memory_gib']}gb"
    return model.lower() if model else None


def _price(row: Mapping[str, Any], column: str) -> Decimal | None:
    return Decimal(str(row[column])) if column in row else None


def _check_row(machine: Machine) -> None:
    place = f"machines: {machine.cloud} {machine.name}"
    on_demand, spot = machine.on_demand_usd_h, machine.spot_usd_h
    if on_demand is not None and spot is not None and spot > on_demand:
        raise CatalogError(f"{place}: spot {spot} is above on-demand {on_demand}")
    # Chips of other kinds come in other numbers: 12 Inferentia in one machine.
    if machine.is_gpu and round(machine.gpu_count, 4) not in _GPU_COUNTS:
        raise CatalogError(f"{place}: nobody sells {machine.gpu_count:g} GPUs in one machine")
    low, high = _MEMORY_PER_VCPU
    if not low <= machine.memory_gib / machine.vcpu <= high:
        raise CatalogError(f"{place}: {machine.memory_gib:g} GiB for {machine.vcpu} vCPUs is implausible")


def _check_names(found: Sequence[Machine]) -> None:
    seen: set[tuple[str, str]] = set()
    for machine in found:
        if (machine.cloud, machine.name) in seen:
            raise CatalogError(f"machines: {machine.cloud} {machine.name} is there twice")
        seen.add((machine.cloud, machine.name))


def _check_gpu_prices(found: Sequence[Machine]) -> None:
    """A GPU-hour costs about the same on every machine and cloud, or a figure is wrong."""
    prices: dict[str, list[tuple[Decimal, Machine]]] = {}
    for machine in found:
        if machine.gpu_model is not None and machine.on_demand_usd_h is not None:
            price = machine.on_demand_usd_h / Decimal(str(machine.gpu_count))
            prices.setdefault(machine.gpu_model, []).append((price, machine))
    for model, rows in prices.items():
        usual = sorted(price for price, _ in rows)[len(rows) // 2]
        for price, machine in rows:
            is_dear = price > usual * _PRICE_SPREAD and machine.vcpu <= _VCPUS_PER_GPU * machine.gpu_count
            if is_dear or price < usual / _PRICE_SPREAD:
                said = f"{price:.2f} USD for a {model} an hour, where {usual:.2f} is usual"
                raise CatalogError(f"machines: {machine.cloud} {machine.name}: {said}")
