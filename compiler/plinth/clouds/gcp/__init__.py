"""Answer a platform's needs on Google Cloud.

Three Terraform roots: `network` (APIs, network, way out), `cluster` (keys, control plane, node
identity, administrators, pools, registry) and `platform` (buckets, Postgres, secrets, rights, domain,
budget, identity of CI). Names are a function of the spec, so a root names what another one made
instead of reading its state.

Source: facts of the google provider 7.45 to 8.0 and of the GKE API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.clouds import Answers, Cloud
from plinth.clouds.gcp.answers import GcpAnswers
from plinth.clouds.gcp.section import GcpSection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plinth.ir.needs import Context


class Gcp(Cloud):
    """Google Cloud."""

    name = "gcp"
    Section = GcpSection

    def answering(self, context: Context, pinned: Mapping[str, str]) -> Answers:
        return GcpAnswers(context, pinned)


CLOUD = Gcp()
