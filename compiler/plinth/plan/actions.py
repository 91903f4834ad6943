"""What Terraform will do between two compiled roots, read from schemas alone: no provider, no state.

A root is the one document that Terraform makes of its files. What was applied is taken to be what the first
one says, so the answer is about a change of the configuration, never about drift.

An argument is compared as its type has it: a set without order, an absent one as its default or zero. What
a provider chooses where nothing is said (optional and computed) is kept where the saying stops, and changes,
as far as anybody can tell, where it begins. A reference to what another resource computes becomes unknown
where that one is made anew, and an unknown value is a change: so one replacement brings on others.

Nothing here knows a provider's code: where that decides by itself, the prediction may be wrong.

Source: Terraform, "Plugin protocol", `PlanResourceChange`; Plugin SDK, `schemaMap.Diff` of `helper/schema`;
Terraform, "The lifecycle meta-argument".
"""

from __future__ import annotations

import re
from functools import cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from msgspec import Struct

from plinth.catalog.providers import LABELS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Block: TypeAlias = Mapping[str, Any]
    Blocks: TypeAlias = Callable[[str], Block | None]
    """The block of a resource type, None where it is not known."""

PlannedAction: TypeAlias = Literal["create", "update", "replace", "create-then-delete", "delete", "refused"]
"""`create-then-delete` replaces too, the new one first. `refused`: `prevent_destroy` stops a replacement."""
Path: TypeAlias = tuple[str | int, ...]
Root: TypeAlias = "Mapping[str, Any]"

ABSENT: Final = object()
UNKNOWN: Final = object()
"""What only an apply will tell."""

_REFERENCE: Final = re.compile(r"(?<![\w.])([a-z]\w*)\.([\w-]+)\.(\w+(?:\[\d+\]|\.\w+)*)")
_ADDRESS: Final = re.compile(r"(?<![\w.])((?:ephemeral\.)?[a-z]\w*\.[\w-]+)\.\w+")
_TEMPLATE: Final = re.compile(r"(?<!\$)\$\{")
_NOT_ARGUMENTS: Final = frozenset(
    {"//", "count", "depends_on", "for_each", "lifecycle", "provider", "timeouts"}
)
_ZERO: Final = {"string": "", "number": 0, "bool": False}


class Planned(Struct, frozen=True, kw_only=True):
    """What happens to one resource."""

    action: PlannedAction
    forced_by: tuple[Path, ...] = ()
    """The arguments that no provider can change in place."""
    behind: str | None = None
    """The refused resource that it rests on: Terraform stops there, and never comes to this one."""


def predicted(blocks: Blocks, before: Root, after: Root) -> dict[str, Planned]:
    """Address of each resource that changes to what happens to it.

    What rests on a refused one is left out: Terraform stops there, and plans no further.
    """
    return {address: each for address, each in foreseen(blocks, before, after).items() if each.behind is None}


def foreseen(blocks: Blocks, before: Root, after: Root) -> dict[str, Planned]:
    """The same with what rests on a refused one, where its own arguments would have it made anew as well."""
    comparison = _Comparison(blocks, before, after)
    every = {address: comparison.action(address) for address in comparison.addresses()}
    found: dict[str, Planned] = {}
    for address, action in sorted(every.items()):
        if action is None:
            continue
        stops = {each for each in comparison.foundations(address) if every[each] == "refused"}
        first = min((each for each in stops if not stops & comparison.foundations(each)), default=None)
        forced_by = comparison.forcing(address)
        if first:
            forced_by = tuple(path for path in forced_by if comparison.is_said(address, path))
        if forced_by or not first:
            found[address] = Planned(action=action, forced_by=forced_by, behind=first)
    return found


def show_path(path: Path) -> str:
    """An argument as Terraform writes it: `node_config[0].spot`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def differences(block: Block, before: Any, after: Any, path: Path = ()) -> Iterator[tuple[Path, bool]]:
    """Where the arguments of a block differ, and whether a resource has to be made anew for it.

    `force_new` of a nested block speaks of how many there are; inside, each argument speaks for itself.
    """
    for name, flags in block.get("attributes", {}).items():
        if flags["mode"] == "computed" or flags.get("write_only"):
            continue
        old, new = before.get(name), after.get(name)
        if _differ(flags, old, new):
            yield (*path, name), bool(flags.get("force_new"))
    for name, nested in block.get("blocks", {}).items():
        if name not in _NOT_ARGUMENTS:
            yield from _nested(nested, _items(before.get(name)), _items(after.get(name)), (*path, name))


def _nested(block: Block, old: list[Any], new: list[Any], path: Path) -> Iterator[tuple[Path, bool]]:
    if block.get("computed") and not new:
        return
    if block["nesting"] == "set":
        old, new = _only(block, old, new), _only(block, new, old)
    if len(old) != len(new):
        yield path, bool(block.get("force_new"))
    if block["nesting"] == "set":
        # An element of a set is the same one or another; none is changed.
        pairs = [*((each, {}) for each in old), *(({}, each) for each in new)]
        if pairs:
            yield path, any(forces for pair in pairs for _, forces in differences(block, *pair))
        return
    empty: dict[str, Any] = {}
    for at, (one, other) in enumerate(zip_longest(old, new, fillvalue=empty)):
        yield from differences(block, one, other, (*path, at))


def _only(block: Block, some: list[Any], others: list[Any]) -> list[Any]:
    return [each for each in some if all(any(differences(block, each, other)) for other in others)]


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _differ(flags: Mapping[str, Any], old: Any, new: Any) -> bool:
    if new is UNKNOWN:
        return True
    if new is None and "computed" in flags["mode"]:
        return False
    if old is None and "computed" in flags["mode"]:
        return True
    one, other = (
        _canonical(flags["type"], flags.get("default") if each is None else each) for each in (old, new)
    )
    return bool(one != other)


def _canonical(kind: Any, value: Any) -> Any:
    """A value as its type has it, so that equal ones are equal."""
    if value is UNKNOWN:
        return value
    if isinstance(kind, str):
        if value is None:
            return _ZERO[kind]
        return str(value).lower() if isinstance(value, bool) and kind == "string" else _as(kind, value)
    if kind[0] == "map":
        return {key: _canonical(kind[1], each) for key, each in (value or {}).items()}
    if kind[0] in {"list", "set"}:
        items = [_canonical(kind[1], each) for each in value or ()]
        return sorted(items, key=repr) if kind[0] == "set" else items
    return value


def _as(kind: str, value: Any) -> Any:
    if kind == "number" and isinstance(value, str):
        return float(value) if re.fullmatch(r"-?\d+(\.\d+)?", value) else value
    if kind == "bool" and isinstance(value, str):
        return {"true": True, "false": False}.get(value, value)
    return str(value) if kind == "string" else value


def mentioned(value: Any) -> Iterator[str]:
    """The addresses that a body refers to or waits for: `google_storage_bucket.a`, ..."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from each if key == "depends_on" else mentioned(each)
    elif isinstance(value, list):
        for each in value:
            yield from mentioned(each)
    elif isinstance(value, str) and _TEMPLATE.search(value):
        yield from _ADDRESS.findall(value)


class _Comparison:
    """Two roots, and what is known of each resource so far."""

    def __init__(self, blocks: Blocks, before: Root, after: Root) -> None:
        self._blocks = blocks
        self._before, self._after = _resources(before), _resources(after)
        self._relabelled = {
            attribute
            for provider, argument, attribute in LABELS
            if _label(before, provider, argument) != _label(after, provider, argument)
        }
        self.action = cache(self._action)

    def forcing(self, address: str) -> tuple[Path, ...]:
        """The arguments of a resource for whose change there has to be a new one."""
        if address not in self._before or address not in self._after:
            return ()
        return tuple(path for path, forces in self._differences(address) if forces)

    def is_said(self, address: str, path: Path) -> bool:
        """Whether an argument changes in its own text or the provider's, not only in what it refers to."""
        one, other = (self._before[address], self._after[address])
        for step in path:
            one, other = _child(one, step), _child(other, step)
        return bool(one != other) or (one is ABSENT and path[0] in self._relabelled)

    def addresses(self) -> list[str]:
        """Every resource of either root."""
        return sorted({*self._before, *self._after})

    def foundations(self, address: str) -> frozenset[str]:
        """All that a resource of the second root refers to, or waits for, over any number of others."""
        found: set[str] = set()
        waiting = [address]
        while waiting:
            body = self._after.get(waiting.pop(), {})
            new = {each for each in mentioned(body) if each in self._after} - found
            found |= new
            waiting += new
        return frozenset(found)

    def _action(self, address: str) -> PlannedAction | None:
        if address not in self._after:
            return "delete"
        if address not in self._before:
            return "create"
        found = list(self._differences(address))
        if any(forces for _, forces in found):
            lifecycle = self._after[address].get("lifecycle", {})
            if lifecycle.get("prevent_destroy"):
                return "refused"
            return "create-then-delete" if self._new_one_first(address) else "replace"
        return "update" if found else None

    def _differences(self, address: str) -> Iterator[tuple[Path, bool]]:
        block = self._blocks(address.partition(".")[0])
        if block is None:  # nobody knows how its arguments change
            if self._before[address] != self._after[address]:
                yield (), False
            return
        before, after = self._before[address], self._after[address]
        ignored = after.get("lifecycle", {}).get("ignore_changes", ())
        old = {name: self._resolved(value, after=False) for name, value in before.items()}
        new = {name: self._resolved(value, after=True) for name, value in after.items()}
        for path, forces in differences(block, old, new):
            if ignored != "all" and not any(_is_below(path, each) for each in ignored):
                yield path, forces
        # What the resource says itself, of its region for one, it does not take from the provider.
        for name in (self._relabelled & block.get("attributes", {}).keys()) - before.keys():
            yield (name,), bool(block["attributes"][name].get("force_new"))

    def _new_one_first(self, address: str) -> bool:
        """Whether this resource, or one that rests on it, is to be there before the old one goes."""
        every = [address, *(each for each in self._after if address in self.foundations(each))]
        return any(self._after[each].get("lifecycle", {}).get("create_before_destroy") for each in every)

    def _resolved(self, value: Any, *, after: bool) -> Any:
        """A value with its references followed: to what is written there, or to what will be unknown."""
        if isinstance(value, dict):
            return {key: self._resolved(each, after=after) for key, each in value.items()}
        if isinstance(value, list):
            items = [self._resolved(each, after=after) for each in value]
            return UNKNOWN if any(each is UNKNOWN for each in items) else items
        if not isinstance(value, str) or not _TEMPLATE.search(value):
            return value
        found = {match[0]: self._value(*match.groups(), after=after) for match in _REFERENCE.finditer(value)}
        if any(each is UNKNOWN for each in found.values()):
            return UNKNOWN
        whole = found.get(value.removeprefix("${").removesuffix("}"))
        return (value, *found.values()) if whole is None else whole

    def _value(self, kind: str, name: str, path: str, *, after: bool) -> Any:
        """What a reference leads to: what is written there, or a text for what a provider chose."""
        address = f"{kind}.{name}"
        value = (self._after if after else self._before).get(address, ABSENT)
        chosen = f"{address}.{path}"
        if value is ABSENT:
            return chosen
        for step in _steps(path):
            value = _child(value, step)
        if value is not ABSENT:
            return self._resolved(value, after=after)
        is_new = after and self.action(address) in {"create", "replace", "create-then-delete", "refused"}
        return UNKNOWN if is_new else chosen


def _child(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step, ABSENT)
    is_there = isinstance(value, list) and isinstance(step, int) and step < len(value)
    return value[step] if is_there else ABSENT


def _steps(path: str) -> Path:
    return tuple(int(each) if each.isdecimal() else each for each in re.findall(r"[^.\[\]]+", path))


def _label(root: Root, provider: str, argument: str) -> Any:
    providers = root.get("provider", {})
    found = providers.get(provider, {}) if isinstance(providers, dict) else {}
    return found.get(argument) if isinstance(found, dict) else None


def _resources(root: Root) -> dict[str, Mapping[str, Any]]:
    every = root.get("resource", {})
    return {f"{kind}.{name}": body for kind, named in every.items() for name, body in named.items()}


def _is_below(path: Path, ignored: str) -> bool:
    parts = _steps(ignored)
    return path[: len(parts)] == parts
