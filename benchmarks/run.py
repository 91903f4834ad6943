"""The performance budgets, measured as ratios in one interleaved run.

    python benchmarks/run.py [--quick] [--turns N] [--mirror DIR] [--bound DIR]

Every command is a whole process in turn with the others, held against `python -c pass`, against
`kubectl kustomize` of the same overlays (an environment in one build, without CRDs), and against the
bound: the least that a Python compiler must do for a platform of the size of the reference. The exit
code is 1 where a budget is broken. What this machine cannot measure is left out by name.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import trees
from budgets import BOUND, FEW_POOLS, MANY, MANY_POOLS, PASS, SOME, VERSION, judge
from exact import exact_claims
from show import table
from timing import Measure, process_environment, run_in_turn
from trees import PLINTH, ROOT, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TURNS: Final = (7, 3)
"""Of everything but the platforms with many environments: at rest, and quick."""
FLEET_TURNS: Final = (3, 1)


@dataclass(slots=True, kw_only=True)
class Bench:
    """What is measured on this machine, and what is not."""

    folder: Path
    mirror: Path | None
    bound: Path | None
    fleet_turns: int
    left_out: list[str] = field(default_factory=list)

    def platforms(self) -> dict[str, Tree]:
        """The platforms of two environments, compiled."""
        found = {"example": apart(trees.example, self.folder / "example", self.mirror)}
        if self.mirror is None:
            self.left_out.append("reference: there is no mirror of upstream manifests (PLINTH_MIRROR)")
        else:
            found["reference"] = apart(trees.reference, self.folder / "reference", self.mirror)
        return found

    def measures(self, found: dict[str, Tree]) -> Iterator[Measure]:
        """Every measure, in the order of a turn."""
        yield Measure(key=PASS, command=(sys.executable, "-c", "pass"))
        yield Measure(key=VERSION, command=(*PLINTH, "--version"))
        for name, tree in found.items():
            yield from self._of_tree(name, tree)
        yield from self._of_bound()
        yield from self._of_pools()
        yield from self._of_fleets()
        self.left_out.append("validate: there is no such command; a compile validates")

    def _of_tree(self, name: str, tree: Tree) -> Iterator[Measure]:
        here = (*PLINTH, "compile", "-C", str(tree.root))
        yield Measure(key=f"{name}: cold", command=here, before=tree.clear, environment=tree.plugins)
        yield Measure(
            key=f"{name}: cold, not written",
            command=(*here, "--check"),
            before=tree.clear,
            environment=tree.plugins,
            codes=frozenset({2}),
        )
        # The next ones find the tree that a cold compile leaves.
        yield Measure(key=f"{name}: again", command=here, environment=tree.plugins)
        yield Measure(key=f"{name}: nothing changed", command=here, environment=tree.plugins)
        if not tree.commit():
            self.left_out.append(f"{name}: diff, nothing changed: there is no git")
        else:
            diff = (*here, "--diff")
            yield Measure(key=f"{name}: diff, nothing changed", command=diff, environment=tree.plugins)
        if not tree.is_vendored:
            self.left_out.append(f"{name}: kubectl kustomize: its upstreams are not vendored")
        elif not shutil.which("kubectl"):
            self.left_out.append(f"{name}: kubectl kustomize: there is no kubectl")
        else:
            yield self._kustomize(name, tree)
            yield from self._later_cost(name, tree) if name == "example" else ()
        yield Measure(
            key=f"{name}: one value changed", command=here, before=tree.change, environment=tree.plugins
        )

    def _kustomize(self, name: str, tree: Tree) -> Measure:
        homes = [trees.whole(tree, each, self.folder / f"{name}-whole") for each in tree.environments]
        script = 'for each; do kubectl kustomize "$each" >/dev/null || exit 1; done'
        return Measure(key=f"{name}: kubectl kustomize", command=("sh", "-c", script, "sh", *map(str, homes)))

    def _later_cost(self, name: str, tree: Tree) -> Iterator[Measure]:
        """What an overlay of ours costs whoever builds it, Argo CD above all."""
        one = trees.one_config_map(self.folder / f"{name}-one")
        overlay = tree.root / "overlays" / tree.environments[0] / "jupyterhub"
        for key, folder in (
            (f"{name}: kubectl, one ConfigMap", one),
            (f"{name}: kubectl, one overlay", overlay),
        ):
            yield Measure(key=key, command=("kubectl", "kustomize", str(folder)))

    def _of_bound(self) -> Iterator[Measure]:
        if self.bound is None:
            self.left_out.append("bound: there is no folder with gen_ref.py and proto_compile.py (--bound)")
            return
        tree, out = self.folder / "bound", self.folder / "bound-out"
        count = str(trees.upstream_count())
        generate = [sys.executable, str(self.bound / "gen_ref.py"), str(tree), "--components", count]
        subprocess.run(generate, check=True, capture_output=True, env=process_environment())
        build = (sys.executable, str(self.bound / "proto_compile.py"), str(tree), str(out))
        yield Measure(
            key=f"{BOUND}: cold", command=build, before=lambda: shutil.rmtree(out, ignore_errors=True)
        )
        yield Measure(key=f"{BOUND}: nothing changed", command=(*build, "--mode", "warm"))
        yield Measure(key=f"{BOUND}: diff", command=(*build, "--mode", "diff"))

    def _of_pools(self) -> Iterator[Measure]:
        for name, count in ((FEW_POOLS, 4), (MANY_POOLS, 64)):
            tree = apart(trees.pools, self.folder / f"{count}-pools", self.mirror, count)
            here = (*PLINTH, "compile", "-C", str(tree.root))
            yield Measure(key=f"{name}: cold", command=here, before=tree.clear)

    def _of_fleets(self) -> Iterator[Measure]:
        some = apart(trees.fleet, self.folder / "some", self.mirror, 10)
        many = apart(trees.fleet, self.folder / "many", self.mirror, 100)
        turns = self.fleet_turns
        for name, tree in ((SOME, some), (MANY, many)):
            here = (*PLINTH, "compile", "-C", str(tree.root))
            yield Measure(key=f"{name}: cold", command=here, before=tree.clear, turns=turns)
            yield Measure(key=f"{name}: nothing changed", command=here, turns=turns)
            yield Measure(key=f"{name}: one value changed", command=here, before=tree.change, turns=turns)


def apart(make: Callable[..., Tree], *arguments: Any) -> Tree:
    """A platform that another process makes.

    The system counts the memory of whoever starts a command as that command's own, up to the moment
    at which it starts: who measures has to stay small.
    """
    with ProcessPoolExecutor(max_workers=1) as pool:
        return pool.submit(make, *arguments).result()


def main() -> int:
    """Measure, print the table, and fail on a budget."""
    options = _options()
    turns, fleet_turns = (each[1 if options.quick else 0] for each in (TURNS, FLEET_TURNS))
    home = trees.memory_folder()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="plinth-bench-", dir=home) as folder:
        bench = Bench(
            folder=Path(folder), mirror=options.mirror, bound=options.bound, fleet_turns=fleet_turns
        )
        platforms = bench.platforms()
        found = run_in_turn(bench.measures(platforms), options.turns or turns)
        claims = (*judge(found, quick=options.quick), *exact_claims(platforms))
    where = "a memory file system" if home else "disk"
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, files on {where}, "
        f"load {load:.1f} before and {os.getloadavg()[0]:.1f} after"
    )
    print(table(found, claims))
    for line in bench.left_out:
        print(f"left out: {line}")
    broken = [f"{each.what} / {each.of}" for each in claims if not each.holds]
    if broken:
        print(f"over budget: {', '.join(broken)}")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer turns and generous budgets, for CI")
    parser.add_argument("--turns", type=int, help="counted turns (default: 7, or 3 with --quick)")
    parser.add_argument(
        "--mirror",
        type=Path,
        default=_folder("PLINTH_MIRROR", "upstream"),
        help="rendered upstream manifests (default: PLINTH_MIRROR)",
    )
    parser.add_argument(
        "--bound",
        type=Path,
        default=_folder("PLINTH_BOUND", "perf"),
        help="where gen_ref.py and proto_compile.py are (default: PLINTH_BOUND)",
    )
    return parser.parse_args()


def _folder(variable: str, name: str) -> Path | None:
    named = os.environ.get(variable)
    folder = Path(named) if named else ROOT.parent / "shared" / name
    return folder if folder.is_dir() else None


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
