"""The identity of a Kubernetes object."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

CLUSTER_SCOPED: Final = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RuntimeClass",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttributesClass",
    }
)
"""Kinds of Kubernetes itself that have no namespace. Source: the API reference, 1.36."""


class ObjectKey(Struct, frozen=True, order=True):
    """What tells one object from every other in a cluster; the version is no part of it."""

    group: str
    """`""` for the core group."""
    kind: str
    namespace: str
    """`""` where the object is of the cluster, or its file leaves the namespace to whoever applies it."""
    name: str

    @property
    def is_cluster_scoped(self) -> bool:
        """True for a kind of Kubernetes itself without a namespace; kustomize gives all others one."""
        return self.kind in CLUSTER_SCOPED

    def __str__(self) -> str:
        """`apps/Deployment argocd/argocd-server`: for messages."""
        kind = f"{self.group}/{self.kind}" if self.group else self.kind
        return f"{kind} {self.namespace}/{self.name}" if self.namespace else f"{kind} {self.name}"
