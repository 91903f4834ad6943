"""The JSON Schema of a platform file, from the types that read it.

Editors check against it as one types. It knows every cloud and component, and what an environment
may change: any part, with nothing required, `null` to remove a key and `remove: true` an item.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from plinth import registry
from plinth.spec.platform import document_type
from plinth.text.emit import json_text

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
CHANGE: Final = "Change"
_REFERENCE: Final = "#/$defs/"


@cache
def schema_text() -> str:
    """The schema of the whole file as JSON; made once a process: it takes as long as ten compiles."""
    return json_text(_schema())


def _schema() -> dict[str, Any]:
    clouds = {name: registry.load("clouds", name).Section for name in registry.names("clouds")}
    components = {name: registry.load("components", name).Section for name in registry.names("components")}
    schemas = {
        name: document_type(cloud, components).model_json_schema(by_alias=True)
        for name, cloud in clouds.items()
    }
    definitions: dict[str, Any] = {}
    for schema in schemas.values():
        for name, definition in schema["$defs"].items():
            # Only the whole differs from cloud to cloud; two sections of one name would be one to an editor.
            if name != "PlatformSpec" and definitions.get(name, definition) != definition:
                raise ValueError(
                    f"two plug-ins have a section called {name}: rename the class in one of them"
                )
            definitions[name] = definition
    platform = definitions["PlatformSpec"]
    platform["properties"]["cloud"] = {"oneOf": [_cloud(schema) for _, schema in sorted(schemas.items())]}
    definitions |= {_changed(name): _change(definition) for name, definition in definitions.items()}
    environment = definitions[_changed("PlatformSpec")]
    environment["properties"]["cloud"] = {
        "anyOf": [_renamed(each) for each in platform["properties"]["cloud"]["oneOf"]]
    }
    environment["properties"]["branch"] = {
        "type": "string",
        "description": "What this environment's Argo CD follows.",
    }
    platform["properties"]["environments"] = {
        "type": "object",
        "description": "What each environment changes; one, called `default`, where absent.",
        "additionalProperties": {
            "anyOf": [{"$ref": _REFERENCE + _changed("PlatformSpec")}, {"type": "null"}]
        },
    }
    root = next(iter(schemas.values()))
    return {
        "$schema": DIALECT,
        **{key: value for key, value in root.items() if key != "$defs"},
        "$defs": definitions,
    }


def _cloud(schema: dict[str, Any]) -> dict[str, Any]:
    reference: dict[str, Any] = schema["$defs"]["PlatformSpec"]["properties"]["cloud"]
    return dict(reference)


def _changed(name: str) -> str:
    return name + CHANGE


def _change(definition: dict[str, Any]) -> dict[str, Any]:
    """A definition as an environment may use it."""
    change = {
        key: _renamed(value) for key, value in definition.items() if key not in {"required", "properties"}
    }
    if "properties" not in definition:
        return change
    properties = {name: _nullable(_renamed(value)) for name, value in definition["properties"].items()}
    if "name" in properties:
        properties["name"] = _renamed(definition["properties"]["name"])
        properties["remove"] = {"const": True, "description": "Takes the item of this name out."}
        change["required"] = ["name"]
    return change | {"properties": properties}


def _nullable(value: dict[str, Any]) -> dict[str, Any]:
    options = value.get("anyOf", [value])
    return {"anyOf": [*(each for each in options if each != {"type": "null"}), {"type": "null"}]}


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _REFERENCE + _changed(item.removeprefix(_REFERENCE)) if key == "$ref" else _renamed(item)
            for key, item in value.items()
            if key != "default"
        }
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    return value
