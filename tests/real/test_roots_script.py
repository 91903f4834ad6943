"""The step that plans and applies roots, run by a real shell with the real Terraform.

The roots hold resources that Terraform has built in, so that nothing is fetched.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from plinth.starter.scripts import script
from support import terraform

pytestmark = [
    pytest.mark.skipif(shutil.which("jq") is None, reason="there is no jq"),
    pytest.mark.skipif(terraform.find("terraform") is None, reason=terraform.missing("terraform")),
    pytest.mark.xdist_group("roots script"),  # the first plan and its apply serve every test
]


ORDER = ("network", "cluster", "platform")


class Roots:
    """A tree with roots of `dev`, and a way to run the step in it; it notes what Terraform is asked."""

    def __init__(self, folder):
        self.folder = folder

    def copy(self, folder):
        return Roots(shutil.copytree(self.folder, folder / "roots"))

    def hold(self, root, **inputs):
        folder = self.folder / "generated/dev/terraform" / root
        folder.mkdir(parents=True, exist_ok=True)
        body = {"resource": {"terraform_data": {name: {"input": value} for name, value in inputs.items()}}}
        (folder / "main.tf.json").write_text(json.dumps(body if inputs else {}), encoding="utf-8")

    def run(self, mode, changes="", *, removals="false"):
        (self.folder / "asked.txt").write_text("", encoding="utf-8")
        done = subprocess.run(
            ["sh", "-c", script("roots.sh")],
            cwd=self.folder,
            env={
                "PATH": f"{self.folder / 'programs'}:{os.environ['PATH']}",
                "HOME": str(self.folder),
                "ASKED": str(self.folder / "asked.txt"),
                "TF_CLI_CONFIG_FILE": str(self.folder / "config.tfrc"),
                "CHECKPOINT_DISABLE": "1",
                "GOGC": "400",  # as in `support.terraform`
                "GITHUB_OUTPUT": str(self.folder / "output"),
                "ENVIRONMENT": "dev",
                "MODE": mode,
                "PLINTH_CHANGES": changes,
                "REMOVALS": removals,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def planned(self, *, removals="false"):
        code, said = self.run("plan", removals=removals)
        assert code == 0, said
        return self.changes()

    def changes(self):
        """What the last plan says that is to be approved."""
        last = (self.folder / "output").read_text(encoding="utf-8").splitlines()[-1]
        name, _, changes = last.partition("=")
        assert name == "PLINTH_CHANGES"
        return changes

    def applied(self, changes, *, removals="false"):
        code, said = self.run("apply", changes, removals=removals)
        assert code == 0, said

    def locks(self):
        """What the last run told Terraform of locks when it asked for a plan."""
        asked = (self.folder / "asked.txt").read_text(encoding="utf-8").splitlines()
        return {
            word for line in asked if " plan " in line for word in line.split() if word.startswith("-lock")
        }

    def state(self, root):
        file = self.folder / "generated/dev/terraform" / root / "terraform.tfstate"
        found = json.loads(file.read_bytes())["resources"] if file.exists() else []
        return {each["name"]: each["instances"][0]["attributes"]["input"]["value"] for each in found}


@pytest.fixture(scope="module")
def all_planned(tmp_path_factory):
    """The three roots, planned for the first time."""
    roots = Roots(tmp_path_factory.mktemp("planned"))
    (roots.folder / "config.tfrc").write_text(terraform.NO_REGISTRY, encoding="utf-8")
    (roots.folder / "programs").mkdir()
    program = roots.folder / "programs/terraform"
    tool = terraform.find("terraform").path
    program.write_text(f'#!/bin/sh\necho "$*" >> "$ASKED"\nexec {tool} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    for root in ("platform", "network", "cluster"):
        roots.hold(root, one="1")
    roots.planned()
    return roots


@pytest.fixture(scope="module")
def all_applied(all_planned, tmp_path_factory):
    """The three roots, applied as they were planned."""
    roots = all_planned.copy(tmp_path_factory.mktemp("applied"))
    roots.applied(roots.changes())
    return roots


def test_roots_are_planned_in_order_and_applied_as_they_were_planned(all_planned, all_applied, tmp_path):
    assert [each.partition(":")[0] for each in all_planned.changes().split()] == list(ORDER)
    assert [all_planned.state(root) for root in ORDER] == [{}] * 3
    assert [all_applied.state(root) for root in ORDER] == [{"one": "1"}] * 3
    assert all_applied.copy(tmp_path).planned() == ""


def test_what_was_not_approved_is_not_applied(all_planned, tmp_path):
    roots = all_planned.copy(tmp_path)
    roots.hold("cluster", one="2")
    code, said = roots.run("apply", roots.changes())
    assert code == 1
    assert "cluster: this is not the plan that was approved" in said
    assert roots.state("network") == {"one": "1"}
    assert roots.state("cluster") == {}
    assert roots.state("platform") == {}


def test_removals_wait_while_all_else_is_applied(all_applied, tmp_path):
    roots = all_applied.copy(tmp_path)
    shutil.rmtree(roots.folder / "generated/dev/terraform/platform")  # one root that stays as it is will do
    roots.hold("network", two="2")
    changes = roots.planned()
    roots.applied(changes)
    assert roots.state("network") == {"one": "1", "two": "2"}
    assert roots.planned() == ""
    last = roots.planned(removals="true")
    assert [each.partition(":")[0] for each in last.split()] == ["network"]
    roots.applied(last, removals="true")
    assert roots.state("network") == {"two": "2"}


def test_an_environment_without_roots_has_nothing_to_do(all_planned, tmp_path):
    roots = all_planned.copy(tmp_path)
    shutil.rmtree(roots.folder / "generated")
    assert roots.planned() == ""


def test_who_only_plans_takes_no_lock_and_needs_no_right_to_write_a_state(all_planned, all_applied):
    assert all_planned.locks() == {"-lock=false"}
    assert all_applied.locks() == {"-lock=true"}
