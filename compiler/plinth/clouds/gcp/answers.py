"""One environment's answers on Google Cloud: each need handed to the file that knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from plinth.clouds import Answers
from plinth.clouds._network import access_faults
from plinth.clouds._unused import unused_ranges, unused_size
from plinth.clouds.gcp import (
    budget,
    ci,
    cluster,
    data,
    domain,
    gpu_networks,
    network,
    pool_faults,
    pools,
    postgres,
    roots,
    secrets,
)
from plinth.clouds.gcp.commands import commands
from plinth.clouds.gcp.names import TITLE, Names
from plinth.clouds.gcp.section import GcpSection
from plinth.ir.pools import system_pool_faults
from plinth.ir.regions import region_faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir import needs
    from plinth.ir.answers import (
        Answer,
        BucketFacts,
        DatabaseFacts,
        IdentityFacts,
        NoFacts,
        PoolFacts,
        SecretFacts,
        SecretStoreFacts,
    )
    from plinth.ir.commands import CloudCommands, WantedSecret


class GcpAnswers(Answers):
    """Answers for one project."""

    def __init__(self, context: needs.Context, pinned: Mapping[str, str]) -> None:
        self._context = context
        self._pinned = pinned
        cloud = context.platform.cloud
        if not isinstance(cloud, GcpSection):
            raise TypeError(f"{cloud.provider} is not answered here")
        self._names = Names(context, cloud)
        self._gpu_networks = gpu_networks.wanted(context.platform, pinned)

    def faults(self) -> tuple[Diagnostic, ...]:
        platform = self._context.platform
        found = [*self._names.faults(("metadata", "name"))]
        found += region_faults("gcp", TITLE, platform.cloud)
        found += access_faults(platform.network)
        found += system_pool_faults(platform)
        found += cluster.maintenance_faults(platform.cluster)
        found += pool_faults.pools_faults(platform, self._names)
        found += gpu_networks.faults(platform, self._names, self._gpu_networks)
        found += budget.budget_faults(platform, self._names)
        if self._names.cloud.existing:
            found += unused_ranges(platform, "nodes", "pods", "services")
        found += unused_size(platform)
        return tuple(found)

    def roots(self, need: needs.Roots) -> Answer[NoFacts]:
        return roots.answer(need, self._names)

    def network(self, need: needs.Network) -> Answer[NoFacts]:
        answer = network.answer(need, self._names, self._context.platform)
        fast = gpu_networks.targets(self._names, self._gpu_networks)
        return replace(answer, targets=(*answer.targets, *fast))

    def cluster(self, need: needs.Cluster) -> Answer[NoFacts]:
        return cluster.answer(need, self._names, self._context.platform, self._gpu_networks)

    def node_pool(self, need: needs.NodePool) -> Answer[PoolFacts]:
        return pools.answer(need, self._names, self._pinned)

    def registry(self, need: needs.Registry) -> Answer[NoFacts]:
        return data.registry(need, self._names)

    def bucket(self, need: needs.Bucket) -> Answer[BucketFacts]:
        return data.bucket(need, self._names)

    def database_server(self, need: needs.DatabaseServer) -> Answer[NoFacts]:
        return postgres.database_server(need, self._names)

    def database(self, need: needs.Database) -> Answer[DatabaseFacts]:
        return postgres.database(need, self._names)

    def secret(self, need: needs.Secret) -> Answer[SecretFacts]:
        return secrets.answer(need, self._names)

    def identity(self, need: needs.Identity) -> Answer[IdentityFacts]:
        return data.identity(need, self._names)

    def domain(self, need: needs.Domain) -> Answer[NoFacts]:
        return domain.answer(need, self._names)

    def budget(self, need: needs.Budget) -> Answer[NoFacts]:
        return budget.answer(need, self._names)

    def continuous_integration(self, need: needs.ContinuousIntegration) -> Answer[NoFacts]:
        return ci.answer(need, self._names)

    def secret_store(self, need: needs.SecretStore) -> Answer[SecretStoreFacts]:
        del need  # it asks for nothing in particular
        return secrets.store(self._names)

    def commands(self, secrets: Sequence[WantedSecret]) -> CloudCommands:
        platform, names = self._context.platform, self._names
        return commands(
            project=names.project.value,
            region=names.region.value,
            cluster=names.cluster.value,
            state_bucket=platform.state.bucket if platform.state else None,
            has_dns_endpoint=platform.network.access == "private",
            secrets=secrets,
        )
