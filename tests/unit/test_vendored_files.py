"""An upstream as it lies in the tree: every object in a file of its own, and nothing lost on the way."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plinth.ir.vendored import digest_of, files, left_out, tree_digest
from plinth.text.manifests import read_manifests

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cn")), max_size=8
) | st.sampled_from(
    [
        "yes",
        "0755",
        "1e3",
        "2024-01-01",
        "null",
        "~",
        " a",
        "a: b",
        "- a",
        "#",
        "multi\nline\n",
        "{{ x }}",
        "${x}",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["web", "log", "web.example.com", "web:log", "W"])


@st.composite
def objects(draw):
    keys = st.tuples(
        st.sampled_from(["v1", "apps/v1", "serving.knative.dev/v1", "apiextensions.k8s.io/v1"]),
        st.sampled_from(["Service", "ConfigMap", "CustomResourceDefinition"]),
        st.sampled_from(["", "shop", "other"]),
        NAMES,
    )
    found = []
    for api, kind, namespace, name in draw(st.lists(keys, unique=True, max_size=8)):
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        found.append({"apiVersion": api, "kind": kind, "metadata": metadata, "data": draw(VALUES)})
    return found


def bodies(found):
    texts = (made.content for path, made in found.items() if not path.endswith("kustomization.yaml"))
    return [body for text in texts for body in read_manifests(text)]


def in_order(some):
    return sorted(some, key=lambda body: json.dumps(body, sort_keys=True))


@given(objects())
def test_what_is_split_is_what_is_put_together(some):
    assert in_order(bodies(files("web", "1", some, "because"))) == in_order(some)


@given(objects(), st.randoms())
def test_the_order_of_an_upstream_does_not_matter(some, random):
    other = list(some)
    random.shuffle(other)
    assert files("web", "1", some, "because") == files("web", "1", other, "because")
    assert digest_of(some) == digest_of(other)


@given(objects())
def test_crds_lie_apart_and_every_file_is_named(some):
    found = files("web", "1", some, "because")
    for folder in ("generated/vendor/web/1", "generated/vendor/web/1/crds"):
        here = {
            path.rpartition("/")[2]: made for path, made in found.items() if path.rpartition("/")[0] == folder
        }
        kustomization = here.pop("kustomization.yaml", None)
        assert (kustomization is None) == (not here)
        if kustomization:
            assert read_manifests(kustomization.content)[0]["resources"] == sorted(here)
        kinds = {body["kind"] for made in here.values() for body in read_manifests(made.content)}
        assert kinds <= (
            {"CustomResourceDefinition"} if folder.endswith("crds") else {"Service", "ConfigMap"}
        )


@given(st.dictionaries(st.text("ab/", min_size=1), st.text("01", min_size=1), min_size=1), st.data())
def test_the_digest_of_a_tree_knows_every_file(digests, data):
    path = data.draw(st.sampled_from(sorted(digests)))
    assert tree_digest(digests) == tree_digest(dict(reversed(digests.items())))
    assert tree_digest(digests) != tree_digest(digests | {path: digests[path] + "0"})
    assert tree_digest(digests) != tree_digest({key: mark for key, mark in digests.items() if key != path})


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("", ()),
        ("repository: x\nlicence: MIT\n", ()),
        (
            "left out:\n  - Secret/hub: blanked\n  - ConfigMap/hub (z2jh.py)\n",
            ("ConfigMap/hub", "Secret/hub"),
        ),
        ("  - Secret/early\nleft out:\n  - Secret/hub\n  - Secret/hub again\n", ("Secret/hub",)),
        ("left out:\n", ()),
    ],
)
def test_what_a_mirror_says_it_leaves_out(source, found):
    assert left_out(source) == found
