"""The machine of a pool: the one that its shape picks, the one that is pinned, or why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from plinth.catalog.machines import (
    CLOUDS,
    Ask,
    Choice,
    Machine,
    NoMatch,
    by_name,
    choose,
    device_resource,
    has_device,
    machines,
)
from plinth.catalog.mig import mig_profiles
from plinth.diagnostics.diagnostic import Diagnostic, Related
from plinth.diagnostics.suggest import did_you_mean
from plinth.ir.pools import GPU_RESOURCE
from plinth.spec.pools import memory_gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plinth.spec.pools import Accelerator, Gpu, NodePool
    from plinth.spec.section import Section


class Chosen(Struct, frozen=True):
    """A pool's machine, and the next in rank: what a spot pool may fall back on."""

    machine: Machine
    runners_up: tuple[Machine, ...] = ()


def machine_for(pool: NodePool, *, cloud: str, title: str, pinned: str | None) -> Chosen | Diagnostic:
    """The machine of a pool on a cloud, or the fault of asking for what is not rented there.

    Args:
        pool: What is asked for.
        cloud: The cloud's name in the catalogue and in `machine`.
        title: What people call the cloud.
        pinned: The machine that the lock has for the pool. It stays as long as it is what is asked for.
    """
    chosen = _machine(pool, cloud, title, pinned)
    if isinstance(chosen, Diagnostic):
        return chosen
    return _sharing_fault(pool, chosen.machine) or chosen


def gpu_resource(pool: NodePool, cloud: str) -> str:
    """What a pod asks for to get one of a pool's GPUs, whichever machine is chosen for the pool.

    A machine that is named decides, then a model. Without either the choice is among NVIDIA's GPUs.
    """
    name: str | None = getattr(pool.machine, cloud) if pool.machine else None
    named = _named(pool, cloud, name) if name else None
    if named and named.is_gpu and named.device_resource:
        return named.device_resource
    return resource_of_model(pool.gpu.model if pool.gpu else None)


def resource_of_model(model: str | None) -> str:
    """The same where nothing but the model of a device is known, or not even that."""
    return (device_resource(model) if model else None) or GPU_RESOURCE


def _machine(pool: NodePool, cloud: str, title: str, pinned: str | None) -> Chosen | Diagnostic:
    name: str | None = getattr(pool.machine, cloud) if pool.machine else None
    if name:
        named = _named(pool, cloud, name)
        if named is None:
            return _unknown_machine(pool, cloud, title, name)
        return _named_fault(pool, named) or Chosen(named)
    ask = _ask(pool, cloud)
    if pinned is not None and (machine := by_name(cloud, pinned)) and _fits(ask, machine):
        return Chosen(machine)
    result = choose(ask)
    if isinstance(result, Choice):
        return Chosen(result.machine, result.runners_up)
    return _no_machine(pool, result, title)


def _named(pool: NodePool, cloud: str, name: str) -> Machine | None:
    """The machine of a name; of those with attached accelerators, the one with the pool's."""
    device = pool.gpu or pool.accelerator
    if device:
        for row in machines(cloud):
            if name == row.machine_type and (device.model, device.count) == (row.gpu_model, row.gpu_count):
                return row
    return by_name(cloud, name)


def _ask(pool: NodePool, cloud: str) -> Ask:
    gpu, accelerator = pool.gpu, pool.accelerator
    device = gpu or accelerator
    return Ask(
        cloud=cloud,
        gpu_model=device.model if device else None,
        gpu_count=device.count if device else None,
        gpu_memory_gib=_gib(gpu.memory) if gpu else None,
        oversize=gpu.oversize if gpu else False,
        accelerator=accelerator is not None,
        interconnect=gpu.interconnect if gpu else None,
        rdma=gpu.rdma if gpu else False,
        cpu=pool.cpu,
        memory_gib=_gib(pool.memory),
        arch=pool.arch,
        local_ssd_gib=int(_gib(pool.local_ssd) or 0) or None,
    )


def _gib(text: str | None) -> float | None:
    return float(memory_gib(text)) if text else None


def _fits(ask: Ask, machine: Machine) -> bool:
    """True where a pinned machine still is what the pool asks for, whatever the catalogue prefers today."""
    if ask.gpu_model is not None and machine.gpu_model != ask.gpu_model:
        return False
    wanted = ask.gpu_count or 0
    if not has_device(machine, ask):
        return False
    has_count = machine.gpu_count >= wanted > 0 if ask.oversize else machine.gpu_count == wanted
    return (
        has_count
        and machine.gpu_memory_gib >= (ask.gpu_memory_gib or 0)
        and ask.interconnect in {None, machine.gpu_interconnect}
        and (not ask.rdma or machine.rdma is not None)
        and machine.arch == ask.arch
        and machine.vcpu >= float(ask.cpu or 0)
        and machine.memory_gib >= (ask.memory_gib or 0)
        and (machine.local_ssd_gib or 0) >= (ask.local_ssd_gib or 0)
    )


def _unknown_machine(pool: NodePool, cloud: str, title: str, name: str) -> Diagnostic:
    known = sorted({row.machine_type for row in machines(cloud)})
    section: Section = pool.machine or pool
    return Diagnostic(
        code="PLN305",
        message=f"the catalogue knows no machine `{name}` on {title}",
        help=did_you_mean(name, known, otherwise="ask for a shape instead: `cpu`, `memory`, `gpu`"),
        path=section.said_path(cloud),
    )


def _named_fault(pool: NodePool, machine: Machine) -> Diagnostic | None:
    """What a pool asks of its devices, and the machine that it names has not."""
    device = pool.gpu or pool.accelerator
    if device is None or pool.machine is None:
        return None
    for wanted, is_met, has in _asked_of_devices(pool, device, machine):
        if not is_met:
            return Diagnostic(
                code="PLN305",
                message=f"node pool `{pool.name}` asks for {wanted}, and `{machine.machine_type}` has {has}",
                help="name another machine, or none: then one is chosen that has what the pool asks for",
                path=pool.machine.said_path(machine.cloud),
                related=(Related(message="what it asks for", path=device.spec_path),),
            )
    return None


def _asked_of_devices(
    pool: NodePool, device: Gpu | Accelerator, machine: Machine
) -> Iterator[tuple[str, bool, str]]:
    """What is asked, whether a machine has it, and what it has instead; a share of a GPU counts as one."""
    gpu, count = pool.gpu, machine.accelerator_count
    is_kind = machine.is_gpu == (gpu is not None)
    is_model = device.model is None or device.model == machine.gpu_model
    is_enough = count >= device.count if gpu and gpu.oversize else count == device.count
    kind = "GPU" if machine.is_gpu else "accelerator"
    has = _counted(count, kind, machine.gpu_model) if count else "none"
    yield _devices(pool), is_kind and is_model and is_enough, has
    if gpu and gpu.memory:
        has = f"`{machine.gpu_memory_gib:g}Gi` in each"
        yield f"GPUs of `{gpu.memory}`", machine.gpu_memory_gib >= memory_gib(gpu.memory), has
    if gpu and gpu.interconnect:
        yield f"GPUs joined by `{gpu.interconnect}`", machine.gpu_interconnect == gpu.interconnect, "none"
    if gpu and gpu.rdma:
        yield "RDMA", machine.rdma is not None, "none"


_DEVICE_FIELDS: Final = {
    "gpu_model": "model",
    "gpu_count": "count",
    "gpu_memory_gib": "memory",
    "interconnect": "interconnect",
    "rdma": "rdma",
}
_POOL_FIELDS: Final = {"memory_gib": "memory", "local_ssd_gib": "local_ssd"}


def _no_machine(pool: NodePool, result: NoMatch, title: str) -> Diagnostic:
    near = _nearest(pool, result)
    offered = f", only {', '.join(result.offered)}" if result.offered else ""
    section: Section = pool
    field = _POOL_FIELDS.get(result.constraint, result.constraint)
    device = pool.gpu or pool.accelerator
    if device and result.constraint in _DEVICE_FIELDS:
        section, field = device, _DEVICE_FIELDS[result.constraint]
    path = section.said_path(field) if field in type(section).model_fields else pool.spec_path
    return Diagnostic(
        code="PLN305",
        message=f"{title} sells no machine with {_asked(pool, result)}{offered}",
        help=_way_out(pool, result, near),
        path=path,
    )


def _nearest(pool: NodePool, result: NoMatch) -> str:
    """The machines nearest to what was asked for, on this cloud and on the others."""
    ask = _ask(pool, "")
    near = [machine.shape for machine in result.nearest]
    for cloud, title in CLOUDS.items():
        elsewhere = choose(replace(ask, cloud=cloud))
        if isinstance(elsewhere, Choice):
            near.append(f"{elsewhere.machine.shape} on {title}")
    return " or ".join(near)


def _way_out(pool: NodePool, result: NoMatch, near: str) -> str:
    if result.constraint == "gpu_count" and pool.gpu and not pool.gpu.oversize:
        larger = [machine for machine in result.nearest if machine.gpu_count > pool.gpu.count]
        if larger:
            return f"nearest: {near}; or let pods share a larger one: `oversize: true`"
    return f"nearest: {near}" if near else "see the machines in `docs/machines.md`"


def _asked(pool: NodePool, result: NoMatch) -> str:
    device = pool.gpu or pool.accelerator
    model = f" `{device.model}`" if device and device.model else ""
    count = _devices(pool)
    match result.constraint:
        case "gpu_model" if device:
            return f"{'a GPU' if pool.gpu else 'an accelerator'} called `{device.model}`"
        case "gpu_count":
            return count
        case "gpu_memory_gib" if device:
            return f"GPUs{model} of {result.wanted} each"
        case "interconnect":
            return f"{count} joined by `{result.wanted}`"
        case "rdma":
            return f"{count} that reach those of other nodes by RDMA"
        case "cloud":
            return "such a device" if device else "this shape"
        case constraint:
            words = constraint.removesuffix("_gib").replace("_", " ")
            return f"{words} of {result.wanted} in this shape"


def _devices(pool: NodePool) -> str:
    device = pool.gpu or pool.accelerator
    return _counted(device.count, "GPU" if pool.gpu else "accelerator", device.model) if device else ""


def _counted(count: int, kind: str, model: str | None) -> str:
    return f"{count} {kind}{'s' if count > 1 else ''}{f' `{model}`' if model else ''}"


def _sharing_fault(pool: NodePool, machine: Machine) -> Diagnostic | None:
    sharing = pool.gpu.sharing if pool.gpu else None
    if sharing is None:
        return None
    if machine.is_gpu and machine.device_resource != GPU_RESOURCE:
        return Diagnostic(
            code="PLN322",
            message=f"GPUs `{machine.gpu_model}` are not shared: only NVIDIA's plugin does that",
            help="remove `sharing`: a pod has a whole GPU",
            path=sharing.spec_path,
        )
    if sharing.mig is None:
        return None
    profiles = mig_profiles(machine.gpu_model)
    if sharing.mig in profiles:
        return None
    message = f"a GPU `{machine.gpu_model}` has no MIG profile `{sharing.mig}`"
    if not profiles:
        message = f"a GPU `{machine.gpu_model}` cannot be cut into instances (MIG)"
    return Diagnostic(
        code="PLN322",
        message=message,
        help=f"it has {', '.join(f'`{each}`' for each in profiles)}"
        if profiles
        else "A100, H100, H200 and B200 can; others are shared by `timeSlices` or `mps`",
        path=sharing.said_path("mig"),
    )
