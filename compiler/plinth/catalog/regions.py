"""The regions of a cloud and their zones, so that a misspelt one is found before anything is rented.

A new region may be younger than this list: what is not in it is suspicious, not impossible.

Source: Google Cloud, "Regions and zones" of Compute Engine, as of 2026-09. Zones for AI workloads,
whose names are longer (`us-south1-ai1b`), are not listed. Azure, "List of Azure regions", as of 2026-09,
with the numbers of zones that every subscription has for itself. AWS, "Regions and Availability Zones": an
account may see other letters, and can say so.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA: Final = Path(__file__).parent / "regions.json"


def known_regions(cloud: str) -> tuple[str, ...]:
    """The names of a cloud's regions, sorted; empty where we keep no list of them."""
    return tuple(sorted(_regions().get(cloud, {})))


def zones(cloud: str, region: str) -> tuple[str, ...]:
    """The full names of a region's zones, e.g. `us-central1-a`; empty where unknown."""
    between = "" if cloud == "aws" else "-"
    return tuple(f"{region}{between}{letter}" for letter in _regions().get(cloud, {}).get(region, ""))


@cache
def _regions() -> Mapping[str, Mapping[str, str]]:
    """`{cloud: {region: letters of its zones}}`."""
    clouds: Mapping[str, Mapping[str, str]] = json.loads(DATA.read_bytes())["clouds"]
    return clouds
