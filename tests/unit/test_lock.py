"""The lock: it comes back as it was written, and what is no lock is refused with the place."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.catalog.components import load
from plinth.ir.lock import API_VERSION, LockError, Vendored, lock_text, read_lock
from plinth.text.nodes import plain, read_yaml

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=12)
PRICES = st.decimals(0, 999_999, places=6).map(str)
PINS = st.fixed_dictionaries(
    {"machine": TEXTS}, optional={"onDemandUsdPerHour": PRICES, "runnersUp": st.lists(TEXTS, max_size=2)}
)
UPSTREAMS = {
    f"{name}/{version}": load(name, version)
    for name, version in (("argo-cd", "3.5.1"), ("cert-manager", "1.20.2"), ("jupyterhub", "4.4.0"))
}


def read(text):
    node, faults = read_yaml(text.encode(), "plinth.lock.yaml")
    assert not faults
    return read_lock(plain(node))


@given(
    versions=st.dictionaries(NAMES, st.dictionaries(NAMES, TEXTS, max_size=3), max_size=3),
    pools=st.dictionaries(NAMES, PINS, max_size=3),
    layout=st.sampled_from(["layered", "single"]),
    digest=TEXTS,
    incomplete=st.lists(TEXTS, max_size=2),
)
def test_a_lock_comes_back_as_it_was_written(versions, pools, layout, digest, incomplete):
    chosen, layouts = dict.fromkeys(versions, pools), dict.fromkeys(versions, layout)
    vendored = {"argo-cd/3.5.1": Vendored(digest=digest, incomplete=tuple(incomplete))}
    text = lock_text(
        compiler="1", versions=versions, pools=chosen, layouts=layouts, upstreams=UPSTREAMS, vendored=vendored
    )
    lock = read(text)
    assert lock.versions == versions
    assert lock.pools == chosen
    assert lock.layouts == layouts
    assert lock.vendored == vendored
    assert text == lock_text(
        compiler="1",
        versions=lock.versions,
        pools=lock.pools,
        layouts=lock.layouts,
        upstreams=UPSTREAMS,
        vendored=lock.vendored,
    )


def test_what_is_not_in_use_is_not_pinned():
    vendored = {"kueue/1.0.0": Vendored(digest="sha256:0")}
    text = lock_text(compiler="1", versions={}, pools={}, layouts={}, upstreams=UPSTREAMS, vendored=vendored)
    assert read(text).vendored == {}


def test_every_kind_of_source_says_where_it_comes_from():
    text = lock_text(compiler="1", versions={}, pools={}, layouts={}, upstreams=UPSTREAMS, vendored={})
    node, _ = read_yaml(text.encode(), "plinth.lock.yaml")
    sources = {name: entry["source"] for name, entry in plain(node)["upstreams"].items()}
    assert {name: source["kind"] for name, source in sources.items()} == {
        "argo-cd/3.5.1": "file",
        "cert-manager/1.20.2": "git",
        "jupyterhub/4.4.0": "chart",
    }
    assert re.fullmatch("[0-9a-f]{40}", sources["cert-manager/1.20.2"]["commit"])
    assert sources["jupyterhub/4.4.0"]["version"] == "4.4.0"


def locked(**rest):
    return {"apiVersion": API_VERSION, "kind": "Lock", **rest}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param([], "it is no Lock of", id="a list"),
        pytest.param({}, "it is no Lock of", id="nothing"),
        pytest.param(locked(kind="Platform"), "it is no Lock of", id="another kind"),
        pytest.param(locked(apiVersion="plinth.dev/v2"), "it is no Lock of", id="another version"),
        pytest.param(locked(environments=[]), "`environments` is no map", id="environments"),
        pytest.param(locked(environments={"dev": 1}), "`environments.dev` is no map", id="an environment"),
        pytest.param(
            locked(environments={"dev": {"components": {"kueue": 1.0}}}),
            "`environments.dev.components.kueue` is no text",
            id="a version that is a number",
        ),
        pytest.param(
            locked(environments={"dev": {"nodePools": {"t4": "n1"}}}),
            "`environments.dev.nodePools.t4` is no map",
            id="a pool",
        ),
        pytest.param(
            locked(environments={"dev": {"nodePools": {"t4": {}}}}),
            "`environments.dev.nodePools.t4.machine` is no text",
            id="a pool without a machine",
        ),
        *(
            pytest.param(
                locked(
                    environments={
                        "dev": {"nodePools": {"t4": {"machine": "n1", "onDemandUsdPerHour": price}}}
                    }
                ),
                f"`environments.dev.nodePools.t4.onDemandUsdPerHour` is no {kind}",
                id=f"a price of {price!r}",
            )
            for price, kind in [
                ("free", "price"),
                ("-1", "price"),
                ("NaN", "price"),
                ("1e3", "price"),
                (0.54, "text"),
            ]
        ),
        pytest.param(
            locked(upstreams={"a/1": {"vendored": {}}}),
            "`upstreams.a/1.vendored.digest` is no text",
            id="no digest",
        ),
        pytest.param(
            locked(upstreams={"a/1": {"vendored": {"digest": "x", "incomplete": "y"}}}),
            "`upstreams.a/1.vendored.incomplete` is no list",
            id="what is incomplete",
        ),
    ],
)
def test_what_is_no_lock_is_refused(data, message):
    with pytest.raises(LockError, match=re.escape(message)):
        read_lock(data)
