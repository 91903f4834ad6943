"""A YAML document whose every node knows its place in the file and its path.

Raw YAML stops here: above this floor there are nodes, then types of ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from plinth.text.spans import Span, SpecPath

Scalar = str | int | float | bool | None
JsonValue = Scalar | list["JsonValue"] | dict[str, "JsonValue"]

# What can be wrong with a text: `TextFault.kind`.
SYNTAX = "syntax"
DUPLICATE_KEY = "duplicate-key"
ALIAS = "alias"
TAG = "tag"
MERGE_KEY = "merge-key"
YAML11_BOOLEAN = "yaml11-boolean"
OCTAL = "octal"
NUMBER = "number"
DATE = "date"
KEY = "key"
TOO_LARGE = "too-large"
ENCODING = "encoding"
DOCUMENTS = "documents"
EMPTY = "empty"


class Node(Struct, frozen=True):
    """A value, where it is written, and which part of the document it is.

    In a list, a map with a `name` adds that name to the path, any other map or list its index; a
    scalar there has the path of the list.
    """

    value: Scalar | tuple[Node, ...] | Mapping[str, Node]
    span: Span
    path: SpecPath
    key_span: Span | None = None
    """Where the key stands, for a value in a map."""
    text: str | None = None
    """A scalar as it was written, without quotes: `1.30` is the float 1.3 with the text `1.30`."""


class TextFault(Struct, frozen=True):
    """One thing that is wrong with a text, where, and what to do about it."""

    kind: str
    message: str
    span: Span
    help: str
    related: tuple[tuple[str, Span], ...] = ()
    """Other places, each with what is to be seen there."""


class Limits(Struct, frozen=True):
    """The largest document that is read; the defaults leave a platform of thousands of lines room.

    A few hundred levels is the most that `depth` may be: the tree is walked recursively.
    """

    bytes: int = 1024 * 1024
    depth: int = 32
    nodes: int = 20_000
    scalar: int = 64 * 1024
    """The longest scalar, in characters."""


_LIMITS: Final = Limits()


def read_yaml(
    data: bytes,
    file: str,
    limits: Limits = _LIMITS,
) -> tuple[Node | None, tuple[TextFault, ...]]:
    """Read one document of YAML 1.2's core schema; never raises, whatever the bytes.

    Scalars that YAML 1.1 and 1.2 readers take for different values are refused, not guessed.

    Returns:
        The document, and its faults in the order of the text. With faults the document is only a
        best guess, for finding more of them; it is `None` where reading had to end early.

    Source: YAML 1.2.2, "Core Schema"; YAML 1.1 type repository.
    """
    # Here, because the parser costs more start-up time than everything else on this floor.
    from plinth.text.reading import read  # noqa: PLC0415  see above

    return read(data, file, limits)


def is_map(node: Node) -> bool:
    """Whether it has keys."""
    return isinstance(node.value, Mapping)


def is_list(node: Node) -> bool:
    """Whether it has items."""
    return isinstance(node.value, tuple)


def plain(node: Node) -> JsonValue:
    """The value without places: what `json.loads` could have returned."""
    if isinstance(node.value, Mapping):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(item) for item in node.value]
    return node.value


def find(node: Node, path: SpecPath) -> Node | None:
    """The node at a path, counted from `node`; the first, where two items share a name.

    A scalar in a list has no path of its own: the list is what is found.
    """
    for part in path:
        found = _step(node, part)
        if found is None:
            return None
        node = found
    return node


def walk(node: Node) -> Iterator[Node]:
    """Every node, parents before children, in the order of the text."""
    rest = [node]
    while rest:
        node = rest.pop()
        yield node
        if isinstance(node.value, Mapping):
            rest.extend(reversed(tuple(node.value.values())))
        elif isinstance(node.value, tuple):
            rest.extend(reversed(node.value))


def _step(node: Node, part: str) -> Node | None:
    if isinstance(node.value, Mapping):
        return node.value.get(part)
    if isinstance(node.value, tuple):
        for item in node.value:
            # An item was given its part of the path when it was read; scalars were given none.
            if (is_map(item) or is_list(item)) and item.path and item.path[-1] == part:
                return item
    return None
