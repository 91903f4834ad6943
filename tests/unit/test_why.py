"""Every line of the compiled tree knows where it comes from, and every part of the spec what it becomes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plinth.cli import main
from plinth.ir.ledger import Entry, read_ledger
from plinth.ir.origins import origins_at
from plinth.reports.why import at_address, becomes, why_line
from plinth.text.nodes import find, read_yaml
from plinth.text.places import pointers
from plinth.text.spans import parse_path

ROOT = Path(__file__).parent.parent.parent
LEDGERS = sorted((ROOT / "generated").glob("*/index.jsonl"))
FILE = "overlays/dev/mlflow/deployment-mlflow.yaml"
ENTRIES = [entry for ledger in LEDGERS for entry in read_ledger(ledger.read_bytes()).entries]


@pytest.fixture(scope="module")
def document():
    node, faults = read_yaml((ROOT / "platform.yaml").read_bytes(), "platform.yaml")
    assert faults == ()
    return node


def test_every_line_of_every_file_names_a_line_of_the_spec_or_the_compiler(document):
    lines = 0
    for entry in ENTRIES:
        data = (ROOT / entry.path).read_bytes()
        for number in range(1, data.count(b"\n") + 1):
            reason = why_line(entry, data, number)
            assert reason.origins, (entry.path, number)
            for origin in reason.origins:
                is_known = origin.startswith("because ") or find(document, parse_path(origin)) is not None
                assert is_known, (entry.path, number, origin)
            lines += 1
    assert lines > 3000


def test_a_field_names_the_closest_origins():
    origins = {"": ("spec.a",), "/x": ("spec.a.x", "because of the lock"), "/x/y/z": ("spec.b",)}
    assert origins_at(origins, "/x") == ("spec.a.x", "because of the lock")
    assert origins_at(origins, "/x/q") == ("spec.a.x", "because of the lock")
    assert origins_at(origins, "/x/y") == ("spec.b",)
    assert origins_at(origins, "/x/y/z/0") == ("spec.b",)
    assert origins_at(origins, "/other") == ("spec.a",)
    assert origins_at({}, "/other") == ("because the file's format wants it",)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        pytest.param("a: 1\nb:\n  c: 2\n", ["/a", "/b", "/b/c"], id="maps"),
        pytest.param("- x: 1\n  y: 2\n- z\n", ["/0/x", "/0/y", "/1"], id="lists"),
        pytest.param("a: |\n  one\n  two\nb: 3\n", ["/a", "/a", "/a", "/b"], id="a block of text"),
        pytest.param('{\n  "a": {\n    "b/c": 1\n  }\n}\n', ["", "/a", "/a/b~1c", "/a", ""], id="JSON"),
        pytest.param("# only a comment\n", [""], id="nothing"),
    ],
)
def test_pointers_by_line(text, wanted):
    assert list(pointers(text.encode()))[: len(wanted)] == wanted


def test_a_path_of_the_spec_becomes_fields_of_every_environment():
    files = {reason.file for reason in becomes(ENTRIES, "spec.nodePools.t4.nodes.max")}
    assert files == {
        f"generated/{name}/terraform/cluster/google_container_node_pool.tf.json" for name in ("dev", "prod")
    }
    assert {reason.file for reason in becomes(ENTRIES, "spec.nodePools.t4.nodes")} == files
    assert becomes(ENTRIES, "spec.nodePools.t") == ()


def test_an_address_is_found_in_every_environment():
    assert {reason.file.split("/")[1] for reason in at_address(ENTRIES, "google_sql_user.mlflow")} == {
        "dev",
        "prod",
    }
    assert {reason.file for reason in at_address(ENTRIES, "Deployment/mlflow")} == {
        f"overlays/{name}/mlflow/deployment-mlflow.yaml" for name in ("dev", "prod")
    }


@pytest.mark.parametrize(
    ("address", "file"),
    [
        ("Deployment.apps/mlflow/mlflow", "overlays/dev/mlflow/deployment-mlflow.yaml"),
        ("Namespace/mlflow", "overlays/dev/mlflow/namespace-mlflow.yaml"),
        ("Deployment.apps/jupyterhub/hub", "overlays/dev/jupyterhub/patch-deployment-hub.yaml"),
        ("Secret/jupyterhub/hub", "overlays/dev/jupyterhub/patch-secret-hub.yaml"),
    ],
)
def test_an_object_is_found_by_the_address_that_a_diff_prints(address, file):
    assert file in {reason.file for reason in at_address(ENTRIES, address)}
    assert at_address(ENTRIES, f"{address}-other") == ()


def test_the_command_answers_in_text_and_json(capsys):
    path = "overlays/prod/mlflow/deployment-mlflow.yaml"
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    number = next(index for index, line in enumerate(lines, start=1) if "artifacts-destination" in line)
    assert main(["why", f"{path}:{number}", "-C", str(ROOT)]) == 0
    assert "platform.yaml:" in capsys.readouterr().out
    assert main(["why", f"{path}:{number}", "-C", str(ROOT), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "plinth.dev/why/v1"
    (answer,) = document["answers"]
    assert (answer["file"], answer["line"]) == (path, number)
    paths = {origin["path"] for origin in answer["origins"]}
    assert {"spec.components.mlflow.artifacts", "spec.environments.prod.cloud.project"} <= paths


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (
            "overlays/prod/mlflow/deployment-mlflow.yml",
            "did you mean `overlays/prod/mlflow/deployment-mlflow.yaml`?",
        ),
        ("overlays/prod/mlflow/deployment-mlflow.yaml:99999", "lines"),
        ("spec.nothing", "nothing in the compiled tree comes from `spec.nothing`"),
        ("google_sql_user.nobody", "no compiled file, resource or object"),
    ],
)
def test_what_is_not_there_is_said(what, said, capsys):
    assert main(["why", what, "-C", str(ROOT)]) == 1
    assert said in capsys.readouterr().err


def test_nothing_compiled_yet(tmp_path, capsys):
    (tmp_path / "platform.yaml").write_bytes((ROOT / "platform.yaml").read_bytes())
    assert main(["why", "spec.tiers", "-C", str(tmp_path)]) == 1
    assert "run `plinth compile` first" in capsys.readouterr().err


@pytest.fixture
def copied(tmp_path):
    """The platform file and what of its compiled tree `why` reads for one line."""
    for path in ("platform.yaml", "generated/dev/index.jsonl", FILE):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes((ROOT / path).read_bytes())
    assert main(["why", f"{FILE}:1", "-C", str(tmp_path)]) == 0
    return tmp_path


def test_a_ledger_that_is_none_is_named_with_its_line(copied, capsys):
    ledger = copied / "generated/dev/index.jsonl"
    ledger.write_bytes(ledger.read_bytes() + b"no entry\n")
    capsys.readouterr()
    assert main(["why", f"{FILE}:1", "-C", str(copied)]) == 1
    said = capsys.readouterr().err
    assert "PLN907" in said
    assert "`generated/dev/index.jsonl`" in said
    assert "restore it from git" in said


def test_a_line_of_a_file_that_was_edited_until_it_is_no_yaml(copied, capsys):
    (copied / FILE).write_bytes(b"a: [\n")
    capsys.readouterr()
    assert main(["why", f"{FILE}:1", "-C", str(copied)]) == 1
    said = capsys.readouterr().err
    assert f"`{FILE}` cannot be read" in said
    assert "compile --overwrite" in said


def test_a_line_of_a_file_that_is_not_yaml_is_an_error():
    with pytest.raises(ValueError, match="flow"):
        why_line(Entry("a", "sha256:0", "x", {}), b"a: [\n", 1)
