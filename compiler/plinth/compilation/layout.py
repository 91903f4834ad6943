"""How the targets of three layers become one root where a platform wants one.

Layers name each other's things by text, so nothing in one root would say what comes first. A
`terraform_data` that stands for a whole layer does: whatever is in the next layer waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from plinth.ir.said import why
from plinth.ir.targets import LAYERS, TerraformBlock, TerraformResource

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plinth.ir.targets import Layer, Target
    from plinth.spec.platform import Platform


def rooted(targets: Iterable[Target], platform: Platform) -> Iterator[Target]:
    """The targets in the roots that they belong to: as they are, or all in the last one."""
    targets = tuple(targets)
    if platform.layout == "layered":
        yield from targets
        return
    resources = [each for each in targets if isinstance(each, TerraformResource)]
    if not resources:  # nothing is made: a layer of nothing needs no stand-in
        yield from targets
        return
    yield from (_in_last(each) for each in targets if not isinstance(each, TerraformResource))
    for before, layer in zip((None, *LAYERS), LAYERS, strict=False):
        own = [each for each in resources if each.layer == layer]
        barrier = f"terraform_data.{before}" if before else None
        yield from (_in_last(_after(each, barrier)) for each in own)
        if layer != LAYERS[-1]:
            yield _barrier(layer, [each.address for each in own if each.block == "resource"], platform)


def _in_last(target: Target) -> Target:
    is_terraform = isinstance(target, TerraformResource | TerraformBlock)
    return replace(target, layer=LAYERS[-1]) if is_terraform else target


def _after(resource: TerraformResource, barrier: str | None) -> TerraformResource:
    if barrier is None or resource.block == "data":
        return resource
    waits: list[Any] = [*resource.arguments.get("depends_on", ()), barrier]
    return replace(resource, arguments={**resource.arguments, "depends_on": waits})


def _barrier(layer: Layer, addresses: list[str], platform: Platform) -> TerraformResource:
    return TerraformResource(
        layer=LAYERS[-1],
        type="terraform_data",
        name=layer,
        arguments={"depends_on": sorted(addresses)},
        origins=(
            *((path,) if (path := platform.origin("layout")) else ()),
            *why(f"what comes after the {layer} waits for all of it"),
        ),
    )
