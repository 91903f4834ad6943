"""A diff as a program reads it, as a person does at a terminal, and as a comment on a pull request."""

from __future__ import annotations

import difflib
import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.diagnostics.show import printable
from plinth.ir.origins import place_of
from plinth.plan.costs import TITLE, cost_lines, costs_json
from plinth.plan.fields import ABSENT
from plinth.text.spans import show_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plinth.plan import Change, Diff, FieldChange, SpecChange
    from plinth.plan.changes import Action, Cause
    from plinth.text.nodes import Node

SCHEMA: Final = "plinth.dev/diff/v1"
LONGEST_COMMENT: Final = 65_000
"""Characters. GitHub takes 65,536 in a comment, of which whoever posts it needs a few; GitLab takes more."""
MOST_FIELDS: Final = 12
"""Fields of one resource that are shown; the rest is counted. JSON has them all."""
MOST_ORIGINS: Final = 6

_NONE: Final = "(none)"

_MARKS: Final[dict[Action, str]] = {
    "create": "+",
    "update": "~",
    "replace": "-/+",
    "delete": "-",
    "rename": ">",
    "forget": "!",
}
_COUNTED: Final[dict[Action, str]] = {
    "create": "to create",
    "update": "to change",
    "replace": "to replace",
    "delete": "to delete",
    "rename": "to replace under a new name",
    "forget": "to leave behind",
}
_LAYERS: Final = {"terraform": "Terraform", "manifest": "Kubernetes", "argocd": "Argo CD"}
_MEANINGS: Final[dict[Action, str]] = {
    "rename": "the old one is deleted, and a new one is created",
    "forget": "Argo CD leaves it in the cluster",
}
_SHOWN: Final = ("update", "replace")
"""Actions of which the fields are shown."""
_COLOURS: Final = {"+": "32", "-": "31", "~": "33", ">": "33", "!": "33"}
_DIFF_MARKS: Final = {"+": "+", "-": "-", "~": "!", ">": "!", "!": "!"}
"""What GitHub colours in a block of `diff`."""


class Places(Struct, frozen=True, kw_only=True):
    """Where the paths of the spec stand."""

    file: str
    base: str
    """The name of the commit that is compared with."""
    documents: tuple[Node | None, Node | None]
    """The spec at hand and that of the commit."""

    def of(self, origin: str) -> dict[str, Any]:
        """An origin as JSON: `{"path", "file", "line"}`, with `revision` where only the commit has it."""
        for document, revision in zip(self.documents, (None, self.base), strict=True):
            found = place_of(origin, document, self.file)
            if "because" in found or found["line"] is not None:
                return found if revision is None else {**found, "revision": revision}
        return found


def as_json(diff: Diff, places: Places) -> dict[str, Any]:
    """The object of the contract: `plinth.dev/diff/v1`."""
    changes = [
        *(_spec_json(each, places) for each in diff.spec),
        *(_json(each, places) for each in diff.changes),
    ]
    counts = Counter(each["action"] for each in changes if each["layer"] != "spec")
    return {
        "schema": SCHEMA,
        "base": places.base,
        "changes": changes,
        "cost": costs_json(diff.cost),
        "summary": {action: counts.get(action, 0) for action in _MARKS},
    }


def as_text(diff: Diff, places: Places, *, width: int = 100, colour: bool = False) -> str:
    """What changes, for a terminal; a blank line between two parts."""
    out: list[str] = [f"against {printable(places.base)}:", ""]
    for title, lines in _parts(diff, places, width):
        out += [title, *(_painted(line, colour=colour) for line in lines), ""]
    return "\n".join((*out, _summary(diff), ""))


def as_markdown(diff: Diff, places: Places) -> str:
    """A comment for a pull request: every fence closed, and never longer than a comment may be."""
    head = f"### Plinth: {_summary(diff)}\n"
    tail = "\nThere is more: `plinth compile --diff` shows all of it.\n"
    room = LONGEST_COMMENT - len(head) - len(tail)
    out: list[str] = []
    for title, lines in _parts(diff, places, 100):
        listed = [_DIFF_MARKS.get(line[:1], " ") + line[1:] if line else line for line in lines]
        fence = "`" * max(3, 1 + max(map(_longest_run, listed), default=0))
        before, after = (
            f"\n<details open><summary>{title}</summary>\n\n{fence}diff\n",
            f"{fence}\n\n</details>\n",
        )
        kept = _fitting(listed, room - len(before) - len(after))
        if not kept:
            return "".join((head, *out, tail))
        text = "".join((before, *(f"{line}\n" for line in kept), after))
        out.append(text)
        room -= len(text)
        if len(kept) < len(listed):
            return "".join((head, *out, tail))
    return "".join((head, *out))


def _fitting(lines: Sequence[str], room: int) -> Sequence[str]:
    for index, line in enumerate(lines):
        room -= len(line) + 1
        if room < 0:
            return lines[:index]
    return lines


def _longest_run(line: str) -> int:
    return max(map(len, "".join(each if each == "`" else " " for each in line).split()), default=0)


def _parts(diff: Diff, places: Places, width: int) -> Iterator[tuple[str, list[str]]]:
    if diff.spec:
        yield "The spec", [_spec_line(each, places, width) for each in diff.spec]
    if diff.cost:
        yield TITLE, list(cost_lines(diff.cost))
    for cause in ("spec", "compiler", "stale"):
        for layer, title in _LAYERS.items():
            some = [each for each in diff.changes if each.cause == cause and each.identity.layer == layer]
            if some:
                yield title + _whose(cause), list(_lines(some, places, width))


def _whose(cause: Cause | str) -> str:
    match cause:
        case "compiler":
            return ", by another version of Plinth, not by the spec"
        case "stale":
            return ", due already: what is committed is not what its spec compiles to"
    return ""


def _lines(changes: Iterable[Change], places: Places, width: int) -> Iterator[str]:
    """Lines of changes, alike ones of several environments together."""
    folded: dict[str, list[Change]] = defaultdict(list)
    for each in changes:
        shown = each.fields if each.action in _SHOWN else ()
        fields = [(field.path, repr(field.before), repr(field.after)) for field in shown]
        who = (each.identity.home, each.identity.address, each.was)
        alike = (*who, each.action, each.reasons, fields, each.origins)
        folded[repr(alike)].append(each)
    for some in folded.values():
        one = some[0]
        names = ", ".join(each.identity.env for each in some)
        was = f"{printable(one.was)} -> " if one.was else ""
        yield f"{_MARKS[one.action]} {was}{printable(one.identity.address)}  ({names}: {one.identity.home})"
        if one.action in _MEANINGS:
            yield f"    {_MEANINGS[one.action]}"
        yield from (f"    {printable(each)}" for each in one.reasons)
        if one.action in _SHOWN:
            yield from _fields(one.fields, width)
        origins = [_place(places.of(each)) for each in one.origins]
        yield from (f"    {each}" for each in origins[:MOST_ORIGINS])
        if len(origins) > MOST_ORIGINS:
            yield f"    and {len(origins) - MOST_ORIGINS} other places"


def _fields(fields: tuple[FieldChange, ...], width: int) -> Iterator[str]:
    for each in fields[:MOST_FIELDS]:
        if _is_text(each.before) and _is_text(each.after):
            yield f"    {printable(each.path)}:"
            yield from _text_lines(each.before, each.after, width)
        else:
            yield f"    {printable(each.path)}: {_pair(each.before, each.after, width - len(each.path) - 6)}"
    if len(fields) > MOST_FIELDS:
        yield f"    and {len(fields) - MOST_FIELDS} more fields"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value.rstrip("\n")


def _text_lines(before: str, after: str, width: int) -> Iterator[str]:
    """The lines in which two texts differ."""
    found = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    found = [line for line in found if not line.startswith("@@")]
    for line in found[:MOST_FIELDS]:
        yield f"      {line[0]} {_value(line[1:], max(24, width - 8))}"
    if len(found) > MOST_FIELDS:
        yield f"      and {len(found) - MOST_FIELDS} more lines"


def _spec_line(change: SpecChange, places: Places, width: int) -> str:
    path = show_path(change.path)
    mark = "+" if change.before is ABSENT else "-" if change.after is ABSENT else "~"
    place = _place(places.of(path)).removesuffix(f" {path}")
    return f"{mark} {path}: {_pair(change.before, change.after, width - len(path) - 4)}  {place}"


def _pair(before: Any, after: Any, room: int) -> str:
    if before is ABSENT or after is ABSENT:
        only = _value(after if before is ABSENT else before, max(24, room - len(_NONE) - 4))
        return f"{_NONE} -> {only}" if before is ABSENT else f"{only} -> {_NONE}"
    if before == after:  # hidden, both of them
        return f"{_value(before, room)}, changed"
    half = max(20, (room - 4) // 2)
    return f"{_value(before, half)} -> {_value(after, half)}"


def _value(value: Any, room: int) -> str:
    """A value on one line of at most `room` characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = printable(text) or '""'
    return text if len(text) <= room else f"{text[: max(4, room - 3)]}..."


def _place(origin: dict[str, Any]) -> str:
    if "because" in origin:
        return f"the compiler, because {printable(origin['because'])}"
    if origin["line"] is None:
        return str(origin["path"])
    revision = f" in {printable(origin['revision'])}" if "revision" in origin else ""
    return f"{printable(origin['file'])}:{origin['line']}{revision} {origin['path']}"


def _summary(diff: Diff) -> str:
    counts = Counter(each.action for each in diff.changes)
    said = [f"{counts[action]} {words}" for action, words in _COUNTED.items() if counts[action]]
    if said:
        return ", ".join(said)
    return "the spec changes, and nothing that it compiles to does" if diff.spec else "nothing changes"


def _painted(line: str, *, colour: bool) -> str:
    code = _COLOURS.get(line[:1])
    return f"\x1b[{code}m{line}\x1b[0m" if colour and code else line


def _json(change: Change, places: Places) -> dict[str, Any]:
    identity = change.identity
    found = {
        "layer": identity.layer,
        "env": identity.env,
        "root" if identity.layer == "terraform" else "application": identity.home,
        "address": identity.address,
        "action": change.action,
        "cause": change.cause,
        "risk": "unknown",
        "reasons": list(change.reasons),
        "origins": [places.of(each) for each in change.origins],
        "fields": [
            {"path": each.path, "before": _plain(each.before), "after": _plain(each.after)}
            for each in change.fields
        ],
    }
    return {**found, "was": change.was} if change.was else found


def _spec_json(change: SpecChange, places: Places) -> dict[str, Any]:
    path = show_path(change.path)
    action = "create" if change.before is ABSENT else "delete" if change.after is ABSENT else "update"
    return {
        "layer": "spec",
        "env": "",
        "address": path,
        "action": action,
        "cause": "spec",
        "risk": "unknown",
        "reasons": [],
        "origins": [places.of(path)],
        "fields": [{"path": "", "before": _plain(change.before), "after": _plain(change.after)}],
    }


def _plain(value: Any) -> Any:
    return None if value is ABSENT else value
