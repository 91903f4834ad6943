"""A spec as it is spoilt: edits within lines, and what must be said of them.

A mutation changes text within its lines, so every line keeps its number and several mutations fit
into one file: `combine` takes those of one stage, for the compiler stops after the first stage that
finds a fault. Which mutations there are is in `mutators`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from plinth.text.nodes import find, read_yaml
from plinth.text.spans import parse_path
from support.leaves import FILE, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from random import Random

    from plinth.text.nodes import Node
    from plinth.text.spans import Span

Kind = Literal["unknown key", "wrong type", "missing", ""]


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters of one line, counted from 0, and what stands in their place."""

    line: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Spoiling:
    """What a mutator wants done, and the line, from 1, that must be named."""

    line: int
    edits: tuple[Edit, ...]
    secret: str = ""
    """What must never be seen again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutator:
    """One kind of fault."""

    name: str
    stage: str
    code: str
    spoil: Callable[[Draft, Random], Spoiling]
    kind: Kind = ""
    """What the JSON Schema must refuse as well."""
    alone: bool = False
    """It hides other faults of its stage, for reading or judging ends there, or is hidden by one."""
    help: str = ""
    """A text that the way out must hold."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A spoilt file."""

    data: bytes
    expected: tuple[tuple[str, int], ...]
    """Code and line of every fault that was put in."""
    mutators: tuple[Mutator, ...]
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """The example as mutators look at it."""

    data: bytes
    lines: Sequence[str] = field(init=False)
    leaves: Mapping[str, Node] = field(init=False)
    document: Node = field(init=False)

    def __post_init__(self) -> None:
        document, faults = read_yaml(self.data, FILE)
        assert document is not None, faults
        for name, value in (
            ("lines", self.data.decode().splitlines()),
            ("leaves", leaves(self.data)),
            ("document", document),
        ):
            object.__setattr__(self, name, value)

    def put(self, leaf: str, text: str) -> Spoiling:
        """The leaf written anew; its own line is at fault."""
        return _spoiling(self.leaves[leaf].span, text)

    def beside(self, leaf: str, text: str) -> Spoiling:
        """More text right behind a leaf: another key of its map in braces, say."""
        span = self.leaves[leaf].span
        return Spoiling(span.line, (Edit(span.line, span.end_column - 1, span.end_column - 1, text),))

    def rename(self, path: str, key: str) -> Spoiling:
        """The key of a path written anew."""
        return _spoiling(self.key(path), key)

    def value(self, path: str, text: str) -> Spoiling:
        """A value of one line, map or list, written anew."""
        return _spoiling(self.node(path).span, text)

    def drop(self, path: str, *, blame: str) -> Spoiling:
        """A key with its value taken away; where the key of `blame` stands is at fault.

        Lines of its own become empty ones.
        """
        key, span = self.key(path), self.node(path).span
        before = self.lines[key.line - 1][: key.column - 1]
        if not before.strip():
            ends = {line: len(self.lines[line - 1]) for line in range(key.line, span.end_line + 1)}
            return Spoiling(self.key(blame).line, tuple(Edit(line, 0, end, "") for line, end in ends.items()))
        start, end = key.column - 1, span.end_column - 1
        if before.endswith(", "):
            start -= len(", ")
        elif self.lines[key.line - 1][end:].startswith(", "):
            end += len(", ")
        return Spoiling(self.key(blame).line, (Edit(key.line, start, end, ""),))

    def append(self, text: str, *, line: int) -> Spoiling:
        """Text at the end of the file."""
        last = len(self.lines)
        return Spoiling(line, (Edit(last, len(self.lines[-1]), len(self.lines[-1]), text),))

    def node(self, path: str) -> Node:
        """The node at a path."""
        node = find(self.document, parse_path(path))
        assert node is not None, path
        return node

    def key(self, path: str) -> Span:
        """Where the key of a path stands; an item of a list has none and stands for itself."""
        node = self.node(path)
        return node.key_span or node.span

    def in_braces(self) -> list[str]:
        """Leaves that are the value of a key in a map of one line, so that another key fits behind them."""
        return [name for name, node in self.leaves.items() if self._follows(node) and not name.endswith("]")]

    def _follows(self, node: Node) -> bool:
        return self.lines[node.span.line - 1][node.span.end_column - 1 :].startswith((",", "}"))


def draw(data: bytes, mutator: Mutator, random: Random) -> Mutation:
    """One mutation of the example, chosen at random among those that a mutator knows."""
    return _mutation(data, ((mutator, mutator.spoil(Draft(data), random)),))


def combine(data: bytes, mutators: Iterable[Mutator], random: Random) -> Mutation:
    """Mutations of several mutators in one file; one that meets an earlier one's line is left out."""
    draft = Draft(data)
    taken: set[int] = set()
    chosen: list[tuple[Mutator, Spoiling]] = []
    for mutator in mutators:
        spoiling = mutator.spoil(draft, random)
        lines = {spoiling.line, *(edit.line for edit in spoiling.edits)}
        if not lines & taken:
            taken |= lines
            chosen.append((mutator, spoiling))
    return _mutation(data, tuple(chosen))


def _mutation(data: bytes, chosen: tuple[tuple[Mutator, Spoiling], ...]) -> Mutation:
    lines = data.decode().splitlines()
    edits = [edit for _, spoiling in chosen for edit in spoiling.edits]
    for edit in sorted(edits, key=lambda edit: (edit.line, edit.start), reverse=True):
        line = lines[edit.line - 1]
        lines[edit.line - 1] = line[: edit.start] + edit.text + line[edit.end :]
    return Mutation(
        # Half a surrogate pair stands for a byte that is no UTF-8.
        data=("\n".join(lines) + "\n").encode(errors="surrogateescape"),
        expected=tuple((mutator.code, spoiling.line) for mutator, spoiling in chosen),
        mutators=tuple(mutator for mutator, _ in chosen),
        secrets=tuple(spoiling.secret for _, spoiling in chosen if spoiling.secret),
    )


def _spoiling(span: Span, text: str) -> Spoiling:
    assert span.line == span.end_line, "a value of one line"
    return Spoiling(span.line, (Edit(span.line, span.column - 1, span.end_column - 1, text),))
