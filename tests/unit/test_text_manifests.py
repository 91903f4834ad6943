"""Manifests read as kustomize reads them, whatever of YAML they use."""

import json
import subprocess

import pytest
import yaml

import rig
from plinth.text.manifests import ManifestError, read_manifests


@pytest.mark.parametrize(
    ("scalar", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("0755", 493),
        ("0o755", 493),
        ("08", 8.0),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("1_000", 1000),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("=", "="),
        ("-7", -7),
        ("+7", 7),
        ("-.5", -0.5),
        ("True", True),
        ("~", None),
        ("", None),
        ('"1"', "1"),
        ("'true'", "true"),
        ("!!str 1", "1"),
        ('!!int "7"', 7),
        ("! 1", "1"),
        ("v1.2", "v1.2"),
        ("1.2.3", "1.2.3"),
        ("--flag", "--flag"),
    ],
)
def test_scalars(scalar, value):
    (document,) = read_manifests(f"a: {scalar}\n".encode())
    assert document == {"a": value}
    assert type(document["a"]) is type(value)


def test_streams_anchors_and_merge_keys():
    text = b"""
a: &a {x: 1, y: 2}
b: {<<: *a, y: 3}
c: {<<: [{z: 9}, *a], z: 8}
d: [&item one, *item]
---
# nothing
---
e: |
  two
  lines
"""
    first, second = read_manifests(text)
    assert first == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 2, "z": 8},
        "d": ["one", "one"],
    }
    assert second == {"e": "two\nlines\n"}
    assert read_manifests(b"") == ()


@pytest.mark.parametrize(
    "text",
    [b"a: [", b"- a", b"a: *nowhere", b"a: !python/name:os x", b"? [a]\n: b", b"\xff", b"a: \x00", b"x"],
)
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(ManifestError):
        read_manifests(text)


def test_the_pure_parser_gives_the_same(monkeypatch):
    text = b"a: {b: [1, two, 0755, ~], c: &x {d: e}, f: *x}\n"
    fast = read_manifests(text)
    monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    assert read_manifests(text) == fast


@pytest.mark.skipif(rig.find("kubectl") is None, reason=str(rig.missing("kubectl")))
def test_kustomize_reads_the_same(tmp_path):
    values = ["yes", "0755", "1_000", "12:30:45", '"1"', "1e3", "true", "~", "v1", "'x: y'", "0x1F"]
    items = "".join(f"  - {value}\n" for value in values)
    body = f"apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: a}}\nspec:\n  items:\n{items}"
    (tmp_path / "a.yaml").write_text(body, encoding="utf-8")
    (tmp_path / "kustomization.yaml").write_text("resources: [a.yaml]\n", encoding="utf-8")
    command = [rig.find("kubectl"), "kustomize", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    (theirs,) = read_manifests(done.stdout)
    (ours,) = read_manifests(body.encode())
    assert json.loads(json.dumps(ours)) == theirs
