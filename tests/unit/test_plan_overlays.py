"""The objects of an overlay out of the files of a tree, and what is said of files that are none."""

from __future__ import annotations

import pytest

from plinth.catalog.objects import ObjectKey
from plinth.plan.overlays import build, folders_read
from plinth.plan.tree import Tree, UnreadableFile

OVERLAY = "overlays/dev/app"
BASE = "generated/base/app/1"
HEAD = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: app}\ndata: {a: one}\n"
TARGET = "  target: {kind: ConfigMap, name: x}\n"
FETCHED = "resources: [https://example.com/app.yaml]\n"


def tree(files):
    return Tree(
        marks=dict.fromkeys(files, ""), read=lambda path: files[path].encode(), origins=lambda _path: {}
    )


def over(base="resources: [object.yaml]\n", overlay="", **files):
    """An overlay on a base, each with its own kustomization."""
    return tree(
        {
            f"{BASE}/kustomization.yaml": HEAD + base,
            f"{BASE}/object.yaml": OBJECT,
            f"{OVERLAY}/kustomization.yaml": f"{HEAD}resources: [../../../{BASE}]\n{overlay}",
            **{f"{OVERLAY}/{name.replace('_', '.')}": text for name, text in files.items()},
        }
    )


def test_a_folder_without_a_kustomization_gives_nothing():
    assert build(tree({}), OVERLAY).objects == ()
    assert folders_read(tree({}), OVERLAY) == frozenset()


def test_an_object_knows_the_files_that_it_is_made_of():
    made = over(
        overlay=f"patches:\n- path: patch.yaml\n{TARGET}",
        patch_yaml="- {op: replace, path: /data/a, value: two}\n",
    )
    (found,) = build(made, OVERLAY).objects
    assert found.body["data"] == {"a": "two"}
    assert found.is_upstream
    assert found.files == (f"{BASE}/object.yaml", f"{OVERLAY}/kustomization.yaml", f"{OVERLAY}/patch.yaml")
    assert folders_read(made, OVERLAY) == {OVERLAY, BASE}


def test_a_patch_of_what_is_fetched_stands_for_the_object():
    made = over(
        FETCHED,
        f"patches:\n- path: patch.yaml\n{TARGET}",
        patch_yaml="- {op: test, path: /data/a, value: one}\n- {op: add, path: /data/b, value: two}\n",
    )
    found = build(made, OVERLAY)
    (sketch,) = found.objects
    assert (sketch.key, sketch.body, sketch.is_sketch) == (
        ObjectKey("", "ConfigMap", "", "x"),
        {"/data/b": "two"},
        True,
    )
    assert found.fetched == ((f"{BASE}/kustomization.yaml", "https://example.com/app.yaml"),)


def test_a_merge_patch_of_what_is_fetched_is_told_by_its_leaves():
    made = over(
        FETCHED, f"patches:\n- path: patch.yaml\n{TARGET}", patch_yaml="spec: {a/b: {c: 1}, d: null, e: {}}\n"
    )
    (sketch,) = build(made, OVERLAY).objects
    assert sketch.body == {"/spec/a~1b/c": 1, "/spec/d": None, "/spec/e": {}}


def test_a_patch_can_take_objects_out():
    delete = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: all}\n$patch: delete\n"
    made = over(
        overlay="patches:\n- path: patch.yaml\n  target: {kind: ConfigMap|Secret}\n", patch_yaml=delete
    )
    assert build(made, OVERLAY).objects == ()


def test_images_and_namespaces_are_moved():
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, image: 'a:1'}]}\n"
    made = over(overlay="namespace: there\nimages: [{name: a, newTag: '2'}]\n")
    made = tree({**{path: made.read(path).decode() for path in made.marks}, f"{BASE}/object.yaml": pod})
    (found,) = build(made, OVERLAY).objects
    assert found.key == ObjectKey("", "Pod", "there", "x")
    assert found.body["spec"]["containers"][0]["image"] == "a:2"
    assert f"{OVERLAY}/kustomization.yaml" in found.files


@pytest.mark.parametrize(
    ("files", "said"),
    [
        pytest.param(
            {"base": "resources: [gone.yaml]\n"}, "generated/base/app/1/gone.yaml` is named", id="no file"
        ),
        pytest.param({"overlay": f"patches:\n- path: no.yaml\n{TARGET}"}, "no.yaml` is named", id="no patch"),
        pytest.param({"overlay": "patches: [1]\n"}, "has a patch without a path or a target", id="no map"),
        pytest.param({"overlay": "}"}, "overlays/dev/app/kustomization.yaml`: ", id="no YAML"),
        pytest.param(
            {"overlay": f"patches:\n- path: p.yaml\n{TARGET}", "p_yaml": "- {op: remove, path: /data/q}\n"},
            "does not fit",
            id="a patch that does not fit",
        ),
        pytest.param(
            {"overlay": f"patches:\n- path: p.yaml\n{TARGET}", "p_yaml": "- nothing\n"},
            "does not fit",
            id="no operation",
        ),
        pytest.param({"overlay": "---\nkind: Two\n"}, "kustomization.yaml`", id="two documents"),
    ],
)
def test_a_file_that_no_compile_writes_is_named(files, said):
    with pytest.raises(UnreadableFile) as error:
        build(over(**files), OVERLAY)
    assert said in str(error.value)


def test_what_holds_no_object_is_named():
    made = over()
    made = tree(
        {**{path: made.read(path).decode() for path in made.marks}, f"{BASE}/object.yaml": "kind: X\n"}
    )
    with pytest.raises(UnreadableFile, match="lacks apiVersion"):
        build(made, OVERLAY)
