"""How bad a difference is: by what its field decides, never by how large the difference is."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from plinth.drift.paths import Path, Pattern, matches, pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.drift import Severity
    from plinth.drift.causes import GroupKind
    from plinth.drift.comparison import How

ORDER: Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low", "info")

_PODS: Final[Mapping[GroupKind, str]] = {
    ("", "Pod"): "/spec",
    ("apps", "DaemonSet"): "/spec/template/spec",
    ("apps", "Deployment"): "/spec/template/spec",
    ("apps", "ReplicaSet"): "/spec/template/spec",
    ("apps", "StatefulSet"): "/spec/template/spec",
    ("batch", "CronJob"): "/spec/jobTemplate/spec/template/spec",
    ("batch", "Job"): "/spec/template/spec",
}
"""Where a kind keeps the pods that it runs."""
_CONTAINERS: Final = ("containers", "ephemeralContainers", "initContainers")

_OF_POD: Final[tuple[tuple[str, Severity], ...]] = (
    ("/hostIPC", "critical"),
    ("/hostNetwork", "critical"),
    ("/hostPID", "critical"),
    ("/hostUsers", "critical"),
    ("/securityContext/**", "critical"),
    ("/serviceAccount", "critical"),
    ("/serviceAccountName", "critical"),
    ("/automountServiceAccountToken", "critical"),
    ("/volumes/*/hostPath/**", "critical"),
    *((f"/{name}/*/image", "critical") for name in _CONTAINERS),
    *((f"/{name}/*/securityContext/**", "critical") for name in _CONTAINERS),
    *((f"/{name}/**", "high") for name in _CONTAINERS),
)
_OF_KIND: Final[tuple[tuple[str, str, str, Severity], ...]] = (
    ("rbac.authorization.k8s.io", "ClusterRole", "/rules/**", "critical"),
    ("rbac.authorization.k8s.io", "ClusterRole", "/aggregationRule/**", "critical"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "/roleRef/**", "critical"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", "/subjects/**", "critical"),
    ("rbac.authorization.k8s.io", "Role", "/rules/**", "critical"),
    ("rbac.authorization.k8s.io", "RoleBinding", "/roleRef/**", "critical"),
    ("rbac.authorization.k8s.io", "RoleBinding", "/subjects/**", "critical"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration", "/webhooks/**", "critical"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "/webhooks/**", "critical"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "/spec/**", "critical"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "/spec/**", "critical"),
    ("networking.k8s.io", "NetworkPolicy", "/spec/**", "critical"),
    ("apiextensions.k8s.io", "CustomResourceDefinition", "/spec/conversion/**", "critical"),
    ("apiregistration.k8s.io", "APIService", "/spec/**", "critical"),
    ("", "Secret", "/data/**", "critical"),
    ("", "Secret", "/stringData/**", "critical"),
    ("", "Secret", "/type", "critical"),
    ("", "ServiceAccount", "/imagePullSecrets/**", "high"),
    ("", "ServiceAccount", "/secrets/**", "high"),
    ("", "Service", "/spec/externalIPs/**", "critical"),
    ("", "Service", "/spec/externalName", "critical"),
    ("", "Service", "/spec/type", "high"),
    ("", "Service", "/spec/loadBalancerSourceRanges/**", "critical"),
)
_OF_ANY: Final[tuple[tuple[str, Severity], ...]] = (
    ("/spec/replicas", "high"),
    ("/spec/suspend", "high"),
    ("/spec/paused", "high"),
    ("/spec/selector/**", "medium"),
    ("/metadata/labels/**", "low"),
    ("/metadata/annotations/**", "low"),
    ("/metadata/**", "medium"),
)
_POD_SECURITY: Final = "pod-security.kubernetes.io/"
_DANGERS: Final = ("containers", "externalIPs", "hostNetwork", "hostPath", "privileged", "serviceAccountName")
"""Names that, in the value of a kind that we know nothing of, mean what they mean in a pod."""


def severity_of(kind: GroupKind, path: Path, *, how: How = "value") -> Severity:
    """The severity of one leaf that differs; an order or a spelling is `low`."""
    if how != "value":
        return "low"
    if kind == ("", "Namespace") and any(str(part).startswith(_POD_SECURITY) for part in path):
        return "critical"
    for severity, wanted in _patterns(kind):
        if matches(path, wanted):
            return severity
    names = {part for part in path if isinstance(part, str)}
    return "critical" if kind not in _PODS and not names.isdisjoint(_DANGERS) else "medium"


def worst(severities: Iterable[Severity]) -> Severity:
    """The worst of some severities; `info` of none."""
    return min(severities, key=ORDER.index, default="info")


@cache
def _patterns(kind: GroupKind) -> tuple[tuple[Severity, Pattern], ...]:
    found = [(severity, pattern(_PODS[kind] + path)) for path, severity in _OF_POD] if kind in _PODS else []
    found += [(severity, pattern(path)) for group, name, path, severity in _OF_KIND if (group, name) == kind]
    return (*found, *((severity, pattern(path)) for path, severity in _OF_ANY))
