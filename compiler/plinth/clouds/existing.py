"""Answer a platform's needs on a cluster that is there already.

Nothing is provisioned: what the platform needs is declared in the spec (buckets by URL, a database
by its host) and secrets are Kubernetes Secrets that somebody makes by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Final, Literal

from plinth.clouds import Answers, Cloud
from plinth.clouds._databases import existing_facts
from plinth.clouds._unused import unused, unused_size
from plinth.diagnostics.diagnostic import Diagnostic
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
from plinth.ir.commands import CloudCommands, cluster_secret, namespaces_of
from plinth.ir.machine_choice import resource_of_model
from plinth.ir.pools import gpu_model
from plinth.ir.said import Said, said
from plinth.spec.fields import Field, SecretName
from plinth.spec.platform import CloudSection, SecretReference
from plinth.spec.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plinth.ir import needs
    from plinth.ir.commands import WantedSecret
    from plinth.ir.needs import Context
    from plinth.spec.platform import Platform
    from plinth.spec.pools import NodePool


_ENDPOINT: Final = r"^https?://[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:[0-9]{1,5})?$"


class ObjectStore(Section):
    """An object store that speaks S3, beside the cluster or in it."""

    endpoint: Annotated[str, Field(pattern=_ENDPOINT)] = Field(
        description="Where it listens: `https://minio.acme.com`."
    )
    credentials: SecretReference = Field(
        description="A Secret with `accessKey` and `secretKey`, in the namespace of whatever opens a bucket."
    )


class ExistingSection(CloudSection):
    """A cluster as it is found."""

    cluster_field: ClassVar[str] = "cluster"
    makes_network: ClassVar[bool] = False

    provider: Literal["existing"]
    cluster: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@:/-]{0,252}$")] = Field(
        description="What tells this cluster from others: the name of its context in your kubeconfig."
    )
    pool_label: Annotated[
        str,
        Field(pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$"),
    ] = Field(default="plinth.dev/pool", description="The node label whose value is the pool's name.")

    storage_class: SecretName | None = Field(
        default=None, description="The class of the platform's volumes; the cluster's default where absent."
    )
    object_store: ObjectStore | None = Field(
        default=None, description="What `s3://` buckets are in; AWS itself where absent."
    )

    def cluster_key(self) -> tuple[str, ...]:
        return ("existing", self.cluster)


class Existing(Cloud):
    """A cluster of your own."""

    name = "existing"
    Section = ExistingSection
    has_secret_store = False

    def answering(self, context: Context, pinned: Mapping[str, str]) -> Answers:
        del pinned  # no machine is chosen here
        return ExistingAnswers(context)


class ExistingAnswers(Answers):
    """Answers from what the spec declares."""

    nodes_come_by = "its nodes are made by whoever made the cluster"

    def __init__(self, context: Context) -> None:
        self._cloud = context.platform.cloud
        self._platform = context.platform

    def faults(self) -> tuple[Diagnostic, ...]:
        return (*self._state_faults(), *_unused(self._platform))

    def _state_faults(self) -> tuple[Diagnostic, ...]:
        if self._platform.state is None:
            return ()
        return (
            Diagnostic(
                code="PLN311",
                message="`state` has no use on a cluster that is there already",
                help="remove it: nothing is made by Terraform with `provider: existing`",
                path=self._platform.said_path("state"),
                at_key=True,
            ),
        )

    def roots(self, need: needs.Roots) -> Answer[NoFacts]:
        del need
        return Answer(facts=NoFacts())

    def network(self, need: needs.Network) -> Answer[NoFacts]:
        del need
        return Answer(facts=NoFacts())

    def cluster(self, need: needs.Cluster) -> Answer[NoFacts]:
        del need
        return Answer(facts=NoFacts())

    def node_pool(self, need: needs.NodePool) -> Answer[PoolFacts]:
        pool = need.pool
        resource = _resource(pool)
        facts = PoolFacts(
            labels={said(self._cloud, "pool_label").value: said(pool, "name")},
            tolerations=({"key": resource, "operator": "Exists", "effect": "NoSchedule"},)
            if resource
            else (),
            gpu_resource=resource,
            gpu_model=gpu_model(pool, None),
        )
        return Answer(facts=facts)

    def registry(self, need: needs.Registry) -> Answer[NoFacts]:
        del need
        return Answer(facts=NoFacts())

    def bucket(self, need: needs.Bucket) -> Answer[BucketFacts]:
        bucket = need.bucket
        if bucket.url:
            return Answer(facts=self._bucket(said(bucket, "url")))
        missing = _declare(f"bucket `{bucket.name}`", "`url: s3://name`", bucket.spec_path)
        return Answer(facts=BucketFacts(url=Said("", ())), diagnostics=(missing,))

    def _bucket(self, url: Said) -> BucketFacts:
        store: ObjectStore | None = getattr(self._cloud, "object_store", None)
        if store is None or not url.value.startswith("s3://"):
            return BucketFacts(url=url)
        secret = SecretFacts(name=said(store.credentials, "secret"), remote=None)
        return BucketFacts(url=url, endpoint=said(store, "endpoint"), secret=secret)

    def storage_class(self) -> Said | None:
        declared = said(self._cloud, "storage_class")
        return declared if declared.value else None

    def database_server(self, need: needs.DatabaseServer) -> Answer[NoFacts]:
        if need.database.existing:
            return Answer(facts=NoFacts())
        missing = _declare("the database", "`existing: {host: ..., secret: ...}`", need.database.spec_path)
        return Answer(facts=NoFacts(), diagnostics=(missing,))

    def database(self, need: needs.Database) -> Answer[DatabaseFacts]:
        existing = need.server.existing
        if existing is None:  # said by `database_server` already
            nothing = Said("", ())
            secret = SecretFacts(name=nothing, remote=None)
            return Answer(
                facts=DatabaseFacts(
                    host=nothing, port=Said(0, ()), database=nothing, tls="prefer", secret=secret
                )
            )
        secret = SecretFacts(name=said(existing, "secret"), remote=None)
        return Answer(facts=existing_facts(need, existing, secret))

    def secret(self, need: needs.Secret) -> Answer[SecretFacts]:
        return Answer(facts=SecretFacts(name=need.name, remote=None))

    def identity(self, need: needs.Identity) -> Answer[IdentityFacts]:
        del need
        return Answer(facts=IdentityFacts())

    def secret_store(self, need: needs.SecretStore) -> Answer[SecretStoreFacts]:
        del need
        return Answer(facts=SecretStoreFacts(provider=None))

    def commands(self, secrets: Sequence[WantedSecret]) -> CloudCommands:
        context = said(self._cloud, "cluster").value
        return CloudCommands(
            context=context,
            namespaces=namespaces_of(context, secrets),
            secrets=tuple(cluster_secret(context, each) for each in secrets),
            is_provisioned=False,
            way_in="`cloud.cluster` is the name of its context: `kubectl config get-contexts` lists them",
        )


def _resource(pool: NodePool) -> str | None:
    """What a pool's devices are called by whoever tells Kubernetes of them."""
    device = pool.gpu or pool.accelerator
    return resource_of_model(device.model) if device else None


_NOT_MADE: Final = {
    "network": "remove it: the cluster has the network that it stands in",
    "cluster": "remove it: whoever runs the cluster decides its version, and when it is upgraded",
    "layout": "remove it: nothing is made by Terraform with `provider: existing`",
    "budget": "remove it: nobody but whoever pays for the cluster knows what it costs",
    "ci": "remove it: there is no cloud that could trust a workflow; give it a kubeconfig of its own",
}
"""Sections for what a cloud makes, and what is so instead."""

_NOT_RENTED: Final = ("machine", "capacity", "reservation")


def _unused(platform: Platform) -> Iterator[Diagnostic]:
    """What is asked of a cloud, where there is none.

    The shape of a pool asks for nothing here: it describes nodes that are there.
    """
    for field, instead in _NOT_MADE.items():
        yield from unused(platform, field, "on a cluster that is there already", instead)
    yield from unused_size(platform)
    for pool in platform.node_pools:
        for field in _NOT_RENTED:
            yield from unused(
                pool,
                field,
                "on a cluster that is there already",
                "remove it: nodes are what they are, and nobody rents them here",
            )
        yield from _unshared(pool, platform)


def _unshared(pool: NodePool, platform: Platform) -> Iterator[Diagnostic]:
    if pool.gpu and platform.component("nvidia_device_plugin") is None:
        yield from unused(
            pool.gpu,
            "sharing",
            "without `nvidia-device-plugin` on a cluster that is there already",
            "add it to `components`, or have the plugin that the cluster has share its GPUs",
        )


def _declare(what: str, example: str, path: tuple[str, ...]) -> Diagnostic:
    return Diagnostic(
        code="PLN311",
        message=f"{what} has nobody to make it on a cluster that is there already",
        help=f"declare what is there: {example}",
        path=path,
        at_key=True,
    )


CLOUD = Existing()
