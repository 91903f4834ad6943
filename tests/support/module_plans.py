"""Many roots as the modules of one configuration, and what its plan says of each.

    names = {"m000": "network", "m001": "cluster"}
    write(folder, {"m000": network, "m001": cluster})
    read(plan, names)["network"].actions

A call of Terraform costs a second before it looks at the first resource, and its graph more than by the number of
resources: `portions` is the middle. The modules are named `m000`, `m001`, ...; whoever asks has names of their own.

Source: Terraform, "Providers within modules", "JSON output format", "Machine-readable UI".
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from support import applied_state

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
    from pathlib import Path

JsonObject = dict[str, Any]
Name: TypeAlias = "Hashable"
Root: TypeAlias = "Mapping[str, Any]"
"""The whole document of a root."""
Names: TypeAlias = "Mapping[str, Name]"
"""What a module is called by whoever asks."""

MOST: Final = 160
"""How many resources a portion has, give or take a root: the fastest of 40, 80, 160 and 240."""

Key = TypeVar("Key")
Value = TypeVar("Value")

_REFUSED: Final = re.compile(r"Resource (?:instance )?(\S+) has\s+lifecycle\.prevent_destroy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What a plan says of one module."""

    actions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Address of each resource that is to change to its actions, in their order."""
    refused: frozenset[str] = frozenset()
    """Those that `prevent_destroy` keeps from being destroyed."""
    errors: tuple[str, ...] = ()
    """Everything else that is wrong."""


def portions(
    every: Mapping[Key, Value], root: Callable[[Value], Root], *, most: int = MOST
) -> Iterator[dict[Key, Value]]:
    """All, in their order, so many at a time that the roots have about `most` resources together."""
    portion: dict[Key, Value] = {}
    count = 0
    for key, value in every.items():
        portion[key] = value
        count += sum(map(len, root(value).get("resource", {}).values()))
        if count >= most:
            yield portion
            portion, count = {}, 0
    if portion:
        yield portion


def named(count: int) -> list[str]:
    """The names of that many modules."""
    return [f"m{number:03}" for number in range(count)]


def write(
    folder: Path, modules: Mapping[str, Root], *, settings: Mapping[str, JsonObject] | None = None
) -> None:
    """The configuration: a module for each root, and the providers that those had, each once.

    A module is the root's document as it was compiled, but for its backend, which only a root has, and its provider
    blocks, which the configuration holds in its place. `settings` has more for a provider.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    providers: dict[str, list[JsonObject]] = {}
    calls: JsonObject = {}
    required: JsonObject = {}
    for module_name, root in modules.items():
        own = {key: value for key, value in root["terraform"].items() if key != "backend"}
        required |= own["required_providers"]
        passed = {}
        for provider in own["required_providers"]:
            body = {**root.get("provider", {}).get(provider, {}), **(settings or {}).get(provider, {})}
            bodies = providers.setdefault(provider, [])
            if body not in bodies:
                bodies.append(body)
            passed[provider] = f"{provider}.p{bodies.index(body)}"
        calls[module_name] = {"source": f"./{module_name}", "providers": passed}
        document = {key: value for key, value in root.items() if key != "provider"} | {"terraform": own}
        (folder / module_name).mkdir()
        (folder / module_name / "main.tf.json").write_text(json.dumps(document), encoding="utf-8")
    main = {
        "terraform": {"required_providers": required},
        "provider": {
            provider: [{**body, "alias": f"p{at}"} for at, body in enumerate(bodies)]
            for provider, bodies in providers.items()
        },
        "module": calls,
    }
    (folder / "main.tf.json").write_text(json.dumps(main), encoding="utf-8")


def errors_of_run(printed: str) -> list[JsonObject]:
    """The errors among the lines that a call with `-json` printed."""
    events = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    said = [each["diagnostic"] for each in events if each["type"] == "diagnostic"]
    return [each for each in said if each["severity"] == "error"]


def read(plan: JsonObject, names: Names) -> dict[Name, Planned]:
    """What a plan says of each module; it has the errors of the run under `"errors"`."""
    found = {name: Planned() for name in names.values()}
    for each in applied_state.changes(plan):
        actions = tuple(each["change"]["actions"])
        if actions != ("no-op",):
            found[names[module(each["address"])]].actions[_local(each["address"])] = actions
    for name, text in placed(plan["errors"], names):
        refused = _REFUSED.search(text)
        if refused:
            found[name] = replace(found[name], refused=found[name].refused | {refused[1]})
        else:
            found[name] = replace(found[name], errors=(*found[name].errors, text))
    return found


def placed(diagnostics: Iterable[JsonObject], names: Names) -> Iterator[tuple[Name, str]]:
    """The module that each diagnostic is about, and its text."""
    return (place(each, names) for each in diagnostics)


def place(diagnostic: JsonObject, names: Names) -> tuple[Name, str]:
    """The module that a diagnostic is about, and its text."""
    text = _text(diagnostic)
    file = diagnostic.get("range", {}).get("filename", "")
    found = re.match(r"(?:roots/)?(m\d{3})/", file) or re.search(
        r"module\.(m\d{3})\.", f"{diagnostic.get('address')} {text}"
    )
    if found is None:
        raise AssertionError(f"of no module: {text}")
    return names[found[1]], text.replace(f"module.{found[1]}.", "")


def module(address: str) -> str:
    """The module of a resource."""
    return address.split(".", 2)[1]


def _local(address: str) -> str:
    return address.split(".", 2)[2]


def _text(diagnostic: JsonObject) -> str:
    where = f"{diagnostic['address']}: " if diagnostic.get("address") else ""
    return where + ": ".join(each for each in (diagnostic["summary"], diagnostic["detail"]) if each)
