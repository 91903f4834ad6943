"""Regions, zones and our own images."""

from __future__ import annotations

import pytest

from plinth.catalog import CatalogError
from plinth.catalog.images import Image, image, image_names, read_images
from plinth.catalog.machines import machines
from plinth.catalog.regions import known_regions, zones


def test_regions_of_google_cloud():
    known = known_regions("gcp")
    assert len(known) == 43
    assert list(known) == sorted(known)
    assert {"us-central1", "europe-west4", "northamerica-south1", "asia-southeast3"} <= set(known)
    assert "us-centrall" not in known
    assert {machine.region for machine in machines("gcp")} <= set(known)


def test_zones_of_a_region():
    assert zones("gcp", "us-central1") == ("us-central1-a", "us-central1-b", "us-central1-c", "us-central1-f")
    assert zones("gcp", "europe-west1") == ("europe-west1-b", "europe-west1-c", "europe-west1-d")
    assert all(len(zones("gcp", region)) >= 3 for region in known_regions("gcp"))


def test_what_we_keep_no_list_of_is_empty():
    assert known_regions("existing") == ()
    assert zones("gcp", "nowhere") == ()


@pytest.mark.parametrize("name", image_names())
def test_our_images_name_a_version(name):
    found = image(name)
    assert found.reference.startswith(f"{found.repository}:{found.tag}")
    assert not found.tag.startswith("latest")


def test_an_image_is_pinned_where_its_digest_is_known():
    digest = "sha256:" + "0" * 64
    assert Image("example.com/web", "1.0", digest).reference == f"example.com/web:1.0@{digest}"
    assert Image("example.com/web", "1.0", None).reference == "example.com/web:1.0"


def test_no_images_are_fine_and_an_unknown_one_is_not():
    assert read_images({"format": 1}) == {}
    with pytest.raises(KeyError):
        image("no-such-image")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"repository": "example.com/web", "tag": "latest"}, id="floating tag"),
        pytest.param({"tag": "1.0"}, id="no repository"),
        pytest.param(
            {"repository": "example.com/web", "tag": "1.0", "digest": "sha256:12"}, id="short digest"
        ),
    ],
)
def test_a_broken_image_is_named(row):
    with pytest.raises(CatalogError, match="web"):
        read_images({"images": {"web": row}})
