"""Many roots judged by a few runs of Terraform or OpenTofu, with stub providers.

    modules = Modules(tool, roots(), work=tmp_path, reattach=stub_providers)
    terraform.planned(modules.plans["example/dev/network"])

Each root is a module of a configuration that it shares with others, see `module_plans.portions`. Its files are those
that were compiled, without what another root has as well, see `distinct_roots`: a plan is put together from what was
said of each block. Of a module's files core ignores the backend alone, which `support.terraform` would swap anyway.

Source: Terraform, "Providers within modules", "JSON output format".
"""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING

from support import module_plans, terraform
from support.distinct_roots import closures, distinct
from support.roots import whole, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from support.roots import Files
    from support.terraform import JsonObject, Tool


class Modules:
    """What core says of each root, by the root's name."""

    plans: dict[str, JsonObject]
    """The plan of each root, as if it had been planned by itself: its resources, and how they are configured."""
    written: str
    """Where all was applied, every plan after it and every state as they are."""

    def __init__(
        self, tool: Tool, roots: Mapping[str, Files], *, work: Path, reattach: str, apply: bool = False
    ) -> None:
        """Plan all; with `apply` what comes after it has been applied. To plan is to validate before.

        Raises:
            CommandError: one is not valid, or cannot be planned; the text names its folder.
        """
        self.written = ""
        judged: dict[str, JsonObject] = {}
        tried = roots if apply else distinct(roots)
        for number, some in enumerate(module_plans.portions(tried, whole)):
            portion = work / str(number)
            portion.mkdir()
            judged |= self._judge(tool, some, work=portion, reattach=reattach, apply=apply)
        self.plans = _put_together(roots, tried, judged)

    def _judge(
        self, tool: Tool, roots: Mapping[str, Files], *, work: Path, reattach: str, apply: bool
    ) -> dict[str, JsonObject]:
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
        if apply:
            self.written += json.dumps(plan) + (work / "state").read_text(encoding="utf-8")
        return {name: _part(plan, module) for module, name in names.items()}


def _put_together(
    roots: Mapping[str, Files], tried: Mapping[str, Files], plans: Mapping[str, JsonObject]
) -> dict[str, JsonObject]:
    """The plan of each root, from what was planned of its blocks where those were tried."""
    where = {
        part.text: (name, address)
        for name, files in tried.items()
        for address, part in closures(files).items()
    }
    found = {}
    for name, files in roots.items():
        sources: dict[str, set[str]] = {}
        for part in closures(files).values():
            source, address = where[part.text]
            sources.setdefault(source, set()).add(address)
        found[name] = _gathered(
            [(plans[source], some) for source, some in sources.items()] or [(plans[name], set())]
        )
    return found


def _gathered(sources: Sequence[tuple[JsonObject, set[str]]]) -> JsonObject:
    """One plan of what several say of some blocks each."""

    def every(section: Callable[[JsonObject], Iterable[JsonObject]]) -> list[JsonObject]:
        said = [
            each
            for plan, addresses in sources
            for each in section(plan)
            if each["address"].partition("[")[0] in addresses
        ]
        return sorted(said, key=itemgetter("address"))

    first, _ = sources[0]
    outputs = {
        name: body
        for plan, addresses in sources
        for name, body in plan["configuration"]["root_module"].get("outputs", {}).items()
        if f"output.{name}" in addresses
    }
    return {
        **first,
        "planned_values": {
            "root_module": {
                "resources": every(lambda plan: plan["planned_values"]["root_module"]["resources"])
            }
        },
        "resource_changes": every(lambda plan: plan["resource_changes"]),
        "configuration": {
            **first["configuration"],
            "root_module": {
                "resources": every(lambda plan: plan["configuration"]["root_module"].get("resources", ())),
                **({"outputs": outputs} if outputs else {}),
            },
        },
    }


def _part(plan: JsonObject, module: str) -> JsonObject:
    """What the plan would be of that module alone: no address names it."""
    address = f"module.{module}"
    planned = plan["planned_values"]["root_module"].get("child_modules", ())
    configuration = plan["configuration"]
    providers = configuration.get("provider_config", {}).values()
    return {
        **{key: plan[key] for key in ("format_version", "terraform_version")},
        "planned_values": {
            "root_module": {
                "resources": [
                    _without(address, each)
                    for child in planned
                    if child["address"] == address
                    for each in child["resources"]
                ]
            }
        },
        "resource_changes": _of(address, plan.get("resource_changes", ())),
        "configuration": {
            "provider_config": {each["name"]: each for each in _of(address, providers)},
            "root_module": configuration["root_module"]["module_calls"][module]["module"],
        },
    }


def _of(address: str, some: Iterable[JsonObject]) -> list[JsonObject]:
    return [_without(address, each) for each in some if each.get("module_address") == address]


def _without(address: str, some: JsonObject) -> JsonObject:
    kept = {key: value for key, value in some.items() if key != "module_address"}
    return kept | ({"address": some["address"].removeprefix(f"{address}.")} if "address" in some else {})
