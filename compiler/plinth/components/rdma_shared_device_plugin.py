"""The RDMA shared device plugin: it tells the kubelet that a node has InfiniBand, `rdma/ib`.

Only on pools with RDMA. A pod that asks for one of the resource has all InfiniBand adapters of its node, and
pods share them: what is counted is pods, not adapters. So a pod that asks for eight has no more than others.

The adapters' driver is not brought. The plugin looks for adapters again and again, and begins to offer them
when a driver has made them known. It reads the node's devices as they come and may change how they are seen
in other network namespaces, for which it has all rights on the node.

Source: Mellanox/k8s-rdma-shared-dev-plugin 1.5, README; Azure/aks-rdma-infiniband, "Network Operator".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from plinth.catalog.images import image
from plinth.components._device_plugins import (
    KUBELET_MOUNT,
    KUBELET_VOLUME,
    DevicePlugin,
    daemon_set,
    home,
    host_folder,
    labels,
    pools_with_rdma,
)
from plinth.ir.pools import INFINIBAND_PODS, INFINIBAND_RESOURCE
from plinth.ir.targets import Manifest, ObjectKey
from plinth.spec.platform import ComponentSection
from plinth.text.emit import json_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.components import Given
    from plinth.ir.said import Origin
    from plinth.ir.targets import Target
    from plinth.spec.pools import NodePool

NAME: Final = "rdma-shared-device-plugin"
REGISTRY: Final = "/var/lib/kubelet/plugins_registry"

_PREFIX, _, _NAME = INFINIBAND_RESOURCE.partition("/")

CONFIG: Final = {
    "configList": [
        {
            "resourcePrefix": _PREFIX,
            "resourceName": _NAME,
            "rdmaHcaMax": INFINIBAND_PODS,
            # 15b3 is the maker, Mellanox. Its Ethernet adapters are the node's own network.
            "selectors": {"vendors": ["15b3"], "linkTypes": ["infiniband"]},
        }
    ]
}


class RdmaSharedDevicePluginSection(ComponentSection):
    """InfiniBand as a resource for pods. On Azure it is there unasked where a pool has RDMA."""


class RdmaSharedDevicePlugin(DevicePlugin[RdmaSharedDevicePluginSection]):
    """A DaemonSet on the pools with InfiniBand."""

    name: ClassVar[str] = NAME
    namespace: ClassVar[str] = NAME
    Section = RdmaSharedDevicePluginSection

    def emit(self, section: RdmaSharedDevicePluginSection, given: Given) -> Iterable[Target]:
        del section
        yield from home(NAME, given.origins)
        yield _config(given.origins)
        if pools := pools_with_rdma(given, INFINIBAND_RESOURCE):
            yield _plugin(pools, given)


def _config(origins: tuple[Origin, ...]) -> Manifest:
    return Manifest(
        application=NAME,
        key=ObjectKey("", "ConfigMap", NAME, NAME),
        body={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": NAME, "namespace": NAME, "labels": labels(NAME, NAME)},
            "data": {"config.json": json_line(CONFIG)},
        },
        origins=origins,
    )


def _plugin(pools: list[NodePool], given: Given) -> Manifest:
    container = {
        "name": NAME,
        "image": image(NAME).reference,
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {"privileged": True},
        "volumeMounts": [
            KUBELET_MOUNT,
            {"name": "plugins-registry", "mountPath": REGISTRY},
            {"name": "config", "mountPath": "/k8s-rdma-shared-dev-plugin", "readOnly": True},
            {"name": "devices", "mountPath": "/dev"},
        ],
    }
    return daemon_set(
        NAME,
        NAME,
        pools,
        given,
        # It looks at the node's interfaces, which a pod's own network does not have.
        hostNetwork=True,
        containers=[container],
        volumes=[
            KUBELET_VOLUME,
            host_folder("plugins-registry", REGISTRY),
            {"name": "config", "configMap": {"name": NAME}},
            host_folder("devices", "/dev"),
        ],
    )


COMPONENT = RdmaSharedDevicePlugin()
