"""The scalars of a YAML text by name, and the same text with some of them written anew.

    write(data, {"spec.nodePools.t4.nodes.max": "5", "spec.identity.admins[0]": "ml@acme.com"})

A leaf is named by its path, one in a list of scalars by the list's path and its index. Everything
around what is written stays byte for byte, so lines keep their numbers.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from plinth.text.nodes import Node, read_yaml
from plinth.text.spans import SpecPath, show_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FILE: Final = "platform.yaml"


@lru_cache(maxsize=64)
def leaves(data: bytes) -> Mapping[str, Node]:
    """Every scalar by its name, in the order of the text."""
    document, faults = read_yaml(data, FILE)
    assert document is not None, faults
    return MappingProxyType(dict(_leaves(document)))


def write(data: bytes, texts: Mapping[str, str]) -> bytes:
    """The text with these leaves written as given, quotes included.

    Raises:
        KeyError: there is no leaf of this name.
    """
    found = leaves(data)
    lines = data.decode().split("\n")
    # From the end of the text to its start: what is written moves nothing that is still to be found.
    for name in sorted(
        texts, key=lambda name: (found[name].span.line, found[name].span.column), reverse=True
    ):
        span = found[name].span
        line = lines[span.line - 1]
        lines[span.line - 1] = line[: span.column - 1] + texts[name] + line[span.end_column - 1 :]
    return "\n".join(lines).encode()


def origin_of(leaf: str) -> str:
    """The path that a ledger names for a leaf: in a list of scalars the list's own."""
    return leaf.rpartition("[")[0] if leaf.endswith("]") else leaf


def _leaves(node: Node) -> Iterator[tuple[str, Node]]:
    if isinstance(node.value, tuple):
        for index, item in enumerate(node.value):
            if isinstance(item.value, (dict, tuple)):
                yield from _leaves(item)
            else:
                yield f"{_name(node.path)}[{index}]", item
    elif isinstance(node.value, dict):
        for child in node.value.values():
            yield from _leaves(child)
    else:
        yield _name(node.path), node


def _name(path: SpecPath) -> str:
    return show_path(path)
