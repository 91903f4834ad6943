"""A base and what an environment says about it, as one document.

Maps merge key by key, lists of named items by name; everything else is replaced. A null takes a
key out, `remove: true` takes a named item out. Positions are kept: whoever reads the result can
still say at which line of which file each leaf was said.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from plinth.text.nodes import Node, TextFault
from plinth.text.source import shown

REMOVE_UNKNOWN = "remove-unknown"
REMOVE_WITH_FIELDS = "remove-with-fields"


def merge(base: Node, override: Node) -> tuple[Node, tuple[TextFault, ...]]:
    """Lay `override` over `base`. Neither is changed.

    A leaf of the result is a leaf of one of the two, with its span, path and text; a map or list
    that both have keeps the base's. An item's own `name` stays the base's: the override only
    chooses with it. A list merges by name where every item is a map with a `name` and the
    override has no name twice; an empty list in the override has no names, so it replaces: it
    empties the base's.

    Returns:
        The result, and what `remove: true` got wrong: an item that is not there, or one that says
        more than its name and is left alone.
    """
    faults: list[TextFault] = []
    return _merged(base, override, faults), tuple(faults)


def _merged(base: Node | None, override: Node, faults: list[TextFault]) -> Node:
    """The override over a base that may be missing: then only its own nulls and removals act."""
    if isinstance(override.value, Mapping):
        if base is not None and isinstance(base.value, Mapping):
            return replace(base, value=_merged_map(base.value, override.value, faults))
        return replace(override, value=_merged_map({}, override.value, faults))
    names = _names(override)
    if names and len(set(names)) == len(names):
        if base is not None and _names(base) is not None:
            return replace(base, value=_merged_items(base, override, faults))
        return replace(override, value=_merged_items(None, override, faults))
    return override


def _merged_map(
    base: Mapping[str, Node], override: Mapping[str, Node], faults: list[TextFault]
) -> dict[str, Node]:
    result = dict(base)
    for key, node in override.items():
        if node.value is None:
            result.pop(key, None)
        else:
            result[key] = _merged(base.get(key), node, faults)
    return result


def _merged_items(base: Node | None, override: Node, faults: list[TextFault]) -> tuple[Node, ...]:
    """Base order first, then what is new in the override's order."""
    result: list[Node | None] = list(_items(base)) if base is not None else []
    places: dict[str | None, list[int]] = {}
    for place, old in enumerate(result):
        places.setdefault(None if old is None else _name(old), []).append(place)
    for item in _items(override):
        name = _name(item)
        same_name = places.get(name, [])
        if _is_removal(item):
            if fault := _removal_fault(item, name, is_there=bool(same_name)):
                faults.append(fault)
                continue
            for place in same_name:
                result[place] = None
        elif same_name:
            # Where the base has a name twice, the floor above says so; until then the first one counts.
            place = same_name[0]
            result[place] = _merged_item(result[place], item, faults)
        else:
            result.append(_merged(None, item, faults))
    return tuple(item for item in result if item is not None)


def _merged_item(base: Node | None, override: Node, faults: list[TextFault]) -> Node:
    merged = _merged(base, override, faults)
    if base is None or not isinstance(merged.value, Mapping):
        return merged
    return replace(merged, value={**merged.value, "name": _fields(base)["name"]})


def _removal_fault(item: Node, name: str | None, *, is_there: bool) -> TextFault | None:
    extra = [key for key in _fields(item) if key not in ("name", "remove")]
    if extra:
        return TextFault(
            REMOVE_WITH_FIELDS,
            f"{shown(name or '')} is removed, yet {shown(extra[0])} is said about it",
            item.span,
            "keep `name` and `remove: true` to remove it, or take `remove: true` away to change it",
        )
    if not is_there:
        return TextFault(
            REMOVE_UNKNOWN,
            f"there is no {shown(name or '')} to remove",
            item.span,
            "check the name against the file that is overridden, or take this item away",
        )
    return None


def _is_removal(item: Node) -> bool:
    remove = _fields(item).get("remove")
    return remove is not None and remove.value is True


def _names(node: Node) -> list[str] | None:
    """The name of each item, or none where this is no list of named items."""
    if not isinstance(node.value, tuple):
        return None
    names = [name for item in node.value if (name := _name(item)) is not None]
    return names if len(names) == len(node.value) else None


def _name(item: Node) -> str | None:
    name = _fields(item).get("name")
    return name.value if name is not None and isinstance(name.value, str) else None


def _fields(node: Node) -> Mapping[str, Node]:
    return node.value if isinstance(node.value, Mapping) else {}


def _items(node: Node) -> tuple[Node, ...]:
    return node.value if isinstance(node.value, tuple) else ()
