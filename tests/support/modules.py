"""Many roots judged by a few runs of Terraform or OpenTofu, with stub providers.

    modules = Modules(tool, roots(), work=tmp_path, reattach=stub_providers)
    terraform.planned(modules.plans["example/dev/network"])

Each root is a module of a configuration that it shares with others, see `module_plans.portions`: its files byte for
byte as they were compiled. Of a module's files core ignores the backend alone, which
`support.terraform` would swap anyway.

Source: Terraform, "Providers within modules", "JSON output format".
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING

from support import module_plans, terraform
from support.roots import whole, written

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.roots import Files
    from support.terraform import JsonObject, Tool


class Modules:
    """What core says of each root, by the root's name."""

    plans: dict[str, JsonObject]
    """The plan of each root, as if it had been planned by itself: no address names a module."""
    errors: dict[str, tuple[str, ...]]
    """What `validate` finds wrong with a root, where it finds anything."""
    written: str
    """All plans as they are, and all states where anything was applied."""

    def __init__(
        self, tool: Tool, roots: Mapping[str, Files], *, work: Path, reattach: str, apply: bool = False
    ) -> None:
        """Plan all; with `apply` what comes after it has been applied.

        Raises:
            CommandError: one cannot be planned; the text names its folder.
        """
        self.plans, self.errors, self.written = {}, {}, ""
        for number, some in enumerate(module_plans.portions(roots, whole)):
            portion = work / str(number)
            portion.mkdir()
            self._judge(tool, some, work=portion, reattach=reattach, apply=apply)

    def _judge(
        self, tool: Tool, roots: Mapping[str, Files], *, work: Path, reattach: str, apply: bool
    ) -> None:
        names = {name.replace("/", "--"): name for name in roots}
        folder = work / "modules"
        folder.mkdir()
        for module, name in names.items():
            written(roots[name], folder / module)
        calls = {"module": {module: {"source": f"./{module}"} for module in names}}
        (folder / "main.tf.json").write_text(json.dumps(calls), encoding="utf-8")
        if apply:
            terraform.apply(tool, folder, work=work, reattach=reattach)
        plan = terraform.plan(tool, folder, work=work, reattach=reattach)
        self.plans |= {name: _part(plan, module) for module, name in names.items()}
        self.errors |= _errors(terraform.validate(tool, folder, work=work, reattach=reattach).output, names)
        state = work / "state"
        self.written += json.dumps(plan) + (state.read_text(encoding="utf-8") if state.exists() else "")


def _part(plan: JsonObject, module: str) -> JsonObject:
    """All that a plan says of one module."""
    prefix = f"module.{module}."
    changes = [
        {**each, "address": each["address"].removeprefix(prefix)}
        for each in plan.get("resource_changes", ())
        if each["address"].startswith(prefix)
    ]
    called = plan["configuration"]["root_module"]["module_calls"][module]
    return {"resource_changes": changes, "configuration": called}


def _errors(printed: str, names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for each in json.loads(printed[: printed.rindex("}") + 1])["diagnostics"]:
        if each["severity"] == "error":
            module = each.get("range", {}).get("filename", "").partition("/")[0]
            # What core places nowhere is held against every root.
            for name in [names[module]] if module in names else names.values():
                found[name].append(f"{each['summary']}: {each['detail']}")
    return {name: tuple(errors) for name, errors in found.items()}
