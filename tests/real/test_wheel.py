"""What is published holds what it needs: the wheel alone compiles the example, byte for byte."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.xdist_group("wheel")  # built once


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel as it would be published, built from what git tracks."""
    source = tmp_path_factory.mktemp("source")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        if (ROOT / name).is_file() and name.startswith(("compiler/", "pyproject", "README", "LICENSE")):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, source],
        check=True,
        capture_output=True,
    )
    (found,) = out.glob("*.whl")
    return found


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "compiler"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    wanted = {name.removeprefix("compiler/") for name in tracked.stdout.split() if (ROOT / name).is_file()}
    assert wanted - held == set()


def test_the_wheel_alone_compiles_the_example(wheel, tmp_path):
    site, tree = tmp_path / "site", tmp_path / "tree"
    zipfile.ZipFile(wheel).extractall(site)
    tree.mkdir()
    shutil.copy(ROOT / "platform.yaml", tree / "platform.yaml")
    environment = {**os.environ, "PYTHONPATH": str(site)}
    where = subprocess.run(
        [sys.executable, "-c", "import plinth; print(plinth.__file__)"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.startswith(str(site))
    subprocess.run(
        [sys.executable, "-m", "plinth", "compile"],
        env=environment,
        cwd=tree,
        check=True,
        capture_output=True,
    )
    for folder in ("overlays", "generated"):
        compiled = {
            path.relative_to(tree): path.read_bytes() for path in (tree / folder).rglob("*") if path.is_file()
        }
        committed = {
            path.relative_to(ROOT): path.read_bytes() for path in (ROOT / folder).rglob("*") if path.is_file()
        }
        assert compiled == committed
