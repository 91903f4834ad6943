"""What is needed, before any cloud is chosen.

A platform needs a network, a cluster and pools; a component asks for buckets, databases,
identities and secrets. The cloud of the environment answers each, in `answers`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

from plinth.ir.said import Because
from plinth.ir.targets import LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plinth.ir.said import Origin, Said
    from plinth.ir.targets import Layer
    from plinth.spec import platform as spec
    from plinth.spec import pools


class Context(Struct, frozen=True, kw_only=True):
    """The environment that every answer is for."""

    environment: str
    platform_name: Said
    platform: spec.Platform
    has_secret_store: bool
    """The cloud keeps secrets; without, they are Kubernetes Secrets made by hand."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """What `outputs.lock.yaml` has of the environment: values that an apply told."""


class Roots(Struct, frozen=True, kw_only=True):
    """Where the infrastructure's own state is kept, and with which providers."""

    context: Context
    layers: tuple[Layer, ...]
    """The layers that have a root: all of them, or the last alone where it holds them all."""


class Network(Struct, frozen=True, kw_only=True):
    """Addresses, a way out, and rules for what may come in."""

    network: spec.Network


class Cluster(Struct, frozen=True, kw_only=True):
    """A Kubernetes control plane, and the identity its nodes have."""

    cluster: spec.Cluster
    network: spec.Network
    identity: spec.Identity


class NodePool(Struct, frozen=True, kw_only=True):
    """Identical nodes whose number one autoscaler decides."""

    pool: pools.NodePool


class Registry(Struct, frozen=True, kw_only=True):
    """A place for the platform's own container images."""

    origins: tuple[Origin, ...]


class Bucket(Struct, frozen=True, kw_only=True):
    """Object storage by the name that the spec gives it."""

    bucket: spec.Bucket


class DatabaseServer(Struct, frozen=True, kw_only=True):
    """The Postgres server that the platform's databases live on."""

    database: spec.Database


class ServiceAccount(Struct, frozen=True, kw_only=True, order=True):
    """A Kubernetes service account by its name."""

    namespace: str
    name: str


class Database(Struct, frozen=True, kw_only=True):
    """A database with a user of its own, whose password nobody chose."""

    name: str
    """The database and its user: `mlflow`."""
    server: spec.Database
    reader: ServiceAccount
    """Who may read the user's password: the service account of External Secrets."""
    origins: tuple[Origin, ...]


class SecretKey(Struct, frozen=True, kw_only=True):
    """A property of the JSON text that an entry holds, and what its value looks like."""

    name: str
    form: Literal["password", "hex"] | None = None
    """How a value is made up: letters and digits, or 32 bytes in hexadecimal."""
    value: str | None = None
    """A value that is no secret, such as a user's name."""


class Secret(Struct, frozen=True, kw_only=True):
    """An entry of the secret store."""

    name: Said
    """As the spec names it, or a component's own for what is generated."""
    reader: ServiceAccount
    """Who may read it: the service account of External Secrets."""
    made_by: Literal["person", "generated"]
    keys: tuple[SecretKey, ...]
    origins: tuple[Origin, ...]


class Identity(Struct, frozen=True, kw_only=True):
    """What a service account may do in the cloud."""

    account: ServiceAccount
    writes: tuple[spec.Bucket, ...]
    """Buckets whose objects it reads and writes."""
    origins: tuple[Origin, ...]


class Autoscaler(Struct, frozen=True, kw_only=True):
    """What the autoscaler of nodes may do in the cloud, and how it finds the nodes that are its own."""

    account: ServiceAccount
    origins: tuple[Origin, ...]


class NodeProvisioner(Struct, frozen=True, kw_only=True):
    """What a program that makes nodes by itself may do in the cloud, and what it must be told of it."""

    account: ServiceAccount
    origins: tuple[Origin, ...]


class AutoscalerPriorities(Struct, frozen=True, kw_only=True):
    """Which groups of nodes an autoscaler that the cloud runs should add to before all others."""

    origins: tuple[Origin, ...]


class Domain(Struct, frozen=True, kw_only=True):
    """The zone of the platform's public names, and a certificate for them."""

    identity: spec.Identity


class Budget(Struct, frozen=True, kw_only=True):
    """What the platform may cost before somebody is told."""

    budget: spec.Budget


class ContinuousIntegration(Struct, frozen=True, kw_only=True):
    """An identity for the workflows that plan and apply; no key of it is kept anywhere."""

    ci: spec.ContinuousIntegration
    state: spec.State | None


class SecretStore(Struct, frozen=True, kw_only=True):
    """How External Secrets reaches the secret store."""

    origins: tuple[Origin, ...]


Need = (
    Roots
    | Network
    | Cluster
    | NodePool
    | Registry
    | Bucket
    | DatabaseServer
    | Database
    | Secret
    | Identity
    | Autoscaler
    | NodeProvisioner
    | AutoscalerPriorities
    | Domain
    | Budget
    | ContinuousIntegration
    | SecretStore
)


def platform_needs(context: Context) -> Iterator[Need]:
    """What every platform needs, whatever its components are."""
    platform = context.platform
    yield Roots(context=context, layers=layers(platform))
    yield Network(network=platform.network)
    yield Cluster(cluster=platform.cluster, network=platform.network, identity=platform.identity)
    yield from (NodePool(pool=pool) for pool in platform.node_pools)
    yield Registry(origins=(Because("a platform has a place for its users' images"),))
    yield from (Bucket(bucket=bucket) for bucket in platform.storage.buckets)
    if platform.storage.database:
        yield DatabaseServer(database=platform.storage.database)
    yield Domain(identity=platform.identity)
    if platform.budget:
        yield Budget(budget=platform.budget)
    if platform.ci:
        yield ContinuousIntegration(ci=platform.ci, state=platform.state)


def layers(platform: spec.Platform) -> tuple[Layer, ...]:
    """The Terraform roots of a platform, in the order of applying them."""
    return LAYERS if platform.layout == "layered" else LAYERS[-1:]


def identity_of(need: Need) -> tuple[str, ...]:
    """What makes two needs one: two components may use one bucket, or one secret."""
    match need:
        case Bucket():
            return "bucket", need.bucket.name
        case Secret():
            return "secret", need.name.value
        case Database():
            return "database", need.name
        case Identity():
            return "identity", need.account.namespace, need.account.name
        case NodePool():
            return "pool", need.pool.name
        case _:
            return (type(need).__name__,)
