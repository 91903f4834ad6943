"""An identity that may ask an API server what a write would do, and write nothing: what `plinth drift` needs.

Its rights are four verbs; that only dry runs pass is a matter of admission. Source: Kubernetes, "Validating
Admission Policy".
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rig.client import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

READER = "stranger"
"""An identity of the rig that nobody has given a right."""

READER_RULES = [
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "patch", "create"]},
]
"""What a user of the command may do."""

_ADMISSION = "admissionregistration.k8s.io/v1"
_RBAC = "rbac.authorization.k8s.io"


def grant(client: Any, rules: Sequence[Mapping[str, Any]]) -> None:
    """Give the reader these rights, and no others."""
    role = {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": "reader"}}
    binding = {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "reader"}}
    client.apply({**role, "rules": rules}, manager="test")
    client.apply(
        {
            **binding,
            "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "reader"},
            "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": READER}],
        },
        manager="test",
    )


@contextmanager
def only_dry_runs(cluster: Any, body: Mapping[str, Any]) -> Iterator[None]:
    """A policy that lets nothing pass for the reader but dry runs; `body` is an object to try it on."""
    policy = {
        "apiVersion": _ADMISSION,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "dry-runs-only"},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": ["*"],
                        "apiVersions": ["*"],
                        "operations": ["CREATE", "UPDATE", "DELETE", "CONNECT"],
                        "resources": ["*/*"],
                    }
                ]
            },
            "matchConditions": [{"name": "reader", "expression": f"request.userInfo.username == '{READER}'"}],
            "validations": [{"expression": "has(request.dryRun) && request.dryRun"}],
        },
    }
    binding = {
        "apiVersion": _ADMISSION,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "dry-runs-only"},
        "spec": {"policyName": "dry-runs-only", "validationActions": ["Deny"]},
    }
    client = cluster.client
    client.apply(policy, manager="test")
    client.apply(binding, manager="test")
    try:
        stranger = cluster.as_identity(READER)
        # A policy works a moment after it is bound.
        cluster.wait("the policy is in force", lambda: _is_refused(stranger, body))
        yield
    finally:
        for each in (binding, policy):
            client.call("DELETE", client.path_of(each))


def _is_refused(client: Any, body: Mapping[str, Any]) -> bool:
    """Whether the policy is in force: a change that changes nothing is refused by it, not for want of a right."""
    path = f"{client.path_of(body)}?fieldManager=test"
    try:
        client.call("PATCH", path, {"metadata": {}}, content_type="application/merge-patch+json")
    except ApiError as error:
        return error.status == 422
    return False
