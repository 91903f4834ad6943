"""Check Terraform JSON against recorded provider schemas, with no Terraform at hand.

It says what core would say of names, counts and types, and what the real provider says on its own
at plan time: computed attributes that are set, `conflicts`, `exactly_one_of`, `at_least_one_of` and
`required_with`. References between resources are core's business (`support.terraform`).

Types are held to the letter: core turns `1` into `"1"`, but a compiler that means a string writes
one. A whole-string `${...}` may be of any type; with text around it, it is a string.

Source: Terraform documentation, "JSON Configuration Syntax"; Plugin SDK, `Schema` of
`helper/schema`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

Block: TypeAlias = "Mapping[str, Any]"
"""`{"attributes": {name: flags}, "blocks": {name: Block + nesting, min, max}}`, as recorded."""

SECTIONS = {"resource": "resources", "data": "data_sources", "ephemeral": "ephemeral_resources"}
"""Top-level names that hold `{type: {name: body}}`, each with its section of a recording."""

OTHER_SECTIONS = frozenset(
    {"check", "import", "locals", "module", "moved", "output", "removed", "terraform", "variable", "//"}
)

META_ARGUMENTS = frozenset({"//", "count", "depends_on", "for_each", "lifecycle", "provider"})

CONDITIONS = frozenset({"//", "postcondition", "precondition"})
LIFECYCLE = {
    "resource": CONDITIONS
    | {"create_before_destroy", "ignore_changes", "prevent_destroy", "replace_triggered_by"},
    "data": CONDITIONS,
    "ephemeral": CONDITIONS,
}

BUILT_IN: dict[str, Block] = {
    # Core's own, of no provider. Source: Terraform, "The terraform_data Managed Resource Type".
    "terraform_data": {
        "attributes": {
            "id": {"mode": "computed", "type": "string"},
            "input": {"mode": "optional", "type": "dynamic"},
            "output": {"mode": "computed", "type": "dynamic"},
            "triggers_replace": {"mode": "optional", "type": "dynamic"},
        },
        "blocks": {},
    }
}

PRIMITIVES: dict[str, type | tuple[type, ...]] = {"string": str, "number": (int, float), "bool": bool}


@dataclass(frozen=True, slots=True)
class Schemas:
    """Every recorded block, by the top-level name it appears under, then by its type."""

    blocks: dict[str, dict[str, Block]] = field(default_factory=dict)
    providers: dict[str, Block] = field(default_factory=dict)
    """Provider configurations; a recording may lack its own."""


def load(paths: Iterable[Path]) -> Schemas:
    """The recordings in `paths`, as one, with the type that Terraform itself brings."""
    schemas = Schemas({section: {} for section in SECTIONS})
    schemas.blocks["resource"].update(BUILT_IN)
    for path in paths:
        recorded = json.loads(path.read_text(encoding="utf-8"))
        for section, key in SECTIONS.items():
            schemas.blocks[section].update(recorded.get(key, {}))
        if "provider_schema" in recorded:
            schemas.providers[recorded["provider"].rpartition("/")[2]] = recorded["provider_schema"]
    return schemas


def check(tf_json: Mapping[str, Any], schemas: Schemas) -> list[str]:
    """Every fault as `"address.path: what is wrong"`, in the order of the document; each once."""
    return list(dict.fromkeys(_check(tf_json, schemas)))


def _check(tf_json: Mapping[str, Any], schemas: Schemas) -> Iterator[str]:
    for section, content in tf_json.items():
        if section in SECTIONS:
            for type_name, named in content.items():
                block = schemas.blocks[section].get(type_name)
                if block is None:
                    yield f"{_address(section, type_name)}: unknown type"
                    continue
                for name, bodies in named.items():
                    for body in _as_list(bodies):
                        yield from _check_object(section, _address(section, type_name, name), body, block)
        elif section == "provider":
            for name, bodies in content.items():
                if block := schemas.providers.get(name):
                    for body in _as_list(bodies):
                        settings = {key: value for key, value in body.items() if key not in {"alias", "//"}}
                        yield from _check_body(f"provider.{name}", settings, block)
                        yield from _check_rules(f"provider.{name}", settings, block)
        elif section not in OTHER_SECTIONS:
            yield f"{section}: unknown section"


def _address(section: str, *names: str) -> str:
    return ".".join(names if section == "resource" else (section, *names))


def _check_object(section: str, address: str, body: Mapping[str, Any], block: Block) -> Iterator[str]:
    settings = {key: value for key, value in body.items() if key not in META_ARGUMENTS}
    yield from _check_meta(section, address, body, block)
    yield from _check_body(address, settings, block)
    yield from _check_rules(address, settings, block)


# Meta-arguments --------------------------------------------------------------------------------


def _check_meta(section: str, address: str, body: Mapping[str, Any], block: Block) -> Iterator[str]:
    if "count" in body and "for_each" in body:
        yield f"{address}: `count` and `for_each` exclude each other"
    if not _is_list_of_text(body.get("depends_on", [])):
        yield f"{address}.depends_on: not a list of addresses"
    if not isinstance(body.get("provider", ""), str):
        yield f"{address}.provider: not an address"
    for lifecycle in _as_list(body.get("lifecycle")):
        for name, value in lifecycle.items():
            if name not in LIFECYCLE[section]:
                yield f"{address}.lifecycle.{name}: unknown argument"
            elif name == "ignore_changes" and value != "all":
                yield from _check_ignored(f"{address}.lifecycle.ignore_changes", value, block)


def _check_ignored(where: str, paths: object, block: Block) -> Iterator[str]:
    if not _is_list_of_text(paths):
        yield f'{where}: neither "all" nor a list of paths'
        return
    assert isinstance(paths, list)
    yield from (f"{where}: no `{path}` in the schema" for path in paths if not _has_path(block, path))


def _has_path(block: Block, path: str) -> bool:
    for name in re.sub(r"\[[^]]*\]", "", path).split("."):
        if name in block.get("attributes", {}):
            return True  # below it lie map keys and list elements, which no schema lists
        if name not in block.get("blocks", {}):
            return False
        block = block["blocks"][name]
    return True


# Attributes and nested blocks ------------------------------------------------------------------


def _check_body(where: str, body: Mapping[str, Any], block: Block) -> Iterator[str]:
    attributes, blocks = block.get("attributes", {}), block.get("blocks", {})
    dynamic = body.get("dynamic", {})
    for name, value in body.items():
        if name in attributes:
            yield from _check_attribute(f"{where}.{name}", value, attributes[name])
        elif name in blocks:
            yield from _check_nested(f"{where}.{name}", value, blocks[name])
        elif name not in {"//", "dynamic"}:
            yield f"{where}.{name}: unknown argument"
    for name, generators in dynamic.items():
        if name not in blocks:
            yield f"{where}.dynamic.{name}: unknown block"
            continue
        for generator in _as_list(generators):
            for content in _as_list(generator.get("content", {})):
                yield from _check_body(f"{where}.{name}", content, blocks[name])
    for name, flags in attributes.items():
        if flags["mode"] == "required" and body.get(name) is None:
            yield f"{where}.{name}: required, but not set"
    for name, nested in blocks.items():
        if nested["min"] and not body.get(name) and name not in dynamic:
            yield f"{where}.{name}: at least {nested['min']} needed, 0 given"


def _check_attribute(where: str, value: object, flags: Mapping[str, Any]) -> Iterator[str]:
    if value is None:
        return
    if flags["mode"] == "computed":
        yield f"{where}: computed by the provider, cannot be set"
    else:
        yield from _check_value(where, value, flags["type"])


def _check_value(where: str, value: object, kind: Any) -> Iterator[str]:
    if value is None or kind == "dynamic" or _is_expression(value):
        return
    if isinstance(kind, str):
        is_bool = isinstance(value, bool)
        if not isinstance(value, PRIMITIVES[kind]) or is_bool != (kind == "bool"):
            yield f"{where}: {kind} expected, not {_named(value)}"
        return
    outer, inner = kind[0], kind[-1]
    if outer == "nested":
        nested = {"attributes": inner, "nesting": kind[1], "min": 0, "max": 0}
        yield from _check_nested(where, value, nested)
    elif not isinstance(value, list if outer in {"list", "set"} else dict):
        yield f"{where}: {outer} expected, not {_named(value)}"
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _check_value(f"{where}[{at}]", item, inner)
    elif isinstance(value, dict) and outer == "map":
        for key, item in value.items():
            yield from _check_value(f"{where}[{json.dumps(key)}]", item, inner)
    elif isinstance(value, dict):
        yield from (f"{where}.{name}: unknown argument" for name in value if name not in inner)
        yield from (f"{where}.{name}: required, but not set" for name in inner if name not in value)
        for name in inner.keys() & value.keys():
            yield from _check_value(f"{where}.{name}", value[name], inner[name])


def _check_nested(where: str, value: object, nested: Block) -> Iterator[str]:
    """A block is an object or a list of objects; blocks of nesting `map` are keyed by their label."""
    if nested["nesting"] == "map" and isinstance(value, dict):
        items = {f"{where}[{json.dumps(key)}]": item for key, item in value.items()}
    else:
        items = {f"{where}[{at}]": item for at, item in enumerate(_as_list(value))}
    most = 1 if nested["nesting"] == "single" else nested["max"]
    if items and len(items) < nested["min"]:
        yield f"{where}: at least {nested['min']} needed, {len(items)} given"
    if most and len(items) > most:
        yield f"{where}: at most {most} allowed, {len(items)} given"
    for path, item in items.items():
        if isinstance(item, dict):
            yield from _check_body(path, item, nested)
        else:
            yield f"{path}: block expected, not {_named(item)}"


# Rules between attributes ----------------------------------------------------------------------


def _check_rules(address: str, root: Mapping[str, Any], block: Block) -> Iterator[str]:
    """Paths in rules begin at the resource and go through blocks of at most one item, as `a.0.b`."""
    for path, flags in _present(root, block):
        if _is_set(root, path):
            for other in flags.get("conflicts", ()):
                if other != path and _is_set(root, other):
                    one, two = sorted((path, other))
                    yield f"{address}.{one}: conflicts with {two}"
            absent = [other for other in flags.get("required_with", ()) if not _is_set(root, other)]
            yield from (f"{address}.{path}: needs {other}" for other in absent)
        for rule, most in (("exactly_one_of", 1), ("at_least_one_of", None)):
            group = flags.get(rule, ())
            count = sum(_is_set(root, other) for other in group)
            if group and (count == 0 or (most and count > most)):
                words = rule.replace("_", " ")
                yield f"{address}: {words} {', '.join(sorted(group))} needed, {count} given"


def _present(root: Mapping[str, Any], block: Block) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each argument of the resource and of every nested block that is there, set or not."""
    pending: list[tuple[str, Mapping[str, Any], Block]] = [("", root, block)]
    while pending:
        prefix, body, inner = pending.pop()
        for name, flags in {**inner.get("attributes", {}), **inner.get("blocks", {})}.items():
            yield f"{prefix}{name}", flags
        for name, nested in inner.get("blocks", {}).items():
            if nested["nesting"] == "map":
                continue
            for at, item in enumerate(_as_list(body.get(name))):
                if isinstance(item, dict):
                    pending.append((f"{prefix}{name}.{at}.", item, nested))


def _is_set(root: Mapping[str, Any], path: str) -> bool:
    value: Any = root
    for step in path.split("."):
        if step.isdigit():
            items = _as_list(value)
            value = items[int(step)] if int(step) < len(items) else None
        elif isinstance(value, dict):
            value = value.get(step, value.get("dynamic", {}).get(step))
        else:
            return False
    return value is not None and value != []


# Small words -----------------------------------------------------------------------------------


def _as_list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _is_expression(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("${", "%{")) and value.endswith("}")


def _is_list_of_text(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _named(value: object) -> str:
    names: dict[type, str] = {str: "a string", bool: "a bool", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")
