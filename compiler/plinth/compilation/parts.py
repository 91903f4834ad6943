"""A component of one environment: its version and origins, its Applications, and what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from plinth.ir import needs
from plinth.ir.commands import WantedSecret
from plinth.ir.said import spec_path
from plinth.ir.targets import Application

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.components import Component
    from plinth.ir.said import Origin
    from plinth.ir.targets import Base


class Part(Struct, frozen=True):
    """A component of one environment in its version."""

    component: Component[Any]
    section: Any
    version: str
    origins: tuple[Origin, ...]

    @property
    def path(self) -> tuple[str, ...]:
        """The part of the spec that asked for it."""
        return spec_path(self.origins)


def waiting(
    parts: Mapping[str, Part], context: needs.Context, own: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """For every component, what it waits for: outputs of its own, and those of what it needs."""
    waits = {name: set(own.get(name, ())) for name in parts}
    requires = {name: tuple(part.component.requires(part.section, context)) for name, part in parts.items()}
    for _ in waits:  # a chain of needs is at most as long as there are components
        for name, required in requires.items():
            waits[name] |= {each for other in required for each in waits[other]}
    return {name: tuple(sorted(found)) for name, found in waits.items()}


def applications(
    part: Part, base: Base | None, context: needs.Context, waits: Mapping[str, tuple[str, ...]]
) -> Iterable[Application]:
    """The Application of a component, and one that holds its CRDs where it has any."""
    name, component = part.component.name, part.component
    has_crds = bool(base and base.upstream.crds)
    before: list[str] = [f"{name}-crds"] if has_crds else []
    for required in sorted(component.requires(part.section, context)):
        before += [required, f"{required}-crds"]
    application = Application(
        name=name,
        component=name,
        version=part.version,
        namespace=component.namespace,
        needs=tuple(before),
        ignore=component.ignore,
        origins=part.origins,
        withheld=waits[name],
    )
    yield application
    if has_crds:
        yield replace(application, name=f"{name}-crds", holds_crds=True, needs=(), ignore=(), withheld=())


def wanted_secret(need: needs.Need, namespace: str) -> WantedSecret | None:
    """The secret that a component reads by a need, where it reads one that is not made beside a database."""
    match need:
        case needs.Secret():
            return WantedSecret(
                name=need.name.value,
                namespace=namespace,
                keys=tuple(each.name for each in need.keys),
                is_generated=need.made_by == "generated",
            )
        case needs.Database() if need.server.existing:
            return WantedSecret(
                name=need.server.existing.secret,
                namespace=namespace,
                keys=("username", "password"),
                is_generated=False,
            )
        case _:
            return None
