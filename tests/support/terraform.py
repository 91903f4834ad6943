"""Run Terraform and OpenTofu on a compiled root, with stub providers and no network.

    with stub_provider.serve(paths) as reattach:
        plan = terraform.plan(tool, root, work=tmp_path, reattach=reattach)

Each call copies `root` to `work/root` and swaps its backend for a local one by an override file, so
no `init` is needed. The state stays in `work` between calls: `apply` one root, then `plan` another
on the same `work`, and the plan tells what changed.

Source: Terraform CLI documentation, "Debugging providers", "Override files", "JSON output format".
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rig
from support import module_plans

JsonObject = dict[str, Any]

OVERRIDES = {"terraform": "PLINTH_TERRAFORM", "tofu": "PLINTH_TOFU"}
"""Programs under test, each with the environment variable that names it in place of `PATH`."""

TIMEOUT_S = 120.0

# A provider that nobody serves fails here at once. With an empty configuration `init` would look
# for it on the network.
NO_REGISTRY = 'provider_installation { filesystem_mirror { path = "/nonexistent" } }\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that was found."""

    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a command ended."""

    code: int
    output: str
    """Standard output, then standard error."""

    @property
    def ok(self) -> bool:
        """True if the command succeeded."""
        return self.code == 0


class CommandError(Exception):
    """A command failed where success was expected."""

    def __init__(self, command: tuple[str, ...], result: Result) -> None:
        super().__init__(f"`{' '.join(command)}` ended with {result.code}\n{result.output}")
        self.result = result


def find(name: str) -> Tool | None:
    """The program of that name in `OVERRIDES`, if there is one: as named, on `PATH`, or built by the rig."""
    named = os.environ.get(OVERRIDES[name])
    path = shutil.which(named) if named else rig.find(name)
    return Tool(name=name, path=path) if path else None


def tools() -> list[Tool]:
    """Every program found, Terraform first."""
    return [tool for name in OVERRIDES if (tool := find(name))]


def missing(name: str) -> str:
    """The reason to skip a test that needs the program of that name."""
    return f"`{name}` is not on PATH, {OVERRIDES[name]} does not name it, and `make rig` has not built it"


def plan(tool: Tool, root: Path, *, work: Path, reattach: str) -> JsonObject:
    """Plan against `work/state`; gives the plan in its JSON form, and leaves `work/plan`.

    Core validates first, as `validate` does: names, types, references, cycles.

    Raises:
        CommandError: the root is not valid, or cannot be planned.
    """
    _check_out(root, work)
    _initialise(tool, work, reattach)
    saved = str(work.absolute() / "plan")
    _succeed(tool, work, reattach, "plan", "-input=false", "-lock=false", "-no-color", f"-out={saved}")
    shown: JsonObject = json.loads(_succeed(tool, work, reattach, "show", "-json", saved).output)
    return shown


def plan_as_far_as_it_goes(tool: Tool, root: Path, *, work: Path, reattach: str) -> JsonObject:
    """As `plan`, with the errors of the run beside what could be planned, under `"errors"`.

    Raises:
        CommandError: nothing could be planned.
    """
    _check_out(root, work)
    _initialise(tool, work, reattach)
    saved = str(work.absolute() / "plan")
    words = ("plan", "-input=false", "-lock=false", "-refresh=false", "-json", f"-out={saved}")
    done = _run(tool, work, reattach, *words)
    if not Path(saved).exists():
        raise CommandError((tool.name, *words), done)
    shown: JsonObject = json.loads(_succeed(tool, work, reattach, "show", "-json", saved).output)
    return {**shown, "errors": module_plans.errors_of_run(done.output)}


def apply(tool: Tool, root: Path, *, work: Path, reattach: str) -> None:
    """Apply the root to the state in `work/state`, with values that the stub makes up.

    Raises:
        CommandError: the root cannot be applied.
    """
    _check_out(root, work)
    _initialise(tool, work, reattach)
    _succeed(tool, work, reattach, "apply", "-auto-approve", "-input=false", "-lock=false", "-no-color")


def planned(plan: JsonObject) -> dict[str, JsonObject | None]:
    """Address of each managed resource to its values after apply; `None` where it is destroyed."""
    return {address: change["after"] for address, change in _changes(plan).items()}


def unknown(plan: JsonObject) -> dict[str, JsonObject]:
    """Address of each managed resource to a tree that has `True` where only apply tells the value."""
    return {address: change["after_unknown"] for address, change in _changes(plan).items()}


def actions(plan: JsonObject) -> dict[str, tuple[str, ...]]:
    """Address of each managed resource that is to change to its actions, in their order."""
    every = {address: tuple(change["actions"]) for address, change in _changes(plan).items()}
    return {address: what for address, what in every.items() if what != ("no-op",)}


def _changes(plan: JsonObject) -> dict[str, JsonObject]:
    return {
        change["address"]: change["change"]
        for change in plan.get("resource_changes", ())
        if change["mode"] == "managed"
    }


def _check_out(root: Path, work: Path) -> None:
    copy = work / "root"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(root, copy, ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
    backend = {"local": {"path": str(work.absolute() / "state")}}
    override = copy / "plinth_test_override.tf.json"
    override.write_text(json.dumps({"terraform": {"backend": backend}}), encoding="utf-8")


def _initialise(tool: Tool, work: Path, reattach: str) -> None:
    """Record the local backend; core plans with a backend, even an overridden one, only after `init`.

    Providers have no part in it: served ones are skipped, and any other one fails at once, because
    the CLI configuration allows no source but a folder that does not exist.
    """
    if not (work / "data" / "terraform.tfstate").exists():
        _succeed(tool, work, reattach, "init", "-input=false", "-no-color")


def _succeed(tool: Tool, work: Path, reattach: str, *arguments: str) -> Result:
    result = _run(tool, work, reattach, *arguments)
    if not result.ok:
        raise CommandError((tool.name, *arguments), result)
    return result


def _run(tool: Tool, work: Path, reattach: str, *arguments: str) -> Result:
    done = subprocess.run(
        [tool.path, f"-chdir={work.absolute() / 'root'}", *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=_environment(work.absolute(), reattach),
    )
    return Result(code=done.returncode, output=done.stdout + done.stderr)


def _environment(work: Path, reattach: str) -> dict[str, str]:
    """All that the program sees: no proxy, no credentials, no `TF_` setting of the caller's."""
    cli_config = work / "cli.tfrc"
    cli_config.write_text(NO_REGISTRY, encoding="utf-8")
    return {
        "PATH": os.defpath,
        "HOME": str(work),
        "TF_CLI_CONFIG_FILE": str(cli_config),
        "TF_DATA_DIR": str(work / "data"),
        "TF_IN_AUTOMATION": "1",
        "TF_REATTACH_PROVIDERS": reattach,
        "CHECKPOINT_DISABLE": "1",
        "GOGC": "400",  # it is over before there is much to tidy up
    }
