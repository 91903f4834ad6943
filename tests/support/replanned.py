"""What core plans of roots that change, after each was applied as it was, with stub providers.

    replanned(tool, {"a row": (before, after)}, work=tmp_path, reattach=served)["a row"].actions

They are modules of a few configurations, each of which is applied once and planned once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support import module_plans, terraform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from support.module_plans import Name, Planned, Root
    from support.terraform import Tool


def replanned(
    tool: Tool, changes: Mapping[Any, tuple[Root, Root]], *, work: Path, reattach: str
) -> dict[Name, Planned]:
    """What becomes of each root.

    Raises:
        CommandError: one cannot be applied, or none can be planned.
    """
    found: dict[Name, Planned] = {}
    for number, some in enumerate(module_plans.portions(changes, lambda both: both[0])):
        portion = work / str(number)
        portion.mkdir()
        found |= _replanned(tool, some, work=portion, reattach=reattach)
    return found


def _replanned(
    tool: Tool, changes: Mapping[Any, tuple[Root, Root]], *, work: Path, reattach: str
) -> dict[Name, Planned]:
    names = dict(zip(module_plans.named(len(changes)), changes, strict=True))
    folder = work / "modules"
    before, after = ({module: changes[name][at] for module, name in names.items()} for at in (0, 1))
    module_plans.write(folder, before)
    terraform.apply(tool, folder, work=work, reattach=reattach)
    module_plans.write(folder, after)
    plan = terraform.plan_as_far_as_it_goes(tool, folder, work=work, reattach=reattach)
    return module_plans.read(plan, names)
