"""What types cannot say: names that meet, ranges that overlap, references to nothing.

Each rule looks at one environment's platform and gives its faults; none knows a cloud. Rules over
all environments come last.
"""

from __future__ import annotations

import ipaddress
import itertools
from typing import TYPE_CHECKING, Final

from plinth.diagnostics.diagnostic import Diagnostic, Related
from plinth.diagnostics.suggest import did_you_mean
from plinth.text.source import shown
from plinth.text.spans import show_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from plinth.spec.platform import Network, Platform, Tier
    from plinth.spec.pools import NodePool
    from plinth.spec.section import Section

MOST: Final = {"node_pools": 64, "tiers": 64, "buckets": 100, "admins": 100, "allow": 50}
"""Items of a list. The clouds' own limits are near these; a larger list is a slip."""

SMALLEST_NODES: Final = 29
SMALLEST_PODS: Final = 21
SMALLEST_SERVICES: Final = 27
PODS_PER_NODE_PREFIX: Final = 24
"""Each node takes a /24 of the pods' range."""

_RANGES: Final = ("nodes", "pods", "services", "control_plane")

_PRIVATE: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "240.0.0.0/4")
)


def check_platform(platform: Platform) -> tuple[Diagnostic, ...]:
    """Every fault of one environment."""
    return tuple(fault for rule in _RULES for fault in rule(platform))


def check_environments(platforms: Mapping[str, Platform]) -> tuple[Diagnostic, ...]:
    """Faults that only show between environments: two of them on one cluster."""
    found: list[Diagnostic] = []
    first: dict[tuple[str, ...], str] = {}
    for name, platform in sorted(platforms.items()):
        cluster = platform.cloud.cluster_key()
        other = first.setdefault(cluster, name)
        if other != name:
            cloud = platform.cloud
            path = cloud.origin(cloud.cluster_field) or cloud.spec_path
            found.append(
                Diagnostic(
                    code="PLN307",
                    message=f"environments `{other}` and `{name}` are one cluster: {' '.join(cluster)}",
                    help=f"give `{name}` a `{cloud.key_of(cloud.cluster_field)}` of its own: an environment "
                    "is one cluster, with its own identities, Terraform state and Argo CD",
                    path=path,
                    related=(Related(message=f"`{name}` is here", path=("spec", "environments", name)),),
                )
            )
    return tuple(found)


def _names(platform: Platform) -> Iterator[Diagnostic]:
    lists: tuple[tuple[str, Sequence[Section]], ...] = (
        ("node pool", platform.node_pools),
        ("tier", platform.tiers),
        ("bucket", platform.storage.buckets),
    )
    for what, items in lists:
        seen: dict[str, Section] = {}
        for item in items:
            name = str(getattr(item, "name"))  # noqa: B009 - every item of these lists has one
            if name in seen:
                yield Diagnostic(
                    code="PLN207",
                    message=f"two {what}s are called `{name}`",
                    help="give each its own name, or merge the two",
                    path=item.said_path("name"),
                    # Both have one path: only their places tell them apart.
                    span=item.said_span("name"),
                    related=(Related(message="the first one", span=seen[name].said_span("name")),),
                )
            seen.setdefault(name, item)


def _lengths(platform: Platform) -> Iterator[Diagnostic]:
    lists: tuple[tuple[str, Section, Sequence[object]], ...] = (
        ("node_pools", platform, platform.node_pools),
        ("tiers", platform, platform.tiers),
        ("buckets", platform.storage, platform.storage.buckets),
        ("admins", platform.identity, platform.identity.admins),
        ("allow", platform.network, platform.network.allow),
    )
    for field, section, items in lists:
        if len(items) > MOST[field]:
            yield Diagnostic(
                code="PLN315",
                message=f"{len(items)} items stand in `{section.key_of(field)}`",
                help=f"at most {MOST[field]} are supported",
                path=section.said_path(field),
                at_key=True,
            )


def _ranges(platform: Platform) -> Iterator[Diagnostic]:
    if not platform.cloud.makes_network:
        return
    network = platform.network
    ranges = {field: ipaddress.IPv4Network(getattr(network, field)) for field in _RANGES}
    smallest = {
        "nodes": SMALLEST_NODES,
        "pods": SMALLEST_PODS,
        "services": SMALLEST_SERVICES,
        "control_plane": 28,
    }
    for field, cidr in ranges.items():
        if cidr.prefixlen > smallest[field]:
            yield Diagnostic(
                code="PLN303",
                message=f"`{cidr}` is too small for {_in_words(field)}: {cidr.num_addresses} addresses",
                help=f"give it /{smallest[field]} or more",
                path=network.said_path(field),
            )
        if not any(cidr.subnet_of(private) for private in _PRIVATE):
            yield Diagnostic(
                code="PLN301",
                message=f"`{cidr}` is on the public internet",
                help="use a private range: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10",
                path=network.said_path(field),
            )
    for (one, left), (two, right) in itertools.combinations(ranges.items(), 2):
        if left.overlaps(right):
            # The one that somebody said is the one to change; a default is nobody's doing.
            field = two if network.origin(two) or not network.origin(one) else one
            yield Diagnostic(
                code="PLN302",
                message=f"{_in_words(one)} `{left}` and {_in_words(two)} `{right}` overlap",
                help="give each a range of its own",
                path=network.said_path(field),
                related=(_other_range(network, one if field == two else two),),
            )
    yield from _room_for_pods(platform, ranges["pods"])


def _other_range(network: Network, field: str) -> Related:
    path = network.origin(field)
    if path:
        return Related(message="the other one", path=path)
    return Related(
        message=f"the range of {_in_words(field)} is the default; `{network.key_of(field)}` sets it"
    )


def _in_words(field: str) -> str:
    return field.replace("_", " ")


def _room_for_pods(platform: Platform, pods: ipaddress.IPv4Network) -> Iterator[Diagnostic]:
    wanted = sum(pool.nodes.max for pool in platform.node_pools)
    room = 2 ** max(0, PODS_PER_NODE_PREFIX - pods.prefixlen)
    if pods.prefixlen <= SMALLEST_PODS and wanted > room:
        yield Diagnostic(
            code="PLN303",
            message=f"`{pods}` has pod addresses for {room} nodes, and the pools may grow to {wanted}",
            help=f"give it /{PODS_PER_NODE_PREFIX - (wanted - 1).bit_length()}: "
            f"each node takes a /{PODS_PER_NODE_PREFIX}",
            path=platform.network.said_path("pods"),
        )


def _pools(platform: Platform) -> Iterator[Diagnostic]:
    for pool in platform.node_pools:
        if pool.nodes.min > pool.nodes.max:
            yield Diagnostic(
                code="PLN304",
                message=f"node pool `{pool.name}` has `min` {pool.nodes.min} above `max` {pool.nodes.max}",
                help="raise `max` or lower `min`",
                path=pool.nodes.said_path("min"),
                related=(Related(message="the maximum", path=pool.nodes.said_path("max")),),
            )
        if not (pool.gpu or pool.accelerator or pool.cpu or pool.memory or _names_machine(pool)):
            yield Diagnostic(
                code="PLN202",
                message=f"node pool `{pool.name}` has no shape",
                help="ask for `cpu` and `memory`, or for a `gpu`",
                path=pool.spec_path,
                at_key=True,
            )
        if pool.reservation and pool.capacity != "on-demand":
            yield Diagnostic(
                code="PLN324",
                message=f"node pool `{pool.name}` names a reservation, and its capacity is `{pool.capacity}`",
                help="what is reserved is paid for anyway: leave out `capacity`, or the reservation",
                path=pool.said_path("capacity"),
                related=(Related(message="the reservation", path=pool.said_path("reservation")),),
            )
        yield from _devices(pool)


def _devices(pool: NodePool) -> Iterator[Diagnostic]:
    gpu = pool.gpu
    if gpu and pool.accelerator:
        yield Diagnostic(
            code="PLN202",
            message=f"node pool `{pool.name}` has GPUs and another accelerator",
            help="no machine has both: make two pools of it",
            path=pool.accelerator.spec_path,
            at_key=True,
        )
    if gpu is None:
        return
    if not (gpu.model or gpu.memory or _names_machine(pool)):
        yield Diagnostic(
            code="PLN202",
            message=f"node pool `{pool.name}` does not say which GPU",
            help="name its model, `model: t4`, or the memory that it needs, `memory: 24Gi`",
            path=gpu.spec_path,
            at_key=True,
        )
    if gpu.sharing:
        ways = [field for field in type(gpu.sharing).model_fields if getattr(gpu.sharing, field)]
        if len(ways) != 1:
            said = " and ".join(f"`{type(gpu.sharing).key_of(each)}`" for each in ways)
            yield Diagnostic(
                code="PLN322",
                message=f"node pool `{pool.name}` shares its GPUs by {said}"
                if ways
                else f"node pool `{pool.name}` does not say how its GPUs are shared",
                help="take one of `mig`, `timeSlices` and `mps`; another pool may take another",
                path=gpu.sharing.said_path(ways[-1]) if ways else gpu.sharing.spec_path,
            )


def _names_machine(pool: NodePool) -> bool:
    machine = pool.machine
    return machine is not None and any(getattr(machine, field) for field in type(machine).model_fields)


def _references(platform: Platform) -> Iterator[Diagnostic]:
    pools: dict[str, NodePool] = {pool.name: pool for pool in platform.node_pools}
    for tier in platform.tiers:
        for name in tier.pools:
            if name not in pools:
                yield missing_reference("node pool", name, pools, tier.said_path("pools"))
        if tier.gpu and not tier.pools:
            yield Diagnostic(
                code="PLN202",
                message=f"tier `{tier.name}` has a GPU and no pool that offers one",
                help="name the pools that may run it: `pools: [t4]`",
                path=tier.said_path("gpu"),
                at_key=True,
            )
        for pool in (pools[name] for name in tier.pools if name in pools):
            offered = pool.gpu.count if pool.gpu else 0
            if tier.gpu and not pool.machine and offered < tier.gpu.count:
                yield too_few_gpus(tier, pool, offered, tier.gpu.count)


def too_few_gpus(tier: Tier, pool: NodePool, offered: int, wanted: int) -> Diagnostic:
    """The fault of a tier that no node of one of its pools can run."""
    return Diagnostic(
        code="PLN309",
        message=f"tier `{tier.name}` wants {wanted} GPU{'s' if wanted > 1 else ''}, "
        f"and node pool `{pool.name}` has {offered or 'none'} in a node",
        help="lower the tier's count, or name a pool whose nodes have as many",
        path=tier.said_path("pools"),
        related=(Related(message=f"node pool `{pool.name}`", path=pool.spec_path),),
    )


def _patch_folders(platform: Platform) -> Iterator[Diagnostic]:
    for field in type(platform.components).model_fields:
        section = getattr(platform.components, field)
        for path in section.patches if section else ():
            if not path.startswith("patches/"):
                yield Diagnostic(
                    code="PLN204",
                    message=f"{shown(path)} is not under `patches/`",
                    help="patches are people's files and live in `patches/`; move it there",
                    path=section.said_path("patches"),
                )


def missing_reference(what: str, name: str, known: Iterable[str], path: tuple[str, ...]) -> Diagnostic:
    """The fault of naming something that the platform does not have."""
    names = sorted(known)
    otherwise = (
        f"there are: {', '.join(f'`{each}`' for each in names)}"
        if names
        else f"the platform has no {what} at all"
    )
    return Diagnostic(
        code="PLN306",
        message=f"there is no {what} `{name}` for `{show_path(path)}`",
        help=did_you_mean(name, names, otherwise=otherwise),
        path=path,
    )


_RULES: Final[tuple[Callable[[Platform], Iterator[Diagnostic]], ...]] = (
    _names,
    _lengths,
    _ranges,
    _pools,
    _references,
    _patch_folders,
)
