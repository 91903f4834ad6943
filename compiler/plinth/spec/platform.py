"""The sections of a platform that are the same on every cloud.

`cloud` and `components` hold what plug-ins bring, so `platform_type` builds the type of the whole
from the sections of those that a spec names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, Field, create_model, field_validator

from plinth.spec.fields import (
    Branch,
    BucketUrl,
    Cidr,
    Domain,
    Email,
    GitUrl,
    Memory,
    Name,
    RelativePath,
    SecretName,
    Version,
    check_cidr,
    refuse,
)
from plinth.spec.pools import NodePool
from plinth.spec.section import Section
from plinth.text.source import shown

if TYPE_CHECKING:
    from collections.abc import Mapping


_WINDOW: Final = re.compile(
    r"(mon|tue|wed|thu|fri|sat|sun) [0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]", re.ASCII
)


def parse_window(text: str) -> tuple[str, int, int]:
    """A checked maintenance window as its day and its minutes of the day: `("sat", 120, 480)`.

    The end is above the start; a window that ends at midnight ends at 24:00.
    """
    day, hours = text.split(" ")
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in hours.split("-"))
    return day, start, end


def _window(text: str) -> str:
    _, start, end = parse_window(text) if _WINDOW.fullmatch(text) else ("", 0, 0)
    if not start < end <= 24 * 60:
        refuse(
            "PLN204",
            f"{shown(text)} is not a weekly window",
            "write a day and its hours in UTC: `sat 02:00-08:00`",
        )
    return text


def _control_plane(text: str) -> str:
    if not check_cidr(text).endswith("/28"):
        refuse("PLN303", f"`{text}` is not a /28", "the control plane takes exactly a /28: `172.16.0.0/28`")
    return text


class SecretReference(Section):
    """An entry of the environment's secret store, by name. Never a value."""

    secret: SecretName = Field(
        description="The entry's name in the cloud's secret store; a Secret's name on `existing`."
    )


class Metadata(Section):
    """What the platform is called."""

    name: Name = Field(
        description="Goes into the names of the network, the cluster and everything beside them."
    )


class Budget(Section):
    """What the platform may cost before somebody is told."""

    monthly: Annotated[int, Field(ge=1, le=100_000_000)] = Field(
        description="In whole units of the currency."
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(
        default="USD", description="That of the cloud's bill."
    )
    notify: tuple[Email, ...] = Field(
        description="Who is written to at half of it, at nine tenths, and at all of it.", min_length=1
    )


class ContinuousIntegration(Section):
    """The repository whose workflows may plan and apply, without a key."""

    github: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$")] = Field(
        description="A repository on GitHub: `acme/ml-platform`."
    )


class State(Section):
    """Where Terraform keeps its state; a local file where this section is absent."""

    bucket: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$")] = Field(
        description="An existing bucket with versioning on."
    )


class Repository(Section):
    """The git repository that holds the compiled tree, as Argo CD reaches it."""

    url: GitUrl = Field(description="`https://host/path.git` or `git@host:path.git`.")
    branch: Branch = Field(default="main", description="What Argo CD follows.")
    path: RelativePath = Field(
        default=".", description="The folder of `platform.yaml` inside the repository."
    )
    credentials: SecretReference | None = Field(
        default=None,
        description="For a private repository: a Secret in the namespace `argocd`, made once by hand.",
    )


class Network(Section):
    """Address ranges, and who may reach the control plane."""

    nodes: Cidr = Field(default="10.0.0.0/16", description="Addresses of nodes.")
    pods: Cidr = Field(default="10.1.0.0/16", description="Addresses of pods: 256 for each node.")
    services: Cidr = Field(default="10.2.0.0/20", description="Addresses of services.")
    control_plane: Annotated[str, AfterValidator(_control_plane)] = Field(
        default="172.16.0.0/28", description="Addresses of the control plane: a /28 of its own."
    )
    access: Literal["private", "public"] = Field(
        default="private",
        description="`private`: the control plane has no public address and is reached by name, "
        "through the cloud's IAM.",
    )
    allow: tuple[Cidr, ...] = Field(
        default=(), description="Ranges that may reach the control plane's addresses."
    )


class Maintenance(Section):
    """When the cloud may upgrade the cluster."""

    weekly: tuple[Annotated[str, AfterValidator(_window)], ...] = Field(
        description="Windows in UTC, each a day with its hours: `sat 02:00-08:00`.", min_length=1
    )


class Cluster(Section):
    """The Kubernetes control plane."""

    kubernetes: Annotated[str, Field(pattern=r"^1\.[0-9]{2}$")] | None = Field(
        default=None,
        description="The oldest minor version to accept, in quotes; the channel decides above it.",
    )
    channel: Literal["rapid", "regular", "stable"] = Field(
        default="regular", description="How soon new versions arrive."
    )
    maintenance: Maintenance | None = Field(default=None, description="Any time where absent.")


class SignIn(Section):
    """Who proves that people are who they say."""

    provider: Literal["google"] = "google"
    hosted_domain: Domain = Field(description="Only accounts of this Google Workspace domain get in.")
    credentials: SecretReference = Field(
        description="The OAuth client: an entry that holds JSON with `clientID` and `clientSecret`."
    )


class Identity(Section):
    """People: where they sign in, and who runs the platform."""

    domain: Domain = Field(description="The platform's applications are hosts below it: `hub.<domain>`.")
    admins: tuple[Email, ...] = Field(
        description="Who runs the platform. At least one: nobody locks themselves out."
    )
    sign_in: SignIn | None = Field(
        default=None, description="Needed by every component with a page of its own."
    )

    @field_validator("admins")
    @classmethod
    def _somebody(cls, admins: tuple[str, ...]) -> tuple[str, ...]:
        if not admins:
            refuse(
                "PLN308",
                "the platform has no administrator",
                "name at least one: `admins: [platform@example.com]`",
            )
        return admins


class TierGpu(Section):
    """GPUs of one notebook."""

    count: Annotated[int, Field(ge=1, le=16)] = 1


class Tier(Section):
    """What a data scientist picks, the smallest by default: a shape of pod, and the pools that may run it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
    cpu: Annotated[int | float, Field(gt=0, le=512)] = Field(description="vCPUs of the pod.")
    memory: Memory = Field(description="Memory of the pod.")
    gpu: TierGpu | None = None
    pools: tuple[Name, ...] = Field(default=(), description="Pools that may run it; needed for a GPU.")


class Bucket(Section):
    """Object storage by a name of ours."""

    name: Name
    url: BucketUrl | None = Field(
        default=None, description="An existing bucket; the only kind on `existing`."
    )


class ExistingDatabase(Section):
    """A Postgres server that somebody else runs."""

    host: Domain
    port: Annotated[int, Field(ge=1, le=65_535)] = 5432
    secret: SecretName = Field(description="Holds `username` and `password`.")


class Database(Section):
    """The Postgres server of the platform's own components."""

    engine: Literal["postgres"] = "postgres"
    size: Literal["small", "medium", "large"] = Field(default="small", description="2, 4 or 8 vCPUs.")
    existing: ExistingDatabase | None = Field(default=None, description="The only kind on `existing`.")


class Storage(Section):
    """Buckets and the database."""

    buckets: tuple[Bucket, ...] = ()
    database: Database | None = None


class ComponentSection(Section):
    """What every component's section has. Each component adds its own fields."""

    version: Version | None = Field(
        default=None, description="From the catalogue; pinned in the lock where absent."
    )
    patches: tuple[RelativePath, ...] = Field(
        default=(),
        description="Files under `patches/`: JSON 6902 operations with their target, or a merge patch.",
    )


class CloudSection(Section):
    """What every cloud's section has: `provider` says which cloud it is."""

    provider: str
    cluster_field: ClassVar[str]
    """The field that tells one environment's cluster from another's."""
    makes_network: ClassVar[bool] = True
    """The network is made from `network`, so its ranges have to be good for one."""

    def cluster_key(self) -> tuple[str, ...]:
        """Names the cluster: two environments with the same key would be one cluster."""
        raise NotImplementedError


class Platform(Section):
    """One environment's platform, all of it."""

    cloud: CloudSection
    state: State | None = None
    repository: Repository
    network: Network = Field(default_factory=Network)
    cluster: Cluster = Field(default_factory=Cluster)
    node_pools: tuple[NodePool, ...] = ()
    identity: Identity
    tiers: tuple[Tier, ...] = ()
    layout: Literal["layered", "single"] = Field(
        default="layered",
        description="`layered`: Terraform has a root each for network, cluster and platform; `single`: "
        "one for all. It cannot be changed later.",
    )
    budget: Budget | None = Field(default=None, description="Nobody is told of costs where absent.")
    ci: ContinuousIntegration | None = Field(
        default=None, description="Nobody but people may apply where absent."
    )
    storage: Storage = Field(default_factory=Storage)
    upstreams: Literal["vendored", "remote"] = Field(
        default="vendored",
        description="`vendored`: fetched once by `plinth vendor`; `remote`: fetched by Argo CD.",
    )
    components: Section

    def component(self, field: str) -> ComponentSection | None:
        """The section of a component by its field, `cluster_autoscaler`; None where it is not declared."""
        section: ComponentSection | None = getattr(self.components, field, None)
        return section


class Document(Section):
    """The file: what kind of thing it is, its name, and the spec."""

    api_version: Literal["plinth.dev/v1alpha1"]
    kind: Literal["Platform"]
    metadata: Metadata
    spec: Platform


def document_type(
    cloud: type[CloudSection], components: Mapping[str, type[ComponentSection]]
) -> type[Document]:
    """The type of a file on one cloud with these components' sections."""
    fields: dict[str, Any] = {
        name.replace("-", "_"): (section | None, Field(default=None, alias=name))
        for name, section in components.items()
    }
    components_type = create_model("Components", __base__=Section, **fields)
    platform = create_model(
        "PlatformSpec", __base__=Platform, cloud=(cloud, ...), components=(components_type, ...)
    )
    return create_model("PlatformDocument", __base__=Document, spec=(platform, ...))
