"""What gets written, still as structures: every leaf may know its origin.

Backends turn targets into files and decide nothing.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from msgspec import Struct

from plinth.catalog.objects import ObjectKey
from plinth.ir.said import settle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.catalog.components import Upstream
    from plinth.ir.said import Origin, Said

__all__ = [
    "LAYERS",
    "Application",
    "Base",
    "Delivery",
    "Image",
    "Manifest",
    "ObjectKey",
    "Patch",
    "Target",
    "TerraformBlock",
    "TerraformResource",
]

Layer = Literal["network", "cluster", "platform"]
"""A Terraform root."""

LAYERS: Final[tuple[Layer, ...]] = get_args(Layer)
"""They are applied in this order and destroyed in the reverse."""


class TerraformResource(Struct, frozen=True, kw_only=True):
    """A resource, a data source or an ephemeral resource of one root."""

    layer: Layer
    type: str
    name: str
    arguments: Mapping[str, Any]
    """Nested blocks are lists of maps, even where only one is allowed: the form that never changes."""
    origins: tuple[Origin, ...]
    block: Literal["resource", "data", "ephemeral"] = "resource"

    @property
    def address(self) -> str:
        """As Terraform writes it within its root."""
        return (
            f"{self.type}.{self.name}"
            if self.block == "resource"
            else f"{self.block}.{self.type}.{self.name}"
        )


class TerraformBlock(Struct, frozen=True, kw_only=True):
    """A block of a root that is no resource: `terraform`, `provider`, `output`.

    A string in `terraform` is no template, so nothing in it is escaped.
    """

    layer: Layer
    kind: Literal["terraform", "provider", "output"]
    name: str
    """The provider's or output's name; empty for `terraform`."""
    arguments: Mapping[str, Any]
    origins: tuple[Origin, ...]


class Base(Struct, frozen=True, kw_only=True):
    """What an overlay builds on: a version of a component as its makers publish it.

    A function of (component, version) and of how upstreams are brought in; nothing of the spec.
    """

    component: str
    version: str
    upstream: Upstream
    vendored: bool
    namespace: str | None
    """Set on every namespaced object, for an upstream that leaves it to the reader."""
    values: Mapping[str, Any]
    """The fixed values that a chart is rendered with; empty for what is no chart."""
    operations: Mapping[ObjectKey, tuple[Mapping[str, Any], ...]]
    """JSON 6902 operations that hold in every environment."""
    origins: tuple[Origin, ...]
    objects: tuple[Mapping[str, Any], ...] | None = None
    """Every object but CRDs as vendored; None where they are not at hand."""
    incomplete: tuple[str, ...] = ()
    """Objects that are vendored in part or not at all, as `Kind/name`."""


class Patch(Struct, frozen=True, kw_only=True):
    """Changes of one upstream object."""

    application: str
    target: ObjectKey
    operations: tuple[Mapping[str, Any], ...]
    """JSON 6902, in order. A positional one follows a `test` of what it takes to be there."""
    origins: tuple[Origin, ...]
    merge: Mapping[str, Any] | None = None
    """A merge patch in place of operations; it holds no list."""
    file: str = ""
    """The person's file that it came from; empty for our own."""


class Manifest(Struct, frozen=True, kw_only=True, dict=True):
    """An object of our own."""

    application: str
    key: ObjectKey
    body: Mapping[str, Any]
    origins: tuple[Origin, ...]

    @cached_property
    def settled(self) -> tuple[Mapping[str, Any], Mapping[str, tuple[Origin, ...]]]:
        """The body as plain data that nobody changes, and the origins of its parts, see `said.settle`."""
        return settle(self.body, self.origins)

    @property
    def plain(self) -> Mapping[str, Any]:
        """The body as plain data that nobody changes."""
        return self.settled[0]


class Image(Struct, frozen=True, kw_only=True):
    """An image of the base, moved to another tag or pinned to a digest."""

    application: str
    name: str
    tag: str | None = None
    digest: str | None = None
    origins: tuple[Origin, ...] = ()


class Application(Struct, frozen=True, kw_only=True):
    """One unit that Argo CD syncs."""

    name: str
    component: str
    version: str
    namespace: str
    """Where objects without a namespace of their own go."""
    holds_crds: bool = False
    """Only the CRDs of its component, straight from the base; never pruned."""
    needs: tuple[str, ...] = ()
    """Applications that come before it."""
    ignore: tuple[Mapping[str, Any], ...] = ()
    """`ignoreDifferences` of Argo CD."""
    origins: tuple[Origin, ...] = ()
    withheld: tuple[str, ...] = ()
    """What it waits for; a withheld Application is compiled and not delivered."""
    wave: int = 0


class Delivery(Struct, frozen=True, kw_only=True):
    """Where Argo CD finds all this, and for whom."""

    environment: str
    platform_name: Said
    url: Said
    revision: Said
    path: Said
    """The folder of the tree inside the repository, `.` for its root."""
    credentials: Said | None
    """The Secret in the namespace of Argo CD, made by hand."""
    origins: tuple[Origin, ...]


Target = TerraformResource | TerraformBlock | Base | Patch | Manifest | Image | Application | Delivery
