"""Recorded cases of drift, replayed through the function that `plinth drift` calls.

    python tests/conformance/drift.py CASES FIXTURES

CASES is a YAML file: `cases`, each with `id`, `expected` (the name of a verdict) and `executed`, and
`crd_fixture`, the definition of the custom kind in them. FIXTURES is JSON lines, compressed or not, a row
for each case that was run against a real API server: `id`, `expected`, `desired`, `live`, `apply_probe`,
`create_probe`. A probe is the object that was answered, a Status where it was refused, or null.

A case is right where the verdict is the expected one, missed where something was to be reported and
nothing is, false where nothing was to be reported and something is. Where something was to be reported
and is, under another name, it is of another class; so is silence of the other kind (clean and explained).

The exit code is 0 for at most three missed and three false.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from plinth.drift import Probes, Refusal
from plinth.drift.judge import judge
from plinth.drift.lists import ListTypes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SILENT = frozenset({"clean", "explained"})
MOST_MISSED = 3
MOST_FALSE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was expected of a case and what came out."""

    id: str
    expected: str
    ours: str

    @property
    def grade(self) -> str:
        """`right`, `missed`, `false` or `other class`."""
        if self.ours == self.expected:
            return "right"
        if (self.expected in SILENT) == (self.ours in SILENT):
            return "other class"
        return "missed" if self.ours in SILENT else "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """All outcomes, and the cases of which nothing was recorded."""

    outcomes: tuple[Outcome, ...]
    not_replayed: tuple[str, ...]

    def count(self, grade: str) -> int:
        """How many outcomes have a grade."""
        return Counter(outcome.grade for outcome in self.outcomes)[grade]


def replay(cases: Path, fixtures: Path) -> Replay:
    """Judge every recorded case."""
    described = yaml.safe_load(cases.read_text(encoding="utf-8"))
    crd = described.get("crd_fixture")
    lists = ListTypes.of_crds([crd] if crd else [])
    rows = {row["id"]: row for row in _rows(fixtures)}
    outcomes = tuple(
        Outcome(
            id=row["id"],
            expected=row["expected"],
            ours=judge(
                row["desired"],
                row.get("live"),
                Probes(apply=_answer(row.get("apply_probe")), create=_answer(row.get("create_probe"))),
                lists,
            ).name,
        )
        for row in rows.values()
    )
    rest = tuple(case["id"] for case in described["cases"] if case["id"] not in rows)
    return Replay(outcomes=outcomes, not_replayed=rest)


def lines(replayed: Replay) -> Iterator[str]:
    """The report, a line for each case and the totals last."""
    width = max((len(outcome.id) for outcome in replayed.outcomes), default=0)
    for outcome in replayed.outcomes:
        mark = "" if outcome.grade == "right" else f"  <- {outcome.grade}"
        yield f"{outcome.id:{width}}  {outcome.expected:15}  {outcome.ours}{mark}".rstrip()
    if replayed.not_replayed:
        yield f"not replayed: {', '.join(replayed.not_replayed)}"
    yield f"{replayed.count('other class')} of another class"
    yield (
        f"{replayed.count('right')} right, {replayed.count('missed')} missed, {replayed.count('false')} false"
    )


def main(arguments: list[str]) -> int:
    """Print the report."""
    if len(arguments) != len(("CASES", "FIXTURES")):
        sys.stderr.write("usage: drift.py CASES FIXTURES\n")
        return 1
    replayed = replay(*map(Path, arguments))
    sys.stdout.write("".join(f"{line}\n" for line in lines(replayed)))
    within = replayed.count("missed") <= MOST_MISSED and replayed.count("false") <= MOST_FALSE
    return 0 if within else 1


def _rows(fixtures: Path) -> Iterator[Mapping[str, Any]]:
    data = fixtures.read_bytes()
    text = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    return (json.loads(line) for line in text.splitlines() if line.strip())


def _answer(probe: Mapping[str, Any] | None) -> Mapping[str, Any] | Refusal | None:
    if probe is None or probe.get("kind") != "Status":
        return probe
    details = probe.get("details") or {}
    return Refusal(
        status=int(probe.get("code", 0)),
        reason=str(probe.get("reason", "")),
        message=str(probe.get("message", "")),
        causes=tuple(str(cause.get("field", "")) for cause in details.get("causes") or ()),
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
