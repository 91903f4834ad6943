"""Images and the drawing of the order, as commands give them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plinth.cli import main
from support import platforms
from support.platforms import needs_mirror

ROOT = Path(__file__).parent.parent.parent


def data(capsys, *words):
    assert main([*words, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_images_are_listed_once_with_all_who_use_them(capsys):
    document = data(capsys, "images", "-C", str(ROOT))
    assert document["schema"] == "plinth.dev/images/v1"
    by_name = {each["image"]: each for each in document["images"]}
    assert list(by_name) == sorted(by_name)
    assert {user["environment"] for user in by_name["quay.io/jupyterhub/k8s-hub:4.4.0"]["usedBy"]} == {
        "dev",
        "prod",
    }
    dev_only = by_name["quay.io/jetstack/cert-manager-controller:v1.21.1"]
    assert dev_only["usedBy"] == [{"component": "cert-manager", "environment": "dev"}]
    assert all(each["pinned"] == ("@sha256:" in each["image"]) for each in document["images"])


@needs_mirror
def test_images_are_the_same_whether_upstreams_are_at_hand(tmp_path, capsys):
    text = (ROOT / "platform.yaml").read_text(encoding="utf-8")
    (tmp_path / "platform.yaml").write_text(
        text.replace("upstreams: remote", "upstreams: vendored"), encoding="utf-8"
    )
    assert main(["vendor", "--mirror", str(platforms.mirror()), "-C", str(tmp_path)]) == 0
    capsys.readouterr()
    assert data(capsys, "images", "-C", str(tmp_path)) == data(capsys, "images", "-C", str(ROOT))


def test_the_order_is_drawn_as_the_applications_have_it(capsys):
    document = data(capsys, "graph", "-C", str(ROOT))
    prod = document["environments"]["prod"]
    assert [root["layer"] for root in prod["roots"]] == ["network", "cluster", "platform"]
    waves = {each["name"]: each["wave"] for each in prod["applications"]}
    for each in prod["applications"]:
        assert all(waves[need] < each["wave"] for need in each["needs"])
        manifest = (ROOT / f"generated/prod/argocd/applications/{each['name']}.yaml").read_text(
            encoding="utf-8"
        )
        assert f'argocd.argoproj.io/sync-wave: "{each["wave"]}"' in manifest


@pytest.mark.parametrize("form", ["text", "mermaid"])
def test_one_environment_is_drawn_alone(form, capsys):
    assert main(["graph", "-C", str(ROOT), "--env", "dev", "--format", form]) == 0
    drawn = capsys.readouterr().out
    assert "mlflow" in drawn
    assert "prod" not in drawn


def test_mermaid_names_every_node_that_it_joins(capsys):
    assert main(["graph", "-C", str(ROOT), "--format", "mermaid"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    nodes = {line.partition("(")[0].partition("[")[0] for line in lines if line.endswith((")", "]"))}
    joined = {name for line in lines if " --> " in line for name in line.split(" --> ")}
    assert joined
    assert joined <= nodes


def test_an_environment_that_is_not_there(capsys):
    assert main(["graph", "-C", str(ROOT), "--env", "produ"]) == 1
    assert "did you mean `prod`?" in capsys.readouterr().err
