"""What core plans of roots that change, after each was applied as it was, with stub providers.

    replanned(tool, {"a row": (before, after)}, work=tmp_path, reattach=served)["a row"].actions

They are modules of a few configurations. Those that were the same before are applied once, and the state of each is a
copy of what that left: the stub makes up the same values for the same input.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from support import applied_state, module_plans, terraform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.module_plans import Name, Planned, Root
    from support.terraform import Tool

JsonObject = dict[str, Any]


def replanned(
    tool: Tool, changes: Mapping[Any, tuple[Root, Root]], *, work: Path, reattach: str
) -> dict[Name, Planned]:
    """What becomes of each root.

    Raises:
        CommandError: one cannot be applied, or none can be planned.
    """
    befores = {name: json.dumps(before, sort_keys=True) for name, (before, _) in changes.items()}
    applied: dict[str, list[JsonObject]] = {}
    for some in module_plans.portions({text: text for text in befores.values()}, json.loads):
        portion = work / f"before-{len(applied)}"
        applied |= _applied(tool, list(some), work=portion, reattach=reattach)
    found: dict[Name, Planned] = {}
    for some in module_plans.portions(changes, lambda both: both[0]):
        names = dict(zip(module_plans.named(len(some)), some, strict=True))
        portion = work / f"after-{len(found)}"
        folder = portion / "modules"
        module_plans.write(folder, {module: changes[name][1] for module, name in names.items()})
        state = applied_state.state(
            each for module, name in names.items() for each in _of(module, applied[befores[name]])
        )
        (portion / "state").write_text(json.dumps(state), encoding="utf-8")
        plan = terraform.plan_as_far_as_it_goes(tool, folder, work=portion, reattach=reattach)
        found |= module_plans.read(plan, names)
    return found


def _applied(tool: Tool, texts: list[str], *, work: Path, reattach: str) -> dict[str, list[JsonObject]]:
    """What the state holds of each root once it was applied."""
    names = dict(zip(module_plans.named(len(texts)), texts, strict=True))
    folder = work / "modules"
    module_plans.write(folder, {module: json.loads(text) for module, text in names.items()})
    terraform.apply(tool, folder, work=work, reattach=reattach)
    state = json.loads((work / "state").read_text(encoding="utf-8"))
    found: dict[str, list[JsonObject]] = defaultdict(list)
    for resource in state["resources"]:
        found[names[resource["module"].removeprefix("module.")]].append(resource)
    return found


def _of(module: str, resources: list[JsonObject]) -> Iterator[JsonObject]:
    """Resources of a module as those of another one."""
    for resource in resources:
        was = resource["module"]
        instances = [
            {
                **instance,
                "dependencies": [
                    each.replace(f"{was}.", f"module.{module}.", 1) for each in instance["dependencies"]
                ],
            }
            if "dependencies" in instance
            else instance
            for instance in resource["instances"]
        ]
        yield {**resource, "module": f"module.{module}", "instances": instances}
