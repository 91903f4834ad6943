"""Which upstreams the reference platform has: those of a mirror that are rendered whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from plinth.ir.kubernetes import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """An upstream that this repository has no component for."""

    name: str
    version: str
    namespace: str
    makes_namespace: bool = True
    level: Level = "baseline"
    requires: tuple[str, ...] = ()


OURS: Final = ("argo-cd", "cert-manager", "external-secrets", "training-operator")
"""Upstreams that the package has components for."""

UPSTREAMS: Final = (
    Plugin(
        name="admission-webhook",
        version="1.10.0",
        namespace="kubeflow",
        makes_namespace=False,
        requires=("cert-manager", "training-operator"),
    ),
    Plugin(name="argo-workflows", version="4.0.10", namespace="argo"),
    Plugin(
        name="centraldashboard",
        version="1.10.0",
        namespace="kubeflow",
        makes_namespace=False,
        requires=("istio", "training-operator"),
    ),
    Plugin(name="cloudnative-pg", version="1.30.0", namespace="cnpg-system"),
    Plugin(name="dex", version="2.45.1", namespace="auth", requires=("istio",)),
    Plugin(name="ingress-nginx", version="1.15.1", namespace="ingress-nginx"),
    Plugin(name="istio", version="1.30.1", namespace="istio-system", level="privileged"),
    Plugin(
        name="katib",
        version="0.19.0",
        namespace="kubeflow",
        makes_namespace=False,
        requires=("cert-manager", "istio", "training-operator"),
    ),
    Plugin(name="knative-eventing", version="1.22.0", namespace="knative-eventing", requires=()),
    Plugin(name="knative-serving", version="1.22.0", namespace="knative-serving", requires=("istio",)),
    Plugin(name="kserve", version="0.16.0", namespace="kserve", requires=("cert-manager", "istio")),
    Plugin(name="kuberay", version="1.7.0", namespace="kuberay"),
    Plugin(
        name="model-registry",
        version="0.3.7",
        namespace="kubeflow",
        makes_namespace=False,
        requires=("istio", "training-operator"),
    ),
    Plugin(
        name="notebook-controller",
        version="1.10.0",
        namespace="kubeflow",
        makes_namespace=False,
        requires=("training-operator",),
    ),
    Plugin(name="oauth2-proxy", version="7.15.2", namespace="oauth2-proxy", requires=("istio",)),
    Plugin(
        name="profiles",
        version="1.10.0",
        namespace="kubeflow",
        makes_namespace=False,
        requires=("istio", "training-operator"),
    ),
    Plugin(
        name="pvcviewer-controller",
        version="1.10.0",
        namespace="kubeflow",
        makes_namespace=False,
        requires=("cert-manager", "training-operator"),
    ),
    Plugin(name="seldon-core-v2", version="2.6.0", namespace="seldon-mesh"),
    Plugin(
        name="spark-operator",
        version="2.5.0",
        namespace="kubeflow",
        makes_namespace=False,
        requires=("training-operator",),
    ),
    Plugin(name="trainer", version="2.3.0", namespace="kubeflow-system"),
    Plugin(name="volcano", version="1.15.1", namespace="volcano-system"),
)
