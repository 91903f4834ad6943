"""AWS's EFA device plugin: it tells the kubelet of a node's fast interfaces, `vpc.amazonaws.com/efa`.

Only on pools with RDMA: their nodes have such an interface on every network card. The driver is in the node's
image. An interface is given to one pod alone.

AWS's chart gives it all rights on the node since it pairs interfaces with Neuron devices, which it knows by a
program of the node. RDMA is for GPUs here: on their nodes it never had these rights, and runs that program
not.

Source: EKS, "Manage EFA devices on Amazon EKS"; aws/eks-charts, aws-efa-k8s-device-plugin with 0.5.20, and
pull requests 1244 and 1245 for its rights.
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
    pools_with_rdma,
)
from plinth.ir.pools import EFA_RESOURCE
from plinth.spec.platform import ComponentSection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.components import Given
    from plinth.ir.targets import Manifest, Target
    from plinth.spec.pools import NodePool

NAME: Final = "efa-device-plugin"
DEVICES: Final = "/dev/infiniband"


class EfaDevicePluginSection(ComponentSection):
    """EFA interfaces as a resource that pods ask for. On AWS it is there unasked where a pool has RDMA."""


class EfaDevicePlugin(DevicePlugin[EfaDevicePluginSection]):
    """A DaemonSet on the pools with RDMA."""

    name: ClassVar[str] = NAME
    namespace: ClassVar[str] = NAME
    Section = EfaDevicePluginSection

    def emit(self, section: EfaDevicePluginSection, given: Given) -> Iterable[Target]:
        del section
        yield from home(NAME, given.origins)
        if pools := pools_with_rdma(given, EFA_RESOURCE):
            yield _plugin(pools, given)


def _plugin(pools: list[NodePool], given: Given) -> Manifest:
    container = {
        "name": NAME,
        "image": image(NAME).reference,
        "resources": {"requests": {"cpu": "10m", "memory": "20Mi"}, "limits": {"memory": "128Mi"}},
        # It has to be root: the kubelet's folder is root's.
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [KUBELET_MOUNT, {"name": "efa", "mountPath": DEVICES}],
    }
    return daemon_set(
        NAME,
        NAME,
        pools,
        given,
        # It looks at the node's interfaces, which a pod's own network does not have.
        hostNetwork=True,
        containers=[container],
        volumes=[KUBELET_VOLUME, host_folder("efa", DEVICES)],
    )


COMPONENT = EfaDevicePlugin()
