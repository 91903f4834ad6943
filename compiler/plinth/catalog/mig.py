"""The profiles into which a GPU can be cut (MIG), by model.

A profile is so many sevenths of the processors and an amount of memory. All GPUs of a node are cut
alike here, into as many instances of one profile as fit.

Source: NVIDIA Multi-Instance GPU User Guide, "Supported MIG Profiles".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROFILES: Final[Mapping[str, Mapping[str, int]]] = {
    "a100-40gb": {"1g.5gb": 7, "1g.10gb": 4, "2g.10gb": 3, "3g.20gb": 2, "4g.20gb": 1, "7g.40gb": 1},
    "a100-80gb": {"1g.10gb": 7, "1g.20gb": 4, "2g.20gb": 3, "3g.40gb": 2, "4g.40gb": 1, "7g.80gb": 1},
    "h100-80gb": {"1g.10gb": 7, "1g.20gb": 4, "2g.20gb": 3, "3g.40gb": 2, "4g.40gb": 1, "7g.80gb": 1},
    "h100-nvl": {"1g.12gb": 7, "1g.24gb": 4, "2g.24gb": 3, "3g.47gb": 2, "4g.47gb": 1, "7g.94gb": 1},
    "h200": {"1g.18gb": 7, "1g.35gb": 4, "2g.35gb": 3, "3g.71gb": 2, "4g.71gb": 1, "7g.141gb": 1},
    "b200": {"1g.23gb": 7, "1g.45gb": 4, "2g.45gb": 3, "3g.90gb": 2, "4g.90gb": 1, "7g.180gb": 1},
}


def mig_profiles(gpu_model: str | None) -> Mapping[str, int]:
    """How many instances of each profile one GPU gives; empty where it cannot be cut."""
    return _PROFILES.get(gpu_model or "", {})
