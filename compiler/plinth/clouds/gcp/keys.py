"""Keys of the project's own, and who may use them.

A key encrypts one kind of thing, and the service agent of that kind alone may use it. Keys and
their ring can never be deleted on Google Cloud, so neither is ever destroyed by Terraform.

Source: Google Cloud, "Customer-managed encryption keys".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from plinth.ir.said import Expression, why
from plinth.ir.targets import Target, TerraformResource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plinth.clouds.gcp.names import Names

ROTATION: Final = "7776000s"
"""90 days. What an older version encrypted stays readable."""

ROLE: Final = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


class Agent(Struct, frozen=True, kw_only=True):
    """The account of Google's own that encrypts with a key."""

    account: str
    """What stands behind the `@` of its address, before `.iam.gserviceaccount.com`."""
    service: str
    """The API whose agent it is. Switching an API on does not always make its agent."""
    what: str


AGENTS: Final = {
    "cluster": Agent(account="container-engine-robot", service="container", what="Kubernetes Secrets"),
    "disks": Agent(account="compute-system", service="compute", what="disks of nodes"),
    "registry": Agent(account="gcp-sa-artifactregistry", service="artifactregistry", what="images"),
    "buckets": Agent(account="gs-project-accounts", service="storage", what="objects"),
    "postgres": Agent(account="gcp-sa-cloud-sql", service="sqladmin", what="databases"),
    "secrets": Agent(account="gcp-sa-secretmanager", service="secretmanager", what="secrets"),
}
"""The keys by their name, each with the agent that may use it."""


def keys(names: Names) -> Iterator[Target]:
    """The ring, the keys, and the grants of the agents."""
    yield TerraformResource(
        layer="cluster",
        type="google_kms_key_ring",
        name="platform",
        arguments={
            "name": names.key_ring,
            "project": names.project,
            "location": names.region,
            "lifecycle": {"prevent_destroy": True},
        },
        origins=why("a platform has keys of its own"),
    )
    # All of them always: a key that left the spec with its database would be destroyed with its versions.
    for name, agent in AGENTS.items():
        yield from _key(name, agent, names)


def _key(name: str, agent: Agent, names: Names) -> tuple[Target, ...]:
    origins = why(f"{agent.what} are encrypted with a key of the project's own")
    key = TerraformResource(
        layer="cluster",
        type="google_kms_crypto_key",
        name=name,
        arguments={
            "name": name,
            "key_ring": Expression("google_kms_key_ring.platform.id"),
            "purpose": "ENCRYPT_DECRYPT",
            "rotation_period": ROTATION,
            "lifecycle": {"prevent_destroy": True},
        },
        origins=origins,
    )
    grant = TerraformResource(
        layer="cluster",
        type="google_kms_crypto_key_iam_member",
        name=name,
        arguments={
            "crypto_key_id": Expression(f"google_kms_crypto_key.{name}.id"),
            "role": ROLE,
            "member": names.agent(agent.account),
        },
        origins=origins,
    )
    return key, grant
