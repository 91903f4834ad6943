"""JSON 6902 operations and merge patches, as kustomize applies them.

Nothing is changed in place: along the path of an operation maps and lists are copied, and all the
rest is shared.

A `replace` of a key that is not there is refused as the RFC has it; kustomize would add the key.

Source: RFC 6902, RFC 6901; kustomize: `add` below a missing parent and `remove` of what is not
there are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final


class PatchError(ValueError):
    """An operation that cannot be applied; the message says which and why."""


def apply(document: Any, operations: Iterable[Mapping[str, Any]]) -> Any:
    """The document after all operations, in order.

    Raises:
        PatchError: an operation does not fit the document.
    """
    for operation in operations:
        document = _apply_one(document, operation)
    return document


def merge(document: Any, patch: Mapping[str, Any]) -> Any:
    """The document with a merge patch on it: maps merge, null removes, all else replaces.

    Source: RFC 7396.
    """
    merged = dict(document) if isinstance(document, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            merged[key] = merge(merged.get(key), value)
        else:
            merged[key] = value
    return merged


def parts_of(pointer: str) -> tuple[str, ...]:
    """The parts of a JSON pointer.

    Raises:
        PatchError: it does not begin with `/`.
    """
    if pointer == "":
        return ()
    if not pointer.startswith("/"):
        raise PatchError(f"`{pointer}` is no JSON pointer: it begins with `/`")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))


def _apply_one(document: Any, operation: Mapping[str, Any]) -> Any:
    name, path = operation.get("op"), parts_of(str(operation.get("path", "")))
    if name not in _OPERATIONS:
        raise PatchError(f"`{name}` is no operation: use add, remove, replace, move, copy or test")
    return _OPERATIONS[name](document, path, operation)


def _add(document: Any, path: tuple[str, ...], operation: Mapping[str, Any]) -> Any:
    value = operation.get("value")

    def change(parent: Any, key: str) -> Any:
        if isinstance(parent, Mapping):
            return {**parent, key: value}
        index = len(parent) if key == "-" else _index(parent, key, path, last=len(parent))
        return [*parent[:index], value, *parent[index:]]

    return _change(document, path, change, path) if path else value


def _remove(document: Any, path: tuple[str, ...], operation: Mapping[str, Any]) -> Any:
    del operation

    def change(parent: Any, key: str) -> Any:
        _child(parent, key, path)
        if isinstance(parent, Mapping):
            return {name: value for name, value in parent.items() if name != key}
        index = _index(parent, key, path, last=len(parent) - 1)
        return [*parent[:index], *parent[index + 1 :]]

    return _change(document, path, change, path)


def _replace(document: Any, path: tuple[str, ...], operation: Mapping[str, Any]) -> Any:
    value = operation.get("value")

    def change(parent: Any, key: str) -> Any:
        _child(parent, key, path)
        if isinstance(parent, Mapping):
            return {**parent, key: value}
        index = _index(parent, key, path, last=len(parent) - 1)
        return [*parent[:index], value, *parent[index + 1 :]]

    return _change(document, path, change, path) if path else value


def _test(document: Any, path: tuple[str, ...], operation: Mapping[str, Any]) -> Any:
    found, wanted = _at(document, path), operation.get("value")
    if not same(found, wanted):
        raise PatchError(f"`{_shown(path)}` is {found!r}, and {wanted!r} is expected there")
    return document


def _move(document: Any, path: tuple[str, ...], operation: Mapping[str, Any]) -> Any:
    source = parts_of(str(operation.get("from", "")))
    value = _at(document, source)
    return _add(_remove(document, source, {}), path, {"value": value})


def _copy(document: Any, path: tuple[str, ...], operation: Mapping[str, Any]) -> Any:
    return _add(document, path, {"value": _at(document, parts_of(str(operation.get("from", ""))))})


_OPERATIONS: Final[dict[str, Callable[[Any, tuple[str, ...], Mapping[str, Any]], Any]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "test": _test,
    "move": _move,
    "copy": _copy,
}


def _change(
    node: Any, path: tuple[str, ...], change: Callable[[Any, str], Any], whole: tuple[str, ...]
) -> Any:
    """`node` with `change` made at the last part of `path`, everything on the way copied."""
    if not isinstance(node, Mapping | list):
        raise PatchError(f"`{_shown(whole)}` leads through something that has no parts")
    if len(path) == 1:
        return change(node, path[0])
    child = _change(_child(node, path[0], whole), path[1:], change, whole)
    if isinstance(node, Mapping):
        return {**node, path[0]: child}
    index = _index(node, path[0], whole, last=len(node) - 1)
    return [*node[:index], child, *node[index + 1 :]]


def _at(document: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        document = _child(document, part, path)
    return document


def _child(node: Any, key: str, whole: tuple[str, ...]) -> Any:
    if isinstance(node, Mapping):
        if key not in node:
            raise PatchError(f"there is no `{_shown(whole)}`: nothing is called `{key}`")
        return node[key]
    if isinstance(node, list):
        return node[_index(node, key, whole, last=len(node) - 1)]
    raise PatchError(f"`{_shown(whole)}` leads through something that has no parts")


def _index(items: list[Any], key: str, whole: tuple[str, ...], *, last: int) -> int:
    is_number = key.isascii() and key.isdecimal() and (key == "0" or not key.startswith("0"))
    if not is_number or int(key) > last:
        raise PatchError(f"`{_shown(whole)}` has no item `{key}`: there are {len(items)}")
    return int(key)


def same(left: Any, right: Any) -> bool:
    """Equality as JSON has it: `1` is no `true`, and 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def _shown(path: tuple[str, ...]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
