"""What service accounts may do: a role for each, by EKS Pod Identity; nothing in a manifest says so.

Source: EKS, "Learn how EKS Pod Identity grants pods access to AWS services".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.clouds.aws.buckets import SCHEME
from plinth.clouds.aws.names import LONGEST_ROLE, TITLE
from plinth.clouds.aws.policies import allow, association, inline, key, pod_trust, policy, role, with_key
from plinth.ir.answers import Answer, IdentityFacts
from plinth.ir.names import too_long
from plinth.ir.said import said, spec_path, text, why

if TYPE_CHECKING:
    from plinth.clouds.aws.names import Names
    from plinth.clouds.aws.policies import Statement
    from plinth.diagnostics.diagnostic import Diagnostic
    from plinth.ir.needs import Identity, ServiceAccount
    from plinth.ir.said import Origin
    from plinth.ir.targets import Target
    from plinth.spec.platform import Bucket

OBJECTS = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject")
LISTS = ("s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads")


class Identities:
    """The roles of one environment's service accounts, each made for whoever first needs it."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._made: set[str] = set()
        self._readers: set[str] = set()

    def address(self, account: ServiceAccount) -> str:
        """The name that a service account's role has in Terraform."""
        same = account.namespace == account.name
        return account.name if same else f"{account.namespace}-{account.name}"

    def role(self, account: ServiceAccount, origins: tuple[Origin, ...]) -> list[Target]:
        """The role of a service account, or nothing where it was made before."""
        address = self.address(account)
        if address in self._made:
            return []
        self._made.add(address)
        return [
            role(
                "platform",
                address,
                self._names.account_role(account),
                pod_trust(account),
                f"The service account {account.name} in {account.namespace}",
                origins,
            ),
            association("platform", address, account, self._names, origins),
        ]

    def reader(self, account: ServiceAccount, origins: tuple[Origin, ...]) -> list[Target]:
        """The role of who reads entries of the secret store, with the key of them all.

        The key is said once: what a role may do has a length, and there is a right for each entry beside.
        """
        address = self.address(account)
        made = self.role(account, origins)
        if address in self._readers:
            return made
        self._readers.add(address)
        document = policy(with_key(self._names, "data", "kms:Decrypt"))
        because = (*origins, *why("entries are encrypted with a key of our own"))
        # No entry can have a name with `_`, so this is none of theirs.
        return [*made, inline("platform", address, "key_of_entries", document, because)]

    def faults(self, account: ServiceAccount, origins: tuple[Origin, ...]) -> tuple[Diagnostic, ...]:
        """A name that IAM would refuse."""
        full = self._names.account_role(account).value
        if len(full) <= LONGEST_ROLE:
            return ()
        return (too_long(full, LONGEST_ROLE, f"an IAM role on {TITLE}", spec_path(origins)),)

    def answer(self, need: Identity) -> Answer[IdentityFacts]:
        """Rights on buckets."""
        targets = self.role(need.account, need.origins)
        faults = self.faults(need.account, need.origins)
        for wanted in need.writes:
            origins = (*need.origins, *said(wanted, "name").origins)
            document = policy(*self._rights(wanted))
            targets.append(inline("platform", self.address(need.account), wanted.name, document, origins))
        return Answer(targets=tuple(targets), facts=IdentityFacts(), diagnostics=faults)

    def _rights(self, wanted: Bucket) -> list[Statement]:
        if wanted.url is None:
            arn = self._names.bucket_arn(self._names.bucket(said(wanted, "name")))
            more = [with_key(self._names, "data")]
        else:
            url = said(wanted, "url")
            arn = self._names.bucket_arn(url.map(lambda value: value.removeprefix(SCHEME).split("/")[0]))
            more = []
        return [allow(LISTS, arn), allow(OBJECTS, text(arn, "/*")), *more]


def data_key(names: Names) -> list[Target]:
    """The key of the platform's data: buckets, databases, secrets."""
    origins = why("the platform's data is encrypted with a key of our own")
    return key("platform", "data", "Buckets, databases and secrets of the platform", [], names, origins)
