"""One environment, compiled, for the commands that make it or take it down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from plinth.bootstrap.last_hour import OVERRIDE
from plinth.bootstrap.roots import Root, roots_of
from plinth.cli.project import Project
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError
from plinth.ir.fileset import File
from plinth.ir.targets import Delivery, TerraformResource
from plinth.live.git import committed_digests
from plinth.pipeline import BASE, LOCK_PATH, compile_spec

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from plinth.cli.console import Console
    from plinth.compilation import Compilation
    from plinth.ir.said import Origin
    from plinth.pipeline import Result


class Chosen(Struct, frozen=True, kw_only=True):
    """An environment with what a command needs of it."""

    project: Project
    result: Result
    compilation: Compilation
    roots: tuple[Root, ...]

    @property
    def name(self) -> str:
        """The environment's name."""
        return self.compilation.environment.name

    @property
    def repository(self) -> tuple[str, str | None]:
        """What Argo CD reads, and the name of the Secret that it needs for that."""
        (delivery,) = self.compilation.graph.of(Delivery)
        return delivery.url.value, delivery.credentials.value if delivery.credentials else None

    @property
    def declared(self) -> frozenset[str]:
        """The outputs that may be recorded."""
        return frozenset(name for root in self.roots for name in root.outputs)

    def origins(self) -> Mapping[str, tuple[Origin, ...]]:
        """Address of a Terraform resource -> what asked for it."""
        found: dict[str, tuple[Origin, ...]] = {}
        for each in self.compilation.graph.of(TerraformResource):
            found[each.address] = (*found.get(each.address, ()), *each.origins)
        return found

    def check_tree(self) -> None:
        """Accept a tree that is what the spec compiles to: programs read the files, not the spec.

        Raises:
            PlinthError: it is not.
        """
        for root in self.roots:
            # A teardown that was killed may have left it: it lifts protections.
            remove(self.project.root, f"{root.folder}/{OVERRIDE}")
        plan = self.project.workspace.plan(
            {name: files for name, files in self.result.groups.items() if name in {BASE, self.name}},
            extra={LOCK_PATH: self.result.lock},
            known=committed_digests(self.project.root),
            overwrite=False,
            all_groups=False,
        )
        if not plan.is_clean or plan.edited:
            raise PlinthError(
                Diagnostic(
                    code="PLN942",
                    message=f"the tree is not what `{self.project.file}` compiles to",
                    help="run `plinth compile`, read what it changes, and commit it; then run this again",
                )
            )


def choose(options: argparse.Namespace, console: Console) -> Chosen:
    """The environment that the command line names, compiled in memory.

    Raises:
        SpecError, PlinthError: as any compile.
    """
    project = Project(options, console)
    result = compile_spec(project.spec(), project.file, project.inputs())
    (compilation,) = result.named([options.environment])
    return Chosen(
        project=project,
        result=result,
        compilation=compilation,
        roots=roots_of(options.environment, compilation.files),
    )


def write(project: Project, files: Mapping[str, str], backend: str) -> bool:
    """Write files that are no compiled ones; whether that changed anything."""
    wanted = {path: File(content=text.encode(), backend=backend) for path, text in files.items()}
    plan = project.workspace.plan({}, extra=wanted, all_groups=False)
    project.workspace.write(replace(plan, overwrite=True))
    return bool(plan.written)


def remove(root: Path, path: str) -> None:
    """Remove a file of ours, where it is there."""
    Path(root, path).unlink(missing_ok=True)
