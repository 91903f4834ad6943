"""A part of the spec, typed, that knows where each of its values was said.

Names are written in camel case in the file and in snake case in Python. Nothing is coerced: a
number is no string.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, PrivateAttr
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from plinth.text.nodes import Node
    from plinth.text.spans import Span, SpecPath


class Section(BaseModel):
    """A map of the spec with known keys. Subclasses list them as fields."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        defer_build=True,  # only the whole document is ever read, and it builds its parts
        hide_input_in_errors=True,  # what was typed may be a secret
    )

    _path: SpecPath = PrivateAttr(default=())
    _said: dict[str, SpecPath] = PrivateAttr(default_factory=dict)
    _spans: dict[str, Span] = PrivateAttr(default_factory=dict)

    def origin(self, field: str) -> SpecPath | None:
        """The path at which a field was said, None where it is a default.

        It is the path of the text that won: an environment's own where that environment said it.
        """
        said: dict[str, SpecPath] = _private(self)["_said"]
        return said.get(field)

    def said_path(self, field: str) -> SpecPath:
        """The path of a field in the spec, whether somebody said it or not."""
        return self.origin(field) or (*self._path, type(self).key_of(field))

    def said_span(self, field: str) -> Span | None:
        """The place of a field's value, None where it is a default.

        For what a path cannot tell apart: two items of a list with one name.
        """
        return self._spans.get(field)

    @classmethod
    def key_of(cls, field: str) -> str:
        """The key of a field as a user writes it."""
        return cls.model_fields[field].alias or field

    @property
    def spec_path(self) -> SpecPath:
        """Where this section stands, `("spec", "nodePools", "t4")`; its own path, as of `origin`."""
        return self._path

    def attached(self, node: Node) -> Self:
        """This section with the places of its values taken from the node that it was read from."""
        attach(self, node)
        return self


def attach(section: Section, node: Node) -> None:
    """Tell a section, and all below it, where they were said."""
    private = _private(section)
    private["_path"] = node.path
    children = node.value
    if not isinstance(children, Mapping):
        return
    for field in type(section).model_fields:
        child = children.get(type(section).key_of(field))
        if child is None:
            continue
        private["_said"][field] = child.path
        private["_spans"][field] = child.span
        _attach_value(getattr(section, field), child)


def _private(section: Section) -> dict[str, Any]:
    """The private attributes by name: one by one, pydantic's search for them takes a twelfth of a compile."""
    private = section.__pydantic_private__
    assert private is not None  # noqa: S101 - a section has some
    return private


def _attach_value(value: object, node: Node) -> None:
    if isinstance(value, Section):
        attach(value, node)
    elif isinstance(value, tuple) and isinstance(node.value, tuple):
        for item, item_node in zip(value, node.value, strict=True):
            _attach_value(item, item_node)
