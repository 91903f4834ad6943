"""The name that was probably meant."""

from __future__ import annotations

import pytest

from plinth.diagnostics.suggest import did_you_mean, nearest

KNOWN = ("cluster", "capacity", "nodePools", "nodes", "t4", "us-central1")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        pytest.param("clustre", "cluster", id="neighbours swapped"),
        pytest.param("cluter", "cluster", id="one too few"),
        pytest.param("clusster", "cluster", id="one too many"),
        pytest.param("klaster", "cluster", id="two of seven"),
        pytest.param("nodepools", "nodePools", id="another case"),
        pytest.param("CAPACITI", "capacity", id="shouted, and one wrong"),
        pytest.param("node_pools", "nodePools", id="another style"),
        pytest.param("us-centrall1", "us-central1", id="a doubled letter"),
        pytest.param("t5", "t4", id="one of two letters"),
        pytest.param("node", "nodes", id="the nearest of several"),
        pytest.param("xlxsxer", None, id="three of seven"),
        pytest.param("x", None, id="a single letter"),
        pytest.param("", None, id="nothing"),
        pytest.param("запись", None, id="another alphabet"),
    ],
)
def test_the_nearest_name(typed, meant):
    assert nearest(typed, KNOWN) == meant


def test_of_two_that_are_as_near_the_first_by_name_is_taken():
    assert nearest("l5", ("l6", "l4")) == "l4"


def test_a_single_letter_is_like_no_other():
    assert nearest("x", ("y", "xy")) is None


def test_nothing_is_near_where_nothing_is_known():
    assert nearest("cluster", ()) is None


def test_the_help_line():
    assert did_you_mean("clustre", KNOWN, otherwise="no") == "did you mean `cluster`?"
    assert did_you_mean("zebra", KNOWN, otherwise="use one of these") == "use one of these"
