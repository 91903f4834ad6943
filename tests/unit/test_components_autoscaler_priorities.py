"""Priorities for AKS's autoscaler: where they are there unasked, and which pools they put first."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from plinth.diagnostics.diagnostic import SpecError
from support import platforms
from support.each_cloud import document

OVERLAY = "overlays/default/autoscaler-priorities/"
TERRAFORM = "generated/default/terraform/cluster/"


def pool(name, capacity, **more):
    return {"name": name, "cpu": 8, "memory": "32Gi", "capacity": capacity, "nodes": {"max": 3}, **more}


FIRST = pool("burst", "spot-then-on-demand")


def compiled(*arguments, **named):
    return platforms.tree(platforms.compile_bytes(document(*arguments, **named)))


def written(tree):
    found = [yaml.safe_load(tree[path]) for path in tree if path.startswith(f"{OVERLAY}configmap-")]
    return found[0] if found else None


def resources(tree, kind):
    return json.loads(tree[f"{TERRAFORM}{kind}.tf.json"])["resource"][kind]


def scale_sets(tree):
    """What AKS calls the scale sets of the pools by what Azure calls those."""
    ((default,),) = (
        each["default_node_pool"] for each in resources(tree, "azurerm_kubernetes_cluster").values()
    )
    made = resources(tree, "azurerm_kubernetes_cluster_node_pool").values()
    return {each["name"]: f"aks-{each['name']}-29141059-vmss" for each in (default, *made)}


def levels(tree):
    """The priority of every pool."""
    asked = yaml.safe_load(written(tree)["data"]["priorities"])
    return {
        pool: max(level for level, some in asked.items() if any(re.search(each, name) for each in some))
        for pool, name in scale_sets(tree).items()
    }


@pytest.mark.parametrize(
    ("cloud", "pools", "is_there"),
    [
        pytest.param("azure", [FIRST], True, id="spot first"),
        pytest.param("azure", [pool("burst", "spot")], False, id="spot alone"),
        pytest.param("azure", [], False, id="on demand"),
        pytest.param("aws", [FIRST], False, id="whose autoscaler is the platform's own"),
        pytest.param("gcp", [FIRST], False, id="whose autoscaler knows prices"),
    ],
)
def test_they_are_there_unasked_where_the_clouds_autoscaler_has_to_be_told(cloud, pools, is_there):
    assert any(path.startswith(OVERLAY) for path in compiled(cloud, *pools)) == is_there


def test_the_spot_pool_of_one_that_takes_spot_first_goes_before_all_others():
    tree = compiled(
        "azure",
        FIRST,
        pool("burst2", "spot"),
        pool("a-100", "spot-then-on-demand", cpu=None, memory=None, gpu={"model": "a100-80gb"}),
    )
    found = levels(tree)
    assert set(found) == {"system", "burst", "burstod", "burst2", "a100", "a100od"}
    assert {name for name, level in found.items() if level == max(found.values())} == {"burst", "a100"}


def test_it_is_called_as_aks_looks_for_it():
    metadata = written(compiled("azure", FIRST))["metadata"]
    name = (metadata["namespace"], metadata["name"])
    assert name == ("kube-system", "cluster-autoscaler-priority-expander")


@pytest.mark.parametrize(
    ("pools", "expander"), [([FIRST], "priority"), ([pool("burst", "spot")], "least-waste")]
)
def test_the_autoscaler_asks_for_priorities_where_there_are_some(pools, expander):
    (cluster,) = resources(compiled("azure", *pools), "azurerm_kubernetes_cluster").values()
    (profile,) = cluster["auto_scaler_profile"]
    assert profile["expander"] == expander


@pytest.mark.parametrize(
    ("cloud", "pools"),
    [("azure", [pool("burst", "spot")]), ("aws", [FIRST]), ("existing", []), ("gcp", [FIRST])],
)
def test_asked_for_where_they_have_no_use_they_are_refused(cloud, pools):
    with pytest.raises(SpecError) as caught:
        compiled(cloud, *pools, components={"autoscaler-priorities": {}})
    (fault,) = (each for each in caught.value.diagnostics if each.severity == "error")
    assert (fault.code, fault.path) == ("PLN311", ("spec", "components", "autoscaler-priorities"))
    assert fault.help == "remove it from `components`"
