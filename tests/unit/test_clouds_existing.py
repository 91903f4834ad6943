"""A cluster that is there already: what is declared, and what nobody makes."""

from __future__ import annotations

import pytest

from plinth.text.emit import yaml_text
from support import platforms


def document(*, cloud=None, pools=(), **spec):
    whole = {
        "apiVersion": "plinth.dev/v1alpha1",
        "kind": "Platform",
        "metadata": {"name": "acme-ml"},
        "spec": {
            "cloud": {"provider": "existing", "cluster": "acme-lab", **(cloud or {})},
            "repository": {"url": "https://github.com/acme/ml-platform.git"},
            "nodePools": list(pools),
            "identity": {"domain": "ml.acme.com", "admins": ["platform@acme.com"]},
            "upstreams": "remote",
            "components": {},
            **spec,
        },
    }
    return yaml_text(whole).encode()


def told(data):
    return [(each.code, each.severity, each.path) for each in platforms.compile_bytes(data).diagnostics]


def test_what_a_cluster_is_declared_to_have_is_taken_without_a_word():
    pool = {"name": "gpu", "cpu": 8, "gpu": {"model": "l4"}, "nodes": {"min": 2, "max": 2}}
    assert told(document(cloud={"storageClass": "fast", "poolLabel": "acme.com/pool"}, pools=[pool])) == []


@pytest.mark.parametrize(
    ("section", "value"),
    [
        ("network", {"nodes": "10.8.0.0/16"}),
        ("cluster", {"maintenance": {"weekly": ["sat 02:00-08:00"]}}),
        ("layout", "single"),
        ("budget", {"monthly": 5000, "notify": ["platform@acme.com"]}),
        ("ci", {"github": "acme/ml-platform"}),
    ],
)
def test_what_nobody_makes_is_told(section, value):
    assert told(document(**{section: value})) == [("PLN327", "warning", ("spec", section))]


@pytest.mark.parametrize(("field", "value"), [("capacity", "spot"), ("reservation", "block")])
def test_how_nodes_would_be_rented_is_told(field, value):
    pool = {"name": "burst", "cpu": 8, field: value, "nodes": {"max": 2}}
    assert told(document(pools=[pool])) == [("PLN327", "warning", ("spec", "nodePools", "burst", field))]


def test_gpus_are_shared_by_the_device_plugin_alone():
    pool = {"name": "sliced", "gpu": {"model": "l4", "sharing": {"timeSlices": 4}}, "nodes": {"max": 2}}
    path = ("spec", "nodePools", "sliced", "gpu", "sharing")
    assert told(document(pools=[pool])) == [("PLN327", "warning", path)]
    assert told(document(pools=[pool], components={"nvidia-device-plugin": {}})) == []


@pytest.mark.parametrize("layout", ["layered", "single"])
def test_nothing_is_made_by_terraform(layout):
    tree = platforms.tree(platforms.compile_bytes(document(layout=layout)))
    assert [path for path in tree if "/terraform/" in path] == []
