"""Names on Google Cloud: what they are made of, and how long they may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.ir.names import too_long
from plinth.ir.said import Said, said, text

if TYPE_CHECKING:
    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir.needs import Context, ServiceAccount
    from plinth.text.spans import SpecPath

TITLE: Final = "Google Cloud"

LONGEST_CLUSTER: Final = 40
LONGEST_ACCOUNT: Final = 30
LONGEST_BUCKET: Final = 63

ZONE_OF_DATABASES: Final = "plinth.internal."
"""The private DNS zone in which the database server has its name."""


class Names:
    """Every name of one environment that more than one file of ours writes."""

    def __init__(self, context: Context) -> None:
        cloud = context.platform.cloud
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

    def network_id(self) -> Said:
        """The network as other roots name it."""
        return text("projects/", self.project, "/global/networks/", self.network)

    def subnetwork_id(self) -> Said:
        """The subnetwork of nodes as other roots name it."""
        return text("projects/", self.project, "/regions/", self.region, "/subnetworks/", self.subnetwork)

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
        checks = (
            (self.cluster, LONGEST_CLUSTER, f"a cluster on {TITLE}"),
            (self.node_account, LONGEST_ACCOUNT, f"a service account on {TITLE}"),
        )
        return tuple(
            too_long(name.value, longest, what, platform_path)
            for name, longest, what in checks
            if len(name.value) > longest
        )
