"""Names on AWS: what they are made of, how long they may be, and the ARNs that follow from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.catalog.regions import zones as known_zones
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir.said import Expression, Said, said, text

if TYPE_CHECKING:
    from plinth.ir.needs import Context, ServiceAccount
    from plinth.spec.platform import CloudSection

TITLE: Final = "AWS"

LONGEST_BUCKET: Final = 63
LONGEST_ROLE: Final = 64
LONGEST_DATABASE: Final = 63
LONGEST_NODE_GROUP: Final = 63

DEFAULT_ZONES: Final = ("a", "b", "c")
LEAST_ZONES: Final = 2
"""EKS keeps its control plane in two zones or more."""
MOST_ZONES: Final = 3
"""The network's range is cut for so many; a fourth zone adds cost and no safety."""

ZONE_OF_DATABASES: Final = "plinth.internal"
"""The private DNS zone in which database servers have their names."""


class Names:
    """Every name of one environment that more than one file of ours writes."""

    def __init__(self, context: Context) -> None:
        cloud = context.platform.cloud
        self.account: Said = said(cloud, "account_id")
        self.region: Said = said(cloud, "region")
        self.partition: Said = self.region.map(_partition)
        self.platform: Said = context.platform_name
        self.zones = self._zones(said(cloud, "zones"))
        existing = getattr(cloud, "existing", None)
        self.existing_network: Said | None = said(existing, "network") if existing else None
        self.network = self.existing_network or self.platform
        self.cluster = self.platform
        self.cluster_logs = text("/aws/eks/", self.cluster, "/cluster")
        self.flow_logs = text("/plinth/", self.platform, "/flow-logs")
        self.database_zone = text(self.platform, ".", ZONE_OF_DATABASES)
        self.tags: dict[str, str | Said] = {
            "managed-by": "plinth",
            "environment": context.environment,
            "platform": self.platform,
        }
        """On everything that is made, by whichever program."""

    def arn(self, service: str, *resource: str | Said) -> Said:
        """The ARN of something in this account and region."""
        return text("arn:", self.partition, f":{service}:", self.region, ":", self.account, ":", *resource)

    def role_arn(self, name: Said) -> Said:
        """The ARN of a role of this account: IAM has no region."""
        return text("arn:", self.partition, ":iam::", self.account, ":role/", name)

    def managed_policy(self, name: str) -> Said:
        """The ARN of a policy that AWS keeps."""
        return text("arn:", self.partition, ":iam::aws:policy/", name)

    def service(self, name: str) -> Said:
        """A service of AWS as a principal in this region."""
        return text(name, ".", self.region, ".amazonaws.com")

    def role(self, name: str | Said) -> Said:
        """A role of ours."""
        return text(self.platform, "-", name)

    def account_role(self, account: ServiceAccount) -> Said:
        """The role of a Kubernetes service account. Most are alone in a namespace of their own name."""
        same = account.namespace == account.name
        return self.role(account.name if same else f"{account.namespace}-{account.name}")

    def alias(self, purpose: str) -> Said:
        """A key of ours by its alias."""
        return text("alias/", self.platform, "-", purpose)

    def bucket(self, name: Said) -> Said:
        """Bucket names are one space over all of AWS: the account's number makes ours ours."""
        return text(self.platform, "-", name, "-", self.account)

    def bucket_arn(self, name: Said) -> Said:
        """The ARN of a bucket, which names neither account nor region."""
        return text("arn:", self.partition, ":s3:::", name)

    def zone_faults(self, cloud: CloudSection) -> tuple[Diagnostic, ...]:
        """Zones that no cluster can be in."""
        chosen = said(cloud, "zones").value
        if not chosen or LEAST_ZONES <= len(chosen) == len(set(chosen)) <= MOST_ZONES:
            return ()
        return (
            Diagnostic(
                code="PLN204",
                message=f"EKS takes two or three different zones, not {', '.join(chosen)}",
                help="name two or three: `zones: [a, b, c]`",
                path=cloud.said_path("zones"),
            ),
        )

    def _zones(self, letters: Said) -> tuple[Said, ...]:
        """The full names of the zones to use, in the order of their subnets."""
        region = self.region.value
        known = tuple(zone.removeprefix(region)[-1] for zone in known_zones("aws", region))
        chosen = (letters.value or known or DEFAULT_ZONES)[:MOST_ZONES]
        return tuple(Said(f"{region}{letter}", (*letters.origins, *self.region.origins)) for letter in chosen)


def letter(zone: Said) -> str:
    """The letter of a zone, by which its subnets are told apart."""
    return str(zone.value)[-1]


def tagged(name: Said) -> dict[str, Said]:
    """The tag that AWS's consoles show as a name."""
    return {"Name": name}


def reference(address: str, attribute: str) -> Expression:
    """An attribute of another resource of the same root."""
    return Expression(f"{address}.{attribute}")


def _partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
