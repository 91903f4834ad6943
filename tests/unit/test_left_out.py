"""A run that is to be complete fails where it left out a test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support import left_out, terraform

TESTS = Path(__file__).resolve().parents[1]
CI = TESTS.parent / ".ci" / "run"
DEADLINE_S = 60.0

SUITE = """
import pytest
def test_runs(): pass
@pytest.mark.parametrize("tool", [1, 2])
def test_asks(tool): pytest.skip("there is no tool")
@pytest.mark.skipif(True, reason="there is no other")
def test_asks_for_another(): pass
"""


def run(folder, allowed, *options, suite=SUITE):
    """The code of a run over a suite, and what it prints."""
    (folder / "test_it.py").write_text(suite)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PLINTH"))
    }
    environment |= {"PYTHONPATH": str(TESTS)} | ({} if allowed is None else {left_out.VARIABLE: allowed})
    command = [sys.executable, "-m", "pytest", "-p", "support.left_out", "--rootdir", str(folder), *options]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=DEADLINE_S
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("workers", "allowed", "code", "refused"),
    [
        (0, None, 0, []),
        (0, "", 1, ["there is no other", "there is no tool"]),
        (0, "no tool\nno other", 0, []),
        (1, "no tool", 1, ["there is no other"]),
    ],
)
def test_a_run_fails_for_each_reason_that_is_not_allowed(tmp_path, workers, allowed, code, refused):
    ended, said = run(tmp_path, allowed, "-n", str(workers))
    assert ended == code, said
    assert [line.strip() for line in said.splitlines() if line.startswith("  there")] == refused
    assert "left out: test_it.py::test_asks (2) because there is no tool" in said


def test_a_run_that_was_interrupted_keeps_its_code(tmp_path):
    suite = f"{SUITE}def test_is_interrupted(): raise KeyboardInterrupt\n"
    code, said = run(tmp_path, "", "-n", "0", "-p", "no:randomly", suite=suite)
    assert code == pytest.ExitCode.INTERRUPTED
    assert "does not allow to leave out 3 of these" in said


def test_ci_allows_that_terraform_or_a_namespace_is_missing_and_nothing_else():
    (said,) = re.findall(rf"^export {left_out.VARIABLE}='([^']*)'$", CI.read_text(), re.MULTILINE)
    of_terraform, of_namespaces = said.splitlines()
    assert terraform.missing("terraform").startswith(of_terraform)
    assert of_terraform not in terraform.missing("tofu")
    for path in ("support/closed_network.py", "unit/test_offline.py"):
        assert of_namespaces in (TESTS / path).read_text()
