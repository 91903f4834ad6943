"""Networks of nodes, as GKE lets pods into them: those over which the GPUs of A3 machines reach each other.

The networks are there, and nodes are in them; without these objects no pod is. A pod names the ones that it
wants in the annotation `networking.gke.io/interfaces`. Both kinds are GKE's own: a cluster with more than one
network has them before anything is applied.

Source: GKE, "Set up multi-network support for Pods", "Maximize GPU network bandwidth in Standard mode
clusters".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from plinth.components import Component, Given
from plinth.ir.kubernetes import namespace
from plinth.ir.targets import Manifest, ObjectKey
from plinth.spec.platform import ComponentSection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.ir.answers import NodeNetwork
    from plinth.ir.said import Origin
    from plinth.ir.targets import Target

NAME: Final = "gpu-networks"
GROUP: Final = "networking.gke.io"
PARAMETERS: Final = "GKENetworkParamSet"


class GpuNetworksSection(ComponentSection):
    """Networks of GPUs that pods may join. On Google Cloud it is there unasked where a pool has some."""


class GpuNetworks(Component[GpuNetworksSection]):
    """Two objects for each network."""

    name: ClassVar[str] = NAME
    namespace: ClassVar[str] = NAME
    Section = GpuNetworksSection

    def versions(self, folders: tuple[Any, ...]) -> tuple[str, ...]:
        del folders  # not an upstream, and no image: the version is that of the objects
        return ("1",)

    def emit(self, section: GpuNetworksSection, given: Given) -> Iterable[Target]:
        del section
        yield namespace(NAME, NAME, level="restricted", base=None, origins=given.origins)
        networks = {each.name: each for facts in given.pools.values() for each in facts.networks}
        for _, network in sorted(networks.items()):
            yield _parameters(network, given.origins)
            yield _network(network, given.origins)


def _parameters(network: NodeNetwork, origins: tuple[Origin, ...]) -> Manifest:
    spec = {"vpc": network.network, "vpcSubnet": network.subnetwork, "deviceMode": "NetDevice"}
    return _object(PARAMETERS, network.name, spec, origins)


def _network(network: NodeNetwork, origins: tuple[Origin, ...]) -> Manifest:
    parameters = {"group": GROUP, "kind": PARAMETERS, "name": network.name}
    return _object("Network", network.name, {"type": "Device", "parametersRef": parameters}, origins)


def _object(kind: str, name: str, spec: dict[str, Any], origins: tuple[Origin, ...]) -> Manifest:
    return Manifest(
        application=NAME,
        key=ObjectKey(GROUP, kind, "", name),
        body={"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": name}, "spec": spec},
        origins=origins,
    )


COMPONENT = GpuNetworks()
