"""What pydantic found, in our words.

Pydantic says where by indices and what by a type of its own; a reader wants the path by names,
the text at fault, and a way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from plinth.diagnostics.diagnostic import Diagnostic
from plinth.diagnostics.suggest import did_you_mean
from plinth.spec.section import Section
from plinth.text.source import shown
from plinth.text.spans import show_path

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    from plinth.text.nodes import Node
    from plinth.text.spans import Span

Location = tuple[int | str, ...]
"""Pydantic's path: keys, and the indices of list items."""

TEXT_CODES: Final = {
    "syntax": "PLN101",
    "duplicate-key": "PLN102",
    "alias": "PLN103",
    "tag": "PLN104",
    "yaml11-boolean": "PLN105",
    "octal": "PLN106",
    "number": "PLN106",
    "date": "PLN107",
    "too-large": "PLN108",
    "encoding": "PLN109",
    "documents": "PLN110",
    "merge-key": "PLN111",
    "key": "PLN112",
    "empty": "PLN113",
}

_WANTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "`true` or `false`",
    "tuple_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
    "mapping_type": "a map",
}

_LIMITS: Final = {
    "ge": "at least",
    "gt": "more than",
    "le": "at most",
    "lt": "less than",
    "min_length": "at least",
    "max_length": "at most",
}

_ENVIRONMENT: Final = 3
"""Parts in the path of an environment: `("spec", "environments", "prod")`."""


def from_pydantic(
    error: ValidationError, root: Node, model: type[Section], *, without: tuple[Location, ...] = ()
) -> tuple[Diagnostic, ...]:
    """A diagnostic for each thing that pydantic refused; one place is told once.

    Nothing is said about what is at or below the locations `without`.
    """
    told: dict[Location, Diagnostic] = {}
    for each in error.errors(include_url=False, include_input=False):
        location = each["loc"]
        if any(location[: len(other)] == other for other in without):
            continue
        node, depth = _descend(root, location)
        if _counts_good_items_only(each, node):
            continue
        # A union tries each of its members and adds its name: the first refusal speaks for the value.
        known = location if each["type"] == "missing" else location[:depth]
        if known not in told:
            told[known] = _diagnostic(each, node, model)
    return tuple(told.values())


def place_of(node: Node) -> Span:
    """The smallest text that shows a node's value: its key, where the value is a map, long or empty."""
    span = node.span
    is_empty = (span.line, span.column) == (span.end_line, span.end_column)
    is_long = span.line != span.end_line
    by_key = isinstance(node.value, Mapping) or is_empty or is_long
    return node.key_span if by_key and node.key_span else span


def _counts_good_items_only(each: ErrorDetails, node: Node) -> bool:
    """True where pydantic calls a list too short because some of its items were refused."""
    if each["type"] != "too_short" or not isinstance(node.value, tuple):
        return False
    least: int = each["ctx"]["min_length"]
    return len(node.value) >= least


def _diagnostic(each: ErrorDetails, node: Node, model: type[Section]) -> Diagnostic:
    kind, context = each["type"], each.get("ctx", {})
    if kind.startswith("PLN"):
        return _at(node, code=kind, message=context["text"], help_=context["help"])
    if kind == "missing":
        return _missing(node, each["loc"], model)
    if kind == "extra_forbidden":
        return _unknown(node, each["loc"], model)
    if kind == "literal_error":
        choices = context["expected"].replace("'", "`")
        return _at(
            node, code="PLN204", message=f"{_what(node)} is none of the choices", help_=f"use {choices}"
        )
    if kind in _WANTED:
        message = f"{_what(node)} stands where {_WANTED[kind]} is wanted"
        return _at(node, code="PLN203", message=message, help_=_retype(node, kind))
    return _at(node, code="PLN204", message=f"{_what(node)} cannot be used here", help_=_limit(kind, context))


def _missing(node: Node, location: Location, model: type[Section]) -> Diagnostic:
    key = str(location[-1])
    if key in {"admins", "identity"}:
        code, message = "PLN308", "the platform has no administrator"
        way_out = "name at least one: `identity: {domain: ml.example.com, admins: [platform@example.com]}`"
    else:
        info = _field_at(model, location)
        about = f": {_clause(info.description)}" if info and info.description else ""
        where = f"`{show_path(node.path)}`" if node.path else "the file"
        code, message, way_out = "PLN202", f"{where} lacks `{key}`", f"add `{key}`{about}"
    return Diagnostic(
        code=code, message=message, help=way_out, path=node.path, at_key=True, span=place_of(node)
    )


def _unknown(node: Node, location: Location, model: type[Section]) -> Diagnostic:
    key = str(location[-1])
    section = _section_at(model, location[:-1])
    known = sorted(map(section.key_of, section.model_fields)) if section else []
    if node.path[1:2] == ("environments",) and len(node.path) == _ENVIRONMENT + 1:
        known.append("branch")  # an environment's own word for `repository.branch`
    otherwise = f"known here: {', '.join(known)}" if known else "remove it"
    return Diagnostic(
        code="PLN201",
        message=f"unknown key {shown(key)}",
        help=did_you_mean(key, known, otherwise=otherwise),
        path=node.path,
        at_key=True,
        span=node.key_span or node.span,
    )


def _clause(sentence: str) -> str:
    """A field's description as it goes on after a colon."""
    end = "" if sentence.endswith("...") else "."
    return sentence[0].lower() + sentence[1:].removesuffix(end)


def _at(node: Node, *, code: str, message: str, help_: str) -> Diagnostic:
    return Diagnostic(code=code, message=message, help=help_, path=node.path, span=place_of(node))


def _descend(root: Node, location: Location) -> tuple[Node, int]:
    """The deepest node that a location names, and how many of its parts lead there."""
    node = root
    for depth, part in enumerate(location):
        child = None
        if isinstance(node.value, Mapping) and isinstance(part, str):
            child = node.value.get(part)
        elif isinstance(node.value, tuple) and isinstance(part, int) and part < len(node.value):
            child = node.value[part]
        if child is None:
            return node, depth
        node = child
    return node, len(location)


def _section_at(model: type[Section], location: Location) -> type[Section] | None:
    """The section that a location names."""
    current = model
    for part in location:
        if isinstance(part, int):
            continue
        found = _section_in(_field(current, part))
        if found is None:
            return None
        current = found
    return current


def _field_at(model: type[Section], location: Location) -> FieldInfo | None:
    section = _section_at(model, location[:-1])
    return _field(section, location[-1]) if section else None


def _field(section: type[Section], key: int | str) -> FieldInfo | None:
    return next((info for name, info in section.model_fields.items() if section.key_of(name) == key), None)


def _section_in(field: FieldInfo | None) -> type[Section] | None:
    return _section_of(field.annotation) if field else None


def _section_of(annotation: object) -> type[Section] | None:
    """The first section in an annotation such as `tuple[NodePool, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    arguments: tuple[object, ...] = getattr(annotation, "__args__", ())
    return next((found for each in arguments if (found := _section_of(each))), None)


def _what(node: Node) -> str:
    """A value in words. Numbers as they were written: `1.30` is no 1.3 to who wrote it."""
    written = shown(str(node.value) if node.text is None else node.text)
    match node.value:
        case None:
            return "nothing"
        case bool():
            return written
        case int() | float():
            return f"the number {written}"
        case str():
            return f"the text {written}" if node.value else "an empty text"
        case tuple():
            return "a list" if node.value else "an empty list"
        case _:
            return "a map"


def _retype(node: Node, kind: str) -> str:
    if kind == "string_type" and isinstance(node.value, bool | int | float):
        return f'put it in quotes: `"{node.text}"`' if node.text else "put it in quotes"
    if kind == "int_type" and isinstance(node.value, str) and node.value.isdecimal():
        return "write it without quotes"
    return f"write {_WANTED[kind]}"


def _limit(kind: str, context: Mapping[str, Any]) -> str:
    for name, words in _LIMITS.items():
        if name in context:
            unit = " of them" if name.endswith("length") else ""
            return f"use {words} {context[name]}{unit}"
    if kind == "string_pattern_mismatch":
        return f"write it in the form `{context['pattern']}`"
    return "see `plinth schema` for what may stand here"
