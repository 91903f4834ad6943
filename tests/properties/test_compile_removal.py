"""What leaves the spec leaves the tree, and nothing else does; put back, every byte is there again.

Each case compiles three times into one folder: with, without, with. A file belongs to components
when the origins of everything in it name them; it must go with the last of them, and no sooner.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from plinth.cli import main
from plinth.ir.ledger import read_ledger
from plinth.text.nodes import plain, read_yaml
from plinth.text.spans import parse_path
from support.platforms import FILE, example

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Tree = dict[str, bytes]

LEDGER = "index.jsonl"

OF_ARGO_CD = "because Argo CD brings everything else into the cluster"
"""The origin of the one component that is there unasked, and never leaves."""


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["cert-manager"], id="cert-manager"),
        pytest.param(["training-operator"], id="training-operator"),
        pytest.param(["jupyterhub"], id="jupyterhub"),
        pytest.param(["mlflow"], id="mlflow"),
        pytest.param(["jupyterhub", "mlflow"], id="both that need external-secrets"),
        pytest.param(["cert-manager", "training-operator", "jupyterhub", "mlflow"], id="all"),
    ],
)
def test_a_component_takes_with_it_what_only_it_asked_for(tmp_path, names):
    without = spec()
    for part in (without["spec"], *without["spec"]["environments"].values()):
        for name in names:
            part.get("components", {}).pop(name, None)
    before, after = with_and_without(tmp_path, without)
    owners = owned(before)
    assert before.keys() - after.keys() == {
        path for path, some in owners.items() if some and some <= {*names}
    }
    assert after.keys() <= before.keys()
    for path, (old, new) in changed(before, after).items():
        if path.endswith(".tf.json"):
            assert json.loads(new) == without_resources(json.loads(old), *dropped(before, path, names)), path
        elif not path.endswith(LEDGER):
            assert leaves(new) <= leaves(old), f"{path} says something new"


def test_external_secrets_stays_while_somebody_needs_it(tmp_path):
    without = spec()
    del without["spec"]["components"]["mlflow"]
    _, after = with_and_without(tmp_path, without)
    assert "overlays/dev/external-secrets/kustomization.yaml" in after
    assert not any("mlflow" in path for path in after)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_an_environment_takes_its_folders_with_it(tmp_path, name):
    without = spec()
    del without["spec"]["environments"][name]
    before, after = with_and_without(tmp_path, without, untouched=lambda path: f"/{other(name)}/" in path)
    gone = before.keys() - after.keys()
    assert {path for path in before if path.startswith((f"overlays/{name}/", f"generated/{name}/"))} <= gone
    versions = {"dev": "1.21.1", "prod": "1.20.2"}
    assert {path for path in gone if f"/{name}/" not in path} == {
        path for path in before if path.startswith(f"generated/base/cert-manager/{versions[name]}/")
    }
    assert changed(before, after).keys() == {"generated/base/index.jsonl", "plinth.lock.yaml"}


def test_a_pool_that_one_environment_has_takes_its_resource_with_it(tmp_path):
    without = spec()
    remove_named(without["spec"]["nodePools"], "burst")
    remove_named(without["spec"]["environments"]["prod"]["nodePools"], "burst")
    before, after = with_and_without(tmp_path, without, untouched=lambda path: "/prod/" in path)
    pools = "generated/dev/terraform/cluster/google_container_node_pool.tf.json"
    assert changed(before, after).keys() == {pools, "generated/dev/index.jsonl", "plinth.lock.yaml"}
    assert json.loads(after[pools]) == without_resources(
        json.loads(before[pools]), ("resource", "google_container_node_pool", "burst")
    )


def test_a_pool_and_its_tier_take_what_named_them(tmp_path):
    without = spec()
    remove_named(without["spec"]["nodePools"], "t4")
    remove_named(without["spec"]["tiers"], "1xgpu")
    before, after = with_and_without(tmp_path, without)
    assert before.keys() == after.keys()
    for name in ("dev", "prod"):
        pools = f"generated/{name}/terraform/cluster/google_container_node_pool.tf.json"
        assert json.loads(after[pools]) == without_resources(
            json.loads(before[pools]), ("resource", "google_container_node_pool", "t4")
        )
    hub = ("configmap-hub-plinth.yaml", "patch-deployment-hub.yaml")
    assert changed(before, after).keys() == {
        "plinth.lock.yaml",
        *(f"generated/{name}/{LEDGER}" for name in ("dev", "prod")),
        *(
            f"generated/{name}/terraform/cluster/google_container_node_pool.tf.json"
            for name in ("dev", "prod")
        ),
        *(f"overlays/{name}/jupyterhub/{file}" for name in ("dev", "prod") for file in hub),
    }
    assert b"t4" not in b"".join(content for path, content in after.items() if path.startswith("overlays/"))


def with_and_without(root: Path, without: Any, untouched: Any = lambda _path: False) -> tuple[Tree, Tree]:
    """The tree with a thing and without it, after proof that putting it back restores every byte."""
    before = compiled(root, spec())
    marks = {path: (root / path).stat().st_mtime_ns for path in before if untouched(path)}
    after = compiled(root, without)
    assert {path: (root / path).stat().st_mtime_ns for path in marks} == marks
    assert [
        path for path in (root / "overlays").rglob("*") if path.is_dir() and not any(path.iterdir())
    ] == []
    assert compiled(root, spec()) == before
    return before, after


def compiled(root: Path, document: Any) -> Tree:
    (root / FILE).write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML
    assert main(["compile", "-C", str(root)]) == 0
    files = (path for path in root.rglob("*") if path.is_file() and path.name != FILE)
    found = {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
    return {path: content for path, content in found.items() if not path.startswith(".plinth/")}


def spec() -> Any:
    document, _ = read_yaml(example(), FILE)
    assert document is not None
    return plain(document)


def other(name: str) -> str:
    return {"dev": "prod", "prod": "dev"}[name]


def remove_named(items: list[dict[str, Any]], name: str) -> None:
    (item,) = (each for each in items if each["name"] == name)
    items.remove(item)


def changed(before: Tree, after: Tree) -> dict[str, tuple[bytes, bytes]]:
    """What both trees have and say differently."""
    return {
        path: (before[path], after[path]) for path in before if path in after and before[path] != after[path]
    }


def owned(tree: Tree) -> dict[str, set[str]]:
    """The components that each file belongs to; empty where something in it belongs to none."""
    found = {}
    for path, origins in _origins(tree).items():
        parts = [components(origins[pointer]) for pointer in _outermost(origins)]
        found[path] = set().union(*parts) if all(parts) else set()
    return found


def dropped(tree: Tree, path: str, names: list[str]) -> Iterator[tuple[str, ...]]:
    """The places in a file of what belongs to these components alone."""
    origins = _origins(tree)[path]
    for pointer in _outermost(origins):
        owners = components(origins[pointer])
        if owners and owners <= {*names}:
            yield tuple(pointer.split("/")[1:])


def components(origins: tuple[str, ...]) -> set[str]:
    """The components that origins name: `spec.components.<name>`, in an environment or not."""
    paths = [parse_path(text) for text in origins if not text.startswith("because ")]
    found = (path[path.index("components") + 1 :] for path in paths if "components" in path)
    return {rest[0] for rest in found if rest} | ({"argo-cd"} if OF_ARGO_CD in origins else set())


def without_resources(document: Any, *places: tuple[str, ...]) -> Any:
    """Terraform JSON without what stands at these places, nor the maps that this leaves empty."""
    for place in places:
        levels = [document]
        for part in place[:-1]:
            levels.append(levels[-1][part])
        for level, part in zip(reversed(levels), reversed(place), strict=True):
            if part == place[-1] or not level[part]:
                del level[part]
    return document


def leaves(content: bytes) -> Counter[tuple[str, str]]:
    """Every scalar with its key, counted: an item's place in a list is nothing that it says."""
    found: Counter[tuple[str, str]] = Counter()
    rest: list[tuple[str, Any]] = [("", yaml.safe_load(content))]
    while rest:
        key, value = rest.pop()
        if isinstance(value, dict):
            rest += value.items()
        elif isinstance(value, list):
            rest += [(key, item) for item in value]
        else:
            found[key, repr(value)] += 1
    return found


def _origins(tree: Tree) -> dict[str, Mapping[str, tuple[str, ...]]]:
    ledgers = [content for path, content in tree.items() if path.endswith(LEDGER)]
    return {entry.path: entry.origins for content in ledgers for entry in read_ledger(content).entries}


def _outermost(origins: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The pointers that no other pointer holds: the file itself, or each resource in it."""
    return [each for each in origins if not any(each.startswith(f"{other}/") for other in origins)]
