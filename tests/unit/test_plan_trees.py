"""What differs between two small trees, written by hand: the cases that the example does not have."""

from __future__ import annotations

import pytest

from plinth.plan import ABSENT, Tree, UnreadableFile, diff, spec_changes
from plinth.text.nodes import read_yaml

HEAD = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
OVERLAY = "overlays/dev/app"
BASE = "generated/base/app/1"
ROOT = "generated/dev/terraform/cluster"
PATCH = "patches:\n- path: patch.yaml\n  target: {kind: Namespace, name: app}\n"
FETCHED = f"{HEAD}resources: [https://example.com/app.yaml]\n"


def tree(files):
    return Tree(marks=files, read=lambda path: files[path].encode(), origins=lambda _path: {})


def changes(before, after, **more):
    old, new = tree(before), tree(after)
    found = diff(old, old, new, spec=(), due="compiler", **more).changes
    return [
        (each.identity.address, each.action, [(f.path, f.before, f.after) for f in each.fields])
        for each in found
    ]


def test_every_kind_of_terraform_block_has_an_address():
    before = {f"{ROOT}/main.tf.json": '{"terraform": {"required_version": ">= 1.11"}}'}
    after = {
        f"{ROOT}/main.tf.json": '{"terraform": {"required_version": ">= 1.12"}, "provider": {"google": {"project": "p"}},'
        ' "data": {"t": {"n": {"x": 1}}}, "ephemeral": {"t": {"n": {"x": 1}}}, "output": {"o": {"value": 1}},'
        ' "moved": [{"from": "t.a", "to": "t.b"}]}'
    }
    assert [each[:2] for each in changes(before, after)] == [
        ("data.t.n", "create"),
        ("ephemeral.t.n", "create"),
        ("moved.0", "create"),
        ("output.o", "create"),
        ("provider.google", "create"),
        ("terraform", "update"),
    ]


def test_a_resource_that_moves_to_another_root_is_two():
    body = '{"resource": {"t": {"n": {"x": 1}}}}'
    found = changes({f"{ROOT}/t.tf.json": body}, {"generated/dev/terraform/network/t.tf.json": body})
    assert [each[:2] for each in found] == [("t.n", "delete"), ("t.n", "create")]


def overlay(kustomization, **files):
    named = {f"{OVERLAY}/{name.replace('_', '.')}": text for name, text in files.items()}
    return {
        f"{BASE}/kustomization.yaml": FETCHED,
        f"{OVERLAY}/kustomization.yaml": f"{HEAD}{kustomization}",
        **named,
    }


def test_an_object_of_ours_that_upstream_begins_to_bring_is_compared_where_both_are_known():
    ours = overlay(
        f"resources: [../../../{BASE}, namespace.yaml]\n",
        namespace_yaml="apiVersion: v1\nkind: Namespace\nmetadata: {name: app, labels: {a: one, b: two}}\n",
    )
    patched = overlay(
        f"resources: [../../../{BASE}]\n{PATCH}",
        patch_yaml="- {op: add, path: /metadata/labels/a, value: three}\n",
    )
    assert changes(ours, patched) == [("Namespace/app", "update", [("/metadata/labels/a", "one", "three")])]
    same = overlay(
        f"resources: [../../../{BASE}]\n{PATCH}",
        patch_yaml="- {op: add, path: /metadata/labels/a, value: one}\n",
    )
    assert changes(ours, same) == []


def test_a_patch_that_comes_or_goes_changes_its_object():
    with_patch = overlay(
        f"resources: [../../../{BASE}]\n{PATCH}",
        patch_yaml="- {op: add, path: /metadata/labels/a, value: one}\n",
    )
    without = overlay(f"resources: [../../../{BASE}]\n")
    assert changes(without, with_patch) == [
        ("Namespace/app", "update", [("/metadata/labels/a", ABSENT, "one")])
    ]
    assert changes(with_patch, without) == [
        ("Namespace/app", "update", [("/metadata/labels/a", "one", ABSENT)])
    ]


def test_objects_that_come_to_be_at_hand_are_told_as_a_whole():
    fetched = overlay(f"resources: [../../../{BASE}]\n")
    vendored = {
        **fetched,
        f"{BASE}/kustomization.yaml": f"{HEAD}resources: [../../../vendor/app/1/x.yaml]\n",
        "generated/vendor/app/1/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
    }
    assert [each[:2] for each in changes(fetched, vendored)] == [("upstream/app", "delete")]


def test_only_the_environments_that_are_asked_for():
    before = {f"generated/{env}/terraform/cluster/t.tf.json": '{"resource": {}}' for env in ("dev", "prod")}
    after = dict.fromkeys(before, '{"resource": {"t": {"n": {}}}}')
    assert len(changes(before, after)) == 2
    assert len(changes(before, after, names=frozenset({"prod"}))) == 1


@pytest.mark.parametrize("text", ["[]", '"x"', "[1"])
def test_a_terraform_file_that_is_none_is_named(text):
    with pytest.raises(UnreadableFile, match=r"t\.tf\.json"):
        changes({f"{ROOT}/t.tf.json": "{}"}, {f"{ROOT}/t.tf.json": text})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a: 1", "a: 2", {"a": (1, 2)}),
        ("a: {b: 1}", "a: {b: 1, c: 2}", {"a.c": (ABSENT, 2)}),
        ("a: [{name: x, v: 1}, {name: y}]", "a: [{name: y}, {name: x, v: 1}]", {}),
        ("a: [{name: x, v: 1}]", "a: [{name: x, v: 2}]", {"a.x.v": (1, 2)}),
        ("a: [{v: 1}, {v: 2}]", "a: [{v: 1}, {v: 3}]", {"a": ([{"v": 1}, {"v": 2}], [{"v": 1}, {"v": 3}])}),
        ("a: [{name: x, l: [{v: 1}]}]", "a: [{name: x, l: [{v: 2}]}]", {"a.x.l": ([{"v": 1}], [{"v": 2}])}),
        ("a: [1, 2]", "a: [2, 1]", {"a": ([1, 2], [2, 1])}),
    ],
)
def test_what_was_changed_in_the_spec_goes_by_its_path(before, after, expected):
    old, new = (read_yaml(text.encode(), "p.yaml")[0] for text in (before, after))
    assert {".".join(each.path): (each.before, each.after) for each in spec_changes(old, new)} == expected
