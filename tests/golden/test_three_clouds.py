"""One platform on three clouds: what differs between the specs, and between what they compile to."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import yaml

import plinth
from plinth import registry
from plinth.catalog.machines import CLOUDS
from support import golden

PACKAGE = Path(plinth.__file__).parent

NAMES_CLOUDS = {
    "catalog": "dated facts are by cloud",
    "clouds": "each is one",
    "starter": "first files and workflows are written for one cloud",
}
"""Folders that may name a cloud, and why."""


def case(cloud):
    return golden.Case(golden.FOLDER / f"clouds-{cloud}")


def spec(cloud):
    return yaml.safe_load((case(cloud).folder / "platform.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("cloud", ["aws", "azure"])
def test_the_specs_differ_in_cloud_alone(cloud):
    one, other = spec("gcp"), spec(cloud)
    assert one["spec"].pop("cloud") != other["spec"].pop("cloud")
    assert one == other


def test_every_cloud_that_sells_machines_has_a_tree():
    assert {path.name.removeprefix("clouds-") for path in golden.FOLDER.glob("clouds-*")} == set(CLOUDS)
    assert set(CLOUDS) < set(registry.names("clouds"))


@pytest.mark.parametrize(
    ("cloud", "alone"),
    [
        ("aws", {"cluster-autoscaler", "efa-device-plugin", "nvidia-device-plugin"}),
        ("azure", {"autoscaler-priorities", "nvidia-device-plugin", "rdma-shared-device-plugin"}),
    ],
)
def test_what_is_delivered_is_the_same_apart_from_what_only_one_cloud_needs(cloud, alone):
    one, other = (
        {path.split("/")[2] for path in case(each).written() if path.startswith("overlays/")}
        for each in ("gcp", cloud)
    )
    assert other - one == alone
    assert one - other == set()


def test_nothing_above_the_clouds_names_one():
    """A component or a check that knows a cloud would have to know the next one as well."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if place.split("/")[0] in NAMES_CLOUDS:
            continue
        texts = {
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        if named := texts & set(CLOUDS):
            found[place] = named
    assert found == {}
