"""`plinth outputs`: what Terraform printed, and what is recorded of it."""

from __future__ import annotations

import json

import pytest

from plinth.bootstrap.outputs import recorded, taken
from plinth.bootstrap.roots import roots_of
from plinth.cli import main
from plinth.diagnostics.diagnostic import PlinthError
from plinth.ir.fileset import File
from support.platforms import example

DECLARED = frozenset({"mlflow_client_id", "files_id"})
SECRET = "ghp_abcdefghijklmnopqrstuvwxyz0123456789"  # noqa: S105 - made up


def printed(**outputs):
    return json.dumps(
        {name: {"sensitive": False, "type": "string", "value": value} for name, value in outputs.items()}
    )


def test_declared_outputs_are_taken_and_others_left_out():
    found = taken(printed(mlflow_client_id="a-b-c", old="x"), DECLARED, "stdin")
    assert found.values == {"mlflow_client_id": "a-b-c"}
    assert found.left_out == ("old",)


def test_a_root_that_is_not_applied_yet_has_none():
    assert taken("{}", DECLARED, "stdin").values == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("mlflow_client_id = x", "stdin is no JSON", id="no JSON"),
        pytest.param("[]", "stdin is JSON of another kind", id="a list"),
        pytest.param('{"format_version": "1.2"}', "stdin is JSON of another kind", id="a plan"),
        pytest.param('{"mlflow_client_id": "a"}', "stdin is JSON of another kind", id="bare values"),
        pytest.param(
            printed(other="a"),
            "stdin has `other`, and the compiled tree declares no such output",
            id="unknown",
        ),
        pytest.param(
            printed(files_id=["a"]), "the output `files_id` of stdin is no text", id="a list as value"
        ),
        pytest.param(
            printed(files_id=""), "the output `files_id` of stdin is no text", id="nothing as value"
        ),
        pytest.param(
            printed(files_id=SECRET), "the output `files_id` of stdin looks like a secret", id="a secret"
        ),
        pytest.param(
            json.dumps({"files_id": {"sensitive": True, "type": "string", "value": "x"}}),
            "the output `files_id` of stdin is sensitive",
            id="sensitive",
        ),
    ],
)
def test_what_is_no_output_is_refused(text, said):
    with pytest.raises(PlinthError) as caught:
        taken(text, DECLARED, "stdin")
    assert caught.value.diagnostic.code == "PLN945"
    assert caught.value.diagnostic.message == said
    assert SECRET not in str(caught.value.diagnostic)


def test_a_record_keeps_what_is_known_and_drops_what_nobody_declares():
    before = {"dev": {"files_id": "fs-1", "gone": "x"}, "prod": {"files_id": "fs-2"}}
    assert recorded(before, "dev", {"mlflow_client_id": "a"}, DECLARED) == {
        "dev": {"files_id": "fs-1", "mlflow_client_id": "a"},
        "prod": {"files_id": "fs-2"},
    }


def test_sensitive_outputs_of_the_tree_are_not_declared_for_the_record():
    body = {"output": {"one": {"value": "${a.b.c}"}, "two": {"value": "${a.b.d}", "sensitive": True}}}
    path = "generated/dev/terraform/platform/outputs.tf.json"
    (root,) = roots_of("dev", {path: File(content=json.dumps(body).encode(), backend="terraform")})
    assert root.outputs == ("one",)


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "platform.yaml").write_bytes(example())
    return tmp_path


def test_a_file_of_another_platform_changes_nothing(tree, capsys):
    (tree / "outputs.json").write_text(printed(other="a"), encoding="utf-8")
    assert main(["outputs", "dev", "-C", str(tree), "--from", str(tree / "outputs.json")]) == 1
    assert "error[PLN945]" in capsys.readouterr().err
    assert not (tree / "outputs.lock.yaml").exists()


def test_a_file_that_is_not_there_is_named(tree, capsys):
    assert main(["outputs", "dev", "-C", str(tree), "--from", "nowhere.json"]) == 1
    assert "error[PLN905]: `nowhere.json` cannot be read" in capsys.readouterr().err


def test_what_is_not_known_yet_is_named_as_missing(tree, capsys):
    (tree / "outputs.json").write_text("{}", encoding="utf-8")
    words = ["outputs", "dev", "-C", str(tree), "--from", str(tree / "outputs.json"), "--format", "json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out) == {
        "schema": "plinth.dev/outputs/v1",
        "environment": "dev",
        "written": [],
        "recorded": [],
        "missing": ["domain_name_servers"],
    }
    assert not (tree / "outputs.lock.yaml").exists()
