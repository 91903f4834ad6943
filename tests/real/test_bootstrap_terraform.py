"""A bootstrap and a teardown of the example by the real Terraform and OpenTofu, on providers that a stub serves.

gcloud and kubectl are stand-ins; the state is a file beside each root.
"""

from __future__ import annotations

import json
import os
import re

import pytest

from plinth.cli import main
from support import terraform
from support.platforms import example_of_dev
from support.programs import Programs


@pytest.fixture(params=terraform.OVERRIDES)
def tool(request):
    found = terraform.find(request.param)
    if found is None:
        pytest.skip(terraform.missing(request.param))
    return found


@pytest.fixture
def folder(tmp_path):
    """The environment `dev` of the example with its state in files, compiled."""
    found = tmp_path / "platform"
    found.mkdir()
    text = re.sub(r"^  state:.*\n", "", example_of_dev().decode(), flags=re.MULTILINE)
    (found / "platform.yaml").write_text(text, encoding="utf-8")
    assert main(["compile", "-C", str(found)]) == 0
    return found


@pytest.fixture
def programs(tmp_path, monkeypatch, stub_providers, tool):
    found = Programs(tmp_path / "programs")
    found.add("gcloud", "gke-gcloud-auth-plugin", "kubectl")
    (tmp_path / "config.tfrc").write_text(terraform.NO_REGISTRY, encoding="utf-8")
    for name, value in {
        "PATH": f"{found.folder}:{os.defpath}",
        "HOME": str(tmp_path),
        "PLINTH_TERRAFORM": tool.path,
        "TF_CLI_CONFIG_FILE": str(tmp_path / "config.tfrc"),
        "TF_REATTACH_PROVIDERS": stub_providers,
        "CHECKPOINT_DISABLE": "1",
        "GOGC": "400",  # as in `support.terraform`
    }.items():
        monkeypatch.setenv(name, value)
    return found


PROTECTED_KEYS = {"google_kms_crypto_key", "google_kms_key_ring"}
KEYS = {*PROTECTED_KEYS, "google_kms_crypto_key_iam_member"}
"""What stays of a cluster while data stays: the keys that it is encrypted with."""


def addresses(folder, root):
    """What a root's state has."""
    file = folder / "generated/dev/terraform" / root / "terraform.tfstate"
    resources = json.loads(file.read_bytes())["resources"] if file.exists() else []
    return {f"{each['type']}.{each['name']}" for each in resources if each["mode"] == "managed"}


def kinds(some):
    return {each.partition(".")[0] for each in some}


def run(capsys, *words):
    code = main([*words, "--format", "json"])
    document = json.loads(capsys.readouterr().out)
    assert code == 0, document
    return {each["step"]: each["outcome"] for each in document["steps"]}


def test_an_environment_is_made_found_again_and_taken_down_around_its_data(folder, programs, capsys):
    capsys.readouterr()
    bootstrap = ("bootstrap", "dev", "-C", str(folder), "--yes")
    roots = {f"terraform: {name}": "made" for name in ("network", "cluster", "platform")}
    assert run(capsys, *bootstrap).items() >= roots.items()
    assert "google_container_cluster.platform" in addresses(folder, "cluster")

    assert run(capsys, *bootstrap).items() >= dict.fromkeys(roots, "was there").items()

    teardown = ("teardown", "dev", "-C", str(folder), "--yes", "--confirm", "dev")
    before = addresses(folder, "platform")
    done = run(capsys, *teardown)
    assert done["let go: google_container_cluster.platform"] == "deleted"
    assert done["terraform: network"] == "kept"
    assert kinds(addresses(folder, "cluster")) == KEYS
    kept = addresses(folder, "platform")
    assert {
        "google_storage_bucket.artifacts",
        "google_sql_database_instance.postgres",
        "google_sql_database.mlflow",
    } <= kept
    assert kept < before

    assert run(capsys, *teardown)["terraform: network"] == "kept"
    assert kinds(addresses(folder, "cluster")) == KEYS

    everything = (
        *("bucket:artifacts", "database", "google_dns_managed_zone.public"),
        *(each for each in addresses(folder, "cluster") if kinds([each]) & PROTECTED_KEYS),
    )
    named = [word for each in everything for word in ("--also-delete", each)]
    done = run(capsys, *teardown, *named)
    assert done["terraform: platform"] == "deleted"
    assert [addresses(folder, name) for name in ("platform", "cluster", "network")] == [set()] * 3
    assert not list(folder.rglob("plinth_teardown_override.tf.json"))
    assert not list(folder.rglob("plinth.tfplan"))
