"""Golden cases: a small `platform.yaml`, and the part of its tree that the case is about.

    tests/golden/<kind>-<name>/platform.yaml    as small as the point allows
                               slice.txt        which paths of the compiled tree the case holds
                               patches/         patches of people, where the case has some
                               tree/            those paths as they are compiled, byte for byte

A line of `slice.txt` is a pattern in which `*` stands for any text. Behind `!` it says what must
not be there. What is not in the slice is the point of another case.
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from plinth.cli.console import Console
from plinth.cli.project import Project
from plinth.pipeline import compile_spec
from support.platforms import FILE, tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.pipeline import Result

FOLDER = Path(__file__).parents[1] / "golden"


@dataclass(frozen=True, slots=True)
class Case:
    """One folder of `tests/golden/`."""

    folder: Path

    @property
    def name(self) -> str:
        """As the folder is called."""
        return self.folder.name

    def patterns(self) -> tuple[list[str], list[str]]:
        """What the slice holds, and what must not be there."""
        lines = [
            line.strip() for line in (self.folder / "slice.txt").read_text(encoding="utf-8").splitlines()
        ]
        lines = [line for line in lines if line and not line.startswith("#")]
        unwanted = [line.removeprefix("!").strip() for line in lines if line.startswith("!")]
        return [line for line in lines if not line.startswith("!")], unwanted

    def compiled(self) -> dict[str, bytes]:
        """Every file that the case's platform compiles to."""
        return tree(compiled(self.folder))

    def written(self) -> dict[str, bytes]:
        """The files under `tree/`."""
        root = self.folder / "tree"
        paths = sorted(path for path in root.rglob("*") if path.is_file())
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}

    def write(self, files: Mapping[str, bytes]) -> None:
        """Have `tree/` hold these files and no other."""
        shutil.rmtree(self.folder / "tree", ignore_errors=True)
        for path, content in files.items():
            place = self.folder / "tree" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


def cases() -> list[Case]:
    """Every case, sorted."""
    return [Case(path.parent) for path in sorted(FOLDER.glob("*/slice.txt"))]


@cache
def compiled(folder: Path) -> Result:
    """What the platform file of a folder compiles to, with its patches and what is vendored there."""
    project = Project(argparse.Namespace(directory=str(folder), file=FILE), Console())
    return compile_spec(project.spec(), FILE, project.inputs())


def matching(files: Mapping[str, bytes], patterns: list[str]) -> dict[str, bytes]:
    """The files whose path one of the patterns fits."""
    return {
        path: content for path, content in files.items() if any(fnmatchcase(path, each) for each in patterns)
    }
