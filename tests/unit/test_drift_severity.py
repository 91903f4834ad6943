"""What a field decides makes a difference bad, not how large it is."""

import pytest

from plinth.drift.paths import Keys
from plinth.drift.severity import severity_of, worst
from support.drifted import deployment, judged, thing

POD = ("spec", "template", "spec")
C = Keys((("name", "c"),))
DEPLOYMENT = ("apps", "Deployment")
RBAC = "rbac.authorization.k8s.io"
HOOKS = "admissionregistration.k8s.io"


@pytest.mark.parametrize(
    ("kind", "path", "severity"),
    [
        ((RBAC, "Role"), ("rules",), "critical"),
        ((RBAC, "ClusterRoleBinding"), ("subjects",), "critical"),
        ((RBAC, "RoleBinding"), ("roleRef", "name"), "critical"),
        (DEPLOYMENT, (*POD, "hostNetwork"), "critical"),
        (DEPLOYMENT, (*POD, "serviceAccountName"), "critical"),
        (DEPLOYMENT, (*POD, "containers", C, "image"), "critical"),
        (DEPLOYMENT, (*POD, "initContainers", C, "securityContext", "privileged"), "critical"),
        (DEPLOYMENT, (*POD, "volumes", C, "hostPath", "path"), "critical"),
        (("batch", "CronJob"), ("spec", "jobTemplate", *POD, "hostPID"), "critical"),
        ((HOOKS, "MutatingWebhookConfiguration"), ("webhooks", C, "failurePolicy"), "critical"),
        ((HOOKS, "ValidatingWebhookConfiguration"), ("webhooks", C, "clientConfig", "url"), "critical"),
        (("networking.k8s.io", "NetworkPolicy"), ("spec", "ingress"), "critical"),
        (("", "Namespace"), ("metadata", "labels", "pod-security.kubernetes.io/enforce"), "critical"),
        (("", "Service"), ("spec", "externalIPs"), "critical"),
        (("", "Secret"), ("data", "p"), "critical"),
        (("lab.example.com", "Gadget"), ("spec", "hostNetwork"), "critical"),
        (DEPLOYMENT, ("spec", "replicas"), "high"),
        (DEPLOYMENT, (*POD, "containers", C, "args"), "high"),
        (DEPLOYMENT, (*POD, "containers", C, "resources", "limits", "cpu"), "high"),
        (DEPLOYMENT, (*POD, "containers", C, "livenessProbe", "periodSeconds"), "high"),
        (("batch", "CronJob"), ("spec", "suspend"), "high"),
        (DEPLOYMENT, ("spec", "paused"), "high"),
        (("", "ConfigMap"), ("data", "a"), "medium"),
        (DEPLOYMENT, ("spec", "minReadySeconds"), "medium"),
        (("lab.example.com", "Gadget"), ("spec", "size"), "medium"),
        (("", "ConfigMap"), ("metadata", "labels", "a"), "low"),
        (DEPLOYMENT, ("metadata", "annotations", "a"), "low"),
        (("", "Namespace"), ("metadata", "labels", "team"), "low"),
        (("", "ConfigMap"), ("metadata", "labels", "pod-security.kubernetes.io/enforce"), "low"),
    ],
)
def test_a_field_has_the_severity_of_what_it_decides(kind, path, severity):
    assert severity_of(kind, path) == severity


def test_an_order_is_low():
    assert severity_of((RBAC, "Role"), ("rules",), how="order") == "low"


def test_the_worst_of_several_counts():
    assert worst(["low", "critical", "medium"]) == "critical"
    assert worst([]) == "info"


def test_one_bad_field_makes_an_object_bad():
    live = deployment(replicas=2, metadata={"labels": {"a": "b"}}, pod={"hostNetwork": True})
    assert judged(deployment(replicas=1), live).severity == "critical"
    assert (
        judged(thing("v1", "ConfigMap"), thing("v1", "ConfigMap", {"labels": {"a": "b"}})).severity == "low"
    )
