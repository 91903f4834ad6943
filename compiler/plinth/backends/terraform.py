"""Terraform's JSON syntax: one file for a root's settings, one for each type of resource.

A string in JSON is a template to Terraform: what a user wrote is escaped here, once, and only an
`Expression` is not. Settings in the `terraform` block are no templates and are written as they are.

Source: Terraform and OpenTofu, "JSON Configuration Syntax".
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from plinth.backends import Backend
from plinth.ir.fileset import File, FileSet
from plinth.ir.said import Expression, Origin, pointer, settle, show_origins
from plinth.ir.targets import Layer, TerraformBlock, TerraformResource
from plinth.text.emit import json_text

if TYPE_CHECKING:
    from plinth.ir.graph import Graph

LITERAL_KEYS: Final = frozenset({"depends_on", "ignore_changes", "provider", "replace_triggered_by"})
"""Arguments that hold addresses, not templates; where one of these names is that of a block, it is none."""


class Terraform(Backend):
    """`generated/<env>/terraform/<layer>/*.tf.json`."""

    name = "terraform"

    def emit(self, graph: Graph, environment: str) -> FileSet:
        files: dict[str, File] = {}
        for (layer, stem), targets in _by_file(graph).items():
            tree: dict[str, Any] = {}
            origins: dict[str, tuple[Origin, ...]] = {}
            for target in targets:
                _add(target, tree, origins)
            content = json_text(tree).encode()
            path = f"generated/{environment}/terraform/{layer}/{stem}.tf.json"
            files[path] = File(content=content, backend=self.name, origins=show_origins(origins))
        return files


def _by_file(graph: Graph) -> dict[tuple[Layer, str], list[TerraformResource | TerraformBlock]]:
    found: dict[tuple[Layer, str], list[TerraformResource | TerraformBlock]] = defaultdict(list)
    for block in graph.of(TerraformBlock):
        found[block.layer, "main"].append(block)
    for resource in graph.of(TerraformResource):
        found[resource.layer, resource.type].append(resource)
    return dict(sorted(found.items()))


def _add(
    target: TerraformResource | TerraformBlock, tree: dict[str, Any], origins: dict[str, tuple[Origin, ...]]
) -> None:
    if isinstance(target, TerraformResource):
        place: tuple[str, ...] = (target.block, target.type, target.name)
    else:
        place = (target.kind, target.name) if target.name else (target.kind,)
    plain, found = settle(target.arguments, target.origins)
    is_literal = isinstance(target, TerraformBlock) and target.kind == "terraform"
    body = plain if is_literal else _templates(plain)
    level = tree
    for part in place[:-1]:
        level = level.setdefault(part, {})
    level[place[-1]] = body
    for where, some in found.items():
        origins[pointer(*place) + where] = some


def _templates(value: Any) -> Any:
    """Data as Terraform reads it back: text means itself, an expression is evaluated."""
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dict):
        return {
            escape(key): part if key in LITERAL_KEYS and not _is_block(part) else _templates(part)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_templates(part) for part in value]
    return f"${{{value.text}}}" if isinstance(value, Expression) else value


def _is_block(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict) for each in value)


def escape(text: str) -> str:
    """Text that Terraform reads back as it was, whatever it holds."""
    return text.replace("${", "$${").replace("%{", "%%{")


BACKEND = Terraform()
