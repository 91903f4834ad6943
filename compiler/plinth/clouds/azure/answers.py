"""One environment's answers on Azure: each need handed to the file that knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.clouds import Answers, useless
from plinth.clouds._network import access_faults
from plinth.clouds._unused import unused_ranges, unused_size
from plinth.clouds.azure import (
    cluster,
    data,
    database,
    governance,
    identity,
    network,
    pools,
    registry,
    roots,
    secrets,
)
from plinth.clouds.azure.commands import commands
from plinth.clouds.azure.names import TITLE, Names
from plinth.ir.answers import Answer, AutoscalerFacts
from plinth.ir.pools import system_pool_faults
from plinth.ir.regions import region_faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir import needs
    from plinth.ir.answers import (
        BucketFacts,
        DatabaseFacts,
        IdentityFacts,
        NoFacts,
        PoolFacts,
        SecretFacts,
        SecretStoreFacts,
    )
    from plinth.ir.commands import CloudCommands, WantedSecret


class AzureAnswers(Answers):
    """Answers for one resource group."""

    def __init__(self, context: needs.Context, pinned: Mapping[str, str]) -> None:
        self._context = context
        self._pinned = pinned
        self._names = Names(context)

    def faults(self) -> tuple[Diagnostic, ...]:
        platform = self._context.platform
        return (
            *self._names.faults(("metadata", "name")),
            *region_faults("azure", TITLE, platform.cloud),
            *roots.state_faults(platform),
            *network.range_faults(platform),
            *network.zone_faults(platform.cloud),
            *access_faults(platform.network),
            *system_pool_faults(platform),
            *pools.name_faults(platform),
            *cluster.maintenance_faults(platform.cluster),
            *(() if self._names.has_own_network else unused_ranges(platform, "nodes", "control_plane")),
            *unused_size(platform),
            *governance.currency_faults(platform.budget),
        )

    def roots(self, need: needs.Roots) -> Answer[NoFacts]:
        return roots.answer(need, self._names)

    def network(self, need: needs.Network) -> Answer[NoFacts]:
        return network.answer(need, self._names, self._context.platform)

    def cluster(self, need: needs.Cluster) -> Answer[NoFacts]:
        return cluster.answer(need, self._names, self._context, self._pinned)

    def node_pool(self, need: needs.NodePool) -> Answer[PoolFacts]:
        return pools.answer(need, self._names, self._context.platform, self._pinned)

    def registry(self, need: needs.Registry) -> Answer[NoFacts]:
        return registry.answer(need, self._names)

    def bucket(self, need: needs.Bucket) -> Answer[BucketFacts]:
        return data.bucket(need, self._names, self._context.platform)

    def database_server(self, need: needs.DatabaseServer) -> Answer[NoFacts]:
        return database.server(need, self._names)

    def database(self, need: needs.Database) -> Answer[DatabaseFacts]:
        return database.answer(need, self._names)

    def secret(self, need: needs.Secret) -> Answer[SecretFacts]:
        return secrets.answer(need, self._names)

    def identity(self, need: needs.Identity) -> Answer[IdentityFacts]:
        return identity.answer(need, self._names, self._context)

    def autoscaler_priorities(self, need: needs.AutoscalerPriorities) -> Answer[AutoscalerFacts]:
        first = pools.spot_first(self._context.platform)
        reason = "`autoscaler-priorities` has no use here: no pool is `spot-then-on-demand`"
        return Answer(
            facts=AutoscalerFacts(first=first),
            diagnostics=() if first else (useless(reason, need.origins),),
        )

    def domain(self, need: needs.Domain) -> Answer[NoFacts]:
        return governance.domain(need, self._names)

    def budget(self, need: needs.Budget) -> Answer[NoFacts]:
        return governance.budget(need, self._names)

    def continuous_integration(self, need: needs.ContinuousIntegration) -> Answer[NoFacts]:
        return governance.continuous_integration(need, self._names, self._context)

    def secret_store(self, need: needs.SecretStore) -> Answer[SecretStoreFacts]:
        del need  # it asks for nothing in particular
        return secrets.store(self._names)

    def commands(self, secrets: Sequence[WantedSecret]) -> CloudCommands:
        platform, names = self._context.platform, self._names
        return commands(
            subscription=names.subscription.value,
            region=names.region.value,
            resource_group=names.group.value,
            cluster=names.cluster.value,
            state_account=roots.state_account(platform.state).value if platform.state else None,
            state_container=roots.STATE_CONTAINER,
            admin_groups=names.admin_groups.value,
            vault=names.vault.value,
            node_resource_group=names.node_group.value,
            is_private=platform.network.access == "private",
            secrets=secrets,
        )
