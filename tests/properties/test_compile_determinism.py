"""The tree is a function of the spec: nothing of the machine, the moment or the writing shows in it.

Every compile here is a process of its own. What a variant changes beside the spec's meaning must
leave every byte, and every file's mode, as the first compile has them.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from plinth.cli import main
from plinth.text.nodes import plain, read_yaml
from support.platforms import FILE, compile_bytes, example, tree

if TYPE_CHECKING:
    from pathlib import Path

MODE = 0o644

ORDERED = ("tiers", "images")
"""Lists in which the first item means something, and that people see in their order."""

MORE_ITEMS = {
    "region: us-central1": "region: us-central1, zones: [f, a, c]",
    "    - {name: t4,": "    - {name: l4, gpu: {model: l4, count: 1}, nodes: {min: 0, max: 1}}\n    - {name: t4,",
    "[platform@acme.com]": "[platform@acme.com, zoe@acme.com, anna@acme.com]",
    "pools: [t4]": "pools: [t4, l4]",
    "[{name: artifacts}]": "[{name: artifacts}, {name: models}, {name: datasets}]",
}
"""What gives every list of the example without an order of its own two items or more."""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A folder with the example, compiled once under plain circumstances; it stays as it is."""
    root = tmp_path_factory.mktemp("plain")
    (root / FILE).write_bytes(example())
    assert run(root, "compile").returncode == 0
    return root


@pytest.fixture(scope="module")
def expected(compiled):
    """The tree of the example."""
    return contents(compiled)


@pytest.fixture(scope="module")
def richer():
    """The example with two items or more in every list without an order of its own, and its tree."""
    text = example().decode()
    for there, instead in MORE_ITEMS.items():
        assert text.count(there) == 1, there
        text = text.replace(there, instead)
    return text.encode(), tree(compile_bytes(text.encode()))


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"PYTHONHASHSEED": "0"}, id="hash seed 0"),
        pytest.param({"PYTHONHASHSEED": "1"}, id="hash seed 1"),
        pytest.param({"PYTHONHASHSEED": "random"}, id="random hash seed"),
        # Where a locale is not installed, its name in the variable still is something to trip over.
        pytest.param({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, id="ASCII"),
        pytest.param({"LC_ALL": "de_DE.UTF-8", "TZ": "Pacific/Chatham"}, id="German, far east"),
        pytest.param({"LC_ALL": "tr_TR.UTF-8", "TZ": "America/Los_Angeles"}, id="Turkish, far west"),
    ],
)
def test_the_environment_does_not_show(expected, tmp_path, environment):
    (tmp_path / FILE).write_bytes(example())
    assert run(tmp_path, "compile", environment=environment).returncode == 0
    assert contents(tmp_path) == expected


@pytest.mark.parametrize("umask", [0o000, 0o077], ids=["everybody", "nobody else"])
def test_the_umask_does_not_show(expected, tmp_path, umask):
    (tmp_path / FILE).write_bytes(example())
    before = os.umask(umask)
    try:
        assert main(["compile", "-C", str(tmp_path)]) == 0
    finally:
        os.umask(before)
    assert contents(tmp_path) == expected
    assert {path: mode for path, mode in modes(tmp_path).items() if mode != MODE} == {}


def test_the_folder_does_not_show(expected, tmp_path):
    root = tmp_path / "a folder" / "Größe" / "x" / ".." / "y"
    root.mkdir(parents=True)
    (root / FILE).write_bytes(example())
    assert main(["compile", "-C", str(root)]) == 0
    assert contents(root) == expected


@pytest.mark.parametrize("seed", range(10))
def test_the_order_of_what_has_none_does_not_show(seed, richer):
    data, wanted = richer
    shuffled = shuffle(data_of(data), chance_of(seed))
    assert tree(compile_bytes(json.dumps(shuffled).encode())) == wanted


def test_the_order_does_not_show_with_other_hashes_either(expected, tmp_path):
    shuffled = json.dumps(shuffle(data_of(example()), chance_of(1)))
    assert shuffled != json.dumps(data_of(example()))
    (tmp_path / FILE).write_text(shuffled, encoding="utf-8")
    assert run(tmp_path, "compile", environment={"PYTHONHASHSEED": "random"}).returncode == 0
    assert contents(tmp_path) == expected


def test_a_second_compile_touches_nothing(compiled):
    """The first one was made in another process, with other hashes."""
    before = marks(compiled, "**/*")
    assert main(["compile", "--check", "-C", str(compiled)]) == 0
    assert main(["compile", "-C", str(compiled)]) == 0
    assert marks(compiled, "**/*") == before


def test_a_second_compile_without_its_note_of_the_first_touches_nothing(compiled, tmp_path):
    root = shutil.copytree(compiled, tmp_path / "copy")
    before = marks(root, "[!.]*/**/*")
    for words in (("compile", "--check"), ("compile",)):
        (root / ".plinth" / "stamp.json").unlink()
        assert main([*words, "-C", str(root)]) == 0
    assert marks(root, "[!.]*/**/*") == before


def test_a_stale_tree_is_told(compiled, tmp_path, capsys):
    root = shutil.copytree(compiled, tmp_path / "copy")
    stale = root / "overlays" / "dev" / "mlflow" / "kustomization.yaml"
    stale.unlink()
    assert main(["compile", "--check", "-C", str(root)]) == 2
    assert "overlays/dev/mlflow/kustomization.yaml" in capsys.readouterr().out
    assert not stale.exists()


def data_of(data: bytes) -> Any:
    document, faults = read_yaml(data, FILE)
    assert document is not None, faults
    return plain(document)


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - chance that can be repeated, and no secret


def shuffle(value: Any, order: random.Random, key: str = "") -> Any:
    """The same spec with its keys, and the lists without an order of their own, in another order.

    As JSON, which is YAML too, it keeps that order.
    """
    if isinstance(value, dict):
        keys = list(value)
        order.shuffle(keys)
        return {each: shuffle(value[each], order, each) for each in keys}
    if isinstance(value, list):
        items = [shuffle(item, order) for item in value]
        if key not in ORDERED:
            order.shuffle(items)
        return items
    return value


def run(folder: Path, *words: str, environment: dict[str, str] | None = None) -> Any:
    """A compile in a process of its own, which alone has hashes, a locale and a time zone of its own."""
    kept = {
        name: value for name, value in os.environ.items() if name not in {"LC_ALL", "TZ", "PYTHONHASHSEED"}
    }
    return subprocess.run(
        [sys.executable, "-m", "plinth", *words],
        check=False,
        cwd=folder,
        env={**kept, **(environment or {})},
        umask=0o022,
        capture_output=True,
        encoding="utf-8",
    )


def contents(root: Path) -> dict[str, bytes]:
    """Every file that a compile has written, by its path."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != FILE and ".plinth" not in path.relative_to(root).parts
    }


def modes(root: Path) -> dict[str, int]:
    return {path: (root / path).stat().st_mode & 0o777 for path in contents(root)}


def marks(root: Path, pattern: str) -> dict[str, tuple[int, int, int]]:
    """What tells a file that was written again from one that was left alone."""
    found = {path.relative_to(root).as_posix(): path.stat() for path in root.glob(pattern)}
    return {path: (mark.st_mtime_ns, mark.st_ino, mark.st_size) for path, mark in found.items()}
