"""The data of fees: what is in it, and what a broken row is told."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from plinth.catalog import CatalogError
from plinth.catalog.fees import DATA, fees, never_counted, read_fees

ROW = {
    "cloud": "gcp",
    "name": "control plane",
    "kind": "google_container_cluster",
    "per": "resource",
    "unit": "hour",
    "prices": {"": "0.10"},
    "asOf": "2026-11-24",
    "source": "a price list",
}


def test_every_cloud_has_the_fees_that_every_platform_pays():
    for cloud in ("aws", "azure", "gcp"):
        names = {each.name for each in fees(cloud)}
        assert {"control plane", "NAT gateway", "public address", "load balancer", "boot disks"} <= names
        assert all(each.source for each in fees(cloud))
    assert fees("existing") == ()


def test_a_control_plane_is_10_cents_an_hour_on_each_cloud():
    found = [
        each.price("Standard") if each.by else each.price()
        for cloud in ("aws", "azure", "gcp")
        for each in fees(cloud)
        if each.name == "control plane"
    ]
    assert found == [Decimal("0.10")] * 3


def test_a_price_is_chosen_by_as_many_values_as_decide():
    (fee,) = read_fees({"fees": [{**ROW, "by": ["/a", "/b"], "prices": {"x": "1", "x y": "2", "": "3"}}]})[
        "gcp"
    ]
    assert fee.price("x", "y") == 2
    assert fee.price("x", "z") == 1
    assert fee.price("z", "y") is None
    assert fee.price("", "") == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prices": {"": "cheap"}}, "a field is missing or malformed"),
        ({"prices": {"": "-1"}}, "a price is below zero"),
        ({"prices": {"": "NaN"}}, "a price is below zero or no number"),
        ({"prices": None}, "a field is missing or malformed"),
        ({"asOf": "last week"}, "a field is missing or malformed"),
        ({"per": "person"}, "it is per `person`"),
        ({"unit": "year"}, "per `resource` and `year`"),
    ],
)
def test_a_broken_row_is_named(change, message):
    with pytest.raises(CatalogError, match=f"fees: gcp control plane: .*{message}"):
        read_fees({"fees": [{**ROW, **change}]})


def test_a_row_that_is_there_twice_is_refused():
    with pytest.raises(CatalogError, match="gcp control plane google_container_cluster is there twice"):
        read_fees({"fees": [ROW, ROW]})


def test_what_no_estimate_holds_is_data_as_well():
    assert list(never_counted()) == json.loads(DATA.read_bytes())["notCounted"]
    assert any("out of the cloud" in each for each in never_counted())
