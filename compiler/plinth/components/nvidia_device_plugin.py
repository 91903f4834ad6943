"""NVIDIA's device plugin: it tells the kubelet of a node's GPUs, or of the parts that pods share.

Only where the cloud brings none of its own. The driver and the container toolkit are in the node's image.
Pools that share their GPUs in one way have a DaemonSet with that way's settings; the resource is
`nvidia.com/gpu` whatever the way, so that a pod need not know.

It reaches into the node (the kubelet's folder, and with MPS the node's shared memory), so its namespace
admits privileged pods and holds nothing else.

Source: NVIDIA k8s-device-plugin 0.20, README: "Configuration Option Details", "Shared Access to GPUs"; EKS,
"Manage NVIDIA GPU devices on Amazon EKS", for the fast network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from msgspec import Struct

from plinth.catalog.images import image
from plinth.components._device_plugins import (
    KUBELET_MOUNT,
    KUBELET_VOLUME,
    DevicePlugin,
    daemon_set,
    home,
    host_folder,
    labels,
)
from plinth.ir.pools import GPU_RESOURCE
from plinth.ir.said import Origin, Said, origins_of, said
from plinth.ir.targets import Manifest, ObjectKey, Target
from plinth.spec.platform import ComponentSection
from plinth.text.emit import yaml_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plinth.components import Given
    from plinth.spec.pools import NodePool, Sharing

NAME: Final = "nvidia-device-plugin"
CONFIG: Final = "/config/config.yaml"
MPS_ROOT: Final = "/run/nvidia/mps"


class DevicePluginSection(ComponentSection):
    """GPUs as a resource that pods ask for. It is there unasked where a cloud does not bring its own."""


class Group(Struct, frozen=True, kw_only=True):
    """Pools whose GPUs are shared in one way."""

    name: str
    """Of its DaemonSet: `nvidia-device-plugin-mps-4`."""
    settings: dict[str, Any]
    """The plugin's own."""
    pools: tuple[NodePool, ...]

    @property
    def uses_mps(self) -> bool:
        """A daemon of CUDA's lets processes use a GPU at once."""
        return "mps" in self.settings.get("sharing", {})

    @property
    def uses_mig(self) -> bool:
        """The GPUs are cut, which only who is privileged may see."""
        return bool(self.settings["flags"]["migStrategy"] != "none")


class NvidiaDevicePlugin(DevicePlugin[DevicePluginSection]):
    """A DaemonSet for each way of sharing."""

    name: ClassVar[str] = NAME
    namespace: ClassVar[str] = NAME
    Section = DevicePluginSection

    def emit(self, section: DevicePluginSection, given: Given) -> Iterable[Target]:
        del section
        origins = given.origins
        yield from home(NAME, origins)
        for group in _groups(given):
            yield _config(group, origins)
            yield _plugin(group, given)
            if group.uses_mps:
                yield _mps_daemon(group, given)


def _groups(given: Given) -> Iterator[Group]:
    """Pools by their way of sharing.

    Devices of a fast network that are a resource of their own go to those who ask for them. Left to itself
    the plugin gives them all to every pod with a GPU.
    """
    found: dict[str, tuple[dict[str, Any], list[NodePool]]] = {}
    for pool in given.context.platform.node_pools:
        if given.pools[pool.name].gpu_resource == GPU_RESOURCE:
            suffix, settings = _way(pool.gpu.sharing if pool.gpu else None)
            settings, pools = found.setdefault(suffix, (settings, []))
            pools.append(pool)
            if given.pools[pool.name].rdma_resource:
                settings["flags"]["mofedEnabled"] = False
    for suffix, (settings, pools) in sorted(found.items()):
        yield Group(name=NAME + suffix, settings=settings, pools=tuple(pools))


def _way(sharing: Sharing | None) -> tuple[str, dict[str, Any]]:
    """What a way of sharing is called, and the plugin's settings for it."""
    if sharing is None:
        return "", _settings()
    if sharing.mig:
        return "-mig", _settings(mig="single")
    if sharing.mps:
        return f"-mps-{sharing.mps}", _settings(mps=_replicas(sharing.mps))
    replicas = sharing.time_slices or 1
    # More than one part of a GPU is not more of the GPU: who asks for two has misunderstood.
    slices = {"failRequestsGreaterThanOne": True, **_replicas(replicas)}
    return f"-time-slices-{replicas}", _settings(timeSlicing=slices)


def _settings(*, mig: str = "none", **sharing: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {"version": "v1", "flags": {"migStrategy": mig}}
    return settings | ({"sharing": sharing} if sharing else {})


def _replicas(count: int) -> dict[str, Any]:
    return {"renameByDefault": False, "resources": [{"name": GPU_RESOURCE, "replicas": count}]}


def _why_so(group: Group, origins: tuple[Origin, ...]) -> tuple[Origin, ...]:
    """What decides a group's settings."""
    asked = [
        said(pool.gpu, field)
        for pool in group.pools
        for field in ("sharing", "rdma")
        if pool.gpu and pool.gpu.origin(field)
    ]
    return (*origins, *origins_of(asked))


def _config(group: Group, origins: tuple[Origin, ...]) -> Manifest:
    return Manifest(
        application=NAME,
        key=ObjectKey("", "ConfigMap", NAME, group.name),
        body={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": group.name, "namespace": NAME, "labels": labels(NAME, group.name)},
            "data": {"config.yaml": Said(yaml_text(group.settings), _why_so(group, origins))},
        },
        origins=origins,
    )


def _plugin(group: Group, given: Given) -> Manifest:
    mounts = [KUBELET_MOUNT, _CONFIG_MOUNT]
    volumes = [KUBELET_VOLUME, _config_volume(group)]
    environment = [{"name": "CONFIG_FILE", "value": CONFIG}]
    security: dict[str, Any] = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    if group.uses_mig:
        environment.append({"name": "NVIDIA_MIG_MONITOR_DEVICES", "value": "all"})
        security = {"privileged": True}
    if group.uses_mps:
        environment.append({"name": "MPS_ROOT", "value": MPS_ROOT})
        security = {"privileged": True}
        mounts += [{"name": "mps-root", "mountPath": "/mps"}, {"name": "mps-shm", "mountPath": "/dev/shm"}]  # noqa: S108 - of the pod
        volumes += _MPS_VOLUMES
    container = {
        "name": NAME,
        "image": image(NAME).reference,
        "command": ["nvidia-device-plugin"],
        "env": environment,
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": security,
        "volumeMounts": mounts,
    }
    return daemon_set(NAME, group.name, group.pools, given, containers=[container], volumes=volumes)


def _mps_daemon(group: Group, given: Given) -> Manifest:
    """CUDA's own daemon, in front of the plugin: it hands out shares of a GPU's memory and time."""
    common: dict[str, Any] = {
        "image": image(NAME).reference,
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": {"privileged": True},
    }
    mount = {
        **common,
        "name": "mount-shared-memory",
        "command": ["mps-control-daemon", "mount-shm"],
        "volumeMounts": [{"name": "mps-root", "mountPath": "/mps", "mountPropagation": "Bidirectional"}],
    }
    daemon = {
        **common,
        "name": "mps-control-daemon",
        "command": ["mps-control-daemon"],
        "env": [
            {"name": "CONFIG_FILE", "value": CONFIG},
            {
                "name": "NODE_NAME",
                "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}},
            },
            {"name": "NVIDIA_DRIVER_CAPABILITIES", "value": "compute,utility"},
            {"name": "NVIDIA_VISIBLE_DEVICES", "value": "all"},
        ],
        "volumeMounts": [
            {"name": "mps-root", "mountPath": "/mps"},
            {"name": "mps-shm", "mountPath": "/dev/shm"},  # noqa: S108 - of the pod
            _CONFIG_MOUNT,
        ],
    }
    return daemon_set(
        NAME,
        f"{group.name}-daemon",
        group.pools,
        given,
        initContainers=[mount],
        containers=[daemon],
        volumes=[*_MPS_VOLUMES, _config_volume(group)],
    )


def _config_volume(group: Group) -> dict[str, Any]:
    return {"name": "config", "configMap": {"name": group.name}}


_CONFIG_MOUNT: Final = {"name": "config", "mountPath": "/config", "readOnly": True}
_MPS_VOLUMES: Final = [
    host_folder("mps-root", MPS_ROOT, "DirectoryOrCreate"),
    host_folder("mps-shm", f"{MPS_ROOT}/shm", "DirectoryOrCreate"),
]

COMPONENT = NvidiaDevicePlugin()
