"""Live against desired: pure comparisons of what a cluster and a Terraform plan say with what was compiled.

Nothing here asks anybody anything; `live` does. What an API server answers comes in as plain JSON data
and leaves as findings whose values are already masked, so that whatever shows them cannot leak a Secret.

An object is judged by two questions to the API server that change nothing:

- the apply probe: a dry-run server-side apply of the desired object onto the live one, under the field
  manager of the tool that delivers it;
- the create probe: a dry-run creation of the desired object under a name that nobody has.

Where the create probe equals the live object nobody has changed it, additions included; where only the
apply probe differs, admission treats creation and update in different ways and nobody is to blame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

FindingClass = Literal[
    "missing",
    "drift",
    "drift-unmanaged",
    "drift-immutable",
    "terminating",
    "error",
    "pending",
    "stale",
]
"""`drift`: what was declared differs or is gone. `drift-unmanaged`: somebody added what was never declared.
`drift-immutable`: it differs and cannot be changed in place. `error`: the desired object is refused.
`pending`: declared, and not applied yet. `stale`: the compiled tree is not what the spec says."""

Severity = Literal["critical", "high", "medium", "low", "info"]

VerdictName = Literal[
    "clean", "drift", "drift-unmanaged", "drift-immutable", "explained", "missing", "terminating", "error"
]
"""`explained`: a difference with a known cause that is no person's; it is listed and fails nothing."""


class Refusal(Struct, frozen=True, kw_only=True):
    """What an API server said instead of an object."""

    status: int
    """The HTTP status, which is also the `code` of the Status object."""
    reason: str
    message: str
    """May quote values of the object: to be masked before it is shown."""
    causes: tuple[str, ...] = ()
    """The fields that it complains of, as it writes them: `spec.clusterIP`."""


class Probes(Struct, frozen=True, kw_only=True):
    """The answers to the two questions; None where a question was not asked or cannot be."""

    apply: Mapping[str, Any] | Refusal | None = None
    create: Mapping[str, Any] | Refusal | None = None


class Actor(Struct, frozen=True, kw_only=True):
    """Who is recorded to own a field, from `managedFields`. Testimony, no proof."""

    manager: str
    operation: str
    time: str
    """RFC 3339, of the entry's last change; empty where there is none."""


class Field(Struct, frozen=True, kw_only=True):
    """A field that differs, its values fit to be shown: what is secret is masked already."""

    path: str
    """A JSON pointer into the live object; an item of an associative list stands by its keys, `[name=x]`."""
    desired: Any
    live: Any
    has_desired: bool = True
    """False where nothing is desired there: `desired` is then None."""
    has_live: bool = True


class Verdict(Struct, frozen=True, kw_only=True):
    """What is to be said of one object."""

    name: VerdictName
    severity: Severity = "info"
    fields: tuple[Field, ...] = ()
    actors: tuple[Actor, ...] = ()
    reason: str = ""
    """For a person: why it is `explained`, an `error` or `drift-immutable`; masked already."""


class Finding(Struct, frozen=True, kw_only=True):
    """A verdict in its place: the environment, the resource, and the spec it comes back to."""

    id: str
    """The same for the same finding in the next run: a digest of where and what, not of values."""
    class_: FindingClass
    severity: Severity
    env: str
    layer: Literal["manifest", "argocd", "terraform", "spec"]
    resource: Mapping[str, str]
    """`{"group", "kind", "namespace", "name"}`, or `{"address"}` of Terraform."""
    fields: tuple[Field, ...] = ()
    actors: tuple[Actor, ...] = ()
    origins: tuple[str, ...] = ()
    """As ledgers hold them: paths of the spec, and texts that begin with "because "."""
    remedy: str = ""
    reason: str = ""


class Unknown(Struct, frozen=True, kw_only=True):
    """What could not be read, and why: it is never taken for clean."""

    env: str
    what: str
    """For a person: a kind, an object, an Application, a Terraform root."""
    reason: str
