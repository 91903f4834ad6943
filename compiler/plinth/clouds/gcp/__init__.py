"""Answer a platform's needs on Google Cloud.

Three Terraform roots: `network` (APIs, network, way out), `cluster` (keys, control plane, node
identity, administrators, pools, registry) and `platform` (buckets, Postgres, secrets, rights, domain,
budget, identity of CI). Names are a function of the spec, so a root names what another one made
instead of reading its state.

Source: facts of the google provider 7.45 to 8.0 and of the GKE API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plinth.clouds import Answers, Cloud, Needed
from plinth.clouds.gcp.answers import GcpAnswers
from plinth.clouds.gcp.gpu_networks import may_take_networks
from plinth.clouds.gcp.section import GcpSection
from plinth.ir.said import origins_of, said, why

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.ir.needs import Context
    from plinth.spec.platform import Platform


class Gcp(Cloud):
    """Google Cloud."""

    name = "gcp"
    Section = GcpSection

    def needed(self, platform: Platform) -> Iterable[Needed]:
        if fast := [pool for pool in platform.node_pools if may_take_networks(pool)]:
            asked = origins_of(said(pool.gpu, "rdma") for pool in fast if pool.gpu)
            origins = (*asked, *why("without an object for each network no pod can join those of its GPUs"))
            yield Needed(component="gpu-networks", origins=origins)

    def answering(self, context: Context, pinned: Mapping[str, str]) -> Answers:
        return GcpAnswers(context, pinned)


CLOUD = Gcp()
