"""What Terraform providers say of the arguments of their resources: types, defaults, what forces a new one.

Made by `tools/provider_schemas.py` from recorded schemas. What a provider decides in code alone, and what
came with a release younger than the recording, is not in it.

Source: the providers' own schemas, of the version that each file names. Of aws, what forces a new resource is
known for arguments as of 5.31 and for those that `tools/corrected_schemas.py` adds, with their sources: a
replacement that is told is one, others may be.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA: Final = Path(__file__).parent

LABELS: Final = (
    ("google", "default_labels", "terraform_labels"),
    ("aws", "default_tags", "tags_all"),
    ("aws", "region", "region"),
)
"""Where a provider's own arguments change resources: the provider, its argument, what shows the change."""


def resource_block(kind: str) -> Mapping[str, Any] | None:
    """The arguments of a resource type, None where no recording has it.

    A block is `{"attributes": {name: flags}, "blocks": {name: block}}`; flags are `mode`, `type`, and where
    they hold `force_new`, `default`, `write_only`; a nested block has `nesting` and may have `force_new`,
    `computed`.
    """
    return _resources(kind.partition("_")[0]).get(kind)


@cache
def _resources(provider: str) -> Mapping[str, Any]:
    path = DATA / f"{provider}.json"
    if not path.is_file():
        return {}
    resources: Mapping[str, Any] = json.loads(path.read_bytes())["resources"]
    return resources
