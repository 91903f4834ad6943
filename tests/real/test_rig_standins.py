"""What the stand-ins do on a real API server, one after the other: each is missed here when it is taken out.

They act on everything in a cluster, so they have one of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from rig import missing
from rig.client import ApiError
from rig.control_plane import NODES, PROGRAMS, control_plane
from rig.standins import READY, StandInFault, missing_for_stand_ins, stand_ins
from support.definitions import definition

DEADLINE_S = 30.0
ADMISSION = "admissionregistration.k8s.io/v1"
CONVERTED = "converted.example.com"
KINDS = {
    "clustersecretstores": "ClusterSecretStore",
    "externalsecrets": "ExternalSecret",
    "certificates": "Certificate",
    "issuers": "Issuer",
    "clusterissuers": "ClusterIssuer",
}


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A cluster with stand-ins, and a namespace in it."""

    cluster: Any
    others: Any
    namespace: str

    def apply(self, api_version, kind, name, **fields):
        """An object in the namespace, where its kind has one; gives it as it is then."""
        metadata = {"name": name, "namespace": self.namespace, **fields.pop("metadata", {})}
        self.cluster.apply_all([{"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}])

    def get(self, api_version, kind, name):
        return self.cluster.client.get(api_version, kind, name, self.namespace) or {}

    def wait(self, what, is_so):
        """Wait as a test does that needs the stand-ins."""

        def is_so_with_them():
            self.others.check()
            return is_so()

        self.cluster.wait(what, is_so_with_them, DEADLINE_S)

    def serve(self, name):
        """A Service with one pod."""
        labels = {"app": name}
        container = {"name": "main", "image": "example.org/nothing:1"}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"selector": {"matchLabels": labels}, "template": template}
        self.apply("v1", "Service", name, spec={"selector": labels, "ports": [{"port": 443}]})
        self.apply("apps/v1", "Deployment", name, spec=spec)

    def called(self, name):
        """How a webhook's configuration names a Service."""
        return {"service": {"namespace": self.namespace, "name": name, "path": "/anything"}}


@pytest.fixture(scope="module")
def platform():
    lacking = missing(*PROGRAMS, *NODES) or missing_for_stand_ins()
    if lacking:
        pytest.skip(lacking)
    with control_plane() as cluster:
        cluster.add_nodes("node-1")
        with stand_ins(cluster) as others:
            yield Platform(cluster=cluster, others=others, namespace=cluster.namespace("stand-ins"))


def test_a_service_of_a_load_balancer_has_an_address_and_others_have_none(platform):
    platform.apply("v1", "Service", "inside", spec={"ports": [{"port": 80}]})
    platform.apply("v1", "Service", "web", spec={"type": "LoadBalancer", "ports": [{"port": 80}]})
    platform.wait(
        "the load balancer has an address",
        lambda: (
            platform.get("v1", "Service", "web")["status"]["loadBalancer"]
            == {"ingress": [{"hostname": f"web.{platform.namespace}.invalid"}]}
        ),
    )
    assert platform.get("v1", "Service", "inside")["status"] == {"loadBalancer": {}}


@pytest.mark.parametrize("fields", [{}, {"storageClassName": "fast"}])
def test_a_claim_has_a_volume_of_its_size(platform, fields):
    name = f"data-{len(fields)}"
    asked = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "3Gi"}}, **fields}
    platform.apply("v1", "PersistentVolumeClaim", name, spec=asked)

    def status():
        return platform.get("v1", "PersistentVolumeClaim", name).get("status", {})

    platform.wait("the claim is bound", lambda: status().get("phase") == "Bound")
    assert status()["capacity"] == {"storage": "3Gi"}


def test_a_webhook_that_fails_closed_allows_once_its_pod_is_ready(platform):
    client, name = replace(platform.cluster.client, patience_s=0.0), f"{platform.namespace}/guard"
    hook = {
        "name": "guard.example.com",
        "clientConfig": platform.called("guard"),
        "rules": [
            {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
        ],
        "objectSelector": {"matchLabels": {"guarded": "yes"}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    platform.apply(ADMISSION, "ValidatingWebhookConfiguration", "guard", webhooks=[hook])

    def refusal():
        metadata = {"name": "guarded", "namespace": platform.namespace, "labels": {"guarded": "yes"}}
        try:
            client.call(
                "POST",
                f"/api/v1/namespaces/{platform.namespace}/configmaps?dryRun=All",
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata},
            )
        except ApiError as error:
            return str(error)
        return ""

    platform.wait("it fails closed", lambda: 'failed calling webhook "guard.example.com"' in refusal())
    assert name not in platform.others.answered
    platform.serve("guard")
    platform.wait("it allows", lambda: not refusal())
    assert platform.others.answered[name] > 0


def test_an_object_is_read_in_a_version_that_a_webhook_converts_to(platform):
    webhook = {"conversionReviewVersions": ["v1"], "clientConfig": platform.called("converter")}
    conversion = {"strategy": "Webhook", "webhook": webhook}
    crd = definition(CONVERTED, "Thing", "things", "v1", "v2", conversion=conversion)
    platform.cluster.apply_all([crd])
    platform.apply(f"{CONVERTED}/v1", "Thing", "one", data={"size": 1})
    platform.serve("converter")
    # Without patience, as a wait asks again anyway.
    client = replace(platform.cluster.client, patience_s=0.0)
    path = f"/apis/{CONVERTED}/v2/namespaces/{platform.namespace}/things/one"
    found = []

    def is_read():
        try:
            found.append(client.call("GET", path))
        except ApiError:
            return False
        return True

    platform.wait("it is read as v2", is_read)
    assert (found[-1]["apiVersion"], found[-1]["data"]) == (f"{CONVERTED}/v2", {"size": 1})
    assert platform.others.answered[f"{platform.namespace}/converter"] > 0


@pytest.mark.parametrize(("api_version", "plural"), READY)
def test_what_an_operator_would_call_ready_is(platform, api_version, plural):
    scope = "Cluster" if plural.startswith("cluster") else "Namespaced"
    group, _, version = api_version.partition("/")
    platform.cluster.apply_all([definition(group, KINDS[plural], plural, version, scope=scope)])
    platform.apply(api_version, KINDS[plural], "one", spec={})

    def conditions():
        return platform.get(api_version, KINDS[plural], "one").get("status", {}).get("conditions", ())

    platform.wait(
        "it is ready",
        lambda: [(each["type"], each["status"]) for each in conditions()] == [("Ready", "True")],
    )


def test_an_external_secret_has_its_secret(platform):
    crd = definition("external-secrets.io", "ExternalSecret", "externalsecrets", "v1")
    platform.cluster.apply_all([crd])
    wanted = {"target": {"name": "password"}, "data": [{"secretKey": "user"}, {"secretKey": "word"}]}
    platform.apply("external-secrets.io/v1", "ExternalSecret", "wanted", spec=wanted)
    platform.wait("there is a Secret", lambda: platform.get("v1", "Secret", "password"))
    found = platform.get("v1", "Secret", "password")
    assert set(found["data"]) == {"user", "word"}
    assert [each["name"] for each in found["metadata"]["ownerReferences"]] == ["wanted"]


def test_a_port_in_use_is_told_at_once(platform):
    """By a second one: whoever stands in first for a webhook listens there."""
    hook = {
        "name": "busy.example.com",
        "clientConfig": platform.called("busy"),
        "rules": [],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    platform.apply(ADMISSION, "MutatingWebhookConfiguration", "busy", webhooks=[hook])
    platform.serve("busy")

    def bundle():
        found = platform.get(ADMISSION, "MutatingWebhookConfiguration", "busy")
        return found["webhooks"][0]["clientConfig"].get("caBundle")

    platform.wait("somebody listens", bundle)
    before = bundle()
    with (
        pytest.raises(StandInFault, match=r" need 127\.\S+:443: Address already in use$"),
        stand_ins(platform.cluster) as more,
    ):
        replace(platform, others=more).wait("never", lambda: False)
    assert bundle() == before
