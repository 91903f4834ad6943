"""From one file to one tree for each environment, before anything is validated.

An environment is a change of the spec: the rules of merging are those of `text.merge`, with two
of our own. Another `provider` replaces all of `cloud`, for nothing of one cloud's section means
anything on another; and `branch` stands for `repository.branch`, which a `null` takes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from plinth.diagnostics.diagnostic import Diagnostic
from plinth.spec.fields import name_fault
from plinth.text.merge import REMOVE_UNKNOWN, REMOVE_WITH_FIELDS, merge

if TYPE_CHECKING:
    from plinth.text.nodes import Node, TextFault

DEFAULT: Final = "default"
"""The name of the only environment of a spec that lists none."""

RESERVED: Final = ("base", "vendor")
"""Folders of `generated/` that are no environment's."""

_CODES: Final = {REMOVE_UNKNOWN: "PLN208", REMOVE_WITH_FIELDS: "PLN208"}


class Tree(Struct, frozen=True):
    """One environment's file, merged, still untyped."""

    environment: str
    node: Node


def split(document: Node) -> tuple[tuple[Tree, ...], tuple[Diagnostic, ...]]:
    """A tree for each environment, in the order of their names, and what is wrong with the changes.

    A document that is no map, or whose spec is none, comes back as it is: validation says so.
    """
    spec = _map(document).get("spec")
    environments = _map(spec).get("environments") if spec else None
    if spec is None or environments is None or environments.value is None:
        base = _with(document, "spec", _without(spec, "environments")) if spec else document
        return (Tree(DEFAULT, base),), ()
    if not isinstance(environments.value, Mapping) or not environments.value:
        return (), (
            Diagnostic(
                code="PLN203",
                message="`environments` is not a map of environments by name",
                help="write `environments: {dev: {}, prod: {...}}`, or leave it out for one environment",
                path=environments.path,
                span=environments.span,
            ),
        )
    base = _without(spec, "environments")
    trees: list[Tree] = []
    faults: list[Diagnostic] = []
    for name, change in sorted(environments.value.items()):
        faults += _name_faults(name, change)
        merged, more = _merged(base, change)
        faults += more
        trees.append(Tree(name, _with(document, "spec", merged)))
    return tuple(trees), tuple(faults)


def _merged(base: Node, change: Node) -> tuple[Node, list[Diagnostic]]:
    if change.value is None:
        return base, []
    if not isinstance(change.value, Mapping):
        return base, [
            Diagnostic(
                code="PLN203",
                message="an environment is a map of what it changes",
                help="write `{}` for an environment that changes nothing",
                path=change.path,
                span=change.span,
            )
        ]
    branch = change.value.get("branch")
    change = _without(change, "branch")
    base = _drop_other_cloud(base, change)
    merged, text_faults = merge(base, change)
    repository = _map(merged).get("repository")
    if branch is not None and repository is not None and isinstance(repository.value, Mapping):
        repository = _without(repository, "branch")
        if branch.value is not None:
            repository = _with(repository, "branch", branch)
        merged = _with(merged, "repository", repository)
    return merged, [_fault(each) for each in text_faults]


def _drop_other_cloud(base: Node, change: Node) -> Node:
    cloud, new = _map(base).get("cloud"), _map(change).get("cloud")
    provider = _map(new).get("provider") if new else None
    if cloud is None or provider is None:
        return base
    before = _map(cloud).get("provider")
    same = before is not None and before.value == provider.value
    return base if same else _without(base, "cloud")


def _name_faults(name: str, change: Node) -> list[Diagnostic]:
    # The name is that of a folder, and part of names in the cluster.
    fault = name_fault(name)
    if name in RESERVED:
        fault = (
            f"an environment cannot be called `{name}`",
            f"`generated/{name}/` is the compiler's own folder; choose another name",
        )
    if fault is None:
        return []
    message, way_out = fault
    return [
        Diagnostic(
            code="PLN206", message=message, help=way_out, path=change.path, at_key=True, span=change.key_span
        )
    ]


def _fault(fault: TextFault) -> Diagnostic:
    return Diagnostic(code=_CODES[fault.kind], message=fault.message, help=fault.help, span=fault.span)


def _map(node: Node | None) -> Mapping[str, Node]:
    return node.value if node is not None and isinstance(node.value, Mapping) else {}


def _with(node: Node, key: str, child: Node) -> Node:
    return replace(node, value={**_map(node), key: child})


def _without(node: Node, key: str) -> Node:
    fields = _map(node)
    if key not in fields:
        return node
    return replace(node, value={name: child for name, child in fields.items() if name != key})
