"""What pydantic found, in our words.

Pydantic says where by indices and what by a type of its own; a reader wants the path by names,
the text at fault, and a way out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from plinth.diagnostics.diagnostic import Diagnostic
from plinth.diagnostics.show import printable
from plinth.diagnostics.suggest import did_you_mean
from plinth.spec.section import Section
from plinth.text.nodes import Node
from plinth.text.spans import show_path

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

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


def from_pydantic(error: ValidationError, root: Node, model: type[Section]) -> tuple[Diagnostic, ...]:
    """A diagnostic for each thing that pydantic refused; one place is told once."""
    told: dict[tuple[str, ...], Diagnostic] = {}
    for each in error.errors(include_url=False, include_input=False):
        node, rest = _descend(root, each["loc"])
        diagnostic = _diagnostic(each, node, rest, model)
        # A union tries each of its members: the first refusal speaks for the value.
        told.setdefault((diagnostic.code, *diagnostic.path), diagnostic)
    return tuple(told.values())


def _diagnostic(each: ErrorDetails, node: Node, rest: tuple[str, ...], model: type[Section]) -> Diagnostic:
    kind, context = each["type"], each.get("ctx", {})
    key = str(each["loc"][-1]) if each["loc"] else ""
    if kind.startswith("PLN"):
        return _at(node, code=kind, message=context["text"], help_=context["help"])
    if kind == "missing":
        return _missing(node, rest, model, each)
    if kind == "extra_forbidden":
        return _unknown(node, key, model, each)
    if kind == "literal_error":
        choices = context["expected"].replace("'", "`")
        return _at(node, code="PLN204", message=f"{_shown(node)} is none of the choices", help_=f"use {choices}")
    if kind in _WANTED:
        return _at(node, code="PLN203", message=f"{_what(node)} stands where {_WANTED[kind]} is wanted", help_=_retype(node, kind))
    return _at(node, code="PLN204", message=f"{_shown(node)} cannot be used here", help_=_limit(kind, context))


def _missing(node: Node, rest: tuple[str, ...], model: type[Section], each: ErrorDetails) -> Diagnostic:
    key = rest[-1] if rest else str(each["loc"][-1])
    where = show_path(_logical(each["loc"][:-1], model)) or "the file"
    if key in {"admins", "identity"}:
        return Diagnostic(
            code="PLN308",
            message="the platform has no administrator",
            help="name at least one: `identity: {admins: [platform@example.com]}`",
            path=node.path,
            at_key=True,
            span=_head(node),
        )
    example = _example(model, each["loc"])
    return Diagnostic(
        code="PLN202",
        message=f"`{where}` lacks `{key}`",
        help=f"add `{key}`{example}",
        path=node.path,
        at_key=True,
        span=_head(node),
    )


def _unknown(node: Node, key: str, model: type[Section], each: ErrorDetails) -> Diagnostic:
    section = _section_at(model, each["loc"][:-1])
    known = sorted(section.key_of(field) for field in section.model_fields) if section else []
    otherwise = f"known here: {', '.join(known)}" if known else "remove it"
    return Diagnostic(
        code="PLN201",
        message=f"unknown key `{printable(key)}`",
        help=did_you_mean(key, known, otherwise=otherwise),
        path=node.path,
        at_key=True,
        span=node.key_span or node.span,
    )


def _at(node: Node, *, code: str, message: str, help_: str) -> Diagnostic:
    return Diagnostic(code=code, message=message, help=help_, path=node.path, span=_head(node))


def _head(node: Node) -> Any:
    # A map or list may be many lines: its key is the smallest text that names it.
    nested = isinstance(node.value, Mapping | tuple)
    return node.key_span if nested and node.key_span else node.span


def _descend(root: Node, location: tuple[int | str, ...]) -> tuple[Node, tuple[str, ...]]:
    """The deepest node that a location names, and the parts beyond it."""
    node = root
    for depth, part in enumerate(location):
        child = None
        if isinstance(node.value, Mapping) and isinstance(part, str):
            child = node.value.get(part)
        elif isinstance(node.value, tuple) and isinstance(part, int) and part < len(node.value):
            child = node.value[part]
        if child is None:
            return node, tuple(str(each) for each in location[depth:])
        node = child
    return node, ()


def _logical(location: tuple[int | str, ...], model: type[Section]) -> tuple[str, ...]:
    del model
    return tuple(str(part) for part in location)


def _section_at(model: type[Section], location: tuple[int | str, ...]) -> type[Section] | None:
    """The section that a location names."""
    current: Any = model
    for part in location:
        if isinstance(part, int):
            continue
        field = next((info for name, info in current.model_fields.items() if current.key_of(name) == part), None)
        current = _section_in(field.annotation) if field else None
        if current is None:
            return None
    return current  # type: ignore[no-any-return]  # only sections are followed


def _section_in(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _section_in(argument)
        if found:
            return found
    return None


def _example(model: type[Section], location: tuple[int | str, ...]) -> str:
    section = _section_at(model, location[:-1])
    info = next((each for name, each in (section.model_fields.items() if section else ()) if section and section.key_of(name) == location[-1]), None)
    return f": {info.description[0].lower()}{info.description[1:].rstrip('.')}" if info and info.description else ""


def _shown(node: Node) -> str:
    return f"`{printable(str(node.value))}`" if not isinstance(node.value, Mapping | tuple) else _what(node)


def _what(node: Node) -> str:
    match node.value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(node.value).lower()}`"
        case int() | float():
            return f"the number `{node.value}`"
        case str():
            return f"the text `{printable(node.value)}`"
        case tuple():
            return "a list"
        case _:
            return "a map"


def _retype(node: Node, kind: str) -> str:
    if kind == "string_type" and isinstance(node.value, int | float):
        return "put it in quotes"
    if kind == "int_type" and isinstance(node.value, str) and node.value.isdecimal():
        return "write it without quotes"
    return f"write {_WANTED[kind]}"


def _limit(kind: str, context: Mapping[str, Any]) -> str:
    limits = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than", "min_length": "at least", "max_length": "at most"}
    for name, words in limits.items():
        if name in context:
            unit = " of them" if name.endswith("length") else ""
            return f"use {words} {context[name]}{unit}"
    if kind == "string_pattern_mismatch":
        return f"write it in the form `{context['pattern']}`"
    return "see `plinth schema` for what may stand here"
