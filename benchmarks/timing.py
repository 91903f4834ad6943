"""Whole processes, timed from outside and in turn with each other (A B C A B C ...).

Single runs of one program fall into groups a half apart on a shared machine, and drift with its
load. What is run in turn drifts together, so that ratios of one turn hold where seconds do not.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What one command took, a turn at a time."""

    seconds: tuple[float, ...]
    peak_mib: float

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)

    def over(self, other: Series) -> tuple[float, ...]:
        """The ratios to another command, turn by turn; the one with fewer turns decides how many."""
        return tuple(mine / theirs for mine, theirs in zip(self.seconds, other.seconds, strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One command, and how to put things in order before each run of it."""

    key: str
    command: tuple[str, ...]
    before: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)
    codes: frozenset[int] = frozenset({0})
    """The exit codes of a run that counts."""
    turns: int | None = None
    """The most turns it takes part in; every turn where None."""


def run_in_turn(measures: Iterable[Measure], turns: int) -> dict[str, Series]:
    """Every measure's series by its key, after one turn that is not counted.

    Raises:
        SystemExit: a command ends with another exit code than those that count.
    """
    every = tuple(measures)
    seconds: dict[str, list[float]] = {each.key: [] for each in every}
    peaks: dict[str, float] = dict.fromkeys(seconds, 0.0)
    for turn in range(turns + 1):
        for each in every:
            if each.turns is not None and turn > each.turns:
                continue
            each.before()
            took, peak = _run(each)
            if turn:  # the first turn warms the caches
                seconds[each.key].append(took)
                peaks[each.key] = max(peaks[each.key], peak)
    return {key: Series(seconds=tuple(some), peak_mib=peaks[key]) for key, some in seconds.items()}


def process_environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a command. Byte code is written, as on every user's machine."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return kept | dict(more or {})


def _run(measure: Measure) -> tuple[float, float]:
    """Wall seconds of a whole process, and its peak memory in MiB."""
    environment = process_environment(measure.environment)
    start = time.perf_counter()
    process = subprocess.Popen(
        measure.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in measure.codes:
        raise SystemExit(f"{measure.key}: `{' '.join(measure.command)}` exits with {process.returncode}")
    scale = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss * scale / 2**20
