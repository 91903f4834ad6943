"""What may differ though no person did it: a table, each row with its reason.

A row is as narrow as it can be: a kind, a place, and where the record must bear it out, who wrote there
and how. A name alone explains nothing, since anybody may write under it: without its kind and place, or for a
field that says what runs or who may do what, an intruder would take it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from plinth.drift.causes import (
    GroupKind,
    Place,
    Rule,
    aggregated,
    beside_another_applier,
    bundle_left_open,
    left_to_others,
    named_after_kind,
    of_account,
    of_token_mount,
    of_token_volume,
    only_appended,
    through_scale,
    time_stamp,
    token_secret,
    undeclared,
    written,
)
from plinth.drift.paths import Path, Pattern, matches, pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def explanation(place: Place) -> Rule | None:
    """The first row that explains a difference, or None."""
    return next((rule for rule in _rows_for(place.kind) if rule.explains(place)), None)


@lru_cache(maxsize=256)
def _rows_for(kind: GroupKind) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if rule.is_of(kind))


def is_allocated(kind: GroupKind, path: Path) -> bool:
    """True for what a server hands out when an object is made: another object would get another value."""
    return any(kind == owner and matches(path, wanted) for owner, wanted in ALLOCATED)


def _kinds(group: str, *kinds: str) -> frozenset[GroupKind]:
    return frozenset((group, kind) for kind in kinds)


def _annotations(*names: str) -> Iterable[Pattern]:
    return [("metadata", "annotations", name) for name in names]


_WORKLOADS: Final = _kinds("apps", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
_WEBHOOKS: Final = _kinds(
    "admissionregistration.k8s.io", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
)
_MOUNTED: Final = "admission mounts the token of the pod's account"
_PODS: Final = _kinds("", "Pod")
_SECRETS: Final = _kinds("", "Secret")
_CLAIMS: Final = _kinds("", "PersistentVolumeClaim")
_VOLUMES: Final = _kinds("", "PersistentVolume")
_CRDS: Final = _kinds("apiextensions.k8s.io", "CustomResourceDefinition")
_HTTPS: Final = 443
_ACCOUNTS: Final = _kinds("", "ServiceAccount")
_ARGO_APPLICATIONS: Final = _kinds("argoproj.io", "Application")

ALLOCATED: Final[tuple[tuple[GroupKind, Pattern], ...]] = (
    (("", "Service"), pattern("/spec/clusterIP")),
    (("", "Service"), pattern("/spec/clusterIPs")),
    (("", "Service"), pattern("/spec/healthCheckNodePort")),
    (("", "Service"), pattern("/spec/ports/*/nodePort")),
    (("", "Pod"), pattern("/spec/nodeName")),
)
"""Compared with what is declared; where nothing is, only a record of somebody who wrote there is reported."""


def _row(
    kinds: frozenset[GroupKind] | None,
    path: str | Pattern,
    reason: str,
    when: Callable[[Place], bool] = undeclared,
    *,
    is_listed: bool = False,
    is_ours_too: bool = False,
) -> Rule:
    wanted = pattern(path) if isinstance(path, str) else path
    return Rule(
        kinds=kinds, path=wanted, reason=reason, when=when, is_listed=is_listed, is_ours_too=is_ours_too
    )


RULES: Final[tuple[Rule, ...]] = (
    # What every object gets.
    _row(None, "/metadata/finalizers/*", "a controller holds the object until it has cleaned up"),
    _row(None, "/metadata/ownerReferences/**", "a controller owns the object"),
    *(
        _row(None, path, "Argo CD marks the objects that it delivers", is_ours_too=True)
        for path in _annotations("argocd.argoproj.io/tracking-id", "argocd.argoproj.io/installation-id")
    ),
    *(
        _row(
            None,
            f"/metadata/{place}/*",
            "another tool declares it by server-side apply",
            beside_another_applier,
        )
        for place in ("annotations", "labels")
    ),
    _row(
        _kinds("", "ConfigMap"),
        "/data/*",
        "another tool declares it by server-side apply",
        beside_another_applier,
    ),
    # Who runs, and how many.
    _row(
        _WORKLOADS,
        "/spec/replicas",
        "nothing declares how many; an autoscaler or a person decides",
        left_to_others,
    ),
    _row(None, "/spec/replicas", "an autoscaler set it through the `scale` subresource", through_scale),
    _row(
        _WORKLOADS,
        ("spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"),
        "`kubectl rollout restart` stamps the pods that it replaces",
        time_stamp,
        is_listed=True,
    ),
    _row(
        _WORKLOADS,
        "/spec/template/spec/tolerations",
        "tolerations stand behind the declared ones, as admission of clouds adds them",
        only_appended,
    ),
    *(
        _row(_kinds("apps", kind), ("metadata", "annotations", name), "the controller counts revisions")
        for kind, name in (
            ("Deployment", "deployment.kubernetes.io/revision"),
            ("DaemonSet", "deprecated.daemonset.template.generation"),
        )
    ),
    *(
        _row(_kinds("batch", "Job"), path, "the controller ties pods to their Job")
        for label in (
            "batch.kubernetes.io/controller-uid",
            "batch.kubernetes.io/job-name",
            "controller-uid",
            "job-name",
        )
        for path in (
            ("metadata", "labels", label),
            ("spec", "selector", "matchLabels", label),
            ("spec", "template", "metadata", "labels", label),
        )
    ),
    *(
        _row(_kinds("batch", "Job"), path, "the controller counts finished pods by finalizers")
        for path in _annotations("batch.kubernetes.io/job-tracking")
    ),
    *(
        _row(
            _kinds("autoscaling", "HorizontalPodAutoscaler"),
            path,
            "the server keeps in it what version 1 cannot say",
        )
        for path in _annotations(
            "autoscaling.alpha.kubernetes.io/behavior",
            "autoscaling.alpha.kubernetes.io/conditions",
            "autoscaling.alpha.kubernetes.io/current-metrics",
            "autoscaling.alpha.kubernetes.io/metrics",
        )
    ),
    _row(_PODS, "/spec/volumes/*/*/**", _MOUNTED, of_token_volume),
    *(
        _row(_PODS, f"/spec/{containers}/*/volumeMounts/*/*/**", _MOUNTED, of_token_mount)
        for containers in ("containers", "initContainers")
    ),
    # Names, accounts, rights.
    _row(
        _kinds("", "Namespace"),
        ("metadata", "labels", "kubernetes.io/metadata.name"),
        "the server labels a namespace with its name",
    ),
    *(
        _row(
            _ACCOUNTS,
            f"/{place}/**",
            "a controller made a Secret for the account, named after it",
            of_account,
        )
        for place in ("secrets", "imagePullSecrets")
    ),
    *(
        _row(_SECRETS, f"/data/{key}", "the token controller fills it", token_secret)
        for key in ("ca.crt", "namespace", "token")
    ),
    *(
        _row(_SECRETS, ("metadata", place, name), "the token controller marks it", token_secret)
        for place, name in (
            ("annotations", "kubernetes.io/service-account.uid"),
            ("labels", "kubernetes.io/legacy-token-last-used"),
        )
    ),
    _row(
        _kinds("rbac.authorization.k8s.io", "ClusterRole"),
        "/rules",
        "the rules of an aggregated role are those of the roles that it selects",
        aggregated,
    ),
    # CAs, filled in by cert-manager or by the server that a webhook belongs to.
    _row(_WEBHOOKS, "/webhooks/*/clientConfig/caBundle", "a controller fills in the CA", bundle_left_open),
    _row(
        _CRDS,
        "/spec/conversion/webhook/clientConfig/caBundle",
        "a controller fills in the CA",
        bundle_left_open,
    ),
    _row(
        _kinds("apiregistration.k8s.io", "APIService"),
        "/spec/caBundle",
        "a controller fills in the CA",
        bundle_left_open,
    ),
    _row(
        _kinds("apiregistration.k8s.io", "APIService"),
        ("metadata", "labels", "kube-aggregator.kubernetes.io/automanaged"),
        "the aggregator marks what it manages",
    ),
    _row(
        _kinds("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        "/webhooks/*/failurePolicy",
        "istiod closes its webhook once it can answer",
        lambda place: place.live == "Fail" and written("pilot-discovery", "Update")(place),
    ),
    # What a server fills in where it is not asked under another name, which these kinds cannot have.
    *(
        _row(_CRDS, path, "the server fills it in", when)
        for path, when in (
            ("/spec/names/listKind", named_after_kind),
            ("/spec/names/singular", named_after_kind),
            ("/spec/conversion/strategy", lambda place: undeclared(place) and place.live == "None"),
            (
                "/spec/conversion/webhook/clientConfig/service/port",
                lambda place: undeclared(place) and place.live == _HTTPS,
            ),
        )
    ),
    _row(
        _kinds("apiregistration.k8s.io", "APIService"),
        "/spec/service/port",
        "the server fills it in",
        lambda place: undeclared(place) and place.live == _HTTPS,
    ),
    # Storage.
    _row(_CLAIMS, "/spec/volumeName", "the claim is bound to the volume that was made for it"),
    *(
        _row(_CLAIMS, path, "binding a claim leaves notes")
        for path in _annotations(
            "pv.kubernetes.io/bind-completed",
            "pv.kubernetes.io/bound-by-controller",
            "volume.beta.kubernetes.io/storage-provisioner",
            "volume.kubernetes.io/selected-node",
            "volume.kubernetes.io/storage-provisioner",
            "volume.kubernetes.io/storage-resizer",
        )
    ),
    *(
        _row(_VOLUMES, path, "binding a volume leaves notes")
        for path in _annotations("pv.kubernetes.io/bound-by-controller", "pv.kubernetes.io/provisioned-by")
    ),
    _row(_VOLUMES, "/spec/claimRef/**", "the volume is bound to a claim"),
    # What controllers of our platforms note on the objects that they serve.
    _row(_ARGO_APPLICATIONS, "/operation/**", "Argo CD keeps a running sync here"),
    *(
        _row(_ARGO_APPLICATIONS, path, "somebody asked Argo CD to look again")
        for path in _annotations("argocd.argoproj.io/hydrate", "argocd.argoproj.io/refresh")
    ),
    *(
        _row(_kinds("", "Service"), path, "Google Cloud notes its network endpoint groups")
        for path in _annotations("cloud.google.com/neg-status")
    ),
    *(
        _row(_kinds("networking.k8s.io", "Ingress"), path, "Google Cloud notes its load balancer")
        for path in _annotations(
            "ingress.kubernetes.io/backends",
            "ingress.kubernetes.io/forwarding-rule",
            "ingress.kubernetes.io/https-forwarding-rule",
            "ingress.kubernetes.io/https-target-proxy",
            "ingress.kubernetes.io/ssl-cert",
            "ingress.kubernetes.io/target-proxy",
            "ingress.kubernetes.io/url-map",
        )
    ),
    *(
        _row(_kinds(group, kind), path, "Karpenter notes what it has seen, to tell old nodes by")
        for group, kind, name in (
            ("karpenter.k8s.aws", "EC2NodeClass", "karpenter.k8s.aws/ec2nodeclass-hash"),
            ("karpenter.sh", "NodePool", "karpenter.sh/nodepool-hash"),
        )
        for path in _annotations(name, f"{name}-version")
    ),
    *(
        _row(
            _kinds("serving.knative.dev", "Configuration", "Route", "Service"),
            path,
            "Knative notes who asked",
        )
        for path in _annotations("serving.knative.dev/creator", "serving.knative.dev/lastModifier")
    ),
)
