"""What holds of every diff: it names its cause, its opposite is its opposite, order means nothing.

Trees are compiled in memory, so that hundreds can be compared; how they come out of git is tested
with the command.
"""

from __future__ import annotations

import functools
import random

import pytest
import yaml

from plinth.ir.fileset import digest
from plinth.plan import ABSENT, Tree, diff, spec_changes
from plinth.text.nodes import read_yaml
from plinth.text.spans import show_path
from support.alternatives import ALTERNATIVES, EACH, compiled, written_anew
from support.leaves import origin_of
from support.platforms import FILE, example

OPPOSITE = {
    "create": "delete",
    "delete": "create",
    "update": "update",
    "rename": "rename",
    "forget": "create",
}


@pytest.mark.parametrize("leaf", EACH)
def test_every_change_names_the_lines_that_were_changed(leaf):
    before, after = written_anew(leaf)
    found = _diff(before, after)
    changed = {show_path(each.path) for each in found.spec}
    assert _lines_of(leaf) & changed, changed
    assert found.changes
    unexplained = [each for each in found.changes if not set(each.origins) & changed]
    assert [(each.identity.address, each.origins) for each in unexplained] == []
    assert {each.cause for each in found.changes} == {"spec"}


@pytest.mark.parametrize("leaf", EACH)
def test_a_revert_is_the_exact_opposite(leaf):
    before, after = written_anew(leaf)
    there, back = _diff(before, after), _diff(after, before)
    assert [(each.path, each.before, each.after) for each in there.spec] == [
        (each.path, each.after, each.before) for each in back.spec
    ]
    assert sorted(map(_opposite, _edited(there))) == sorted(map(_seen, _edited(back)))


@pytest.mark.parametrize("seed", range(5))
def test_a_spec_in_another_order_is_the_same_spec(seed):
    data = yaml.safe_load(example())
    draw = random.Random(seed)  # noqa: S311 - nothing secret is drawn
    shuffled = yaml.safe_dump(_shuffled(data, draw), sort_keys=False).encode()
    assert shuffled != example()
    found = _diff(example(), shuffled)
    assert (found.spec, found.changes) == ((), ())


def test_two_edits_are_told_apart():
    before, _ = written_anew("spec.nodePools.t4.nodes.max")
    after = before.replace(b"nodes: {min: 0, max: 3}", b"nodes: {min: 0, max: 9}").replace(
        b"idle: 2h", b"idle: 4h"
    )
    causes = {each.identity.address: each.origins for each in _diff(before, after).changes}
    assert causes["google_container_node_pool.t4"] == ("spec.nodePools.t4.nodes.max",)
    assert causes["ConfigMap/jupyterhub/hub-plinth"] == ("spec.components.jupyterhub.idle",)


def test_what_one_environment_changes_is_no_cause_in_another():
    before = example()
    after = before.replace(b"nodes: {min: 1, max: 3}", b"nodes: {min: 1, max: 4}")
    after = after.replace(b"nodes: {min: 2, max: 5}", b"nodes: {min: 2, max: 6}")
    causes = {each.identity.env: each.origins for each in _diff(before, after).changes}
    assert causes == {
        "dev": ("spec.nodePools.system.nodes.max",),
        "prod": ("spec.environments.prod.nodePools.system.nodes.max",),
    }


def _lines_of(leaf):
    """The paths under which a change of this leaf may be listed."""
    if leaf.endswith(".name") and not leaf.startswith("metadata"):
        item = leaf.removesuffix(".name")
        return {item, f"{item.rpartition('.')[0]}.{ALTERNATIVES[leaf]}"}
    return {origin_of(leaf)}


@functools.cache
def _diff(before: bytes, after: bytes):
    old, new = _tree(before), _tree(after)
    return diff(old, old, new, spec=spec_changes(_document(before), _document(after)), due="compiler")


def _document(data):
    return read_yaml(data, FILE)[0]


@functools.cache
def _tree(data: bytes) -> Tree:
    files = compiled(data)
    return Tree(
        marks={path: digest(made.content) for path, made in files.items()},
        read=lambda path: files[path].content,
        origins=lambda path: files[path].origins,
    )


def _edited(diff):
    """The changes without those that others bring on: what is made anew takes along what names it."""
    return [each for each in diff.changes if each.action != "replace" or each.fields]


def _seen(change):
    # What a provider chooses where nothing is said forces a new resource on the way there, and nothing back.
    action = "update" if change.action == "replace" else change.action
    fields = sorted((each.path, _text(each.before), _text(each.after)) for each in change.fields)
    return (
        change.identity.env,
        change.identity.address,
        "delete" if action == "forget" else action,
        change.was,
        fields,
    )


def _opposite(change):
    env, address, action, was, fields = _seen(change)
    mirrored = sorted((path, after, before) for path, before, after in fields)
    return (env, was or address, OPPOSITE[action], address if was else "", mirrored)


def _text(value):
    return "ABSENT" if value is ABSENT else repr(value)


def _shuffled(value, draw):
    if isinstance(value, dict):
        keys = list(value)
        draw.shuffle(keys)
        return {key: _shuffled(value[key], draw) for key in keys}
    if isinstance(value, list):
        items = [_shuffled(each, draw) for each in value]
        if items and all(isinstance(each, dict) and "name" in each for each in items):
            draw.shuffle(items)
        return items
    return value
