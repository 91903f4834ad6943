"""What device plugins are alike in: a pod on every node that has the devices, beside the kubelet.

A plugin tells the kubelet of a node's devices through a socket in a folder of the node, and the kubelet tells
the scheduler. So each is a DaemonSet on the pools that have the devices, tolerates what keeps other pods off
them, and is in a namespace of its own that admits what it does to the node.

Source: Kubernetes, "Device Plugins".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.catalog.images import image
from plinth.components import Component, S
from plinth.ir.kubernetes import namespace, service_account
from plinth.ir.said import Said, origins_of, value_of
from plinth.ir.targets import Manifest, ObjectKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plinth.components import Given
    from plinth.ir.said import Origin
    from plinth.ir.targets import Target
    from plinth.spec.pools import NodePool

KUBELET_FOLDER: Final = "/var/lib/kubelet/device-plugins"
KUBELET_MOUNT: Final = {"name": "device-plugins", "mountPath": KUBELET_FOLDER}


class DevicePlugin(Component[S]):
    """A component that is an image and objects of ours."""

    def versions(self, folders: tuple[Any, ...]) -> tuple[str, ...]:
        del folders  # not an upstream: the version is that of the image
        return (image(self.name).tag.removeprefix("v"),)


def home(plugin: str, origins: tuple[Origin, ...]) -> Iterator[Target]:
    """The plugin's namespace, which folders of the node may be mounted in, and its service account."""
    yield namespace(plugin, plugin, level="privileged", base=None, origins=origins)
    yield service_account(plugin, plugin, plugin, {}, origins)


def pools_with_devices(given: Given, resource: str) -> list[NodePool]:
    """The pools whose devices pods ask for by that resource."""
    every = given.context.platform.node_pools
    return [pool for pool in every if given.pools[pool.name].gpu_resource == resource]


def pools_with_rdma(given: Given, resource: str) -> list[NodePool]:
    """The pools whose fast network has that resource: all that have one, where a cloud does not know it."""
    every = given.context.platform.node_pools
    fast = [pool for pool in every if pool.gpu and pool.gpu.rdma]
    return [pool for pool in fast if given.pools[pool.name].rdma_resource in {resource, None}]


def daemon_set(plugin: str, name: str, pools: Iterable[NodePool], given: Given, **pod: Any) -> Manifest:
    """A DaemonSet on the nodes of some pools; `pod` are the fields of its pods that are the plugin's own."""
    facts = [given.pools[pool.name] for pool in pools]
    # Every pool of a platform has one label, by which its nodes are told from others.
    label = next(iter(facts[0].labels))
    named = [each.labels[label] for each in facts]
    names = Said(sorted(each.value for each in named), origins_of(named))
    tolerations = {_plain(each): each for some in facts for each in some.tolerations}
    on_pools = {"matchExpressions": [{"key": label, "operator": "In", "values": names}]}
    spec = {
        "serviceAccountName": plugin,
        "automountServiceAccountToken": False,
        "priorityClassName": "system-node-critical",
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [on_pools]}
            }
        },
        "tolerations": [tolerations[key] for key in sorted(tolerations)],
        **pod,
    }
    return Manifest(
        application=plugin,
        key=ObjectKey("apps", "DaemonSet", plugin, name),
        body={
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": name, "namespace": plugin, "labels": labels(plugin, name)},
            "spec": {
                "selector": {"matchLabels": labels(plugin, name)},
                "updateStrategy": {"type": "RollingUpdate"},
                "template": {"metadata": {"labels": labels(plugin, name)}, "spec": spec},
            },
        },
        origins=given.origins,
    )


def labels(plugin: str, name: str) -> dict[str, str]:
    """Labels of one of a plugin's objects, by which its pods are told from those of another."""
    return {"app.kubernetes.io/name": plugin, "app.kubernetes.io/instance": name}


def host_folder(name: str, path: str, kind: str = "Directory") -> dict[str, Any]:
    """A folder of the node as a volume."""
    return {"name": name, "hostPath": {"path": path, "type": kind}}


def _plain(toleration: Mapping[str, Any]) -> str:
    return repr({key: value_of(part) for key, part in toleration.items()})


KUBELET_VOLUME: Final = host_folder("device-plugins", KUBELET_FOLDER)
