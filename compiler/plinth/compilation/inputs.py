"""What a compile reads beside the spec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

from plinth.ir.lock import Lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plinth.compilation.output import Output
    from plinth.ir.outputs import Recorded


class Inputs(Struct, frozen=True, kw_only=True):
    """What a compile reads beside the spec."""

    lock: Lock = field(default_factory=Lock)
    outputs: Recorded = field(default_factory=dict)
    """What applies told, by environment."""
    update: frozenset[Literal["machines"]] = frozenset()
    """What is chosen anew, whatever the lock has of it."""
    release: frozenset[str] = frozenset()
    """Environments that are torn down: nothing that is pinned for them holds a change back."""
    patch: Callable[[str], Any]
    """The plain data of a person's patch by its path; raises PatchFault where it cannot be read."""
    vendored: Callable[[str, str], tuple[Mapping[str, Any], ...] | None]
    """The objects of a vendored component and version without CRDs; None where it is not vendored."""
    kept: Callable[[str, str], Output | None] | None = None
    """The output of an environment, by name and fingerprint, if it was compiled before and is at hand."""
