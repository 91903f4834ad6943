"""The Terraform roots of an environment as they are compiled, and the commands on them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.ir.commands import Check, Command
from plinth.ir.targets import LAYERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.ir.fileset import File

PLAN: Final = "plinth.tfplan"
"""A name that the `.gitignore` of a platform has."""

SOMETHING: Final = 2
"""How `plan -detailed-exitcode` ends where there is something to do."""

QUIET: Final = ("-input=false", "-no-color")


class Root(Struct, frozen=True, kw_only=True):
    """A Terraform root."""

    name: str
    folder: str
    bodies: tuple[Mapping[str, Any], ...]
    """Its files, as JSON has them."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of its outputs that may be written down, sorted."""
        found = {
            name: bool(output.get("sensitive"))
            for body in self.bodies
            for name, output in body.get("output", {}).items()
        }
        return tuple(sorted(name for name, is_sensitive in found.items() if not is_sensitive))

    def command(self, terraform: str, *words: str, purpose: str) -> Command:
        """A command of Terraform in this root."""
        return Command(argv=(terraform, f"-chdir={self.folder}", *words), purpose=purpose)

    def init(self, terraform: str) -> Command:
        """Providers and the state, got ready."""
        return self.command(terraform, "init", *QUIET, purpose="providers, and where the state is")

    def plan(self, terraform: str, *words: str) -> Check:
        """A plan, written down, so that what is applied is what was read."""
        argv = (
            terraform,
            f"-chdir={self.folder}",
            "plan",
            *QUIET,
            "-detailed-exitcode",
            f"-out={PLAN}",
            *words,
        )
        return Check(argv=argv, to_do=SOMETHING, is_shown=True)

    def apply(self, terraform: str, purpose: str) -> Command:
        """That very plan, applied."""
        return self.command(terraform, "apply", *QUIET, PLAN, purpose=purpose)

    def resources(self) -> dict[str, Mapping[str, Any]]:
        """Address -> arguments of everything in it: resources, data sources and ephemeral resources."""
        return {
            f"{'' if block == 'resource' else f'{block}.'}{kind}.{name}": arguments
            for body in self.bodies
            for block in ("resource", "data", "ephemeral")
            for kind, named in body.get(block, {}).items()
            for name, arguments in named.items()
        }

    @property
    def plan_file(self) -> str:
        """The path of the plan in the tree."""
        return f"{self.folder}/{PLAN}"


def roots_of(environment: str, files: Mapping[str, File]) -> tuple[Root, ...]:
    """The roots among compiled files, in the order in which they are applied."""
    top = f"generated/{environment}/terraform/"
    bodies: dict[str, list[Mapping[str, Any]]] = {}
    for path, file in sorted(files.items()):
        if path.startswith(top) and path.endswith(".tf.json"):
            name = path.removeprefix(top).partition("/")[0]
            bodies.setdefault(name, []).append(json.loads(file.content))
    return tuple(
        Root(name=name, folder=f"{top}{name}", bodies=tuple(bodies[name]))
        for name in LAYERS
        if name in bodies
    )
