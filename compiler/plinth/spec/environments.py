"""From one file to one tree for each environment, before anything is validated.

An environment is a change of the spec: the rules of merging are those of `text.merge`, with two
of our own. Another `provider` replaces all of `cloud`, for nothing of one cloud's section means
anything on another; and `branch` stands for `repository.branch`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from plinth.diagnostics.diagnostic import Diagnostic
from plinth.text.merge import merge
from plinth.text.nodes import Node

if TYPE_CHECKING:
    from plinth.text.nodes import TextFault

DEFAULT: Final = "default"
"""The name of the only environment of a spec that lists none."""

RESERVED: Final = ("base", "vendor")
"""Folders of `generated/` that are no environment's."""

_CODES: Final = {"remove-unknown": "PLN208", "remove-with-fields": "PLN208"}


@dataclass(frozen=True, slots=True)
class Tree:
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
    if branch is not None:
        repository = _map(merged).get("repository")
        if repository is not None and isinstance(repository.value, Mapping):
            merged = _with(merged, "repository", _with(repository, "branch", branch))
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
    if name not in RESERVED:
        return []
    return [
        Diagnostic(
            code="PLN206",
            message=f"an environment cannot be called `{name}`",
            help=f"`generated/{name}/` is the compiler's own folder; choose another name",
            path=change.path,
            at_key=True,
            span=change.key_span,
        )
    ]


def _fault(fault: TextFault) -> Diagnostic:
    return Diagnostic(code=_CODES[fault.kind], message=fault.message, help=fault.help, span=fault.span)


def _map(node: Node | None) -> Mapping[str, Node]:
    return node.value if node is not None and isinstance(node.value, Mapping) else {}


def _with(node: Node, key: str, child: Node) -> Node:
    return replace(node, value={**_map(node), key: child})


def _without(node: Node, key: str) -> Node:
    return replace(node, value={name: child for name, child in _map(node).items() if name != key}) if _map(node) else node
