"""The three roots: their state, the providers they may use, and the tools they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds._roots import IN_FILES, settings
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import Said, origins_of, said, text
from plinth.ir.targets import Target, TerraformBlock

if TYPE_CHECKING:
    from plinth.clouds.gcp.names import Names
    from plinth.ir.needs import Roots
    from plinth.ir.targets import Layer

PROVIDER: Final = {
    "google": {"source": "hashicorp/google", "version": ">= 7.45, < 8"}
}  # pools that are not upgraded


def answer(need: Roots, names: Names) -> Answer[NoFacts]:
    """A `terraform` and a `provider` block for each root."""
    targets: list[Target] = []
    for layer in need.layers:
        backend, state_origins = _backend(need, names, layer)
        targets.append(settings(layer, backend=backend, backend_origins=state_origins, provider=PROVIDER))
        targets.append(
            TerraformBlock(
                layer=layer,
                kind="provider",
                name="google",
                arguments={
                    "project": names.project,
                    "region": names.region,
                    "default_labels": names.labels(),
                    **_quota(need, names, layer),
                },
                origins=origins_of((names.project, names.region)),
            )
        )
    return Answer(targets=tuple(targets), facts=NoFacts())


def _quota(need: Roots, names: Names, layer: Layer) -> dict[str, Any]:
    """Who is billed for calls of an API that belongs to no project, as that of budgets does."""
    budget = need.context.platform.origin("budget")
    if layer != "platform" or budget is None:
        return {}
    return {
        "billing_project": names.project,
        "user_project_override": Said(True, (budget,)),  # noqa: FBT003 - a leaf's value
    }


def _backend(need: Roots, names: Names, layer: Layer) -> tuple[dict[str, Any], tuple[Any, ...]]:
    state = need.context.platform.state
    if state is None:
        return IN_FILES, ()
    bucket = said(state, "bucket")
    prefix = text(names.platform, "/", need.context.environment, "/", layer)
    return {"gcs": {"bucket": bucket, "prefix": prefix}}, bucket.origins
