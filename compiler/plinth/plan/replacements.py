"""Which resources Terraform makes anew for a change, and for which argument: read from providers' schemas."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from plinth.catalog.providers import resource_block
from plinth.plan.actions import foreseen, mentioned, show_path
from plinth.plan.resources import TERRAFORM_FILE, Identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plinth.plan.actions import Path, Planned
    from plinth.plan.changes import Change
    from plinth.plan.tree import Tree

_REPLACING: Final = frozenset({"replace", "create-then-delete", "refused"})


def with_replacements(changes: Iterable[Change], before: Tree, after: Tree) -> list[Change]:
    """The changes, those that no provider makes in place told as replacements, and what these bring on.

    Raises:
        UnreadableFile: a file of a root is not what any compile writes.
    """
    found: list[Change] = []
    updates: dict[tuple[str, str], list[Change]] = defaultdict(list)
    known: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in changes:
        place = (each.identity.env, each.identity.home)
        if each.identity.layer == "terraform":
            known[place].add(each.identity.address)
        if each.identity.layer == "terraform" and each.action == "update":
            updates[place].append(each)
        else:
            found.append(each)
    for (env, root), some in updates.items():
        olds, news = _documents(before, env, root), _documents(after, env, root)
        planned = foreseen(resource_block, olds, news)
        anew = {address: each for address, each in planned.items() if each.action in _REPLACING}
        found += [_told(each, anew.get(each.identity.address)) for each in some]
        others = anew.keys() - known[env, root]
        found += _brought_on({each: anew[each] for each in others}, anew, some[0], news)
    return found


def _documents(tree: Tree, env: str, root: str) -> dict[str, Any]:
    """The files of a root as the one document that Terraform makes of them."""
    document: dict[str, Any] = {}
    for path in tree.marks:
        match = TERRAFORM_FILE.fullmatch(path)
        if match and (match["env"], match["root"]) == (env, root):
            for section, kinds in tree.data(path).items():
                place = document.setdefault(section, {})
                for kind, named in kinds.items() if isinstance(kinds, dict) else ():
                    has_names = isinstance(named, dict) and kind in place
                    place[kind] = {**place[kind], **named} if has_names else named
    return document


def _told(change: Change, planned: Planned | None) -> Change:
    if planned is None:
        return change
    return replace(change, action="replace", reasons=tuple(_reasons(planned, change.identity.address)))


def _reasons(planned: Planned, address: str) -> Iterator[str]:
    kind = address.partition(".")[0]
    arguments = dict.fromkeys(_stable(path) for path in planned.forced_by)
    for each in arguments:
        yield f"no `{kind}` changes `{each}` in place"
    if planned.action == "create-then-delete":
        yield "the new one is made before the old one goes"
    if planned.action == "refused":
        yield "`prevent_destroy` refuses it: Terraform stops there"
    if planned.behind:
        yield f"it rests on `{planned.behind}`, at which Terraform stops first"


def _stable(path: Path) -> str:
    """An argument without the places of single blocks: every nested block is a list to Terraform."""
    return show_path(path).replace("[0]", "")


def _brought_on(
    anew: Mapping[str, Planned], every: Mapping[str, Planned], cause: Change, root: Mapping[str, Any]
) -> Iterator[Change]:
    for address, planned in sorted(anew.items()):
        kind, _, name = address.partition(".")
        body = root.get("resource", {}).get(kind, {}).get(name, {})
        causes = sorted({*mentioned(body)} & every.keys() - {address})
        reasons = [f"it names `{each}`, which is made anew" for each in causes]
        reasons += [each for each in _reasons(planned, address) if not (causes and each.startswith("no "))]
        identity = Identity(
            layer="terraform", env=cause.identity.env, home=cause.identity.home, address=address
        )
        yield replace(cause, identity=identity, action="replace", fields=(), reasons=tuple(reasons), was="")
