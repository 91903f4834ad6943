"""What can be wrong between components, and between an upstream and the patches on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.said import spec_path
from plinth.ir.targets import ObjectKey
from plinth.spec.rules import too_few_gpus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plinth.ir import needs
    from plinth.ir.answers import PoolFacts
    from plinth.ir.render import PatchFailed
    from plinth.ir.targets import Application
    from plinth.spec.platform import Platform
    from plinth.text.spans import SpecPath


def is_one(first: needs.Secret, second: needs.Secret) -> bool:
    """True where two needs for a secret of one name can have one answer."""
    return (first.made_by, first.keys) == (second.made_by, second.keys)


def name_taken(first: needs.Secret, second: needs.Secret) -> Diagnostic:
    """Two needs for a secret of one name that one entry of the store cannot answer."""
    by_person = second if second.made_by == "person" else first
    path = spec_path(by_person.name.origins, ("metadata", "name"))
    return Diagnostic(
        code="PLN209",
        message=f"the secret `{second.name.value}` would be two things, and an entry has one content",
        help="give the secret that this names another name in the store",
        path=path,
    )


def tier_faults(platform: Platform, facts: Mapping[str, PoolFacts]) -> Iterator[Diagnostic]:
    """Tiers that want more GPUs than the machine of one of their pools turned out to have."""
    pools = {pool.name: pool for pool in platform.node_pools}
    for tier in platform.tiers:
        for name in tier.pools:
            offered = facts[name].gpu_count
            if tier.gpu and offered is not None and offered < tier.gpu.count:
                yield too_few_gpus(tier, pools[name], offered, tier.gpu.count)


def patch_failed(
    error: PatchFailed, application: Application, asked_at: SpecPath, patches_at: SpecPath
) -> Diagnostic:
    """A patch that does not fit: ours, whose component was asked for somewhere, or a person's."""
    if isinstance(error.patch, ObjectKey) or not error.patch.file:
        # Ours: the catalogue says that it fits, so what is vendored is not what the catalogue knows.
        return Diagnostic(
            code="PLN321",
            message=f"`{application.component}` {application.version} as vendored is not what "
            f"the catalogue knows: {error}",
            help="vendor it again: `plinth vendor --mirror DIR`",
            path=asked_at,
            at_key=True,
        )
    return Diagnostic(
        code="PLN318",
        message=f"`{error.patch.file}` does not fit {error.patch.target}: {error.reason}",
        help="compare it with the object: ours are in `overlays/`, upstream's in `generated/vendor/`",
        path=patches_at,
    )
