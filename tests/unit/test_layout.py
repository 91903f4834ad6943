"""One root for all, and what would lose sight of infrastructure that stands."""

from __future__ import annotations

import json

import pytest

from plinth.cli import main
from plinth.diagnostics.diagnostic import SpecError
from plinth.ir.lock import Lock
from plinth.ir.outputs import OutputsError, outputs_text, read_outputs
from plinth.pipeline import Inputs, compile_spec
from plinth.text.nodes import plain, read_yaml
from support import platforms

SINGLE = platforms.example().replace(b"spec:\n", b"spec:\n  layout: single\n", 1)


def compiled(data, **inputs):
    return compile_spec(
        data, "platform.yaml", Inputs(patch=lambda _: None, vendored=lambda _name, _version: (), **inputs)
    )


def tree(result, environment):
    files = result.groups[environment]
    root = f"generated/{environment}/terraform/"
    return {
        path.removeprefix(root): json.loads(made.content)
        for path, made in files.items()
        if path.startswith(root)
    }


def resources(files):
    return {
        (kind, name)
        for file in files.values()
        for kind, named in file.get("resource", {}).items()
        for name in named
    }


def test_one_root_has_what_three_have_and_a_barrier_after_each_layer():
    layered, single = tree(compiled(platforms.example()), "dev"), tree(compiled(SINGLE), "dev")
    assert {path.split("/")[0] for path in layered} == {"network", "cluster", "platform"}
    assert {path.split("/")[0] for path in single} == {"platform"}
    assert resources(single) - resources(layered) == {
        ("terraform_data", "network"),
        ("terraform_data", "cluster"),
    }
    assert resources(layered) <= resources(single)


def test_in_one_root_each_layer_waits_for_the_one_before():
    files = tree(compiled(SINGLE), "dev")
    barriers = files["platform/terraform_data.tf.json"]["resource"]["terraform_data"]
    (cluster,) = files["platform/google_container_cluster.tf.json"]["resource"][
        "google_container_cluster"
    ].values()
    buckets = files["platform/google_storage_bucket.tf.json"]["resource"]["google_storage_bucket"]
    assert "google_compute_subnetwork.nodes" in barriers["network"]["depends_on"]
    assert "google_container_cluster.platform" in barriers["cluster"]["depends_on"]
    assert "terraform_data.network" in cluster["depends_on"]
    assert all("terraform_data.cluster" in each["depends_on"] for each in buckets.values())
    main_file = files["platform/main.tf.json"]
    assert list(main_file["terraform"]["required_providers"]) == ["google", "random"]


def test_the_lock_keeps_the_layout_and_a_change_is_refused_until_it_is_released():
    lock = Lock(layouts={"dev": "layered", "prod": "layered"})
    with pytest.raises(SpecError) as error:
        compiled(SINGLE, lock=lock)
    assert [each.code for each in error.value.diagnostics] == ["PLN323", "PLN323"]
    assert "`dev` is `layered`, and cannot become `single`" in error.value.diagnostics[0].message
    compiled(SINGLE, lock=lock, release=frozenset({"dev", "prod"}))


def test_the_file_of_the_lock_names_a_single_root():
    node, _ = read_yaml(compiled(SINGLE).lock.content, "plinth.lock.yaml")
    assert plain(node)["environments"]["dev"]["layout"] == "single"


def test_an_environment_whose_outputs_are_recorded_cannot_vanish():
    recorded = {"staging": {"client-id": "1"}, "dev": {}}
    with pytest.raises(SpecError) as error:
        compiled(platforms.example(), outputs=recorded)
    (fault,) = error.value.diagnostics
    assert (fault.code, fault.span.line > 0) == ("PLN323", True)
    assert "`staging` is gone" in fault.message


def test_who_releases_an_environment_forgets_its_outputs():
    result = compiled(
        platforms.example(),
        outputs={"staging": {"a": "1"}, "dev": {"b": "2"}},
        release=frozenset({"staging"}),
    )
    node, _ = read_yaml(result.released["outputs.lock.yaml"].content, "outputs.lock.yaml")
    assert read_outputs(plain(node)) == {"dev": {"b": "2"}}


def test_outputs_come_back_as_they_were_written():
    recorded = {"dev": {"b": "2", "a": "yes"}, "prod": {"a": "${x}"}}
    node, _ = read_yaml(outputs_text(recorded).encode(), "outputs.lock.yaml")
    assert read_outputs(plain(node)) == recorded


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param([], "it is no Outputs of", id="a list"),
        pytest.param(
            {"kind": "Lock", "apiVersion": "plinth.dev/v1alpha1"}, "it is no Outputs of", id="a lock"
        ),
        pytest.param(
            {"kind": "Outputs", "apiVersion": "plinth.dev/v1alpha1", "environments": {"dev": {"id": 1}}},
            "`environments.dev.id` is no text",
            id="a number",
        ),
        pytest.param(
            {"kind": "Outputs", "apiVersion": "plinth.dev/v1alpha1", "environments": {"dev": []}},
            "`environments.dev` is no map",
            id="no map",
        ),
    ],
)
def test_what_is_no_record_of_outputs_is_refused(data, message):
    with pytest.raises(OutputsError, match=message):
        read_outputs(data)


def test_a_record_that_cannot_be_read_ends_the_command(tmp_path, capsys):
    (tmp_path / "platform.yaml").write_bytes(platforms.example())
    (tmp_path / "outputs.lock.yaml").write_text("[]\n", encoding="utf-8")
    assert main(["compile", "-C", str(tmp_path)]) == 1
    assert "error[PLN908]: `outputs.lock.yaml` cannot be read" in capsys.readouterr().err
