"""The autoscaler of nodes, which EKS leaves to whoever runs a cluster: without it no pool ever grows.

It is of this cloud alone, so it is no component: its objects go where the class of disks goes, into
Argo CD's own Application. It finds groups by the tags that EKS puts on them, and takes spot groups first.

Source: Cluster Autoscaler on AWS, "Permissions", "Auto-discovery setup"; "Priority based expander".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from plinth.clouds.aws.disks import APPLICATION
from plinth.clouds.aws.policies import allow, association, inline, pod_trust, policy, role
from plinth.ir.kubernetes import namespace, service_account
from plinth.ir.needs import ServiceAccount
from plinth.ir.said import Said, text, why
from plinth.ir.targets import Manifest, ObjectKey, Target

if TYPE_CHECKING:
    from plinth.clouds.aws.names import Names
    from plinth.ir.said import Origin

NAME: Final = "cluster-autoscaler"
IMAGE: Final = "registry.k8s.io/autoscaling/cluster-autoscaler"
ACCOUNT: Final = ServiceAccount(namespace=NAME, name=NAME)
LABELS: Final = {"app.kubernetes.io/name": NAME}
UID: Final = 65534

VERSIONS: Final = {
    "1.32": "v1.32.0",
    "1.33": "v1.33.0",
    "1.34": "v1.34.0",
    "1.35": "v1.35.1",
    "1.36": "v1.36.1",
}
"""One for each minor version of Kubernetes."""

SEES: Final = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeTags",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:GetInstanceTypesFromInstanceRequirements",
)
CHANGES: Final = ("autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup")

# A map with numbers for keys, which the writer of YAML has none of. The higher number goes first.
PRIORITIES: Final = "10:\n- .*\n50:\n- .*_spot-.*\n"

READ: Final = ["get", "list", "watch"]
CLUSTER_RULES: Final[tuple[tuple[str, list[str], list[str]], ...]] = (
    ("", ["events"], ["create", "patch"]),
    ("", ["pods/eviction"], ["create"]),
    ("", ["pods/status"], ["update"]),
    ("", ["nodes"], [*READ, "update"]),
    (
        "",
        [
            "namespaces",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "replicationcontrollers",
            "services",
        ],
        READ,
    ),
    ("apps", ["daemonsets", "replicasets", "statefulsets"], READ),
    ("batch", ["cronjobs", "jobs"], READ),
    ("policy", ["poddisruptionbudgets"], READ),
    ("resource.k8s.io", ["deviceclasses", "resourceclaims", "resourceslices"], READ),
    (
        "storage.k8s.io",
        ["csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments"],
        READ,
    ),
)
OWN_RULES: Final[tuple[tuple[str, list[str], list[str]], ...]] = (
    ("", ["configmaps"], ["create", "delete", *READ, "update"]),
    ("coordination.k8s.io", ["leases"], ["create", *READ, "update"]),
)


def answer(names: Names, kubernetes: Said) -> list[Target]:
    """The autoscaler, and the role by which it changes the size of this cluster's groups."""
    origins = why("EKS grows no pool by itself")
    return [*_identity(names, origins), *_objects(names, kubernetes, origins)]


def _identity(names: Names, origins: tuple[Origin, ...]) -> list[Target]:
    groups = names.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/eks-*")
    own = {"StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{names.cluster.value}": "owned"}}
    document = policy(
        allow(SEES, "*"),
        allow(("eks:DescribeNodegroup",), names.arn("eks", "nodegroup/", names.cluster, "/*")),
        allow(CHANGES, groups, Condition=own),
    )
    document = Said(document.value, (*document.origins, *names.cluster.origins))
    description = "Changes the number of nodes"
    return [
        role("cluster", NAME, names.role(NAME), pod_trust(ACCOUNT), description, origins),
        inline("cluster", NAME, "scale", document, origins),
        association("cluster", NAME, ACCOUNT, names, origins),
    ]


def _objects(names: Names, kubernetes: Said, origins: tuple[Origin, ...]) -> list[Target]:
    def made(group: str, kind: str, body: dict[str, Any], name: str = NAME, home: str = NAME) -> Manifest:
        metadata = {"name": name, "labels": LABELS, **({"namespace": home} if home else {})}
        api = f"{group}/v1" if group else "v1"
        return Manifest(
            application=APPLICATION,
            key=ObjectKey(group, kind, home, name),
            body={"apiVersion": api, "kind": kind, "metadata": metadata, **body},
            origins=origins,
        )

    rbac = "rbac.authorization.k8s.io"
    subjects = [{"kind": "ServiceAccount", "name": NAME, "namespace": NAME}]

    def bound(kind: str) -> dict[str, Any]:
        return {"roleRef": {"apiGroup": rbac, "kind": kind, "name": NAME}, "subjects": subjects}

    return [
        namespace(APPLICATION, NAME, level="restricted", base=None, origins=origins),
        service_account(APPLICATION, NAME, NAME, {}, origins),
        made(rbac, "ClusterRole", {"rules": _rules(CLUSTER_RULES)}, home=""),
        made(rbac, "ClusterRoleBinding", bound("ClusterRole"), home=""),
        made(rbac, "Role", {"rules": _rules(OWN_RULES)}),
        made(rbac, "RoleBinding", bound("Role")),
        made("", "ConfigMap", {"data": {"priorities": PRIORITIES}}, name=f"{NAME}-priority-expander"),
        made("apps", "Deployment", {"spec": _deployment(names, kubernetes)}),
    ]


def _rules(rules: tuple[tuple[str, list[str], list[str]], ...]) -> list[dict[str, Any]]:
    return [
        {"apiGroups": [group], "resources": kinds, "verbs": sorted(verbs)} for group, kinds, verbs in rules
    ]


def _deployment(names: Names, kubernetes: Said) -> dict[str, Any]:
    container = {
        "name": NAME,
        "image": kubernetes.map(lambda minor: f"{IMAGE}:{VERSIONS[minor]}"),
        "command": ["./cluster-autoscaler"],
        "args": [
            "--cloud-provider=aws",
            f"--namespace={NAME}",
            text(
                "--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/",
                names.cluster,
            ),
            "--balance-similar-node-groups=true",
            "--expander=priority,least-waste",
            "--v=2",
        ],
        "env": [{"name": "AWS_REGION", "value": names.region}],
        "ports": [{"name": "metrics", "containerPort": 8085}],
        "livenessProbe": {"httpGet": {"path": "/health-check", "port": "metrics"}, "periodSeconds": 30},
        "resources": {"requests": {"cpu": "100m", "memory": "300Mi"}, "limits": {"memory": "600Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    pod = {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": True,  # it asks the API server for everything it knows
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
    return {
        "replicas": 1,
        "revisionHistoryLimit": 3,
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": pod},
    }
