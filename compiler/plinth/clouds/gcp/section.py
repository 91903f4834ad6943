"""What a spec says of Google Cloud."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from plinth.spec.fields import Cidr, Email, Field, Name
from plinth.spec.platform import CloudSection
from plinth.spec.section import Section

_NETWORK_NAME = r"(projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/global/networks/)?[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
_SUBNETWORK_NAME = (
    r"(projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/regions/[a-z0-9-]{1,30}/subnetworks/)?"
    r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
)
_RANGE_NAME = r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$"

ZoneLetter = Annotated[str, Field(pattern=r"^[a-z]$")]


class ExistingNetwork(Section):
    """A network that somebody else made: nothing of it is made or changed."""

    network: Annotated[str, Field(pattern=f"^{_NETWORK_NAME}$")] = Field(
        description="Its name, or `projects/HOST/global/networks/NAME` where another project shares it."
    )
    subnetwork: Annotated[str, Field(pattern=f"^{_SUBNETWORK_NAME}$")] = Field(
        description="Where nodes get their addresses: its name, or its whole path as above."
    )
    pods: Annotated[str, Field(pattern=_RANGE_NAME)] = Field(
        default="pods", description="The subnetwork's secondary range for pods."
    )
    services: Annotated[str, Field(pattern=_RANGE_NAME)] = Field(
        default="services", description="The subnetwork's secondary range for services."
    )


class PoolZone(Section):
    """The one zone of a node pool."""

    name: Name = Field(description="The pool's name.")
    zone: ZoneLetter = Field(description="The letter of its zone.")


class GcpSection(CloudSection):
    """A project of Google Cloud; one environment has one project to itself."""

    cluster_field: ClassVar[str] = "project"

    provider: Literal["gcp"]
    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")] = Field(
        description="The project's id."
    )
    project_number: Annotated[int, Field(ge=1, le=10**15)] = Field(
        description="The project's number: `gcloud projects describe ID --format='value(projectNumber)'`."
    )
    region: Annotated[str, Field(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}$")] = Field(
        description="`us-central1`, ..."
    )
    zones: tuple[ZoneLetter, ...] = Field(
        default=(),
        description="Letters of the region's zones to put nodes in; the region's own choice where absent.",
    )
    pool_zones: tuple[PoolZone, ...] = Field(
        default=(),
        description="Pools that stand in one zone: those of a reservation, and those with RDMA.",
    )
    gpu_networks: Cidr = Field(
        default="192.168.0.0/17",
        description="Addresses of the networks over which GPUs of A3 High and A3 Mega reach each other, "
        "an eighth for each.",
    )
    existing: ExistingNetwork | None = Field(
        default=None, description="The network is made from `spec.network` where absent."
    )
    admin_groups: tuple[Email, ...] = Field(
        default=(),
        description="Google groups that run the cluster; other addresses of `identity.admins` are people.",
    )
    security_group: Annotated[str, Field(pattern=r"^gke-security-groups@[a-z0-9.-]{3,200}$")] | None = Field(
        default=None,
        description="The group whose member groups Kubernetes knows, always `gke-security-groups@DOMAIN`.",
    )
    billing_account: Annotated[str, Field(pattern=r"^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$")] | None = Field(
        default=None, description="Who pays, `012345-6789AB-CDEF01`; needed by `spec.budget`."
    )

    def cluster_key(self) -> tuple[str, ...]:
        # The pool of workload identities belongs to the project: two clusters in one project would
        # share every identity, so an environment takes a whole project.
        return ("gcp", self.project)
