"""Compile the example into a folder of its own and say what to do next.

    python tools/demo.py [DIR]

DIR is `build/demo` where none is given; it is made anew. The example of this repository is compiled
in place already, and `plinth compile --check` there proves it: here everything is written once, so
that there is something to see.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SHOWN = (
    "generated/prod/terraform/cluster/google_container_node_pool.tf.json",
    "overlays/prod/mlflow/deployment-mlflow.yaml",
    "generated/prod/argocd/applications/mlflow.yaml",
    "plinth.lock.yaml",
)


def main(arguments: list[str]) -> int:
    """Copy the example, compile it twice, and show where to look."""
    folder = Path(arguments[0]) if arguments else ROOT / "build" / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("platform.yaml", "platform.schema.json"):
        shutil.copy(ROOT / name, folder / name)
    for line in ("compile", "compile --check"):
        print(f"$ plinth {line}", flush=True)
        done = subprocess.run([sys.executable, "-m", "plinth", *line.split(), "-C", str(folder)], check=False)  # noqa: S603 - our own command
        if done.returncode:
            return done.returncode
    count = sum(path.is_file() for path in folder.rglob("*") if ".plinth" not in path.parts)
    print(f"\n{count} files in {_shown(folder)}. Look at these first:")
    for name in SHOWN:
        print(f"  {_shown(folder / name)}")
    print(
        "\nNow change something, say `max: 3` of the pool t4 in platform.yaml, and compile again:\n"
        f"  .venv/bin/plinth compile -C {_shown(folder)}\n"
        "and read README.md for your own platform: `plinth compile` there, review, commit, bootstrap."
    )
    return 0


def _shown(path: Path) -> str:
    path = path.resolve()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
