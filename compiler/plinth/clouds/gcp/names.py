"""Names on Google Cloud: what they are made of, and how long they may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.ir.names import too_long
from plinth.ir.said import Said, said, text

if TYPE_CHECKING:
    from plinth.clouds.gcp.section import GcpSection
    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir.needs import Context, ServiceAccount
    from plinth.text.spans import SpecPath

TITLE: Final = "Google Cloud"

LONGEST_CLUSTER: Final = 40
LONGEST_POOL: Final = 40
LONGEST_ACCOUNT: Final = 30
LONGEST_BUCKET: Final = 63

ZONE_OF_DATABASES: Final = "plinth.internal."
"""The private DNS zone in which the database server has its name."""

PODS_RANGE: Final = "pods"
SERVICES_RANGE: Final = "services"


class Names:
    """Every name of one environment that more than one file of ours writes."""

    def __init__(self, context: Context, cloud: GcpSection) -> None:
        self.cloud = cloud
        self.environment = context.environment
        self.project: Said = said(cloud, "project")
        self.project_number: Said = said(cloud, "project_number")
        self.region: Said = said(cloud, "region")
        self.platform: Said = context.platform_name
        self.network = self.platform
        self.subnetwork = text(self.platform, "-nodes")
        self.cluster = self.platform
        self.node_account = text(self.platform, "-nodes")
        self.node_account_email = text(self.node_account, "@", self.project, ".iam.gserviceaccount.com")
        self.node_tag = text(self.platform, "-node")
        self.database_server = text(self.platform, "-postgres")
        self.database_host = text("postgres.", self.platform, ".", ZONE_OF_DATABASES[:-1])
        self.workload_pool = text(self.project, ".svc.id.goog")
        self.key_ring = self.platform
        self.key_of_disks = self.key("disks")
        self.pool_zones = {each.name: each for each in cloud.pool_zones}

    def labels(self) -> dict[str, str | Said]:
        """What every resource is labelled with."""
        return {"managed-by": "plinth", "environment": self.environment, "platform": self.platform}

    def network_id(self) -> Said:
        """The network as other roots name it."""
        if self.cloud.existing:
            return self._path(said(self.cloud.existing, "network"), "/global/networks/")
        return text("projects/", self.project, "/global/networks/", self.network)

    def subnetwork_id(self) -> Said:
        """The subnetwork of nodes as other roots name it."""
        if self.cloud.existing:
            kind = text("/regions/", self.region, "/subnetworks/")
            return self._path(said(self.cloud.existing, "subnetwork"), kind)
        return text("projects/", self.project, "/regions/", self.region, "/subnetworks/", self.subnetwork)

    def pods_range(self) -> str | Said:
        """The subnetwork's range for pods."""
        return said(self.cloud.existing, "pods") if self.cloud.existing else PODS_RANGE

    def services_range(self) -> str | Said:
        """The subnetwork's range for services."""
        return said(self.cloud.existing, "services") if self.cloud.existing else SERVICES_RANGE

    def zone(self, letter: Said) -> Said:
        """A zone of the region by its letter."""
        return text(self.region, "-", letter)

    def key(self, name: str) -> Said:
        """A key of the platform's ring as other resources name it."""
        ring = text("projects/", self.project, "/locations/", self.region, "/keyRings/", self.key_ring)
        return text(ring, f"/cryptoKeys/{name}")

    def agent(self, service: str) -> Said:
        """The account that Google itself uses in the project, by the name of its service.

        Source: Google Cloud, "Service agents".
        """
        return text("serviceAccount:service-", self.project_number, f"@{service}.iam.gserviceaccount.com")

    def bucket(self, name: Said) -> Said:
        """Bucket names are one space over all of Google Cloud: the project's id makes ours ours."""
        return text(self.project, "-", name)

    def principal(self, account: ServiceAccount) -> Said:
        """A Kubernetes service account as IAM knows it; nothing in its manifest is needed for it.

        Source: Workload Identity Federation for GKE.
        """
        return text(
            "principal://iam.googleapis.com/projects/",
            self.project_number,
            "/locations/global/workloadIdentityPools/",
            self.workload_pool,
            f"/subject/ns/{account.namespace}/sa/{account.name}",
        )

    def faults(self, platform_path: SpecPath) -> tuple[Diagnostic, ...]:
        """Names that Google Cloud would refuse, said before it does."""
        # What is made of the name for CI is no longer than the account of nodes.
        checks = (
            (self.cluster, LONGEST_CLUSTER, f"a cluster on {TITLE}"),
            (self.node_account, LONGEST_ACCOUNT, f"a service account on {TITLE}"),
        )
        return tuple(
            too_long(name.value, longest, what, platform_path)
            for name, longest, what in checks
            if len(name.value) > longest
        )

    def _path(self, name: Said, kind: str | Said) -> Said:
        """A whole path as it was said, or one in this project."""
        return name if "/" in name.value else text("projects/", self.project, kind, name)


def grant(key: str) -> str:
    """What has to be there before something in the same root is encrypted with a key."""
    return f"google_kms_crypto_key_iam_member.{key}"
