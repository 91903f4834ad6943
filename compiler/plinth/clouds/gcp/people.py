"""Administrators who are let in.

`roles/container.admin` opens the private control plane by its DNS name and is an administrator
inside: Kubernetes on Google Cloud asks IAM first.

Source: GKE, "Authorize actions in clusters using IAM".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.ir.said import Said, said
from plinth.ir.targets import TerraformResource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plinth.clouds.gcp.names import Names
    from plinth.ir.targets import Target
    from plinth.spec.platform import Identity

ROLE: Final = "roles/container.admin"

_IN_WORDS: Final = str.maketrans({"@": "_at_", ".": "_dot_", "+": "_plus_", "_": "__"})
"""What no name in Terraform may hold, and `_` itself, so that no two addresses become one."""


def administrators(identity: Identity, names: Names) -> Iterator[Target]:
    """A right for every administrator; a group where `adminGroups` has the address."""
    groups, people = said(names.cloud, "admin_groups"), said(identity, "admins")
    members = {address: Said(f"user:{address}", people.origins) for address in people.value}
    for address in groups.value:
        also = people.origins if address in members else ()
        members[address] = Said(f"group:{address}", (*groups.origins, *also))
    for address, member in sorted(members.items()):
        yield TerraformResource(
            layer="cluster",
            type="google_project_iam_member",
            name=f"admin_{address.translate(_IN_WORDS)}",
            arguments={"project": names.project, "role": ROLE, "member": member},
            origins=member.origins,
        )
