"""The platform drawn: what comes before what, from the Terraform roots to the last Application."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING, Any, get_args

from plinth.ir.targets import Application, Layer, TerraformResource

if TYPE_CHECKING:
    from plinth.ir.graph import Graph


def as_data(graph: Graph) -> dict[str, Any]:
    """`{"roots": [{"layer", "resources"}], "applications": [{"name", "wave", "needs", "namespace"}]}`."""
    counts: dict[str, int] = defaultdict(int)
    for resource in graph.of(TerraformResource):
        counts[resource.layer] += 1
    present = {each.name for each in graph.of(Application)}
    return {
        "roots": [{"layer": layer, "resources": counts[layer]} for layer in get_args(Layer) if counts[layer]],
        "applications": [
            {
                "name": each.name,
                "wave": each.wave,
                "needs": sorted(present.intersection(each.needs)),
                "namespace": each.namespace,
            }
            for each in sorted(graph.of(Application), key=lambda each: (each.wave, each.name))
        ],
    }


def as_text(name: str, data: dict[str, Any]) -> str:
    """The order as a list: roots first, then a line for each wave."""
    lines = [name]
    for index, root in enumerate(data["roots"], start=1):
        lines.append(f"  terraform {index}  {root['layer']} ({root['resources']} resources)")
    waves: dict[int, list[str]] = defaultdict(list)
    for each in data["applications"]:
        needs = f" (after {', '.join(each['needs'])})" if each["needs"] else ""
        waves[each["wave"]].append(each["name"] + needs)
    for wave, names in sorted(waves.items()):
        lines += [f"  wave {wave}       {names[0]}", *(f"               {each}" for each in names[1:])]
    return "\n".join(lines) + "\n"


def as_mermaid(name: str, data: dict[str, Any]) -> str:
    """The same as a flow chart that git hosts draw in Markdown."""
    lines = ["flowchart LR", f'  subgraph {_id(name)}["{name}"]']
    roots = [f"{_id(name)}_{root['layer']}" for root in data["roots"]]
    lines += [
        f'    {node}["terraform: {root["layer"]}"]' for node, root in zip(roots, data["roots"], strict=True)
    ]
    lines += [f"    {one} --> {two}" for one, two in itertools.pairwise(roots)]
    for each in data["applications"]:
        node = f"{_id(name)}_{_id(each['name'])}"
        lines.append(f'    {node}("{each["name"]}")')
        lines += [f"    {_id(name)}_{_id(need)} --> {node}" for need in each["needs"]]
        if not each["needs"] and roots:
            lines.append(f"    {roots[-1]} --> {node}")
    return "\n".join([*lines, "  end"]) + "\n"


def _id(name: str) -> str:
    # Names are DNS labels; a bare `end` would close the sub-graph.
    return "n_" + name.replace("-", "_")
