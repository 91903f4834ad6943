"""The contract of a cloud: a method for each need, and its section of the spec.

Every other module here is one cloud and holds it as `CLOUD`; those that begin with `_` have what several
of them say alike. A cloud is chosen by `cloud.provider`; nothing above this folder knows its name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

from msgspec import Struct

from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.answers import Answer, AutoscalerFacts, NoFacts, ProvisionerFacts
from plinth.ir.machine_choice import gpu_resource
from plinth.ir.said import origins_of, said, spec_path, why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plinth.ir import needs
    from plinth.ir.answers import (
        BucketFacts,
        DatabaseFacts,
        IdentityFacts,
        PoolFacts,
        SecretFacts,
        SecretStoreFacts,
    )
    from plinth.ir.commands import CloudCommands, WantedSecret
    from plinth.ir.needs import Context
    from plinth.ir.said import Origin, Said
    from plinth.spec.platform import CloudSection, Platform


class Needed(Struct, frozen=True, kw_only=True):
    """A component that a cloud's clusters cannot do without: it is there unasked."""

    component: str
    origins: tuple[Origin, ...]
    kubernetes: Said | None = None
    """The minor version of Kubernetes that the component's own version follows: `1.35`."""


class Cloud(ABC):
    """Answers a platform's needs."""

    name: str
    """`cloud.provider`."""
    Section: type[CloudSection]
    """The cloud's section of the spec."""
    has_secret_store: bool = True
    """It has a store that External Secrets reads."""

    def needed(self, platform: Platform) -> Iterable[Needed]:
        """The components that a platform needs on this cloud, whether it asks for them or not."""
        del platform
        return ()

    @abstractmethod
    def answering(self, context: Context, pinned: Mapping[str, str]) -> Answers:
        """What answers one environment's needs.

        `pinned` are the machines that the lock has for this environment, by pool.
        """


class Answers(ABC):
    """One environment's answers. A type checker names the need that a cloud forgot."""

    nodes_come_by: ClassVar[str] = "it changes the number of a pool's nodes itself"
    """Why no program in the cluster has to make nodes, in words after a colon."""

    def answer(self, need: needs.Need) -> Answer[Any]:
        """The answer of the method that is named for the need."""
        method: Callable[[Any], Answer[Any]] = getattr(self, _METHODS[type(need).__name__])
        return method(need)

    def storage_class(self) -> Said | None:
        """The class of volumes that the platform asks for, None for the cluster's default."""
        return None

    @abstractmethod
    def faults(self) -> tuple[Diagnostic, ...]:
        """What is wrong with the spec on this cloud, apart from any single need."""

    @abstractmethod
    def roots(self, need: needs.Roots) -> Answer[NoFacts]:
        """The Terraform roots, their state and their providers."""

    @abstractmethod
    def network(self, need: needs.Network) -> Answer[NoFacts]:
        """A network with ranges for nodes, pods and services, and a way out."""

    @abstractmethod
    def cluster(self, need: needs.Cluster) -> Answer[NoFacts]:
        """A control plane, and the identity of its nodes."""

    @abstractmethod
    def node_pool(self, need: needs.NodePool) -> Answer[PoolFacts]:
        """Nodes of one machine, chosen by the asked shape."""

    @abstractmethod
    def registry(self, need: needs.Registry) -> Answer[NoFacts]:
        """A registry for container images."""

    @abstractmethod
    def bucket(self, need: needs.Bucket) -> Answer[BucketFacts]:
        """Object storage."""

    @abstractmethod
    def database_server(self, need: needs.DatabaseServer) -> Answer[NoFacts]:
        """A Postgres server."""

    @abstractmethod
    def database(self, need: needs.Database) -> Answer[DatabaseFacts]:
        """A database on that server, with its user."""

    @abstractmethod
    def secret(self, need: needs.Secret) -> Answer[SecretFacts]:
        """An entry of the secret store."""

    @abstractmethod
    def identity(self, need: needs.Identity) -> Answer[IdentityFacts]:
        """Rights of a service account in the cloud."""

    def autoscaler(self, need: needs.Autoscaler) -> Answer[AutoscalerFacts]:
        """What an autoscaler in the cluster is told and may do; where nodes come by other means, nothing."""
        reason = "`cluster-autoscaler` has no use on this cloud: nodes come and go without it"
        return Answer(facts=AutoscalerFacts(), diagnostics=(useless(reason, need.origins),))

    def autoscaler_priorities(self, need: needs.AutoscalerPriorities) -> Answer[AutoscalerFacts]:
        """Which groups the cloud's autoscaler should take first, where it asks the cluster for that."""
        reason = "`autoscaler-priorities` has no use on this cloud: nothing reads them"
        return Answer(facts=AutoscalerFacts(), diagnostics=(useless(reason, need.origins),))

    def node_provisioner(self, need: needs.NodeProvisioner) -> Answer[ProvisionerFacts]:
        """What a program that makes nodes is told and may do; where nodes come by other means, nothing."""
        reason = f"`karpenter` has no use on this cloud: {self.nodes_come_by}"
        return Answer(facts=ProvisionerFacts(), diagnostics=(useless(reason, need.origins),))

    def domain(self, need: needs.Domain) -> Answer[NoFacts]:
        """The zone of the platform's public names, and a certificate for them."""
        del need
        return Answer(facts=NoFacts())

    def budget(self, need: needs.Budget) -> Answer[NoFacts]:
        """Somebody is told before the platform costs more than it may."""
        del need
        return Answer(facts=NoFacts())

    def continuous_integration(self, need: needs.ContinuousIntegration) -> Answer[NoFacts]:
        """An identity for the workflows that plan and apply."""
        del need
        return Answer(facts=NoFacts())

    @abstractmethod
    def commands(self, secrets: Sequence[WantedSecret]) -> CloudCommands:
        """What a person types in the first hour and the last, for what Terraform does not do.

        `secrets` are those that the platform reads; some of them have to be given a value.
        """

    @abstractmethod
    def secret_store(self, need: needs.SecretStore) -> Answer[SecretStoreFacts]:
        """How External Secrets reaches the secret store."""


def useless(reason: str, origins: tuple[Origin, ...]) -> Diagnostic:
    """A component is asked for that does nothing here."""
    return Diagnostic(
        code="PLN311",
        message=reason,
        help="remove it from `components`",
        path=spec_path(origins),
        at_key=True,
    )


def device_plugins(platform: Platform, cloud: str) -> Iterable[Needed]:
    """What tells Kubernetes of the GPUs that pools have, for a cloud whose nodes do not by themselves."""
    found: dict[str, list[Origin]] = {}
    for pool in platform.node_pools:
        if pool.gpu:
            found.setdefault(gpu_resource(pool, cloud), []).append(pool.gpu.spec_path)
    for resource, gpus in sorted(found.items()):
        origins = (*gpus, *why("without a device plugin no pod can ask for a GPU"))
        yield Needed(component=_DEVICE_PLUGINS[resource], origins=origins)


def rdma_origins(platform: Platform) -> tuple[Origin, ...]:
    """What asks for a fast network between the nodes of a pool; empty where nothing does."""
    asked = [said(pool.gpu, "rdma") for pool in platform.node_pools if pool.gpu and pool.gpu.rdma]
    return origins_of(asked)


_DEVICE_PLUGINS: Final = {"amd.com/gpu": "amd-device-plugin", "nvidia.com/gpu": "nvidia-device-plugin"}

_METHODS: Final = {
    "Autoscaler": "autoscaler",
    "AutoscalerPriorities": "autoscaler_priorities",
    "Bucket": "bucket",
    "Budget": "budget",
    "Cluster": "cluster",
    "ContinuousIntegration": "continuous_integration",
    "Database": "database",
    "DatabaseServer": "database_server",
    "Domain": "domain",
    "Identity": "identity",
    "Network": "network",
    "NodePool": "node_pool",
    "NodeProvisioner": "node_provisioner",
    "Registry": "registry",
    "Roots": "roots",
    "Secret": "secret",
    "SecretStore": "secret_store",
}
