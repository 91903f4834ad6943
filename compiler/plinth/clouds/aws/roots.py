"""The roots: their state, the providers they may use, and the tools they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds._roots import IN_FILES, settings
from plinth.ir.answers import Answer, NoFacts
from plinth.ir.said import origins_of, said, text
from plinth.ir.targets import Target, TerraformBlock

if TYPE_CHECKING:
    from plinth.clouds.aws.names import Names
    from plinth.ir.needs import Roots
    from plinth.ir.targets import Layer

PROVIDER: Final = {
    "aws": {"source": "hashicorp/aws", "version": ">= 6.28, < 7"}
}  # 6.28: repositories made by a push


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
                name="aws",
                arguments={
                    "region": names.region,
                    # Credentials of another account are refused before anything is made there.
                    "allowed_account_ids": [names.account],
                    "default_tags": [{"tags": names.tags}],
                },
                origins=origins_of((names.account, names.region)),
            )
        )
    return Answer(targets=tuple(targets), facts=NoFacts())


def _backend(need: Roots, names: Names, layer: Layer) -> tuple[dict[str, Any], tuple[Any, ...]]:
    state = need.context.platform.state
    if state is None:
        return IN_FILES, ()
    bucket = said(state, "bucket")
    key = text(names.platform, "/", need.context.environment, "/", layer, "/terraform.tfstate")
    settings = {
        "bucket": bucket,
        "key": key,
        "region": names.region,
        "encrypt": True,
        # The lock is a file beside the state, not a table of DynamoDB.
        "use_lockfile": True,
    }
    return {"s3": settings}, bucket.origins
