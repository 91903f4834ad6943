"""One environment's answers on AWS: each need handed to the file that knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from plinth.clouds import Answers
from plinth.clouds._network import access_faults
from plinth.clouds._unused import unused_ranges, unused_size
from plinth.clouds.aws import (
    account,
    addons,
    autoscaler,
    buckets,
    cluster,
    database,
    domain,
    elastic,
    identities,
    karpenter,
    network,
    pools,
    registry,
    roots,
    secrets,
)
from plinth.clouds.aws.commands import commands
from plinth.clouds.aws.found import Found
from plinth.clouds.aws.names import TITLE, Names
from plinth.ir.pools import system_pool_faults
from plinth.ir.regions import region_faults

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir import needs
    from plinth.ir.answers import (
        Answer,
        AutoscalerFacts,
        BucketFacts,
        DatabaseFacts,
        IdentityFacts,
        NoFacts,
        PoolFacts,
        ProvisionerFacts,
        SecretFacts,
        SecretStoreFacts,
    )
    from plinth.ir.commands import CloudCommands, WantedSecret

F = TypeVar("F")


class AwsAnswers(Answers):
    """Answers for one account."""

    def __init__(self, context: needs.Context, pinned: Mapping[str, str]) -> None:
        self._context = context
        self._platform = context.platform
        self._pinned = pinned
        self._names = Names(context)
        self._found = Found(self._names, is_single=context.platform.layout == "single")
        self._identities = identities.Identities(self._names)
        self._has_data_key = False

    def faults(self) -> tuple[Diagnostic, ...]:
        platform = self._platform
        return (
            *self._names.zone_faults(platform.cloud),
            *region_faults("aws", TITLE, platform.cloud),
            *access_faults(platform.network),
            *network.range_faults(platform.network, self._names),
            *system_pool_faults(platform),
            *addons.version_faults(platform.cluster),
            *cluster.unused_faults(platform),
            *(unused_ranges(platform, "nodes", "pods") if self._names.existing_network else ()),
            *unused_size(platform),
        )

    def roots(self, need: needs.Roots) -> Answer[NoFacts]:
        return roots.answer(need, self._names)

    def network(self, need: needs.Network) -> Answer[NoFacts]:
        return network.answer(need, self._names, self._found)

    def cluster(self, need: needs.Cluster) -> Answer[NoFacts]:
        return cluster.answer(need, self._names, self._found, self._platform)

    def node_pool(self, need: needs.NodePool) -> Answer[PoolFacts]:
        return pools.answer(need, self._names, self._found, self._pinned, self._platform)

    def registry(self, need: needs.Registry) -> Answer[NoFacts]:
        return registry.answer(need, self._names)

    def bucket(self, need: needs.Bucket) -> Answer[BucketFacts]:
        return self._encrypted(buckets.answer(need, self._names))

    def database_server(self, need: needs.DatabaseServer) -> Answer[NoFacts]:
        return database.server(need, self._names, self._found, self._platform.network)

    def database(self, need: needs.Database) -> Answer[DatabaseFacts]:
        return self._encrypted(database.database(need, self._names, self._identities))

    def secret(self, need: needs.Secret) -> Answer[SecretFacts]:
        return self._encrypted(secrets.answer(need, self._names, self._identities))

    def identity(self, need: needs.Identity) -> Answer[IdentityFacts]:
        return self._identities.answer(need)

    def autoscaler(self, need: needs.Autoscaler) -> Answer[AutoscalerFacts]:
        return autoscaler.answer(need, self._names, self._identities, self._platform)

    def node_provisioner(self, need: needs.NodeProvisioner) -> Answer[ProvisionerFacts]:
        return karpenter.answer(need, self._names, self._identities, self._platform)

    def secret_store(self, need: needs.SecretStore) -> Answer[SecretStoreFacts]:
        del need  # it asks for nothing in particular
        return secrets.store(self._names)

    def domain(self, need: needs.Domain) -> Answer[NoFacts]:
        return domain.answer(need, self._names)

    def budget(self, need: needs.Budget) -> Answer[NoFacts]:
        return account.budget(need, self._names)

    def continuous_integration(self, need: needs.ContinuousIntegration) -> Answer[NoFacts]:
        return account.continuous_integration(need, self._names, self._context)

    def commands(self, secrets: Sequence[WantedSecret]) -> CloudCommands:
        state, names = self._platform.state, self._names
        return commands(
            account=names.account.value,
            region=names.region.value,
            cluster=names.cluster.value,
            cluster_arn=names.arn("eks", "cluster/", names.cluster).value,
            state_bucket=state.bucket if state else None,
            is_private=self._platform.network.access == "private",
            secrets=secrets,
            has_karpenter=elastic.declared(self._platform) is not None,
        )

    def _encrypted(self, answer: Answer[F]) -> Answer[F]:
        """The answer, and with the first that makes anything the key of the platform's data."""
        if self._has_data_key or not answer.targets:
            return answer
        self._has_data_key = True
        return replace(answer, targets=(*identities.data_key(self._names), *answer.targets))
