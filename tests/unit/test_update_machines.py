"""Machines are kept as they are pinned until somebody asks for a new choice."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from plinth.cli import main
from support import platforms

OLDER, CHOSEN = "n1-standard-8+nvidia-tesla-t4:1", "n1-standard-4+nvidia-tesla-t4:1"
POOL = "generated/dev/terraform/cluster/google_container_node_pool.tf.json"


@pytest.fixture
def tree(tmp_path):
    """The example, compiled, with the machine of `t4` as an older catalogue chose it."""
    (tmp_path / "platform.yaml").write_bytes(platforms.example())
    assert main(["compile", "-C", str(tmp_path)]) == 0
    lock = tmp_path / "plinth.lock.yaml"
    lock.write_text(lock.read_text(encoding="utf-8").replace(CHOSEN, OLDER), encoding="utf-8")
    assert main(["compile", "-C", str(tmp_path)]) == 0
    return tmp_path


def pinned(tree):
    lock = yaml.safe_load((tree / "plinth.lock.yaml").read_text(encoding="utf-8"))
    return lock["environments"]["dev"]["nodePools"]["t4"]["machine"]


def test_a_newer_catalogue_changes_no_pool_by_itself(tree):
    assert pinned(tree) == OLDER
    assert "n1-standard-8" in (tree / POOL).read_text(encoding="utf-8")
    assert main(["compile", "-C", str(tree), "--check"]) == 0


def test_who_asks_for_it_gets_a_new_choice(tree):
    assert main(["compile", "-C", str(tree), "--update", "machines"]) == 0
    assert pinned(tree) == CHOSEN
    assert '"machine_type": "n1-standard-4"' in (tree / POOL).read_text(encoding="utf-8")
    assert main(["compile", "-C", str(tree), "--check"]) == 0


def test_the_diff_shows_a_new_choice_before_it_is_made(tree, capsys):
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "Begin"]):
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
        subprocess.run(["git", "-C", str(tree), *identity, *command], check=True)
    capsys.readouterr()
    assert main(["compile", "-C", str(tree), "--diff", "--update", "machines"]) == 2
    shown = capsys.readouterr().out
    assert "/node_config/0/machine_type: n1-standard-8 -> n1-standard-4" in shown
    assert pinned(tree) == OLDER


def test_what_can_be_updated_is_named(tree, capsys):
    assert main(["compile", "-C", str(tree), "--update", "everything"]) == 1
    assert "machines" in capsys.readouterr().err
