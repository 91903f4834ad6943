"""The costs of what a compile gave; apart from the command, since a diff has them as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.reports.cost import WORKING_HOURS, Environment, EnvironmentCost, costs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from decimal import Decimal

    from plinth.pipeline import Compilation


def priced(
    compilations: Iterable[Compilation], names: Collection[str] = (), hours: Decimal = WORKING_HOURS
) -> tuple[EnvironmentCost, ...]:
    """The costs of the environments of these names, of all where none is named."""
    return costs(
        (
            Environment(
                name=each.environment.name,
                platform=each.environment.platform,
                pins=each.pools,
                graph=each.graph,
                objects=[(f"{final.key}", final.body) for final in each.objects],
            )
            for each in compilations
            if not names or each.environment.name in names
        ),
        hours,
    )
