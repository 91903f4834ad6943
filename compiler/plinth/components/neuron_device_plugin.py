"""AWS's Neuron device plugin: it tells the kubelet of a node's Trainium or Inferentia.

A chip, `aws.amazon.com/neuron`, is given to one pod as a whole; pods may ask for cores instead,
`aws.amazon.com/neuroncore`. The driver is in the node's image.

Other than the plugins for GPUs and networks it speaks to the API, about nodes and pods. Its rights there are
those that AWS's chart gives it, and so are the folders of the node that it sees.

Source: Neuron, "Neuron Device Plugin"; aws-neuron/neuron-helm-charts, with device plugin 2.32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from plinth.catalog.images import image
from plinth.components._device_plugins import (
    KUBELET_MOUNT,
    KUBELET_VOLUME,
    DevicePlugin,
    daemon_set,
    home,
    host_folder,
    labels,
    pools_with_devices,
)
from plinth.ir.targets import Manifest, ObjectKey
from plinth.spec.platform import ComponentSection

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plinth.components import Given
    from plinth.ir.said import Origin
    from plinth.ir.targets import Target
    from plinth.spec.pools import NodePool

NAME: Final = "neuron-device-plugin"
RESOURCE: Final = "aws.amazon.com/neuron"
RBAC: Final = "rbac.authorization.k8s.io"

RULES: Final = (
    {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch", "update"]},
    {"apiGroups": [""], "resources": ["nodes/proxy"], "verbs": ["get", "list"]},
    {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch", "patch", "update"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
)


class NeuronDevicePluginSection(ComponentSection):
    """Trainium and Inferentia as a resource for pods. On AWS it is there unasked where a pool has some."""


class NeuronDevicePlugin(DevicePlugin[NeuronDevicePluginSection]):
    """A DaemonSet on the pools with Neuron devices."""

    name: ClassVar[str] = NAME
    namespace: ClassVar[str] = NAME
    Section = NeuronDevicePluginSection

    def emit(self, section: NeuronDevicePluginSection, given: Given) -> Iterable[Target]:
        del section
        origins = given.origins
        yield from home(NAME, origins)
        yield _cluster_wide("ClusterRole", {"rules": list(RULES)}, origins)
        yield _cluster_wide(
            "ClusterRoleBinding",
            {
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": NAME},
                "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAME}],
            },
            origins,
        )
        if pools := pools_with_devices(given, RESOURCE):
            yield _plugin(pools, given)


def _cluster_wide(kind: str, body: dict[str, Any], origins: tuple[Origin, ...]) -> Manifest:
    return Manifest(
        application=NAME,
        key=ObjectKey(RBAC, kind, "", NAME),
        body={
            "apiVersion": f"{RBAC}/v1",
            "kind": kind,
            "metadata": {"name": NAME, "labels": labels(NAME, NAME)},
            **body,
        },
        origins=origins,
    )


def _plugin(pools: list[NodePool], given: Given) -> Manifest:
    container = {
        "name": NAME,
        "image": image(NAME).reference,
        "env": [
            # Not there in a pod, after which it takes its service account.
            {"name": "KUBECONFIG", "value": "/etc/kubernetes/kubelet.conf"},
            {
                "name": "NODE_NAME",
                "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}},
            },
        ],
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        # It has to be root: the kubelet's folder is root's.
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [
            KUBELET_MOUNT,
            # Not read-only: the token of its service account is put into a folder below.
            {"name": "run", "mountPath": "/run"},
            {"name": "neuron", "mountPath": "/opt/aws", "readOnly": True},
        ],
    }
    return daemon_set(
        NAME,
        NAME,
        pools,
        given,
        automountServiceAccountToken=True,
        containers=[container],
        volumes=[
            KUBELET_VOLUME,
            host_folder("run", "/run"),
            host_folder("neuron", "/opt/aws", "DirectoryOrCreate"),
        ],
    )


COMPONENT = NeuronDevicePlugin()
