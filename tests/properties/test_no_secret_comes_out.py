"""No secret that stands in a tree, a spec or a plan comes out of a command, in any of its forms.

Ten thousand are planted in each: in Secrets and under Terraform's marks whatever their form; in config
maps, variables, annotations and the spec itself such as look like secrets. What stands in live objects
is planted in `test_drift_properties`.
"""

from __future__ import annotations

import base64
import itertools
import json
from functools import cache

import pytest

from plinth.diagnostics.diagnostic import SpecError
from plinth.diagnostics.show import as_json as diagnostics_as_json
from plinth.diagnostics.show import as_text as diagnostics_as_text
from plinth.drift.plan_file import read_plan
from plinth.drift.report import as_json as drift_as_json
from plinth.drift.report import as_text as drift_as_text
from plinth.drift.terraform import Root, classify
from plinth.plan import SpecChange, Tree, diff
from plinth.plan.fields import compare
from plinth.plan.masks import masked
from plinth.plan.show import Places, as_json, as_markdown, as_text
from plinth.spec.read import read_spec
from plinth.text.emit import yaml_text
from support.leaves import leaves, write
from support.planted import come_out, keys, passwords
from support.platforms import FILE, example

HEAD = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
EACH = 500
"""Secrets in one field of every kind; each side of a comparison has its own."""


def _secret(draw):
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "app"},
        "data": {f"k{n}": base64.b64encode(next(draw).encode()).decode() for n in range(EACH)},
        "stringData": {f"k{n}": next(draw) for n in range(EACH)},
    }


def _config_map(draw):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "c",
            "namespace": "app",
            "annotations": {f"a{n}": next(draw) for n in range(EACH)},
        },
        "data": {f"k{n}": f"first\ntoken={next(draw)}\n" for n in range(EACH)},
    }


def _pod(draw):
    variables = [{"name": f"V{n}", "value": next(draw)} for n in range(EACH)]
    arguments = [f"--token={next(draw)}" for _ in range(EACH)]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "app"},
        "spec": {"containers": [{"name": "c", "image": "i", "env": variables, "args": arguments}]},
    }


@cache
def _tree(which, planted):
    draw = iter(planted)
    objects = {"s.yaml": _secret, "c.yaml": _config_map, "p.yaml": _pod}
    files = {
        f"overlays/dev/app/{name}": yaml_text(
            make(iter(passwords(10**4, seed=which)) if name == "s.yaml" else draw)
        )
        for name, make in objects.items()
    }
    files["overlays/dev/app/kustomization.yaml"] = yaml_text({**HEAD, "resources": sorted(objects)})
    return Tree(
        marks={path: str(hash(text)) for path, text in files.items()},
        read=lambda path: files[path].encode(),
        origins=lambda _path: {},
    )


def _spec_change(name, one, two):
    change = masked(compare({"v": one}, {"v": two})[0], is_secret=False)
    return SpecChange(path=("spec", name), before=change.before, after=change.after)


@cache
def _diff(sides):
    marked = keys(20 * EACH, seed=7)
    half = len(marked) // 2
    empty = Tree(marks={}, read=lambda _path: b"", origins=lambda _path: {})
    old = empty if sides == "created" else _tree(1, marked[:half])
    new = empty if sides == "deleted" else _tree(2, marked[half:])
    pairs = zip(marked[:100:2], marked[1:100:2], strict=True)
    spec = [_spec_change(f"f{number}", one, two) for number, (one, two) in enumerate(pairs)]
    return diff(old, old, new, spec=spec, due="compiler")


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize("sides", ["both", "created", "deleted"])
def test_no_secret_comes_out_of_a_diff(form, sides):
    found = _diff(sides)
    assert len(found.changes) == 3
    places = Places(file="platform.yaml", base="HEAD", documents=(None, None))
    shown = {
        "text": lambda: as_text(found, places, width=10**6),
        "json": lambda: json.dumps(as_json(found, places), ensure_ascii=False),
        "markdown": lambda: as_markdown(found, places),
    }[form]()
    everything = [
        *keys(20 * EACH, seed=7),
        *passwords(10**4, seed=1)[: 2 * EACH],
        *passwords(10**4, seed=2)[: 2 * EACH],
    ]
    encoded = [base64.b64encode(each.encode()).decode() for each in everything]
    assert come_out((*everything, *encoded), shown) == []


def test_no_secret_comes_out_of_a_refused_spec():
    """Each is written in the place of one value of the example, in a comment, and as a key."""
    names = list(leaves(example()))
    planted = iter(keys(10**4, seed=11))
    for _ in range(10**4 // (2 * len(names) + 1) + 1):
        here = list(itertools.islice(planted, 2 * len(names) + 1))
        if not here:
            break
        values = dict(zip(names, (json.dumps(each) for each in here), strict=False))
        text = write(example(), values) + f"  {here[-1]}: x\n".encode()
        lines = text.splitlines()
        comments = here[len(names) : -1]
        lines = [
            line + (f" # {comments[number]}".encode() if number < len(comments) else b"")
            for number, line in enumerate(lines)
        ]
        with pytest.raises(SpecError) as refused:
            read_spec(b"\n".join(lines), FILE)
        found = refused.value.diagnostics
        shown = diagnostics_as_text(found, {FILE: b"\n".join(lines)}) + json.dumps(diagnostics_as_json(found))
        assert come_out(here, shown) == []
        assert "PLN" in shown


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_comes_out_of_a_plan(form):
    """Under marks whatever they look like; without one by the name of their attribute or their own look."""
    words = iter(passwords(8000, seed=21))
    looks = iter(keys(2000, seed=22))
    changes = []
    for number in range(1000):
        before, after = _attributes(words, looks), _attributes(words, looks)
        marks = {"marked": True, "deep": [{"marked": True}]}
        change = {"actions": ["update"], "before": before, "after": after}
        changes.append(
            {
                "address": f"google_thing.t{number}",
                "mode": "managed",
                "type": "google_thing",
                "name": f"t{number}",
                "change": {
                    **change,
                    "before_sensitive": marks,
                    "after_sensitive": marks,
                    "after_unknown": {},
                },
            }
        )
    plan = {"format_version": "1.2", "complete": True, "resource_changes": changes, "resource_drift": changes}
    data = json.dumps(plan).encode()
    reading = classify(read_plan(data), Root("dev", "generated/dev/terraform/cluster"), lambda *_: ())
    assert len(reading.findings) == 1000
    shown = (
        drift_as_text(reading, lambda _: {}, width=10**6)
        if form == "text"
        else json.dumps(drift_as_json(reading, lambda _: {}), ensure_ascii=False)
    )
    everything = (*passwords(8000, seed=21), *keys(2000, seed=22))
    assert come_out(everything, shown) == []


def _attributes(words, looks):
    return {
        "marked": next(words),
        "deep": [{"marked": next(words)}],
        "root_password": next(words),
        "secret_data": next(words),
        "description": f"made with {next(looks)}",
    }
