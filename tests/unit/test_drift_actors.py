"""The record of who owns what, as servers write it and as nobody should."""

import pytest

from plinth.drift.actors import entries, owned_paths, owners
from plinth.drift.paths import Keys, Member
from support.drifted import entry, owned, thing

C = Keys((("name", "c"),))
PORT = Keys((("containerPort", 80), ("protocol", "TCP")))
FIELDS = {
    "f:metadata": {"f:annotations": {".": {}, "f:a.b/c:d": {}}, "f:finalizers": {'v:"x/y"': {}}},
    "f:spec": {
        "f:selector": {},
        "f:containers": {
            'k:{"name":"c"}': {
                ".": {},
                "f:image": {},
                "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {}},
            }
        },
        "f:list": {"i:2": {}},
    },
}


def record(*found):
    return entries(owned(thing("v1", "Pod"), *found))


@pytest.mark.parametrize(
    ("path", "is_owned"),
    [
        (("metadata", "annotations", "a.b/c:d"), True),
        (("metadata", "annotations"), True),
        (("metadata", "annotations", "other"), False),
        (("metadata", "finalizers", Member('"x/y"')), True),
        (("metadata", "finalizers", Member('"z"')), False),
        (("spec", "containers", C, "image"), True),
        (("spec", "containers", C, "args"), False),
        (("spec", "containers", C), True),
        (("spec", "containers"), False),
        (("spec", "containers", C, "ports", PORT, "name"), True),
        (("spec", "containers", Keys((("name", "d"),)), "image"), False),
        (("spec", "selector", "matchLabels", "app"), True),
        (("spec", "list", 2), True),
        (("spec", "list", 1), False),
        ((), False),
    ],
)
def test_a_path_is_owned_as_the_record_says(path, is_owned):
    assert bool(owners(record(entry("m", FIELDS)), path)) is is_owned


def test_every_leaf_of_an_entry_is_a_path():
    assert set(owned_paths(record(entry("m", FIELDS))[0])) == {
        ("metadata", "annotations", "a.b/c:d"),
        ("metadata", "finalizers", Member('"x/y"')),
        ("spec", "selector"),
        ("spec", "containers", C, "image"),
        ("spec", "containers", C, "ports", PORT),
        ("spec", "list", 2),
    }


def test_the_newest_entry_is_first_and_the_status_is_nobodys():
    found = record(
        entry("old", FIELDS, time="2026-01-01T00:00:00Z"),
        entry("new", FIELDS, time="2026-02-01T00:00:00Z"),
        entry("kubelet", FIELDS, subresource="status"),
    )
    assert [one.manager for one in found] == ["new", "old"]


@pytest.mark.parametrize(
    ("manager", "is_persons"),
    [
        ("kubectl-edit", True),
        ("kubectl", True),
        ("Mozilla", True),
        ("oc", True),
        ("k9s", True),
        ("Helm", True),
        ("terraform", True),
        ("HashiCorp", True),
        ("octavia-controller", False),
        ("helmsman-operator", False),
        ("kube-controller-manager", False),
        ("argocd-controller", False),
        ("cert-manager-cainjector", False),
    ],
)
def test_the_tools_of_people_are_known_by_how_their_names_begin(manager, is_persons):
    assert record(entry(manager, FIELDS))[0].is_persons is is_persons


def test_a_long_name_is_cut_and_an_unknown_operation_is_not_repeated():
    actor = record(entry("m" * 999, FIELDS, "Nonsense"))[0].actor
    assert (len(actor.manager), actor.operation) == (128, "")


@pytest.mark.parametrize(
    "fields",
    [
        {
            "k:{": {},
            "v:": {},
            "i:x": {},
            "": {},
            "x": {},
            "k:[1]": {},
            'k:{"a":{}}': {},
            "f:a": 3,
            "f:b": None,
        },
        {"v:" + "[" * 5000: {}},
        {'k:{"name":null}': {}},
    ],
)
def test_keys_that_cannot_be_read_own_nothing(fields):
    found = record(entry("m", {"f:spec": fields}))
    assert list(owned_paths(found[0])) == []
    assert not owners(found, ("spec", C, "image"))


def test_nesting_without_end_is_walked_without_recursion():
    nested = {}
    for _ in range(20000):
        nested = {"f:a": nested}
    assert len(next(iter(owned_paths(record(entry("m", nested))[0])))) == 20000
