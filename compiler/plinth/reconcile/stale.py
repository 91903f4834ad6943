"""The tree on disk against what the spec compiles to: what is compared below is what the spec says now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.drift import Finding
from plinth.drift.findings import identity

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_NAMED: Final = 5


def stale(env: str, changed: Sequence[str], edited: Sequence[str]) -> tuple[Finding, ...]:
    """One finding for an environment whose files are not what its spec compiles to.

    `changed` are the paths that a compile would write or remove, `edited` those of them that somebody
    edited by hand.
    """
    if not changed and not edited:
        return ()
    paths = sorted({*changed, *edited})
    more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
    listed = ", ".join(paths[:MOST_NAMED]) + more
    resource = {"address": f"generated/{env}"}
    remedy = (
        "move the edit into a patch under patches/, then `plinth compile --overwrite`, and commit"
        if edited
        else "`plinth compile`, and commit what it writes"
    )
    what = "edited by hand" if edited else "not what the spec compiles to"
    return (
        Finding(
            id=identity(env, "spec", resource, "stale", []),
            class_="stale",
            severity="medium",
            env=env,
            layer="spec",
            resource=resource,
            remedy=remedy,
            reason=f"{what}: {listed}",
        ),
    )
