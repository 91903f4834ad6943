"""What a cloud gives for a need: targets that make it, and facts that others build on.

Facts are typed and cloud-neutral: a component that is given a `BucketFacts` never knows whether
its URL begins with `gs://` or `s3://`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir.said import Said
    from plinth.ir.targets import Target

F = TypeVar("F", covariant=True)  # noqa: PLC0105 - one letter reads best in `Answer[F]`


class Answer(Struct, Generic[F], frozen=True, kw_only=True):
    """Targets, facts, and what is wrong with the need on this cloud."""

    targets: tuple[Target, ...] = ()
    facts: F
    diagnostics: tuple[Diagnostic, ...] = ()
    waits: tuple[str, ...] = ()
    """Outputs of Terraform that the facts need and nobody has recorded yet."""


class NoFacts(Struct, frozen=True, kw_only=True):
    """Nobody builds on this answer."""


class NodeNetwork(Struct, frozen=True, kw_only=True):
    """A network that nodes are in beside the cluster's own."""

    name: str
    """What pods call it."""
    network: Said
    subnetwork: Said
    """What the cloud calls both."""


class PoolFacts(Struct, frozen=True, kw_only=True):
    """How a pod finds a pool's nodes."""

    labels: Mapping[str, Said]
    tolerations: tuple[Mapping[str, Any], ...]
    gpu_resource: str | None
    """The resource that a pod asks for to get a GPU, `nvidia.com/gpu`."""
    rdma_resource: str | None = None
    """The resource that a pod asks for to get the fast network's devices, `vpc.amazonaws.com/efa`.

    None where there is no such network, where pods get at it by other means, and where nobody knows.
    """
    networks: tuple[NodeNetwork, ...] = ()
    """Those that the pool's GPUs reach each other over, where pods have to join them."""
    gpu_model: Said | None = None
    """Which GPU it is, where that is known: `t4`."""
    gpu_count: int | None = None
    """GPUs of a node, where its machine is known."""
    stay_annotations: Mapping[str, Said] = field(default_factory=dict)
    """What a pod says that must not be moved while it runs; empty where nobody moves it unasked."""
    pin: Mapping[str, Any] | None = None
    """The chosen machine, its price and the next best, for the lock; None where nothing is chosen."""


class BucketFacts(Struct, frozen=True, kw_only=True):
    """A bucket as a program reaches it."""

    url: Said
    endpoint: Said | None = None
    """Where an object store listens that is no cloud's own: `https://minio.acme.com`."""
    secret: SecretFacts | None = None
    """Has the keys `accessKey` and `secretKey`; None where the pod's own identity opens the bucket."""


class DatabaseFacts(Struct, frozen=True, kw_only=True):
    """A database as a program reaches it; user and password are in the secret."""

    host: Said
    port: Said
    database: Said
    tls: str
    """libpq's `sslmode`: `require` where the server insists."""
    secret: SecretFacts
    """Has the keys `username` and `password`."""


class SecretFacts(Struct, frozen=True, kw_only=True):
    """A secret as External Secrets reaches it.

    `remote` is the entry's name in the store, or None where the Secret of this name is made by
    hand in the namespace that uses it.
    """

    name: Said
    remote: Said | None


class IdentityFacts(Struct, frozen=True, kw_only=True):
    """What a service account and its pods must carry to be known to the cloud."""

    annotations: Mapping[str, Said] = field(default_factory=dict)
    pod_labels: Mapping[str, Said] = field(default_factory=dict)


class AutoscalerFacts(Struct, frozen=True, kw_only=True):
    """What the autoscaler of nodes must be told of a cloud."""

    arguments: tuple[str | Said, ...] = ()
    """Of its command line: `--cloud-provider=...`, and how it finds the groups of nodes."""
    environment: Mapping[str, Said] = field(default_factory=dict)
    first: tuple[Said, ...] = ()
    """Regular expressions over names of groups: those that it adds nodes to before all others."""
    identity: IdentityFacts = field(default_factory=IdentityFacts)


class ProvisionerFacts(Struct, frozen=True, kw_only=True):
    """What a program that makes nodes must be told of a cloud."""

    environment: Mapping[str, Said] = field(default_factory=dict)
    identity: IdentityFacts = field(default_factory=IdentityFacts)


class SecretStoreFacts(Struct, frozen=True, kw_only=True):
    """The `spec.provider` of a ClusterSecretStore, or None where secrets are made by hand."""

    provider: Mapping[str, Any] | None
