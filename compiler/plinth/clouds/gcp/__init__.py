"""Answer a platform's needs on Google Cloud.

Three Terraform roots: `network` (APIs, network, way out), `cluster` (control plane, node identity,
pools, registry) and `platform` (buckets, Postgres, secrets, rights). Names are a function of the
spec, so a root names what another one made instead of reading its state.

Source: facts of the google provider 7.38 to 7.x and of the GKE API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from plinth.clouds import Answers, Cloud
from plinth.clouds.gcp.answers import GcpAnswers
from plinth.spec.fields import Field
from plinth.spec.platform import CloudSection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.ir.needs import Context


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
    zones: tuple[Annotated[str, Field(pattern=r"^[a-z]$")], ...] = Field(
        default=(),
        description="Letters of the region's zones to put nodes in; the region's own choice where absent.",
    )

    def cluster_key(self) -> tuple[str, ...]:
        # The pool of workload identities belongs to the project: two clusters in one project would
        # share every identity, so an environment takes a whole project.
        return ("gcp", self.project)


class Gcp(Cloud):
    """Google Cloud."""

    name = "gcp"
    has_device_plugin = True
    Section = GcpSection

    def answering(self, context: Context, pinned: Mapping[str, str]) -> Answers:
        return GcpAnswers(context, pinned)


CLOUD = Gcp()
