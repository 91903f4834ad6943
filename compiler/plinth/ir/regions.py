"""A region that the catalogue does not know: it may be misspelt, or younger than the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.catalog.machines import machines
from plinth.catalog.regions import known_regions
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from plinth.spec.platform import CloudSection


def region_faults(cloud: str, title: str, section: CloudSection) -> tuple[Diagnostic, ...]:
    """A warning where the section's `region` is not in the catalogue."""
    region, regions = str(getattr(section, "region")), known_regions(cloud)  # noqa: B009 - every cloud has one
    if region in regions or not regions:
        return ()
    priced = " and ".join(sorted({row.region for row in machines(cloud)}))
    return (
        Diagnostic(
            code="PLN312",
            severity="warning",
            message=f"`{region}` is not a region of {title} that the catalogue knows; "
            f"prices are those of {priced}",
            help=did_you_mean(
                region, regions, otherwise="a region younger than the catalogue is fine as it is"
            ),
            path=section.said_path("region"),
        ),
    )
