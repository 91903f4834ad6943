"""The rig's google provider judges a configuration without an account: what no recorded schema can know.

Only `validate`: for a plan, even of creates alone, the provider asks Google who the token belongs to and looks
for a metadata server, and no test leaves this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

import rig
from support import terraform

PROVIDER = "terraform-provider-google"
TIMEOUT_S = 120.0

pytestmark = pytest.mark.skipif(rig.program(PROVIDER) is None, reason=str(rig.missing(PROVIDER)))


@pytest.fixture(params=terraform.OVERRIDES)
def tool(request):
    return terraform.find(request.param) or pytest.skip(terraform.missing(request.param))


def errors(tool, folder, rule):
    """What `validate` says of a bucket with a lifecycle rule; there is no registry to ask for another provider."""
    bucket = {"name": "acme-artifacts", "location": "US", "lifecycle_rule": [rule]}
    configuration = {
        "terraform": {"required_providers": {"google": {"source": "hashicorp/google"}}},
        "resource": {"google_storage_bucket": {"artifacts": bucket}},
    }
    (folder / "main.tf.json").write_text(json.dumps(configuration))
    overrides = (
        f'dev_overrides {{ "hashicorp/google" = {json.dumps(str(Path(rig.program(PROVIDER)).parent))} }}'
    )
    settings = f'provider_installation {{\n{overrides}\nfilesystem_mirror {{ path = "/nonexistent" }}\n}}\n'
    (folder / "cli.tfrc").write_text(settings)
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TF_CLI_CONFIG_FILE": str(folder / "cli.tfrc"),
        "CHECKPOINT_DISABLE": "1",
    }
    words = [tool.path, f"-chdir={folder}", "validate", "-json"]
    done = subprocess.run(
        words, check=False, capture_output=True, text=True, timeout=TIMEOUT_S, env=environment
    )
    said = json.loads(done.stdout[: done.stdout.rindex("}") + 1])["diagnostics"]
    return [each["summary"] for each in said if each["severity"] == "error"]


def test_a_value_that_google_does_not_know_is_an_error_of_the_provider(tool, tmp_path):
    rule = {"action": {"type": "Delete"}, "condition": {"with_state": "GONE"}}
    assert errors(tool, tmp_path, rule) == [
        'expected lifecycle_rule.0.condition.0.with_state to be one of ["LIVE" "ARCHIVED" "ANY" ""], got GONE'
    ]


def test_a_value_that_google_knows_is_none(tool, tmp_path):
    rule = {"action": {"type": "Delete"}, "condition": {"with_state": "ARCHIVED"}}
    assert errors(tool, tmp_path, rule) == []
