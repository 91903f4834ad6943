"""What a teardown keeps: what is protected and not named, all that is part of it, all that it stands on.

A protected resource says so itself: `prevent_destroy`, or an argument that its cloud reads as protection.
The name by which a person lets go of it comes from the part of the spec that asked for it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from plinth.bootstrap.roots import Root
    from plinth.ir.commands import CloudCommands
    from plinth.ir.said import Origin

CLUSTER: Final = "cluster"
"""What an environment's teardown is about: its own name, typed again, lets go of it."""

_TOKEN: Final = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+")


class Fate(Struct, frozen=True, kw_only=True):
    """What becomes of a root's resources."""

    kept: frozenset[str]
    """Addresses that stay, with all that they need."""
    destroyed: frozenset[str]
    let_go: tuple[str, ...]
    """Protected addresses that are named, sorted."""
    names: Mapping[str, str]
    """Protected address -> the name that lets go of it."""


def fate(
    root: Root,
    origins: Mapping[str, tuple[Origin, ...]],
    commands: CloudCommands,
    named: Collection[str],
) -> Fate:
    """What is kept of a root, and what goes.

    Args:
        root: The root.
        origins: Address -> what asked for it.
        commands: What the cloud says of protections.
        named: What a person lets go of.
    """
    resources, protections = root.resources(), commands.protections
    names = {
        address: _name(address, origins.get(address, ()), commands.control_plane)
        for address, arguments in resources.items()
        if _is_managed(address) and is_protected(arguments, protections)
    }
    needs = {
        address: _references(arguments, resources) - {address} for address, arguments in resources.items()
    }
    # A database inside a server goes with the server, and by its name.
    names |= {
        address: names[other]
        for address, name in names.items()
        if name == address
        for other in sorted(needs[address])
        if _is_of_spec(names.get(other, ""))
    }
    let_go = tuple(sorted(address for address, name in names.items() if name in {*named, CLUSTER}))
    needed_by: dict[str, set[str]] = {address: set() for address in resources}
    for address, others in needs.items():
        for other in others:
            needed_by[other].add(address)
    # A bucket's own settings and rights refer to it: losing them would open it. What refers to a key may go,
    # as the cluster does that it encrypts, but for the rights to use it: data that stays could not be read.
    protected = names.keys() - set(let_go)
    rights = {
        address
        for each in protected
        for address in needed_by[each]
        if _is_right_to(each, address, resources[address])
    }
    whole = (each for each in protected if _is_of_spec(names[each]))
    parts = protected | rights | _closure(whole, needed_by)
    kept = _closure(parts, needs)
    return Fate(
        kept=frozenset(kept),
        destroyed=frozenset(address for address in resources if _is_managed(address)) - kept,
        let_go=tuple(each for each in let_go if each not in kept),
        names=names,
    )


def is_protected(arguments: Mapping[str, Any], protections: Mapping[str, bool]) -> bool:
    """Whether a resource says that it must not be deleted."""
    return _is_prevented(arguments) or any(
        value is True and protections.get(name) is False for name, value in _leaves(arguments)
    )


def without_protection(
    arguments: Mapping[str, Any], protections: Mapping[str, bool]
) -> tuple[dict[str, Any], bool]:
    """The arguments of an override file that lets go of a resource; whether an apply has to set them.

    A nested block replaces the one that it overrides, so it is there as a whole.
    """
    changed = {
        name: _turned(value, protections) if not isinstance(value, bool) else protections[name]
        for name, value in arguments.items()
        if name != "lifecycle" and any(_leaf_protects(leaf, protections) for leaf in _leaves({name: value}))
    }
    lifecycle = {"lifecycle": {"prevent_destroy": False}} if _is_prevented(arguments) else {}
    return {**changed, **lifecycle}, bool(changed)


def _name(address: str, origins: Iterable[Origin], control_plane: str) -> str:
    paths = [origin for origin in origins if isinstance(origin, tuple)]
    for path in paths:
        match path:
            case ("spec", "storage", "buckets", bucket, *_):
                return f"bucket:{bucket}"
            case ("spec", "storage", "database", *_):
                return "database"
    return CLUSTER if address.partition(".")[0] == control_plane else address


def _is_of_spec(name: str) -> bool:
    return name == "database" or name.startswith("bucket:")


def _is_right_to(protected: str, address: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a resource lets somebody use a protected one: its kind says so, or its `scope` does."""
    kind = protected.partition(".")[0]
    return address.startswith(f"{kind}_") or f"{protected}." in str(arguments.get("scope", ""))


def _is_managed(address: str) -> bool:
    return not address.startswith(("data.", "ephemeral."))


def _is_prevented(arguments: Mapping[str, Any]) -> bool:
    lifecycle = arguments.get("lifecycle") or {}
    blocks = lifecycle if isinstance(lifecycle, list) else [lifecycle]
    return any(block.get("prevent_destroy") is True for block in blocks)


def _leaf_protects(leaf: tuple[str, Any], protections: Mapping[str, bool]) -> bool:
    name, value = leaf
    return isinstance(value, bool) and name in protections and protections[name] is not value


def _turned(data: Any, protections: Mapping[str, bool]) -> Any:
    if isinstance(data, dict):
        return {
            name: protections[name]
            if _leaf_protects((name, value), protections)
            else _turned(value, protections)
            for name, value in data.items()
        }
    return [_turned(each, protections) for each in data] if isinstance(data, list) else data


def _leaves(data: Any, name: str = "") -> Iterable[tuple[str, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, key)
    elif isinstance(data, list):
        for value in data:
            yield from _leaves(value, name)
    else:
        yield name, data


def _references(arguments: Mapping[str, Any], known: Collection[str]) -> set[str]:
    found: set[str] = set()
    for token in _TOKEN.findall(json.dumps(arguments)):
        parts = token.split(".")
        found |= {".".join(parts[:count]) for count in (2, 3)} & set(known)
    return found


def _closure(begin: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    found = set(begin)
    waiting = list(found)
    while waiting:
        for other in edges[waiting.pop()]:
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found
