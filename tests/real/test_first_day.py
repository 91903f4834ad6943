"""The first day as the documents tell it: their commands, run in a shell in an empty folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import platforms
from support.repository import git, repository

ROOT = Path(__file__).resolve().parents[2]

pytestmark = platforms.needs_mirror
ONCE = pytest.mark.xdist_group("tutorial")  # one worker walks through it for both tests

_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(text):
    """Every command of the console blocks with what is shown below it; continued lines are one command."""
    for block in _CONSOLE.findall(text):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            found = re.match(r"(?:[^\n]*\\\n)*[^\n]*\n", part)
            yield found[0], part[found.end() :]


def shell_in(root):
    """Runs a command as a person's shell would, in `ml-platform` beside a mirror; gives what it says."""
    programs = root / "programs"

    def run(line):
        somebody = {
            f"GIT_{who}_{what}": "somebody@example.com"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        plain = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        environment = {**os.environ, **somebody, **plain, "PATH": f"{programs}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=root / "ml-platform",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        # A diff says with 2 that something changes.
        assert done.returncode == (2 if "--diff" in line else 0), f"{line}{done.stdout}"
        return done.stdout

    programs.mkdir()
    (programs / "plinth").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m plinth "$@"\n', encoding="utf-8")
    (programs / "plinth").chmod(0o755)
    (root / "mirror").symlink_to(platforms.mirror().resolve())
    (root / "ml-platform").mkdir(exist_ok=True)
    return run


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory):
    """The platform of the tutorial at its end, and of each of its commands what is shown and what was said."""
    root = tmp_path_factory.mktemp("tutorial")
    shell = shell_in(root)
    found = commands((ROOT / "docs/tutorial.md").read_text(encoding="utf-8"))
    return root / "ml-platform", [(shown, shell(line)) for line, shown in found]


def assert_shown(shown, said):
    """What is shown was said; a line of `...` stands for any lines, and nothing shown for anything."""
    pattern = "".join("(?:.*\n)*" if line == "..." else f"{re.escape(line)}\n" for line in shown.splitlines())
    assert not shown or re.fullmatch(pattern, said), said


def test_the_first_platform_of_the_readme(tmp_path):
    shell = shell_in(tmp_path)
    folder = repository(tmp_path / "ml-platform", origin="https://github.com/acme/ml-platform.git")
    own = (
        (ROOT / "README.md")
        .read_text(encoding="utf-8")
        .partition("## Your own platform")[2]
        .partition("\n## ")[0]
    )
    found = [(line, shown) for line, shown in commands(own) if "venv" not in line]
    assert [line.split()[:2] for line, _ in found] == [
        ["plinth", "init"], ["plinth", "vendor"], ["plinth", "compile"], ["git", "add"], ["git", "commit"],
        ["sed", "-i.old"], ["plinth", "compile"],
    ]  # fmt: skip
    for line, shown in found:
        assert_shown(shown, shell(line))
    assert git(folder, "status", "--short") == " M platform.yaml\n?? platform.yaml.old\n"
    shell("git checkout --quiet platform.yaml && plinth compile --check")


@ONCE
def test_the_commands_of_the_tutorial(tutorial):
    folder, steps = tutorial
    for shown, said in steps:
        assert_shown(shown, said)
    assert git(folder, "log", "--format=%s") == "Let four GPU nodes run\nBegin the platform\n"
    changed = git(folder, "diff", "--stat", "--name-only", "main").split()
    assert changed == [
        "generated/dev/index.jsonl", "generated/dev/terraform/cluster/google_container_node_pool.tf.json", "platform.yaml",
    ]  # fmt: skip


@ONCE
def test_two_people_who_change_the_platform_at_once_merge_without_a_conflict_in_compiled_files(
    tutorial, tmp_path
):
    folder = shutil.copytree(tutorial[0], tmp_path / "ml-platform")
    shell = shell_in(tmp_path)
    shell(
        "git switch --quiet main && sed -i.old 's/idle: 2h/idle: 3h/' platform.yaml && rm platform.yaml.old"
    )
    shell("plinth compile && git commit --quiet --all --message 'Stop idle notebooks later'")
    shell("git merge --quiet more-gpus --message 'Merge'")
    shell("plinth compile && plinth compile --check")
    assert "max: 4" in (folder / "platform.yaml").read_text(encoding="utf-8")
