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
]


@pytest.fixture
def roots(tmp_path):
    """A tree with the three roots of `dev`, and a way to run the step in it."""
    (tmp_path / "config.tfrc").write_text(terraform.NO_REGISTRY, encoding="utf-8")
    tool = terraform.find("terraform")
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs/terraform").symlink_to(tool.path)

    class Roots:
        def hold(self, root, **inputs):
            folder = tmp_path / "generated/dev/terraform" / root
            folder.mkdir(parents=True, exist_ok=True)
            body = {
                "resource": {"terraform_data": {name: {"input": value} for name, value in inputs.items()}}
            }
            (folder / "main.tf.json").write_text(json.dumps(body if inputs else {}), encoding="utf-8")

        def run(self, mode, changes="", *, removals="false"):
            done = subprocess.run(
                ["sh", "-c", script("roots.sh")],
                cwd=tmp_path,
                env={
                    "PATH": f"{tmp_path / 'programs'}:{os.environ['PATH']}",
                    "HOME": str(tmp_path),
                    "TF_CLI_CONFIG_FILE": str(tmp_path / "config.tfrc"),
                    "CHECKPOINT_DISABLE": "1",
                    "GOGC": "400",  # as in `support.terraform`
                    "GITHUB_OUTPUT": str(tmp_path / "output"),
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
            name, _, changes = (
                (tmp_path / "output").read_text(encoding="utf-8").splitlines()[-1].partition("=")
            )
            assert name == "PLINTH_CHANGES"
            return changes

        def applied(self, changes, *, removals="false"):
            code, said = self.run("apply", changes, removals=removals)
            assert code == 0, said

        def state(self, root):
            file = tmp_path / "generated/dev/terraform" / root / "terraform.tfstate"
            found = json.loads(file.read_bytes())["resources"] if file.exists() else []
            return {each["name"]: each["instances"][0]["attributes"]["input"]["value"] for each in found}

    made = Roots()
    for root in ("platform", "network", "cluster"):
        made.hold(root, one="1")
    return made


def test_roots_are_planned_in_order_and_applied_as_they_were_planned(roots):
    changes = roots.planned()
    assert [each.partition(":")[0] for each in changes.split()] == ["network", "cluster", "platform"]
    assert roots.state("network") == {}
    roots.applied(changes)
    assert [roots.state(root) for root in ("network", "cluster", "platform")] == [{"one": "1"}] * 3
    assert roots.planned() == ""


def test_what_was_not_approved_is_not_applied(roots):
    changes = roots.planned()
    roots.hold("cluster", one="2")
    code, said = roots.run("apply", changes)
    assert code == 1
    assert "cluster: this is not the plan that was approved" in said
    assert roots.state("network") == {"one": "1"}
    assert roots.state("cluster") == {}
    assert roots.state("platform") == {}


def test_removals_wait_while_all_else_is_applied(roots):
    roots.applied(roots.planned())
    roots.hold("network", two="2")
    changes = roots.planned()
    roots.applied(changes)
    assert roots.state("network") == {"one": "1", "two": "2"}
    assert roots.planned() == ""
    last = roots.planned(removals="true")
    assert [each.partition(":")[0] for each in last.split()] == ["network"]
    roots.applied(last, removals="true")
    assert roots.state("network") == {"two": "2"}


def test_an_environment_without_roots_has_nothing_to_do(roots, tmp_path):
    shutil.rmtree(tmp_path / "generated")
    assert roots.planned() == ""


def test_who_only_plans_takes_no_lock_and_needs_no_right_to_write_a_state(roots, tmp_path):
    program = tmp_path / "programs/terraform"
    tool = program.resolve()
    program.unlink()
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/asked.txt\nexec {tool} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    roots.hold("network", one="a")

    def locks():
        asked = (tmp_path / "asked.txt").read_text(encoding="utf-8").splitlines()
        (tmp_path / "asked.txt").unlink()
        return {
            word for line in asked if " plan " in line for word in line.split() if word.startswith("-lock")
        }

    changes = roots.planned()
    assert locks() == {"-lock=false"}
    roots.applied(changes)
    assert locks() == {"-lock=true"}
