"""The settings of a Terraform root, alike on every cloud but for its own backend and provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.ir.said import why
from plinth.ir.targets import TerraformBlock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.ir.said import Origin, Said
    from plinth.ir.targets import Layer

OLDEST_TERRAFORM: Final = ">= 1.11"
"""1.11 has write-only arguments, so that no password is kept in a state. OpenTofu counts alike."""

RANDOM: Final = {"source": "hashicorp/random", "version": ">= 3.7, < 4"}  # 3.7: ephemeral random_password

IN_FILES: Final[dict[str, Any]] = {"local": {"path": "terraform.tfstate"}}
"""The backend where `spec.state` is absent."""


def settings(
    layer: Layer,
    *,
    backend: Mapping[str, Any],
    backend_origins: tuple[Origin, ...],
    provider: Mapping[str, Mapping[str, str | Said]],
) -> TerraformBlock:
    """The `terraform` block of a root; the last one makes up passwords as well."""
    return TerraformBlock(
        layer=layer,
        kind="terraform",
        name="",
        arguments={
            "backend": backend,
            "required_providers": {**provider, **({"random": RANDOM} if layer == "platform" else {})},
            "required_version": OLDEST_TERRAFORM,
        },
        origins=backend_origins or why("state is kept in a local file where `spec.state` is absent"),
    )
