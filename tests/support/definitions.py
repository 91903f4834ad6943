"""Custom kinds for tests of the rig: an object of one may hold anything."""

from __future__ import annotations

from typing import Any


def definition(
    group: str, kind: str, plural: str, *versions: str, scope: str = "Namespaced", said: str = "", **spec: Any
) -> dict[str, Any]:
    """A definition that stores the first of its versions; `said` describes the kind, `spec` is the rest of it."""
    schema = {"type": "object", "description": said, "x-kubernetes-preserve-unknown-fields": True}
    served = [
        {
            "name": each,
            "served": True,
            "storage": each == versions[0],
            "schema": {"openAPIV3Schema": schema},
            "subresources": {"status": {}},
        }
        for each in versions
    ]
    names = {"kind": kind, "plural": plural}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": scope, "names": names, "versions": served, **spec},
    }
