"""AMD's device plugin: it tells the kubelet of a node's AMD GPUs, `amd.com/gpu`.

Whole GPUs: a pod that asks for one has it alone.

The GPUs' driver is not brought. The plugin looks for it once, when it starts, and without it would offer
nothing ever after; so its start waits for the driver. The pod runs meanwhile: one that never got ready would
keep its Application from being healthy, and with it whatever Argo CD installs later.

Source: ROCm/k8s-device-plugin, k8s-ds-amdgpu-dp.yaml, "Configuration Options"; ROCm/gpu-operator,
internal/plugin, for what is waited for and for the rights on the node.
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
    pools_with_devices,
)
from plinth.spec.platform import ComponentSection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.components import Given
    from plinth.ir.targets import Manifest, Target
    from plinth.spec.pools import NodePool

NAME: Final = "amd-device-plugin"
RESOURCE: Final = "amd.com/gpu"

START: Final = """\
until [ -d /sys/class/kfd ] && [ -d /sys/module/amdgpu/drivers ]; do
  echo "the node has no amdgpu driver yet"
  sleep 15
done
exec ./k8s-device-plugin -logtostderr=true -stderrthreshold=INFO -v=5
"""


class AmdDevicePluginSection(ComponentSection):
    """AMD GPUs as a resource for pods. On Azure it is there unasked where a pool has some."""


class AmdDevicePlugin(DevicePlugin[AmdDevicePluginSection]):
    """A DaemonSet on the pools with AMD GPUs."""

    name: ClassVar[str] = NAME
    namespace: ClassVar[str] = NAME
    Section = AmdDevicePluginSection

    def emit(self, section: AmdDevicePluginSection, given: Given) -> Iterable[Target]:
        del section
        yield from home(NAME, given.origins)
        if pools := pools_with_devices(given, RESOURCE):
            yield _plugin(pools, given)


def _plugin(pools: list[NodePool], given: Given) -> Manifest:
    container = {
        "name": NAME,
        "image": image(NAME).reference,
        "workingDir": "/root",
        "command": ["sh", "-c", START],
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        # The kernel describes a GPU, memory and links, to those alone who may open it.
        "securityContext": {"privileged": True},
        "volumeMounts": [KUBELET_MOUNT, {"name": "sys", "mountPath": "/sys", "readOnly": True}],
    }
    return daemon_set(
        NAME,
        NAME,
        pools,
        given,
        containers=[container],
        volumes=[KUBELET_VOLUME, host_folder("sys", "/sys")],
    )


COMPONENT = AmdDevicePlugin()
