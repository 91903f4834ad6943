"""A Terraform plan and the root that it is of.

A plan does not say where it was made. Its resources do: the root that has them is found by their addresses,
and among the roots of several environments by what its providers are configured with.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from plinth.diagnostics.diagnostic import Diagnostic, PlinthError
from plinth.drift import Unknown
from plinth.drift.findings import Reading
from plinth.drift.plan_file import LARGEST_BYTES, NotAPlan, addresses, constants, read_plan
from plinth.drift.terraform import Root, classify
from plinth.ir.origins import origins_at
from plinth.ir.said import pointer
from plinth.ir.targets import TerraformResource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from plinth.compilation import Compilation
    from plinth.ir.fileset import File

    Json = Mapping[str, Any]

LEAST_SHARE: Final = 0.5
"""Of a plan's resources, how many a root must have to be the plan's: a root changes between two plans."""

MOST_NAMED: Final = 5


def read_terraform(data: bytes, name: str, compilations: Iterable[Compilation]) -> Reading:
    """What a plan says of the root that it is of. `name` is the file, for a message.

    Raises:
        PlinthError: the file is no plan in JSON, or it is of none of these environments, or of several.
    """
    try:
        plan = read_plan(data)
    except NotAPlan as error:
        raise _not_a_plan(name, str(error)) from None
    found = _root(plan, name, tuple(compilations))
    compiled = _compiled(found.compilation, found.root.folder)
    reading = classify(plan, found.root, _origins(found))
    not_planned = sorted(compiled - addresses(plan))
    if not_planned:
        more = f" and {len(not_planned) - MOST_NAMED} more" if len(not_planned) > MOST_NAMED else ""
        unknown = Unknown(
            env=found.root.env,
            what=found.root.folder,
            reason=f"`{name}` was made of another tree: it lacks {', '.join(not_planned[:MOST_NAMED])}{more}",
        )
        reading = reading.and_also(Reading(unknown=(unknown,)))
    return reading


def too_large(name: str) -> PlinthError:
    """The fault of a file that is not even read to its end."""
    return _not_a_plan(name, f"it is larger than {LARGEST_BYTES // 2**20} MiB")


class _Found:
    """A root, and the environment that it belongs to."""

    def __init__(self, compilation: Compilation, folder: str) -> None:
        self.compilation = compilation
        self.root = Root(compilation.environment.name, folder)


def _root(plan: Json, name: str, compilations: tuple[Compilation, ...]) -> _Found:
    planned = addresses(plan)
    if not planned:
        raise _of_no_root(name, "it has no resources", compilations)
    shares: list[tuple[float, _Found]] = []
    for compilation in compilations:
        for folder in _folders(compilation):
            common = len(planned & _compiled(compilation, folder))
            if common >= LEAST_SHARE * len(planned):
                shares.append((common / len(planned), _Found(compilation, folder)))
    best = max((share for share, _ in shares), default=0.0)
    likely = [found for share, found in shares if share == best]
    if len(likely) > 1:
        said = constants(plan)
        counts = [sum(said.get(key) == value for key, value in _providers(each).items()) for each in likely]
        likely = [each for each, count in zip(likely, counts, strict=True) if count == max(counts)]
    if not likely:
        raise _of_no_root(name, "no root has its resources", compilations)
    if len(likely) > 1:
        raise PlinthError(
            Diagnostic(
                code="PLN918",
                message=f"`{name}` may be a plan of {' or of '.join(each.root.folder for each in likely)}",
                help="say which environment it is of with `--env`",
            )
        )
    return likely[0]


def _folders(compilation: Compilation) -> list[str]:
    return sorted({path.rpartition("/")[0] for path in _files(compilation)})


def _files(compilation: Compilation) -> dict[str, File]:
    return {path: made for path, made in compilation.files.items() if path.endswith(".tf.json")}


def _compiled(compilation: Compilation, folder: str) -> frozenset[str]:
    layers = {
        each.address
        for each in compilation.graph.of(TerraformResource)
        if each.block == "resource" and f"/{each.layer}" == folder[folder.rfind("/") :]
    }
    return frozenset(layers)


def _providers(found: _Found) -> dict[str, str]:
    """What the providers of a root are configured with, where it is a plain text."""
    texts: dict[str, str] = {}
    for path, made in _files(found.compilation).items():
        if path.rpartition("/")[0] == found.root.folder:
            for blocks in (json.loads(made.content).get("provider") or {}).values():
                for block in blocks if isinstance(blocks, list) else [blocks]:
                    texts |= {key: value for key, value in block.items() if isinstance(value, str)}
    return texts


def _origins(found: _Found) -> Callable[[str, str], tuple[str, ...]]:
    """For an address and a pointer into its arguments, the origins that the ledger has."""
    own = [
        made
        for path, made in _files(found.compilation).items()
        if path.rpartition("/")[0] == found.root.folder
    ]

    def origins(address: str, where: str) -> tuple[str, ...]:
        kind, _, name = address.partition(".")
        place = f"/resource{pointer(kind, name)}"
        for made in own:
            if any(each == place or each.startswith(f"{place}/") for each in made.origins):
                return origins_at(made.origins, place + where)
        return ()

    return origins


def _not_a_plan(name: str, why: str) -> PlinthError:
    return PlinthError(
        Diagnostic(
            code="PLN917",
            message=f"`{name}` is no Terraform plan in JSON: {why}",
            help="make one with `terraform plan -out=plan` and `terraform show -json plan > plan.json`",
        )
    )


def _of_no_root(name: str, why: str, compilations: tuple[Compilation, ...]) -> PlinthError:
    folders = [folder for each in compilations for folder in _folders(each)]
    listed = f"the roots are {', '.join(folders)}" if folders else "this platform has no Terraform roots"
    return PlinthError(
        Diagnostic(code="PLN918", message=f"`{name}` is a plan of none of our roots: {why}", help=listed)
    )
