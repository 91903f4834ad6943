"""A drift report as a person reads it and as a program does.

What a cluster says is data of strangers: control characters are made visible, what looks like a secret
is made of stars, and a long value is cut in its middle, never inside of an escape.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from plinth.diagnostics.secrets import hide_secrets
from plinth.diagnostics.show import columns, printable
from plinth.drift.findings import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from plinth.drift import Actor, Field, Finding, Unknown
    from plinth.drift.findings import Explained, Reading

    Place = Callable[[str], Mapping[str, Any]]
    """For an origin as a ledger has it: `{"path", "file", "line"}`, or `{"because"}`."""

SCHEMA: Final = "plinth.dev/drift/v1"

WIDTH: Final = 100
"""Columns where nobody says how many there are."""
LONGEST_VALUE: Final = 72
"""Columns of one shown value."""
SHARED_SHOWN: Final = 12
"""Characters before the first difference of two long values."""
MOST_FIELDS: Final = 20
MOST_EXPLAINED: Final = 5
"""Objects named for one explanation; the rest is counted."""

_COLOURS: Final = {"critical": "1;31", "high": "31", "medium": "33", "low": "36", "info": "2"}
_TOKEN: Final = re.compile(r"\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\U[0-9a-f]{8}|\\.|.", re.DOTALL)
"""A character, or an escape as a whole."""


def as_json(reading: Reading, place: Place) -> dict[str, Any]:
    """The object of the contract: `plinth.dev/drift/v1`."""
    return {
        "schema": SCHEMA,
        "findings": [_finding(each, place) for each in _ordered(reading.findings)],
        "unknown": [_unknown(each) for each in _unknowns(reading)],
        "explained": [
            {"env": each.env, "resource": _safe(dict(each.resource)), "reason": _safe(each.reason)}
            for each in _explained(reading)
        ],
        "summary": summary(reading),
    }


def summary(reading: Reading) -> dict[str, Any]:
    """The counts."""
    severities = Counter(each.severity for each in reading.findings)
    return {
        "checked": reading.checked,
        "clean": reading.clean,
        "explained": len(reading.explained),
        "findings": len(reading.findings),
        "severities": {name: severities[name] for name in SEVERITIES},
        "unknown": len(reading.unknown),
    }


def as_text(reading: Reading, place: Place, *, width: int = WIDTH, colour: bool = False) -> str:
    """The report for a terminal of so many columns, the counts in its last line."""
    lines: list[str] = []
    environment = None
    for finding in _ordered(reading.findings):
        if finding.env != environment:
            environment = finding.env
            lines += [environment, ""]
        lines += _shown(finding, place, width, colour=colour)
        lines.append("")
    for each in _unknowns(reading):
        lines += _wrapped(f"unknown  {each.what}  ({each.env}): {each.reason}", width)
    if reading.unknown:
        lines.append("")
    by_reason: dict[str, list[str]] = {}
    for one in _explained(reading):
        by_reason.setdefault(one.reason, []).append(_name(one.resource))
    for reason, names in sorted(by_reason.items()):
        more = f" and {len(names) - MOST_EXPLAINED} more" if len(names) > MOST_EXPLAINED else ""
        lines += _wrapped(f"explained  {', '.join(names[:MOST_EXPLAINED])}{more}: {reason}", width)
    if by_reason:
        lines.append("")
    return "\n".join([*lines, *_wrapped(_counts(reading), width)]) + "\n"


def _counts(reading: Reading) -> str:
    counts = summary(reading)
    told = [f"{number} {name}" for name, number in counts["severities"].items() if number]
    return (
        f"{counts['checked']} checked, {counts['clean']} clean, {counts['explained']} explained, "
        f"{counts['findings']} found"
        + (f" ({', '.join(told)})" if told else "")
        + f", {counts['unknown']} unknown"
    )


def _shown(finding: Finding, place: Place, width: int, *, colour: bool) -> Iterator[str]:
    head = _wrapped(
        f"{finding.severity}  {finding.class_}  {_name(finding.resource)}  ({finding.env})", width
    )
    if colour:
        rest = head[0].removeprefix(finding.severity)
        head[0] = f"\x1b[{_COLOURS[finding.severity]}m{finding.severity}\x1b[0m{rest}"
    yield from head
    if finding.reason:
        yield from _wrapped(f"  {finding.reason}", width)
    for each in finding.fields[:MOST_FIELDS]:
        yield from _wrapped(f"  {_difference(each)}", width)
    if len(finding.fields) > MOST_FIELDS:
        yield from _wrapped(f"  and {len(finding.fields) - MOST_FIELDS} fields more", width)
    for actor in finding.actors:
        yield from _wrapped(f"  by {_actor(actor)}", width)
    if not finding.actors and finding.class_ in {"drift", "drift-unmanaged"} and finding.layer != "terraform":
        yield "  by nobody on record"
    for origin in finding.origins:
        yield from _wrapped(f"  {_origin(place(origin))}", width)
    if finding.remedy:
        yield from _wrapped(f"  remedy: {finding.remedy}", width)


def _name(resource: Mapping[str, str]) -> str:
    if "address" in resource:
        return resource["address"]
    within = f"{resource['namespace']}/" if resource["namespace"] else ""
    return f"{resource['kind']} {within}{resource['name']}".rstrip()


def _difference(field: Field) -> str:
    desired, live = _tokens(field.desired), _tokens(field.live)
    if field.has_desired and field.has_live:
        desired, live = _from_where_they_differ(desired, live)
    left = f"{_cut(desired)} declared" if field.has_desired else "nothing declared"
    right = f"{_cut(live)} live" if field.has_live else "nothing live"
    return f"{field.path or '/'}: {left}, {right}"


def _tokens(value: Any) -> list[str]:
    """A value as JSON, in pieces that are not to be cut: characters, and escapes as a whole."""
    text = json.dumps(_safe(value), ensure_ascii=False, sort_keys=True)
    return [token if token.isprintable() else ascii(token)[1:-1] for token in _TOKEN.findall(text)]


def _from_where_they_differ(one: list[str], other: list[str]) -> tuple[list[str], list[str]]:
    """Both without the start that they share, where it would leave no room for the difference."""
    pairs = zip(one, other, strict=False)
    shared = next((index for index, (left, right) in enumerate(pairs) if left != right), 0)
    if shared <= LONGEST_VALUE // 2 or max(len(one), len(other)) <= LONGEST_VALUE:
        return one, other
    start = shared - SHARED_SHOWN
    return ["…", *one[start:]], ["…", *other[start:]]


def _cut(parts: list[str]) -> str:
    """As much of a value as is shown: its start and its end."""
    if sum(map(columns, parts)) <= LONGEST_VALUE:
        return "".join(parts)
    head, tail = _fitting(parts, LONGEST_VALUE // 2), _fitting(parts[::-1], LONGEST_VALUE // 2 - 1)
    return "".join((*head, "…", *reversed(tail)))


def _fitting(parts: list[str], room: int) -> list[str]:
    found, used = [], 0
    for part in parts:
        used += columns(part)
        if used > room:
            break
        found.append(part)
    return found


def _actor(actor: Actor) -> str:
    return f"{actor.manager} ({actor.operation})" + (f" at {actor.time}" if actor.time else "")


def _origin(place: Mapping[str, Any]) -> str:
    if "because" in place:
        return f"the compiler, because {place['because']}"
    return f"{place['file']}:{place['line']} {place['path']}" if place["line"] else str(place["path"])


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most so many columns; those that follow the first stand two further to the right."""
    indent = " " * (len(text) - len(text.lstrip(" ")))
    lines = [indent]
    is_begun = False
    for word in re.split(r" (?! )", printable(text).strip(" ")):
        glue = " " if is_begun else ""
        if is_begun and columns(lines[-1] + glue + word) > width:
            lines.append(f"{indent}  ")
            glue = ""
        lines[-1] += glue
        for token in _TOKEN.findall(word):
            if columns(lines[-1] + token) > width and lines[-1].strip():
                lines.append(f"{indent}  ")
            lines[-1] += token
        is_begun = True
    return [line.rstrip() for line in lines]


def _finding(finding: Finding, place: Place) -> dict[str, Any]:
    return {
        "id": finding.id,
        "class": finding.class_,
        "severity": finding.severity,
        "env": finding.env,
        "layer": finding.layer,
        "resource": _safe(dict(finding.resource)),
        "fields": [
            {
                "path": _safe(each.path),
                "desired": _safe(each.desired),
                "live": _safe(each.live),
                "hasDesired": each.has_desired,
                "hasLive": each.has_live,
            }
            for each in finding.fields
        ],
        "actors": [
            {"manager": _safe(each.manager), "operation": each.operation, "time": each.time}
            for each in finding.actors
        ],
        "origins": [dict(place(each)) for each in finding.origins],
        "reason": _safe(finding.reason),
        "remedy": finding.remedy,
    }


def _unknown(each: Unknown) -> dict[str, str]:
    return {"env": each.env, "what": _safe(each.what), "reason": _safe(each.reason)}


def _safe(value: Any) -> Any:
    """A value without what looks like a secret, wherever in it that stands."""
    if isinstance(value, str):
        return hide_secrets(value)
    if isinstance(value, dict):
        return {hide_secrets(str(key)): _safe(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_safe(part) for part in value]
    return value


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(
        findings,
        key=lambda each: (
            each.env,
            SEVERITIES.index(each.severity),
            each.layer,
            tuple(sorted(each.resource.items())),
            each.class_,
            each.id,
        ),
    )


def _unknowns(reading: Reading) -> list[Unknown]:
    return sorted(reading.unknown, key=lambda each: (each.env, each.what, each.reason))


def _explained(reading: Reading) -> list[Explained]:
    return sorted(reading.explained, key=lambda each: (each.env, sorted(each.resource.items()), each.reason))
