"""Turn the parser's events into nodes, and everything that is wrong into faults.

The events come from PyYAML, through its C parser where that was built. They arrive one by one, so
a bomb of brackets or items is given up at its limit, before it costs anything. A path needs the
`name` of each list item, which may be its last key: the tree is built first, paths are given after.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import yaml
from msgspec import Struct, field

from plinth.text import nodes
from plinth.text.marks import FLATTER, span_of, syntax_fault
from plinth.text.nodes import Limits, Node, Scalar, TextFault
from plinth.text.scalars import Refused, resolve
from plinth.text.source import decode, shown
from plinth.text.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml.events import CollectionStartEvent, Event

    from plinth.text.spans import SpecPath

_SURROGATE = re.compile("[\ud800-\udfff]")


class _Tree(Struct):
    """A node before its path is known."""

    value: Scalar | list[_Tree] | dict[str, _Tree]
    span: Span
    key_span: Span | None = None
    text: str | None = None


class _Open(Struct):
    """A list or a map whose end has not been read; `end_*` is where its last child ended."""

    start: Span
    is_flow: bool
    end_line: int
    end_column: int


class _OpenList(_Open):
    value: list[_Tree] = field(default_factory=list)


class _OpenMap(_Open):
    value: dict[str, _Tree] = field(default_factory=dict)
    awaits_key: bool = True
    key: str | None = None
    """The key whose value is next; none where the key was refused, and its value is dropped."""
    key_span: Span | None = None


class _EndedEarlyError(Exception):
    """A fault after which nothing more can be read."""


def read(data: bytes, file: str, limits: Limits) -> tuple[Node | None, tuple[TextFault, ...]]:
    """See `nodes.read_yaml`."""
    text, faults = decode(data, file, limits)
    if text is None:
        return None, faults
    reader = _Reader(text, file, limits)
    try:
        tree = reader.document()
    except _EndedEarlyError:
        tree = None
    faults = tuple(sorted(reader.faults, key=lambda fault: (fault.span.line, fault.span.column)))
    return (None if tree is None else _placed(tree, ())), faults


def _placed(tree: _Tree, path: SpecPath) -> Node:
    value = tree.value
    if isinstance(value, dict):
        children = {key: _placed(child, (*path, key)) for key, child in value.items()}
        return Node(children, tree.span, path, tree.key_span)
    if isinstance(value, list):
        items = tuple(_placed(item, _item_path(item, index, path)) for index, item in enumerate(value))
        return Node(items, tree.span, path, tree.key_span)
    return Node(value, tree.span, path, tree.key_span, tree.text)


def _item_path(item: _Tree, index: int, path: SpecPath) -> SpecPath:
    if isinstance(item.value, dict):
        name = item.value.get("name")
        if name is not None and isinstance(name.value, str):
            return (*path, name.value)
    return (*path, str(index)) if isinstance(item.value, (dict, list)) else path


class _Reader(Struct):
    text: str
    file: str
    limits: Limits
    faults: list[TextFault] = field(default_factory=list)
    open: list[_OpenList | _OpenMap] = field(default_factory=list)
    root: _Tree | None = None
    nodes: int = 0

    def document(self) -> _Tree | None:
        """The one document, or none where the text holds none."""
        documents = 0
        for event in self._events():
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                self._document_start(event, documents)
            elif isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._start(event)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self._end(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
        if self.root is None or (self.root.value is None and self.root.text == ""):
            start = Span(self.file, 1, 1, 1, 1)
            self._fault(nodes.EMPTY, "the file holds no document", start, "write at least one key")
            return None
        return self.root

    def _events(self) -> Iterator[Event]:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            yield from yaml.parse(self.text, Loader=loader)
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            # The parser in pure Python lets the last two out: `"\UFFFFFFFF"`, `%YAML 1.<5000 digits>`.
            self.faults.append(syntax_fault(error, self.text, self.file))
            raise _EndedEarlyError from None

    def _document_start(self, event: yaml.DocumentStartEvent, documents: int) -> None:
        span = self._span(event)
        if documents > 1:
            self._fault(
                nodes.DOCUMENTS,
                "a second document starts here; one is read",
                span,
                "keep one document in a file, without `---` lines",
            )
            raise _EndedEarlyError
        if event.tags:
            self._tag(span)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        span = self._span(event)
        self._properties(event.anchor, event.tag, span)
        text = event.value
        self._check_scalar(text, span)
        is_plain = not event.style
        top = self.open[-1] if self.open else None
        if isinstance(top, _OpenMap) and top.awaits_key:
            self._key(top, text, span, is_plain=is_plain)
            return
        value = resolve(text) if is_plain and event.tag is None else text
        if isinstance(value, Refused):
            self._fault(value.kind, f"{shown(text)} {value.reason}", span, value.help)
            value = text
        self._attach(_Tree(value, span, text=text))

    def _check_scalar(self, text: str, span: Span) -> None:
        if len(text) > self.limits.scalar:
            self._fault(
                nodes.TOO_LARGE,
                f"this scalar has {len(text)} characters; at most {self.limits.scalar} are read",
                span,
                "keep large texts in files of their own",
            )
        elif not text.isascii() and _SURROGATE.search(text):
            # Only the parser in pure Python lets it through.
            self._fault(
                nodes.ENCODING,
                "half of a surrogate pair is no character",
                span,
                r'write one escape for the whole character: "\U0001F600"',
            )

    def _key(self, top: _OpenMap, text: str, span: Span, *, is_plain: bool) -> None:
        _take_key(top, span)
        if is_plain and text == "<<":
            self._fault(
                nodes.MERGE_KEY,
                "merge keys are not read: YAML 1.2 has none",
                span,
                "write the keys out where they are needed",
            )
        elif is_plain and not isinstance(resolve(text), str):
            what = f"{shown(text)} is no text to some YAML readers" if text else "there is no text"
            self._fault(nodes.KEY, f"a key must be text, and {what}", span, "put the key in quotes")
        elif text in top.value:
            first = top.value[text].key_span
            self._fault(
                nodes.DUPLICATE_KEY,
                f"the key {shown(text)} is given twice",
                span,
                "keep one of the two",
                related=() if first is None else (("it is first given here", first),),
            )
        else:
            top.key = sys.intern(text)

    def _start(self, event: CollectionStartEvent) -> None:
        span = self._span(event)
        self._properties(event.anchor, event.tag, span)
        if len(self.open) >= self.limits.depth:
            self._too_large(f"lists and maps nest deeper than {self.limits.depth} levels here", span)
        kind = _OpenMap if isinstance(event, yaml.MappingStartEvent) else _OpenList
        self.open.append(kind(span, bool(event.flow_style), span.end_line, span.end_column))

    def _end(self, event: Event) -> None:
        done = self.open.pop()
        end_line, end_column = done.end_line, done.end_column
        if done.is_flow:
            # The parser ends a block where the next thing starts; people see it end with its last child.
            span = self._span(event)
            end_line, end_column = span.end_line, span.end_column
        whole = Span(self.file, done.start.line, done.start.column, end_line, end_column)
        top = self.open[-1] if self.open else None
        if isinstance(top, _OpenMap) and top.awaits_key:
            self._fault(nodes.KEY, "this key is a list or a map", whole, "write the key as text")
            _take_key(top, whole)
        else:
            self._attach(_Tree(done.value, whole))

    def _alias(self, event: yaml.AliasEvent) -> None:
        span = self._span(event)
        alias = shown(f"*{event.anchor}")
        self._fault(nodes.ALIAS, f"the alias {alias} is not read", span, "write the value out here")
        top = self.open[-1] if self.open else None
        if isinstance(top, _OpenMap) and top.awaits_key:
            _take_key(top, span)
        else:
            self._attach(_Tree(None, span, text=event.anchor))

    def _attach(self, tree: _Tree) -> None:
        """Put a finished node where it belongs: the root, an item, or the value of a key."""
        if not self.open:
            self.root = tree
            return
        top = self.open[-1]
        if isinstance(top, _OpenList):
            top.value.append(tree)
        else:
            tree.key_span = top.key_span
            if top.key is not None:
                top.value[top.key] = tree
            top.awaits_key = True
        top.end_line, top.end_column = tree.span.end_line, tree.span.end_column

    def _properties(self, anchor: str | None, tag: str | None, span: Span) -> None:
        """What may stand before any value; and there is one value more."""
        self.nodes += 1
        if self.nodes > self.limits.nodes:
            self._too_large(f"the file holds more than {self.limits.nodes} keys and values", span)
        if anchor is not None:
            self._fault(
                nodes.ALIAS,
                f"the anchor {shown(f'&{anchor}')} is not read",
                span,
                "take it away, and write the value out where it is used",
            )
        if tag is not None:
            self._tag(span)

    def _tag(self, span: Span) -> None:
        self._fault(nodes.TAG, "tags are not read", span, "take the tag away; put text in quotes")

    def _too_large(self, message: str, span: Span) -> None:
        self._fault(nodes.TOO_LARGE, message, span, FLATTER)
        raise _EndedEarlyError

    def _fault(
        self, kind: str, message: str, span: Span, way_out: str, related: tuple[tuple[str, Span], ...] = ()
    ) -> None:
        self.faults.append(TextFault(kind, message, span, way_out, related))

    def _span(self, event: Event) -> Span:
        return span_of(event, self.text, self.file)


def _take_key(top: _OpenMap, span: Span) -> None:
    """A key was read; its value is next, and is dropped unless the key is set after this."""
    top.awaits_key, top.key, top.key_span = False, None, span
    top.end_line, top.end_column = span.end_line, span.end_column
