"""No secret that stands in a tree or in a spec comes out of a diff, in any of its forms.

Ten thousand are planted: half of them in Secrets, whatever their form; half in config maps, variables,
annotations, names of keys, patches and the spec itself, where they look like secrets.
"""

from __future__ import annotations

import base64
import itertools
import json

import pytest

from plinth.plan import SpecChange, Tree, diff
from plinth.plan.fields import compare
from plinth.plan.masks import masked
from plinth.plan.show import Places, as_json, as_markdown, as_text
from plinth.text.emit import yaml_text
from support.planted import keys, passwords

HEAD = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
EACH = 250
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


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize("sides", ["both", "created", "deleted"])
def test_no_secret_comes_out(form, sides):
    marked = keys(20 * EACH, seed=7)
    half = len(marked) // 2
    empty = Tree(marks={}, read=lambda _path: b"", origins=lambda _path: {})
    old = empty if sides == "created" else _tree(1, marked[:half])
    new = empty if sides == "deleted" else _tree(2, marked[half:])
    spec = [
        SpecChange(path=("spec", "x", f"f{n}"), before=change.before, after=change.after)
        for n, (one, two) in enumerate(
            itertools.batched(marked[:100], 2)
            if hasattr(itertools, "batched")
            else zip(marked[:100:2], marked[1:100:2], strict=True)
        )
        for change in (masked(compare({"v": one}, {"v": two})[0], is_secret=False),)
    ]
    found = diff(old, old, new, spec=spec, due="compiler")
    assert len(found.changes) == 3
    places = Places(file="platform.yaml", base="HEAD", documents=(None, None))
    shown = {
        "text": lambda: as_text(found, places, width=10**6),
        "json": lambda: json.dumps(as_json(found, places), ensure_ascii=False),
        "markdown": lambda: as_markdown(found, places),
    }[form]()
    everything = [*marked, *passwords(10**4, seed=1)[: 2 * EACH], *passwords(10**4, seed=2)[: 2 * EACH]]
    encoded = [base64.b64encode(each.encode()).decode() for each in everything]
    assert [each for each in (*everything, *encoded) if each in shown] == []
