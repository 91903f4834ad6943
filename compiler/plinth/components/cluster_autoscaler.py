"""Cluster Autoscaler: it adds nodes for pods that have none, and takes away those that are not needed.

Only where the cloud leaves that to the cluster. How groups of nodes are found is the cloud's to say. Where a
pool takes spot machines first, their group has a higher priority; groups of equal priority are told apart by
what a node of them would leave unused.

One replica, and no disruption budget: a budget over one pod would keep its node from ever being drained,
and pods wait a minute longer at worst. It runs on the pool that is always there, and never puts itself out.

Source: Cluster Autoscaler, "FAQ: What are the parameters to CA?".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from plinth.catalog.images import image, image_names
from plinth.components import Component, Given
from plinth.components._priorities import priorities
from plinth.ir import needs
from plinth.ir.kubernetes import namespace, service_account
from plinth.ir.pools import system_pool
from plinth.ir.said import Said, origins_of
from plinth.ir.targets import Manifest, ObjectKey, Target
from plinth.spec.platform import ComponentSection

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from plinth.ir.answers import AutoscalerFacts
    from plinth.ir.said import Origin

NAME: Final = "cluster-autoscaler"
PORT: Final = 8085
UID: Final = 65532
LABELS: Final = {"app.kubernetes.io/name": NAME}
RBAC: Final = "rbac.authorization.k8s.io"

STATUS: Final = f"{NAME}-status"
"""The name of a ConfigMap that the program has fixed."""

READ: Final = ("get", "list", "watch")

# What the scheduler looks at, since a simulation of it says whether a new node would help.
SEEN: Final[Mapping[str, tuple[str, ...]]] = {
    "": (
        "namespaces",
        "nodes",
        "persistentvolumeclaims",
        "persistentvolumes",
        "pods",
        "replicationcontrollers",
        "services",
    ),
    "apps": ("daemonsets", "replicasets", "statefulsets"),
    "batch": ("jobs",),
    "policy": ("poddisruptionbudgets",),
    "resource.k8s.io": ("deviceclasses", "resourceclaims", "resourceslices"),
    "storage.k8s.io": (
        "csidrivers",
        "csinodes",
        "csistoragecapacities",
        "storageclasses",
        "volumeattachments",
    ),
}


class ClusterAutoscalerSection(ComponentSection):
    """Nodes as pods need them. It is there unasked where a cloud does not change their number by itself."""


class ClusterAutoscaler(Component[ClusterAutoscalerSection]):
    """One pod that watches all others."""

    name: ClassVar[str] = NAME
    namespace: ClassVar[str] = NAME
    Section = ClusterAutoscalerSection

    def versions(self, folders: tuple[Any, ...]) -> tuple[str, ...]:
        del folders  # not an upstream: the versions are those of the images, one for each of Kubernetes
        found = [image(each).tag.removeprefix("v") for each in image_names() if each.startswith(f"{NAME}-")]
        return tuple(sorted(found, key=lambda version: [int(part) for part in version.split(".")]))

    def needs(
        self, section: ClusterAutoscalerSection, context: needs.Context, origins: tuple[Origin, ...]
    ) -> Mapping[str, needs.Need]:
        del section, context
        account = needs.ServiceAccount(namespace=NAME, name=NAME)
        return {"nodes": needs.Autoscaler(account=account, origins=origins)}

    def emit(self, section: ClusterAutoscalerSection, given: Given) -> Iterable[Target]:
        del section
        origins, facts = given.origins, given.autoscaler("nodes")
        yield namespace(NAME, NAME, level="restricted", base=None, origins=origins)
        yield service_account(NAME, NAME, NAME, facts.identity.annotations, origins)
        yield _rules("ClusterRole", [*_seen(), *_CHANGED], origins)
        yield _bound("ClusterRole", origins)
        yield _rules("Role", _OWN, origins)
        yield _bound("Role", origins)
        if facts.first:
            yield priorities(NAME, NAME, facts.first, origins)
        yield _deployment(facts, given)
        yield _network_policy(origins)


def _seen() -> list[dict[str, Any]]:
    return [_rule(group, kinds, READ) for group, kinds in SEEN.items()]


def _rule(
    group: str, kinds: Iterable[str], verbs: Iterable[str], names: Iterable[str] = ()
) -> dict[str, Any]:
    rule = {"apiGroups": [group], "resources": list(kinds), "verbs": list(verbs)}
    return rule | ({"resourceNames": list(names)} if names else {})


_CHANGED: Final = [
    _rule("", ["events"], ["create", "patch"]),
    # Taints keep pods off a node that is to go.
    _rule("", ["nodes"], ["update"]),
    _rule("", ["pods/eviction"], ["create"]),
]
_OWN: Final = [
    _rule("", ["configmaps"], ["create", "list", "watch"]),
    _rule("", ["configmaps"], ["delete", "get", "update"], [STATUS]),
    _rule("coordination.k8s.io", ["leases"], ["create"]),
    _rule("coordination.k8s.io", ["leases"], ["get", "update"], [NAME]),
]


def _object(group: str, kind: str, name: str, body: dict[str, Any], origins: tuple[Origin, ...]) -> Manifest:
    home = "" if kind.startswith("Cluster") else NAME
    return Manifest(
        application=NAME,
        key=ObjectKey(group, kind, home, name),
        body={
            "apiVersion": f"{group}/v1" if group else "v1",
            "kind": kind,
            "metadata": {"name": name, "labels": LABELS, **({"namespace": home} if home else {})},
            **body,
        },
        origins=origins,
    )


def _rules(kind: str, rules: list[dict[str, Any]], origins: tuple[Origin, ...]) -> Manifest:
    return _object(RBAC, kind, NAME, {"rules": rules}, origins)


def _bound(kind: str, origins: tuple[Origin, ...]) -> Manifest:
    body = {
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": NAME},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAME}],
    }
    return _object(RBAC, f"{kind}Binding", NAME, body, origins)


def _arguments(facts: AutoscalerFacts) -> list[str | Said]:
    expander: str | Said = "--expander=least-waste"
    if facts.first:
        expander = Said("--expander=priority,least-waste", origins_of(facts.first))
    return [
        *facts.arguments,
        f"--namespace={NAME}",
        expander,
        # Scratch space is no reason to keep a node; what must not be put out says so by annotation.
        "--skip-nodes-with-local-storage=false",
        "--v=2",
    ]


def _deployment(facts: AutoscalerFacts, given: Given) -> Manifest:
    minor = given.version.rpartition(".")[0]
    always = system_pool(given.context.platform)
    container = {
        "name": NAME,
        "image": image(f"{NAME}-{minor}").reference,
        "command": ["/cluster-autoscaler"],
        "args": _arguments(facts),
        "env": [{"name": name, "value": value} for name, value in sorted(facts.environment.items())],
        "ports": [{"name": "http", "containerPort": PORT}],
        "livenessProbe": _health(every_s=30, failures=5),
        "readinessProbe": _health(every_s=10, failures=3),
        "resources": {"requests": {"cpu": "100m", "memory": "300Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    pod: dict[str, Any] = {
        "serviceAccountName": NAME,
        # It asks the API for everything that it knows; its service account gives no token unasked.
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "priorityClassName": "system-cluster-critical",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": UID,
            "runAsGroup": UID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    if always:
        pod["nodeSelector"] = given.pools[always.name].labels
    metadata = {
        "labels": {**LABELS, **facts.identity.pod_labels},
        "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
    }
    spec = {
        "replicas": 1,
        "revisionHistoryLimit": 3,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": metadata, "spec": pod},
    }
    return _object("apps", "Deployment", NAME, {"spec": spec}, given.origins)


def _health(*, every_s: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": "/health-check", "port": "http"},
        "periodSeconds": every_s,
        "failureThreshold": failures,
    }


def _network_policy(origins: tuple[Origin, ...]) -> Manifest:
    # It asks and is never asked; probes of the kubelet are let in whatever a policy says.
    spec = {"podSelector": {"matchLabels": LABELS}, "policyTypes": ["Ingress"]}
    return _object("networking.k8s.io", "NetworkPolicy", NAME, {"spec": spec}, origins)


COMPONENT = ClusterAutoscaler()
