"""The contract of a component: what it asks for, and what it emits with what it was given.

Every other module here is one component and holds it as `COMPONENT`; one that begins with `_` has what
several of them say alike. Which versions there are, where they come from and what they hold is in the
catalogue.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from msgspec import Struct, field

from plinth.catalog.components import versions as catalog_versions
from plinth.spec.platform import ComponentSection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.catalog.components import ObjectFacts, PodFacts, Upstream
    from plinth.catalog.objects import ObjectKey
    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir.answers import (
        AutoscalerFacts,
        BucketFacts,
        DatabaseFacts,
        IdentityFacts,
        PoolFacts,
        ProvisionerFacts,
        SecretFacts,
        SecretStoreFacts,
    )
    from plinth.ir.needs import Context, Need, ServiceAccount
    from plinth.ir.said import Origin, Said
    from plinth.ir.targets import Base, Target

S = TypeVar("S", bound=ComponentSection)

READER = "external-secrets"
"""The namespace, and the service account in it, that read the secret store for everybody."""


class Variant(Struct, frozen=True, kw_only=True):
    """How an upstream is brought in: the same in every environment and for every spec."""

    namespace: str | None = None
    """Given to every namespaced object, where upstream leaves it to the reader."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """The values of a chart."""
    without: frozenset[ObjectKey] = frozenset()
    """Objects that these values switch off, and that a render with other values has."""


class Given(Struct, frozen=True, kw_only=True):
    """What a component builds with: answers by the keys of its `needs`, and its base."""

    context: Context
    version: str
    base: Base | None
    origins: tuple[Origin, ...]
    """Why the component is there."""
    pools: Mapping[str, PoolFacts]
    """Every pool of the environment."""
    store: SecretStoreFacts
    storage_class: Said | None
    """The class of volumes, None for the cluster's default."""
    facts: Mapping[str, Any]
    health: Mapping[str, str]
    """Health scripts of every component of the environment, by `group_Kind`."""

    def pod(self, kind: str, name: str) -> PodFacts:
        """What the catalogue knows of the pods of an upstream workload in the component's own namespace."""
        facts = self._upstream(kind, name).pod
        if facts is None:
            raise LookupError(f"{kind} {name} makes no pods")
        return facts

    def data_keys(self, kind: str, name: str) -> frozenset[str]:
        """The keys of an upstream ConfigMap or Secret."""
        return self._upstream(kind, name).data_keys

    def _upstream(self, kind: str, name: str) -> ObjectFacts:
        objects = self.base.upstream.objects.values() if self.base else ()
        return next(facts for facts in objects if (facts.key.kind, facts.key.name) == (kind, name))

    def bucket(self, key: str) -> BucketFacts:
        """The answer to a need for a bucket."""
        return self.facts[key]  # type: ignore[no-any-return]  # typed by what was asked under the key

    def database(self, key: str) -> DatabaseFacts:
        """The answer to a need for a database."""
        return self.facts[key]  # type: ignore[no-any-return]  # as above

    def secret(self, key: str) -> SecretFacts:
        """The answer to a need for a secret."""
        return self.facts[key]  # type: ignore[no-any-return]  # as above

    def autoscaler(self, key: str) -> AutoscalerFacts:
        """The answer to a need for what the autoscaler of nodes is told."""
        return self.facts[key]  # type: ignore[no-any-return]  # as above

    def node_provisioner(self, key: str) -> ProvisionerFacts:
        """The answer to a need for what a program that makes nodes is told."""
        return self.facts[key]  # type: ignore[no-any-return]  # as above

    def identity(self, key: str) -> IdentityFacts:
        """The answer to a need for an identity."""
        return self.facts[key]  # type: ignore[no-any-return]  # as above


class Component(ABC, Generic[S]):
    """Something that a platform offers."""

    name: ClassVar[str]
    namespace: ClassVar[str]
    Section: type[S]
    """The component's section of the spec."""
    ignore: ClassVar[tuple[Mapping[str, Any], ...]] = ()
    """What Argo CD must not compare: fields that a controller fills in."""
    health: ClassVar[Mapping[str, str]] = {}
    """Lua by `group_Kind`, for kinds of its own CRDs that Argo CD does not know."""

    def versions(self, folders: tuple[Any, ...]) -> tuple[str, ...]:
        """The versions that may be asked for, oldest first."""
        return catalog_versions(self.name, folders)

    def variant(self, version: str) -> Variant:
        """How its upstream is brought in."""
        del version
        return Variant()

    def base_operations(
        self, upstream: Upstream, *, vendored: bool
    ) -> Mapping[ObjectKey, tuple[Mapping[str, Any], ...]]:
        """Changes of upstream that hold in every environment, by object."""
        del upstream, vendored
        return {}

    def requires(self, section: S, context: Context) -> Iterable[str]:
        """Components that must be there before it."""
        del section, context
        return ()

    def faults(self, section: S, context: Context) -> Iterable[Diagnostic]:
        """What is wrong with its section in this environment."""
        del section, context
        return ()

    def needs(self, section: S, context: Context, origins: tuple[Origin, ...]) -> Mapping[str, Need]:
        """What it asks of the cloud, by keys of its own."""
        del section, context, origins
        return {}

    @abstractmethod
    def emit(self, section: S, given: Given) -> Iterable[Target]:
        """Its objects, patches and images on top of its base."""


def secret_reader() -> ServiceAccount:
    """The service account that reads the secret store for everybody."""
    from plinth.ir.needs import ServiceAccount  # noqa: PLC0415 - the contract itself needs no needs at run time

    return ServiceAccount(namespace=READER, name=READER)
