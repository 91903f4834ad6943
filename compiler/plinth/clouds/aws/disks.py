"""The class of the disks that pods ask for. EKS brings none, so claims would wait for ever.

A cloud puts into the cluster what is of that cloud alone; Argo CD's own Application carries it, as the
first that is there.

Source: aws-ebs-csi-driver, "StorageClass parameters".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.ir.said import why
from plinth.ir.targets import Manifest, ObjectKey

if TYPE_CHECKING:
    from plinth.clouds.aws.names import Names

CLASS: Final = "encrypted"
APPLICATION: Final = "argo-cd"


def storage_class(names: Names) -> Manifest:
    """gp3, encrypted with the cluster's key, made in the zone of the pod that wants it."""
    return Manifest(
        application=APPLICATION,
        key=ObjectKey("storage.k8s.io", "StorageClass", "", CLASS),
        body={
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": CLASS,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "ebs.csi.aws.com",
            "parameters": {
                "type": "gp3",
                "encrypted": "true",
                "kmsKeyId": names.arn("kms", names.alias("cluster")),
            },
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
            "allowVolumeExpansion": True,
        },
        origins=why("EKS has no default class of disks, and claims name none"),
    )
