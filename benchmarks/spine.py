"""The budgets of a compile, measured as ratios in one interleaved run.

    python benchmarks/spine.py [--runs 7] [--mirror DIR]

Every command is a whole process, timed from outside, in turn with the others (A B C A B C ...), and
the median is held against the budget. Seconds depend on the machine, ratios hardly do. With a mirror
of upstream manifests the example is compiled vendored and held against `kubectl kustomize` of the
same overlays; without one, or without kubectl, those rows are left out and named.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLINTH = (sys.executable, "-m", "plinth")

FORBIDDEN_AT_START = (
    "pydantic",
    "yaml",
    "rich",
    "kubernetes",
    "git",
    "asyncio",
    "importlib.metadata",
    "dataclasses",
)
"""Modules that `plinth --version` must not load; exact, where a time is noisy."""

FORBIDDEN_WHEN_CURRENT = ("pydantic", "yaml", "git")
"""Modules that a compile with nothing to do must not load."""


@dataclass
class Measure:
    """One command, how to put things in order before it, and what it took."""

    name: str
    command: tuple[str, ...]
    before: tuple[str, ...] = ()
    """Paths under the tree to remove first."""
    seconds: list[float] = field(default_factory=list)
    peak_mib: float = 0.0

    @property
    def median(self) -> float:
        """Seconds."""
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class Budget:
    """The most that one measure may take, as a multiple of another or in seconds."""

    name: str
    value: float
    limit: float
    unit: str


def main() -> int:
    """Measure, print the table, and fail on a budget."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--runs", type=int, default=7, help="counted runs of each command (default: %(default)s)"
    )
    parser.add_argument(
        "--mirror", type=Path, default=_mirror(), help="rendered upstream manifests (default: PLINTH_MIRROR)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="plinth-bench-") as folder:
        tree = Path(folder)
        vendored = _prepare(tree, options.mirror)
        measures = _measures(tree, vendored=vendored)
        _run(measures, tree, options.runs)
        budgets = _budgets(measures, tree)
    _print(measures, budgets)
    return 0 if all(each.value <= each.limit for each in budgets) else 1


def _mirror() -> Path | None:
    named = os.environ.get("PLINTH_MIRROR")
    beside = ROOT.parent / "shared" / "upstream"
    return Path(named) if named else beside if beside.is_dir() else None


def _prepare(tree: Path, mirror: Path | None) -> bool:
    """The example in `tree`, compiled once; True where it is vendored."""
    text = (ROOT / "platform.yaml").read_text(encoding="utf-8")
    vendored = mirror is not None and mirror.is_dir()
    if vendored:
        text = text.replace("upstreams: remote", "upstreams: vendored")
    (tree / "platform.yaml").write_text(text, encoding="utf-8")
    if vendored:
        subprocess.run(
            [*PLINTH, "vendor", "--mirror", str(mirror), "-C", str(tree)],
            check=True,
            capture_output=True,
            env=_environment(),
        )
    subprocess.run([*PLINTH, "compile", "-C", str(tree)], check=True, capture_output=True, env=_environment())
    return vendored


def _measures(tree: Path, *, vendored: bool) -> dict[str, Measure]:
    compile_here = (*PLINTH, "compile", "-C", str(tree))
    compiled = ("overlays", "generated/base", "generated/dev", "generated/prod", ".plinth")
    found = {
        "pass": Measure("python -c pass", (sys.executable, "-c", "pass")),
        "version": Measure("plinth --version", (*PLINTH, "--version")),
        "current": Measure("plinth compile, nothing changed", compile_here),
    }
    found["cold"] = Measure("plinth compile, cold", compile_here, before=compiled)
    if vendored and shutil.which("kubectl"):
        overlays = [str(path.parent) for path in sorted((tree / "overlays").rglob("kustomization.yaml"))]
        overlays += [
            str(path.parent) for path in sorted((tree / "generated/base").rglob("crds/kustomization.yaml"))
        ]
        script = 'for each; do kubectl kustomize "$each" >/dev/null || exit 1; done'
        found["kustomize"] = Measure(
            "kubectl kustomize, the same overlays", ("sh", "-c", script, "sh", *overlays)
        )
    return found


def _run(measures: dict[str, Measure], tree: Path, runs: int) -> None:
    # `current` comes right after `cold`, whose tree it finds complete.
    order = [measures[key] for key in ("pass", "version", "cold", "current", "kustomize") if key in measures]
    for turn in range(runs + 1):
        for each in order:
            for path in each.before:
                shutil.rmtree(tree / path, ignore_errors=True)
            seconds, peak = _time(each.command)
            if turn:  # the first turn warms the caches
                each.seconds.append(seconds)
                each.peak_mib = max(each.peak_mib, peak)


def _time(command: tuple[str, ...]) -> tuple[float, float]:
    """Wall seconds of a whole process and its peak memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment()
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} exits with {process.returncode}")
    scale = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss * scale / 2**20


def _environment() -> dict[str, str]:
    # Byte code is written, as on every user's machine.
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def _budgets(measures: dict[str, Measure], tree: Path) -> list[Budget]:
    cold, current, bare = measures["cold"], measures["current"], measures["pass"]
    # The ratios that stand for 0.10 s and 0.5 s are generous: on a busy machine they rise by a half.
    budgets = [
        Budget("plinth --version / python -c pass", measures["version"].median / bare.median, 4.0, "x"),
        Budget("nothing changed / python -c pass", current.median / bare.median, 9.0, "x"),
        Budget("cold / python -c pass", cold.median / bare.median, 60.0, "x"),
        Budget("cold, peak memory", cold.peak_mib, 100.0, "MiB"),
        Budget("modules that --version must not load", _loaded(("--version",), FORBIDDEN_AT_START), 0, ""),
        Budget(
            "modules that nothing-changed must not load",
            _loaded(("compile", "-C", str(tree)), FORBIDDEN_WHEN_CURRENT),
            0,
            "",
        ),
    ]
    if "kustomize" in measures:
        budgets.insert(
            3, Budget("cold / kubectl kustomize", cold.median / measures["kustomize"].median, 0.25, "x")
        )
    return budgets


def _loaded(words: tuple[str, ...], forbidden: tuple[str, ...]) -> int:
    """How many of the forbidden modules a command loads."""
    code = (
        "import sys; from plinth.cli import main; main(sys.argv[1:-1]); "
        "print(len({name for name in sys.argv[-1].split(',') if name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words, ",".join(forbidden)],
        check=True,
        capture_output=True,
        text=True,
        env=_environment(),
    )
    return int(done.stdout.split()[-1])


def _print(measures: dict[str, Measure], budgets: list[Budget]) -> None:
    print(f"{'what':<48}{'median s':>10}{'min':>8}{'max':>8}{'MiB':>7}")
    for each in measures.values():
        print(
            f"{each.name:<48}{each.median:>10.3f}{min(each.seconds):>8.3f}{max(each.seconds):>8.3f}{each.peak_mib:>7.0f}"
        )
    if "kustomize" not in measures:
        print("left out: kubectl kustomize, because there is no kubectl or no mirror (PLINTH_MIRROR)")
    print(f"\n{'budget':<48}{'is':>10}{'at most':>10}")
    for budget in budgets:
        mark = "" if budget.value <= budget.limit else "   over"
        print(f"{budget.name:<48}{budget.value:>9.2f}{budget.unit:<4}{budget.limit:>6g}{mark}")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
