"""Patches that people own: files under `patches/` that a component's section names.

A file is either operations with their target, or a merge patch that says its object itself:

    target: {kind: Deployment, name: mlflow, namespace: mlflow}
    operations: [{op: replace, path: /spec/replicas, value: 2}]

A merge patch may hold no list: whether lists of maps merge or replace depends on schemas that a
reader does not have in front of him, so lists are changed by operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from plinth.catalog import CatalogError
from plinth.catalog.facts import key_of
from plinth.ir.patch import PatchError, parts_of

if TYPE_CHECKING:
    from plinth.catalog.objects import ObjectKey

_TARGET_KEYS: Final = frozenset({"group", "kind", "name", "namespace"})
_OPERATIONS: Final = frozenset({"add", "copy", "move", "remove", "replace", "test"})


class PatchFault(ValueError):
    """A person's patch that cannot be used; the message says why."""


def read_patch(
    data: Any, known: Iterable[ObjectKey]
) -> tuple[ObjectKey, tuple[Mapping[str, Any], ...], Mapping[str, Any] | None]:
    """The object that a patch changes, and its operations or its merge patch.

    `known` are the component's objects, ours and upstream's.

    Raises:
        PatchFault: it is neither form, or its object is not there.
    """
    if not isinstance(data, Mapping):
        raise PatchFault("it is no map")
    if "operations" in data:
        return _object(data.get("target"), known), _operations(data), None
    return _object_of(data, known), (), _merge(data)


def _object(target: Any, known: Iterable[ObjectKey]) -> ObjectKey:
    if not isinstance(target, Mapping) or not {"kind", "name"} <= target.keys():
        raise PatchFault("its `target` lacks `kind` or `name`")
    if not target.keys() <= _TARGET_KEYS or not all(isinstance(each, str) for each in target.values()):
        raise PatchFault("its `target` has only the texts `group`, `kind`, `name` and `namespace`")
    found = [key for key in known if all(getattr(key, field) == value for field, value in target.items())]
    return _only(found, f"{target['kind']} {target['name']}", known)


def _object_of(body: Mapping[str, Any], known: Iterable[ObjectKey]) -> ObjectKey:
    try:
        key = key_of(body)
    except CatalogError:
        raise PatchFault("it has neither `operations` nor `apiVersion`, `kind` and `metadata.name`") from None
    found = [each for each in known if (each.group, each.kind, each.name) == (key.group, key.kind, key.name)]
    found = [each for each in found if key.namespace in {"", each.namespace}]
    return _only(found, f"{key.kind} {key.name}", known)


def _only(found: list[ObjectKey], wanted: str, known: Iterable[ObjectKey]) -> ObjectKey:
    if len(found) == 1:
        return found[0]
    if found:
        raise PatchFault(f"more than one object is a {wanted}: say its `namespace` or `group`")
    kind = wanted.split(" ", maxsplit=1)[0]
    same = ", ".join(sorted(key.name for key in known if key.kind == kind))
    raise PatchFault(f"there is no {wanted}" + (f"; of that kind there are {same}" if same else ""))


def _operations(data: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    operations = data["operations"]
    if data.keys() - {"operations", "target"}:
        raise PatchFault("beside `target` and `operations` nothing may stand")
    if not isinstance(operations, list) or not operations:
        raise PatchFault("its `operations` is no list of operations")
    for index, operation in enumerate(operations):
        _check_operation(operation, f"operation {index + 1}")
    return tuple(operations)


def _check_operation(operation: Any, where: str) -> None:
    if not isinstance(operation, Mapping) or operation.get("op") not in _OPERATIONS:
        raise PatchFault(f"{where} has no `op` out of {', '.join(sorted(_OPERATIONS))}")
    name = operation["op"]
    wanted = {"op", "path"} | ({"value"} if name in {"add", "replace", "test"} else set())
    wanted |= {"from"} if name in {"copy", "move"} else set()
    if operation.keys() != wanted:
        raise PatchFault(
            f"{where} (`{name}`) must have exactly {', '.join(f'`{key}`' for key in sorted(wanted))}"
        )
    for key in sorted(wanted & {"path", "from"}):
        try:
            if not isinstance(operation[key], str) or not parts_of(operation[key]):
                raise PatchFault(f"{where}: `{key}` is no path into the object")
        except PatchError as error:
            raise PatchFault(f"{where}: {error}") from None
        if (
            parts_of(operation[key])[:1] in {("kind",), ("apiVersion",)}
            or parts_of(operation[key]) in _IDENTITY
        ):
            raise PatchFault(f"{where} changes which object it is: `{operation[key]}`")


_IDENTITY: Final = frozenset({("metadata",), ("metadata", "name"), ("metadata", "namespace")})


def _merge(body: Mapping[str, Any]) -> Mapping[str, Any]:
    where = _a_list_in(body, "")
    if where:
        raise PatchFault(f"a merge patch holds no list, and `{where}` is one: use operations for it")
    if "$patch" in body:
        raise PatchFault("`$patch` is not supported: use operations")
    return body


def _a_list_in(node: Any, where: str) -> str:
    if isinstance(node, list):
        return where or "/"
    if isinstance(node, Mapping):
        return next(
            (found for key, child in node.items() if (found := _a_list_in(child, f"{where}/{key}"))), ""
        )
    return ""
