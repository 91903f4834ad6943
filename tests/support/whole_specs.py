"""A spec for each cloud in which every key stands, and another value for each of its leaves.

    before, after = platform("aws"), platform("aws", {"spec.budget.monthly": "6000"})

`found` is the same platform beside a network, a database server and a bucket that are there already.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from plinth.text.emit import yaml_text
from support.leaves import leaves, write

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOUDS: Final[dict[str, dict[str, Any]]] = {
    "gcp": {
        "provider": "gcp",
        "project": "acme-ml-dev",
        "projectNumber": 123456789012,
        "region": "us-central1",
        "zones": ["a", "b"],
        "poolZones": [
            {"name": "held", "zone": "a"},
            {"name": "train", "zone": "a"},
            {"name": "joined", "zone": "a"},
        ],
        "adminGroups": ["platform@acme.com"],
        "securityGroup": "gke-security-groups@acme.com",
        "billingAccount": "012345-6789AB-CDEF01",
        "gpuNetworks": "192.168.0.0/18",
    },
    "aws": {
        "provider": "aws",
        "accountId": "123456789012",
        "region": "us-east-1",
        "zones": ["a", "b", "c"],
        "admins": ["arn:aws:iam::123456789012:role/platform"],
    },
    "azure": {
        "provider": "azure",
        "subscriptionId": "11111111-2222-3333-4444-555555555555",
        "tenantId": "66666666-7777-8888-9999-000000000000",
        "region": "eastus2",
        "zones": ["1", "2"],
        "adminGroups": ["aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"],
        "resourceGroup": "acme",
        "providerMajor": 4,
    },
    "existing": {
        "provider": "existing",
        "cluster": "acme-lab",
        "poolLabel": "acme.com/pool",
        "storageClass": "fast",
        "objectStore": {"endpoint": "https://minio.acme.com", "credentials": {"secret": "minio"}},
    },
}

NETWORKS: Final[dict[str, dict[str, str]]] = {
    "gcp": {"network": "company", "subnetwork": "nodes", "pods": "for-pods", "services": "for-services"},
    "aws": {"network": "company"},
    "azure": {"network": "company", "resourceGroup": "company"},
}
"""Networks that are there already; `existing` makes none anyway."""

RESERVATIONS: Final = {"aws": "cr-0123456789abcdef0"}

ACCELERATORS: Final[dict[str, dict[str, Any]]] = {
    "gcp": {"model": "tpu-v5e", "count": 8},
    "aws": {"model": "trainium1", "count": 1},
}
"""Azure rents none; on `existing` any will do."""

ANOTHER: Final[dict[str, tuple[str, ...]]] = {
    "accountId": ('"123456789013"',),
    "admins": ("root@acme.com", '"arn:aws:iam::123456789012:role/other"'),
    "adminGroups": ("root@acme.com", "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee"),
    "access": ("private",),
    "allow": ("198.51.100.0/24",),
    "arch": ("arm64",),
    "artifacts": ("datasets",),
    "aws": ("m7i.2xlarge",),
    "azure": ("Standard_D8as_v5",),
    "billingAccount": ("012345-6789AB-CDEF02",),
    "branch": ("trunk",),
    "bucket": ("acmeother",),
    "capacity": ("on-demand", "spot"),
    "channel": ("stable",),
    "cluster": ("other-lab",),
    "controlPlane": ("172.16.9.0/28",),
    "count": ("16",),
    "cpu": ("64", "1"),
    "currency": ("EUR",),
    "domain": ("ai.acme.com",),
    "endpoint": ('"https://s3.acme.com"',),
    "gcp": ("n2d-standard-8",),
    "github": ("acme/other",),
    "gpuNetworks": ("192.168.64.0/18",),
    "host": ("other.acme.com",),
    "hostedDomain": ("acme.org",),
    "idle": ("3h",),
    "images": ("spark",),
    "kubernetes": ('"1.33"',),
    "layout": ("single",),
    "localSsd": ("3000Gi",),
    "max": ("7",),
    "memory": ("256Gi",),
    "mig": ("2g.20gb",),
    "min": ("2",),
    "model": ("t4", "a100-40gb", "tpu-v5p", "trainium2"),
    "monthly": ("6000",),
    "mps": ("3",),
    "name": ("renamed",),
    "network": ("other",),
    "nodes": ("10.8.0.0/16",),
    "notify": ("root@acme.com",),
    "oversize": ("false",),
    "path": ("sub",),
    "pods": ("10.68.0.0/14", "others"),
    "poolLabel": ("acme.com/other",),
    "pools": ("train",),
    "port": ("5433",),
    "project": ("acme-ml-test",),
    "projectNumber": ("123456789013",),
    "providerMajor": ("5",),
    "rdma": ("false",),
    "region": ("europe-west4", "us-west-2", "westeurope"),
    "reservation": ("other", "cr-0123456789abcdef1"),
    "resourceGroup": ("others",),
    "secret": ("other-secret",),
    "securityGroup": ("gke-security-groups@acme.org",),
    "services": ("10.10.0.0/16", "others"),
    "size": ("large",),
    "storage": ("20Gi",),
    "storageClass": ("slow",),
    "subnetwork": ("others",),
    "subscriptionId": ("11111111-2222-3333-4444-555555555556",),
    "tenantId": ("66666666-7777-8888-9999-000000000001",),
    "timeSlices": ("5",),
    "upstreams": ("vendored",),
    "url": ("https://github.com/acme/other.git", "s3://acme-others", "gs://acme-others", "abfss://others"),
    "version": ("3.4.7",),
    "weekly": ("fri 02:00-08:00",),
    "zone": ("b",),
    "zones": ("c", "f", '"3"'),
}
"""Other values by key: of those that the type of a leaf takes, the first is written."""


def platform(cloud: str, texts: Mapping[str, str] | None = None, *, found: bool = False) -> bytes:
    """The platform of a cloud, with leaves written anew."""
    data = _text(cloud, found=found)
    return write(data, texts) if texts else data


def others(leaf: str) -> tuple[str, ...]:
    """Texts that may be another value of a leaf, in the order of trying them."""
    key = leaf.rpartition(".")[2].partition("[")[0]
    return ("acme-two",) if leaf == "metadata.name" else ANOTHER.get(key, ())


def every_leaf(cloud: str, *, found: bool = False) -> tuple[str, ...]:
    """The names of all leaves of a cloud's platform."""
    return tuple(leaves(platform(cloud, found=found)))


@cache
def _text(cloud: str, *, found: bool) -> bytes:
    return yaml_text(_found(cloud) if found else _whole(cloud)).encode()


def _whole(cloud: str) -> dict[str, Any]:
    is_there = cloud == "existing"
    return {
        "apiVersion": "plinth.dev/v1alpha1",
        "kind": "Platform",
        "metadata": {"name": "acme-ml"},
        "spec": {
            "cloud": dict(CLOUDS[cloud]),
            **({"state": {"bucket": "acmemlterraform"}} if not is_there else {}),
            "repository": {
                "url": "https://github.com/acme/ml-platform.git",
                "branch": "main",
                "path": ".",
                "credentials": {"secret": "argocd-repository"},
            },
            "network": {
                "nodes": "10.0.0.0/16",
                "pods": "10.64.0.0/14",
                "services": "10.2.0.0/16",
                "controlPlane": "172.16.0.0/28",
                "access": "public",
                "allow": ["203.0.113.0/24"],
            },
            "cluster": {
                "kubernetes": "1.34",
                "channel": "regular",
                "maintenance": {"weekly": ["sat 02:00-08:00", "sun 02:00-08:00"]},
            },
            "nodePools": _pools(cloud),
            "identity": {
                "domain": "ml.acme.com",
                "admins": ["platform@acme.com"],
                "signIn": {
                    "provider": "google",
                    "hostedDomain": "acme.com",
                    "credentials": {"secret": "google-sign-in"},
                },
            },
            "tiers": [
                {"name": "cpu", "cpu": 2, "memory": "6Gi"},
                {"name": "gpu", "gpu": {"count": 2}, "cpu": 3, "memory": "10Gi", "pools": ["gpu"]},
            ],
            "layout": "layered",
            "budget": {"monthly": 5000, "currency": "USD", "notify": ["platform@acme.com"]},
            "ci": {"github": "acme/ml-platform"},
            "storage": _found_storage(cloud) if is_there else _storage(),
            "upstreams": "remote",
            "components": {
                "argo-cd": {"version": "3.5.1"},
                "jupyterhub": {"images": ["minimal"], "idle": "2h", "storage": "10Gi"},
                "mlflow": {"artifacts": "artifacts"},
            },
        },
    }


def _found(cloud: str) -> dict[str, Any]:
    whole = _whole(cloud)
    spec = whole["spec"]
    # The zones of such a network are its own on AWS.
    spec["cloud"] = {key: value for key, value in spec["cloud"].items() if (cloud, key) != ("aws", "zones")}
    spec["cloud"]["existing"] = NETWORKS[cloud]
    spec["storage"] = _found_storage(cloud)
    return whole


def _storage() -> dict[str, Any]:
    buckets = [{"name": "artifacts"}, {"name": "datasets"}]
    return {"buckets": buckets, "database": {"engine": "postgres", "size": "small"}}


def _found_storage(cloud: str) -> dict[str, Any]:
    scheme = {"gcp": "gs", "azure": "abfss"}.get(cloud, "s3")
    server = {"host": "postgres.acme.com", "port": 5432, "secret": "postgres"}
    return {
        "buckets": [{"name": "artifacts", "url": f"{scheme}://acme-artifacts"}],
        "database": {"engine": "postgres", "size": "small", "existing": server},
    }


def _pools(cloud: str) -> list[dict[str, Any]]:
    few = {"min": 0, "max": 2}
    machines = {"gcp": "n2d-standard-4", "aws": "m7i.xlarge", "azure": "Standard_D4as_v5"}
    model = {"model": "a100-80gb", "count": 8}
    pools: list[dict[str, Any]] = [
        {"name": "system", "cpu": 4, "memory": "16Gi", "arch": "amd64", "nodes": {"min": 1, "max": 3}},
        {"name": "burst", "cpu": 8, "memory": "32Gi", "capacity": "spot", "nodes": few},
        {"name": "disks", "cpu": 4, "localSsd": "100Gi", "nodes": few},
        {"name": "gpu", "gpu": model, "nodes": few},
        {"name": "any", "gpu": {"memory": "16Gi"}, "nodes": few},
        {"name": "sliced", "gpu": {**model, "sharing": {"timeSlices": 4}}, "nodes": few},
        {"name": "beside", "gpu": {**model, "sharing": {"mps": 4}}, "nodes": few},
        {"name": "cut", "gpu": {**model, "sharing": {"mig": "1g.10gb"}}, "nodes": few},
        {"name": "named", "machine": machines, "nodes": few},
        {
            "name": "held",
            "gpu": {"model": "h100-80gb", "count": 3, "oversize": True},
            "reservation": RESERVATIONS.get(cloud, "block"),
            "nodes": few,
        },
        {
            "name": "train",
            "gpu": {"model": "h200", "count": 8, "interconnect": "nvlink", "rdma": True},
            "nodes": few,
        },
    ]
    if cloud == "gcp":
        joined = {"model": "h100-80gb", "count": 8, "rdma": True}
        pools.append({"name": "joined", "gpu": joined, "nodes": few})
    if cloud != "azure":
        device = ACCELERATORS.get(cloud, {"model": "gaudi3", "count": 8})
        pools.append({"name": "chips", "accelerator": device, "nodes": few})
    return pools
