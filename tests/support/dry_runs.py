"""An identity that may ask an API server what a write would do, and write nothing: what `plinth drift` needs.

Its rights are those that docs/drift.md names; that only dry runs pass is a matter of admission. Source: Kubernetes,
"Validating Admission Policy".
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import yaml

from rig.client import ApiError
from support.platforms import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

READER = "stranger"
"""An identity of the rig that nobody has given a right."""

UNASKED = frozenset(
    {
        *("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
        *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    }
)
"""Kinds of which the reader may be unable to ask: those that grant rights which it does not have itself, and those that
no admission policy guards."""

READ_ONLY = ({"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]},)

_ADMISSION = "admissionregistration.k8s.io/v1"
_RBAC = "rbac.authorization.k8s.io"


def documented() -> Sequence[Mapping[str, Any]]:
    """The rules that docs/drift.md tells people to give to who runs the command."""
    page = (ROOT / "docs" / "drift.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)]
    (role,) = (each for each in blocks if isinstance(each, dict) and each.get("kind") == "ClusterRole")
    rules: Sequence[Mapping[str, Any]] = role["rules"]
    return rules


def grant(cluster: Any, rules: Sequence[Mapping[str, Any]]) -> None:
    """Give the reader these rights, and no others, and wait until the server goes by them."""
    client = cluster.client
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
    reader = cluster.as_identity(READER)
    wanted = {verb: any(verb in rule["verbs"] for rule in rules) for verb in ("get", "patch")}
    cluster.wait(
        "the reader has these rights", lambda: {verb: _may(reader, verb) for verb in wanted} == wanted
    )


def _may(client: Any, verb: str) -> bool:
    """Whether somebody may do that to Deployments."""
    asked = {"resourceAttributes": {"verb": verb, "group": "apps", "resource": "deployments"}}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": asked}
    found = client.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    return bool(found["status"]["allowed"])


def unknown_kinds(report: Mapping[str, Any]) -> set[str]:
    """The kinds of what a report could not judge."""
    return {each["what"].partition(" ")[0] for each in report["unknown"]}


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
