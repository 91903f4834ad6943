"""Answer a platform's needs on Amazon Web Services.

Three Terraform roots: `network` (VPC, subnets, ways in and out), `cluster` (EKS, its nodes and
add-ons, registry) and `platform` (buckets, Postgres, secrets, rights). Names are a function of the
spec. What AWS names by itself, the ids of network and subnets, is found by name and tag.

Source: facts of the aws provider 6.28 to 6.x, of the EKS API, and of AWS's own guides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from plinth.clouds import Answers, Cloud, Needed, device_plugins, rdma_origins
from plinth.clouds.aws import elastic
from plinth.clouds.aws.addons import kubernetes
from plinth.clouds.aws.answers import AwsAnswers
from plinth.ir.said import why
from plinth.spec.fields import Field
from plinth.spec.platform import CloudSection
from plinth.spec.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.ir.needs import Context
    from plinth.ir.said import Origin
    from plinth.spec.platform import Platform


class Existing(Section):
    """What is there already and is used as it is."""

    network: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,126}[A-Za-z0-9]$")] = Field(
        description="The `Name` tag of a VPC with private subnets in two zones or more, "
        "tagged `kubernetes.io/role/internal-elb`."
    )


class AwsSection(CloudSection):
    """An account of Amazon Web Services; one environment has one account to itself."""

    cluster_field: ClassVar[str] = "account_id"

    provider: Literal["aws"]
    account_id: Annotated[str, Field(pattern=r"^[0-9]{12}$")] = Field(
        description="The account's number, in quotes: twelve digits."
    )
    region: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[a-z]+){1,3}-[0-9]{1,2}$")] = Field(
        description="`us-east-1`, ..."
    )
    zones: tuple[Annotated[str, Field(pattern=r"^[a-z]$")], ...] = Field(
        default=(),
        description="Letters of two or three of the region's zones; the first three where absent. "
        "Add at the end only: subnets are cut from the network in this order.",
    )
    admins: tuple[
        Annotated[
            str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]{1,512}$")
        ],
        ...,
    ] = Field(
        description="ARNs of the IAM roles and users that administer the cluster. At least one: not "
        "even who makes the cluster gets in without.",
        min_length=1,
    )
    existing: Existing | None = Field(
        default=None, description="A network that is there already; made where absent."
    )

    def cluster_key(self) -> tuple[str, ...]:
        # Names of IAM roles and of the state's lock belong to the account: two clusters in one account
        # would share them, so an environment takes a whole account.
        return ("aws", self.account_id)


class Aws(Cloud):
    """Amazon Web Services."""

    name = "aws"
    Section = AwsSection

    def needed(self, platform: Platform) -> Iterable[Needed]:
        yield from device_plugins(platform, self.name)
        yield from _efa_plugin(platform)
        yield from _neuron_plugin(platform)
        if elastic.declared(platform):
            return  # which makes nodes itself
        yield Needed(
            component="cluster-autoscaler",
            origins=why("EKS leaves the number of a pool's nodes to an autoscaler in the cluster"),
            kubernetes=kubernetes(platform.cluster),
        )

    def answering(self, context: Context, pinned: Mapping[str, str]) -> Answers:
        return AwsAnswers(context, pinned)


def _efa_plugin(platform: Platform) -> Iterable[Needed]:
    """What tells Kubernetes of the interfaces that pools with RDMA have. Images of nodes do not bring it."""
    if fast := rdma_origins(platform):
        origins = (*fast, *why("without its plugin no pod can ask for an EFA interface"))
        yield Needed(component="efa-device-plugin", origins=origins)


def _neuron_plugin(platform: Platform) -> Iterable[Needed]:
    """What tells Kubernetes of Trainium and Inferentia, the accelerators of AWS that are no GPUs."""
    chips: list[Origin] = [pool.accelerator.spec_path for pool in platform.node_pools if pool.accelerator]
    if chips:
        origins = (*chips, *why("without its plugin no pod can ask for a Neuron device"))
        yield Needed(component="neuron-device-plugin", origins=origins)


CLOUD = Aws()
