"""The pools of a platform: the shape of their nodes, how many there are, and how they are rented."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator

from plinth.spec.fields import Count, Memory, Name, refuse, to_bytes
from plinth.spec.section import Section


def memory_gib(text: str) -> Decimal:
    """A checked amount of memory in GiB."""
    return Decimal(to_bytes(text)) / 2**30


class Sharing(Section):
    """How several pods share one GPU; one way for a pool."""

    mig: Annotated[str, Field(pattern=r"^[1-7]g\.[0-9]{1,3}gb$")] | None = Field(
        default=None, description="Every GPU cut into instances of this profile, memory and all: `1g.10gb`."
    )
    time_slices: Annotated[int, Field(ge=2, le=48)] | None = Field(
        default=None, description="Pods that take turns on a GPU; nothing keeps their memory apart."
    )
    mps: Annotated[int, Field(ge=2, le=48)] | None = Field(
        default=None, description="Pods that use a GPU at the same time, each with its part of the memory."
    )


class Gpu(Section):
    """Whole GPUs in every node of a pool."""

    model: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")] | None = Field(
        default=None, description="`t4`, `l4`, `a100-80gb`, ...; any that has the memory where absent."
    )
    memory: Memory | None = Field(default=None, description="Memory of one GPU, at least, as it is sold.")
    count: Annotated[int, Field(ge=1, le=16)] = Field(default=1, description="GPUs in each node.")
    oversize: bool = Field(
        default=False,
        description="Nodes with more GPUs will do where nobody rents as few: pods share a node.",
    )
    interconnect: Literal["nvlink"] | None = Field(
        default=None, description="How the GPUs of a node must be joined."
    )
    rdma: bool = Field(
        default=False,
        description="GPUs of different nodes reach each other's memory over the cloud's fast network.",
    )
    sharing: Sharing | None = Field(default=None, description="A GPU for each pod where absent.")


class Accelerator(Section):
    """Accelerators that are no GPUs, in every node of a pool: other devices, other images."""

    model: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")] = Field(
        description="`tpu-v5e`, `trainium1`, `inferentia2`, ..."
    )
    count: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="Chips in each node.")


class Nodes(Section):
    """How many nodes a pool may have, counted over the whole cluster."""

    min: Count = Field(default=0, description="Kept even when idle.")
    max: Annotated[int, Field(ge=1, le=10_000)] = Field(
        description="Never exceeded: the ceiling of the bill."
    )


class Machine(Section):
    """A machine by its own name on each cloud, where the choice by shape is not wanted."""

    gcp: Annotated[str, Field(pattern=r"^[a-z0-9]+-[a-z0-9-]{1,40}$")] | None = Field(
        default=None, description="A Compute Engine machine type: `n2d-standard-4`."
    )
    aws: Annotated[str, Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]{1,20}$")] | None = Field(
        default=None, description="An EC2 instance type: `m7i.xlarge`."
    )
    azure: Annotated[str, Field(pattern=r"^Standard_[A-Za-z0-9_-]{1,40}$")] | None = Field(
        default=None, description="A virtual machine size: `Standard_D4as_v5`."
    )


class NodePool(Section):
    """Identical nodes whose number an autoscaler decides."""

    name: Name
    cpu: Annotated[int, Field(ge=1, le=512)] | None = Field(
        default=None, description="vCPUs of a node, at least."
    )
    memory: Memory | None = Field(default=None, description="Memory of a node, at least.")
    gpu: Gpu | None = Field(default=None, description="GPUs of a node.")
    accelerator: Accelerator | None = Field(
        default=None, description="TPUs, Trainium or Inferentia of a node."
    )
    arch: Literal["amd64", "arm64"] = Field(
        default="amd64", description="What the pool's images are built for."
    )
    local_ssd: Memory | None = Field(
        default=None, description="Scratch space on disks inside the machine, at least."
    )
    machine: Machine | None = Field(default=None, description="Names the machine instead of its shape.")
    capacity: Literal["on-demand", "spot", "spot-then-on-demand", "queued", "flex-start"] = Field(
        default="on-demand",
        description="`spot` is cheap and may be taken away at any time; `spot-then-on-demand` pays the full "
        "price where there is none. On Google Cloud, `queued` waits for all nodes of a job at once, and "
        "`flex-start` for each node, for a week at most.",
    )
    reservation: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,250}$")] | None = Field(
        default=None,
        description="Nodes come out of what was reserved: the reservation's name on Google Cloud, its id "
        "(`cr-...`, of a capacity block as well) on AWS, the id of the reservation group on Azure.",
    )
    nodes: Nodes

    @field_validator("memory")
    @classmethod
    def _at_least_a_gibibyte(cls, text: str | None) -> str | None:
        if text is not None and to_bytes(text) < 2**30:
            refuse("PLN204", f"a node with `{text}` of memory is not sold", "ask for at least `1Gi`")
        return text
