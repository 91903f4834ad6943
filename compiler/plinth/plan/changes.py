"""What becomes of every resource between two compiled trees."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from plinth.ir.patch import parts_of
from plinth.plan.causes import Causes, origins_of
from plinth.plan.fields import ABSENT, FieldChange, compare
from plinth.plan.masks import masked
from plinth.plan.replacements import with_replacements
from plinth.plan.resources import resources, touched
from plinth.plan.tree import changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plinth.plan.resources import Identity, Resource
    from plinth.plan.tree import Tree

Action = Literal["create", "update", "replace", "delete", "rename", "forget"]
"""`replace`: the old one is destroyed and a new one made, for what changes cannot change in place. `forget`:
it leaves the tree and stays where it runs. `rename`: the one goes and the other comes, for neither Terraform
nor Kubernetes renames."""

Cause = Literal["spec", "compiler", "stale"]
"""Who wants a change: the person who changed the spec (or a patch, or what is vendored); a compiler that
is not the one that wrote the tree; or nobody now: the tree was not what its spec compiles to."""


class Change(Struct, frozen=True, kw_only=True):
    """What happens to one resource."""

    identity: Identity
    action: Action
    cause: Cause
    fields: tuple[FieldChange, ...]
    """Sorted by path; values are masked where they are secret."""
    origins: tuple[str, ...]
    """As ledgers hold them; paths of the spec before decisions of the compiler."""
    reasons: tuple[str, ...] = ()
    """Why it is made anew."""
    was: str = ""
    """The address before a rename."""


def changes(before: Tree, after: Tree, cause: Cause, causes: Causes, names: frozenset[str]) -> list[Change]:
    """Every change of a resource, sorted; only of the environments of these names, of all for none.

    Raises:
        UnreadableFile: a file that has changed is not what any compile writes.
    """
    paths = changed(before, after)
    if not paths:
        return []
    units = sorted(touched(before, paths) | touched(after, paths))
    pairs: dict[Identity, list[Resource | None]] = defaultdict(lambda: [None, None])
    for unit in units:
        if names and unit.env not in names:
            continue
        for side, tree in enumerate((before, after)):
            for resource in resources(tree, unit):
                pairs[resource.identity][side] = resource
    found: list[_Found] = []
    for identity, old, new in _comparable(pairs):
        fields = _fields(old, new)
        if fields or old is None or new is None:
            origins = causes.of(identity.env, origins_of((before, old), (after, new)))
            change = Change(
                identity=identity, action=_action(old, new), cause=cause, fields=fields, origins=origins
            )
            found.append(_Found(change, old, new))
    told = with_replacements(_renamed(found), before, after)
    return sorted(told, key=lambda each: (each.identity, each.action))


class _Found(Struct, frozen=True):
    change: Change
    old: Resource | None
    new: Resource | None

    @property
    def kind(self) -> tuple[str, ...]:
        """What two resources share if one may be the other under a new name."""
        identity, resource = self.change.identity, self.new or self.old
        if resource is not None and resource.key is not None:
            return (identity.layer, identity.env, resource.key.group, resource.key.kind)
        return (identity.layer, identity.env, identity.home, identity.address.rpartition(".")[0])


def _comparable(
    pairs: Mapping[Identity, list[Resource | None]],
) -> Iterator[tuple[Identity, Resource | None, Resource | None]]:
    """The pairs of which both sides are known as well as each other.

    Where Argo CD fetches an Application's objects on one side only, they cannot be compared one by one;
    what stands for them all is.
    """
    fetched: dict[tuple[str, str], int] = defaultdict(int)
    for identity, pair in pairs.items():
        fetched[identity.env, identity.home] += sum(each is not None and each.is_fetched for each in pair)
    for identity, (old, new) in sorted(pairs.items()):
        is_own = not any(each is not None and each.is_upstream and not each.is_fetched for each in (old, new))
        if is_own or fetched[identity.env, identity.home] != 1:
            yield identity, old, new


def _action(old: Resource | None, new: Resource | None) -> Action:
    one = old or new
    if one is not None and one.is_sketch:
        return "update"  # the object is there either way, with our patch or without
    if new is None:
        return "forget" if old is not None and _stays(old) else "delete"
    return "create" if old is None else "update"


def _stays(resource: Resource) -> bool:
    """Whether Argo CD leaves an object alone that is no longer in the tree.

    Source: Argo CD, "Sync Options", "No Prune Resources". The Applications of CRDs never prune.
    """
    if resource.identity.layer != "manifest":
        return False
    if resource.key is not None and resource.key.kind == "CustomResourceDefinition":
        return True
    metadata = resource.body.get("metadata")
    annotations = (metadata if isinstance(metadata, Mapping) else {}).get("annotations")
    options = (annotations if isinstance(annotations, Mapping) else {}).get("argocd.argoproj.io/sync-options")
    return "Prune=false" in str(options or "").split(",")


def _fields(old: Resource | None, new: Resource | None) -> tuple[FieldChange, ...]:
    before, after = old.body if old else _nothing(new), new.body if new else _nothing(old)
    if old is not None and new is not None and old.is_sketch != new.is_sketch:
        before, after = _as_sketch(old, new), _as_sketch(new, old)
    found = compare(before, after)
    some = [each for each in (old, new) if each is not None]
    if any(each.is_sketch for each in some):
        found = tuple(replace(each, way=(*parts_of(str(each.way[0])), *each.way[1:])) for each in found)
    return tuple(masked(each, is_secret=any(one.is_secret for one in some)) for each in found)


def _as_sketch(resource: Resource, other: Resource) -> Any:
    """What a resource has at the places that are known of the other one."""
    if resource.is_sketch:
        return resource.body
    return {place: value for place in other.body if (value := _at(resource.body, place)) is not ABSENT}


def _at(value: Any, place: str) -> Any:
    for part in parts_of(place):
        if isinstance(value, Mapping):
            value = value.get(part, ABSENT)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return ABSENT
    return value


def _nothing(resource: Resource | None) -> Any:
    """What a body that is not there is compared as, so that every field of the other one is named."""
    return _emptied(resource.body) if resource is not None else {}


def _emptied(body: Any) -> Any:
    if not isinstance(body, Mapping):
        return ABSENT
    return {key: _emptied(value) for key, value in body.items() if isinstance(value, Mapping) and value}


def _renamed(found: Iterable[_Found]) -> Iterator[Change]:
    """The changes, with a removal and an addition that are alike but for the name made one."""
    groups: dict[tuple[str, ...], list[_Found]] = defaultdict(list)
    for each in found:
        groups[each.kind].append(each)
    for group in groups.values():
        gone = [each for each in group if each.change.action == "delete"]
        come = [each for each in group if each.change.action == "create"]
        taken: set[int] = set()
        for new in come:
            twins = [old for old in gone if id(old) not in taken and _alike(old, new)]
            if len(twins) == 1:
                taken |= {id(twins[0]), id(new)}
                yield _rename(twins[0].change, new.change)
        yield from (each.change for each in group if id(each) not in taken)


def _rename(old: Change, new: Change) -> Change:
    origins = tuple(dict.fromkeys((*new.origins, *old.origins)))
    return replace(new, action="rename", was=old.identity.address, fields=(), origins=origins)


def _alike(old: _Found, new: _Found) -> bool:
    """Whether one body is the other once its name is put in the other's place."""
    before, after = (
        json.dumps(each.body, sort_keys=True) if each is not None else "" for each in (old.old, new.new)
    )
    was, now = (json.dumps(_name(each.change.identity))[1:-1] for each in (old, new))
    return after.replace(now, was) == before or before.replace(was, now) == after


def _name(identity: Identity) -> str:
    return identity.address.rpartition("." if identity.layer == "terraform" else "/")[2]
