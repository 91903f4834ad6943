"""A small platform on any of the clouds."""

from __future__ import annotations

from plinth.text.emit import yaml_text

CLOUDS = {
    "aws": {
        "provider": "aws",
        "accountId": "123456789012",
        "region": "us-east-1",
        "admins": ["arn:aws:iam::123456789012:role/platform"],
    },
    "azure": {
        "provider": "azure",
        "subscriptionId": "11111111-1111-1111-1111-111111111111",
        "tenantId": "22222222-2222-2222-2222-222222222222",
        "region": "eastus2",
        "adminGroups": ["33333333-3333-3333-3333-333333333333"],
    },
    "existing": {"provider": "existing", "cluster": "lab"},
    "gcp": {
        "provider": "gcp",
        "project": "acme-ml-dev",
        "projectNumber": 123456789012,
        "region": "us-central1",
    },
}


SYSTEM = {"name": "system", "cpu": 4, "memory": "16Gi", "nodes": {"min": 1, "max": 3}}


def document(cloud="aws", *pools, system=SYSTEM, components=None, **more):
    """A spec with more pools than the system's, components, and other sections as they are given."""
    whole = {
        "apiVersion": "plinth.dev/v1alpha1",
        "kind": "Platform",
        "metadata": {"name": "acme-ml"},
        "spec": {
            "cloud": CLOUDS[cloud],
            "repository": {"url": "https://github.com/acme/ml-platform.git"},
            "nodePools": [system, *pools],
            "identity": {"domain": "ml.acme.com", "admins": ["platform@acme.com"]},
            "upstreams": "remote",
            "components": components or {},
            **more,
        },
    }
    return yaml_text(whole).encode()
