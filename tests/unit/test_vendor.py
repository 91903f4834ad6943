"""`plinth vendor` with a mirror: what it takes, what it refuses, and what a compile makes of it."""

from __future__ import annotations

import json
import shutil

import pytest

from plinth.catalog.components import load
from plinth.cli import main
from plinth.ir.digest import digest
from plinth.ir.ledger import read_ledger
from plinth.ir.vendored import tree_digest
from plinth.text.manifests import read_manifests
from support import platforms

pytestmark = platforms.needs_mirror

NAME, VERSION = "training-operator", "1.7.0"
VENDOR = f"generated/vendor/{NAME}/{VERSION}"
PLATFORM = """\
apiVersion: plinth.dev/v1alpha1
kind: Platform
metadata: {name: acme-ml}
spec:
  cloud: {provider: existing, cluster: lab}
  repository: {url: https://github.com/acme/ml-platform.git}
  identity: {domain: ml.acme.com, admins: [platform@acme.com]}
  components: {training-operator: {version: 1.7.0}}
"""


@pytest.fixture
def folder(tmp_path):
    """A platform that vendors its upstreams, beside a mirror with one of them."""
    (tmp_path / "platform.yaml").write_text(PLATFORM, encoding="utf-8")
    shutil.copytree(platforms.mirror() / NAME / VERSION, tmp_path / "mirror" / NAME / VERSION)
    return tmp_path


@pytest.fixture
def vendored(vendored_example, tmp_path):
    """A copy of the vendored example, to be spoilt."""
    shutil.copytree(vendored_example, tmp_path / "copy", ignore=shutil.ignore_patterns(".plinth"))
    return tmp_path / "copy"


def told(capsys, *words):
    """The exit code of a command, and the one object that it prints."""
    code = main([*words, "--format", "json"])
    return code, json.loads(capsys.readouterr().out)


def vendor(capsys, folder, *words):
    return told(capsys, "vendor", NAME, "--mirror", str(folder / "mirror"), "-C", str(folder), *words)


def fault(answer):
    code, document = answer
    assert code == 1, document
    (found,) = document["diagnostics"]
    return found["code"], found["message"]


def lock(folder):
    (found,) = read_manifests((folder / "plinth.lock.yaml").read_bytes())
    return found["upstreams"]


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


# What it takes ----------------------------------------------------------------------------------


def test_the_lock_pins_what_was_taken(folder, capsys):
    code, document = vendor(capsys, folder)
    entries = read_ledger((folder / "generated/vendor/index.jsonl").read_bytes()).entries
    pinned = lock(folder)[f"{NAME}/{VERSION}"]

    assert code == 0
    assert document["vendored"] == [f"{NAME}/{VERSION}"]
    assert {entry.path for entry in entries} == {
        path.relative_to(folder).as_posix() for path in (folder / VENDOR).rglob("*.yaml")
    }
    assert pinned["digest"] == load(NAME, VERSION).digest
    assert pinned["vendored"] == {"digest": tree_digest({entry.path: entry.digest for entry in entries})}


def test_to_vendor_again_changes_nothing(folder, capsys):
    vendor(capsys, folder)
    code, document = vendor(capsys, folder, "--check")
    assert (code, document["written"], document["removed"]) == (0, [], [])


def test_check_writes_nothing_and_says_what_is_missing(folder, capsys):
    code, document = vendor(capsys, folder, "--check")
    assert code == 2
    assert f"{VENDOR}/deployment-kubeflow-training-operator.yaml" in document["written"]
    assert not (folder / "generated").exists()
    assert not (folder / "plinth.lock.yaml").exists()


def test_what_the_mirror_leaves_out_is_noted(vendored_example):
    found = {name: entry["vendored"].get("incomplete") for name, entry in lock(vendored_example).items()}
    assert {name: listed for name, listed in found.items() if listed} == {
        "jupyterhub/4.4.0": ["ConfigMap/hub", "Secret/hub"]
    }


def test_objects_that_our_values_switch_off_are_left_out(vendored_example):
    names = {
        f"{body['kind']}/{body['metadata']['name']}"
        for path in (vendored_example / "generated/vendor/jupyterhub").rglob("*.yaml")
        for body in read_manifests(path.read_bytes())
        if body["kind"] != "Kustomization"
    }
    assert {"Deployment/hub", "Deployment/proxy", "PersistentVolumeClaim/hub-db-dir"} <= names
    assert not {name for name in names if "scheduler" in name or "puller" in name or "placeholder" in name}
    assert "Ingress/jupyterhub" not in names


def test_a_name_takes_that_upstream_and_keeps_the_others(vendored, capsys):
    before = {
        path: path.read_bytes() for path in (vendored / "generated/vendor").rglob("*") if path.is_file()
    }
    pinned = lock(vendored)
    mirror = str(platforms.mirror())
    code, document = told(capsys, "vendor", NAME, "--mirror", mirror, "-C", str(vendored))
    assert (code, document["vendored"]) == (0, [f"{NAME}/{VERSION}"])
    assert {
        path: path.read_bytes() for path in (vendored / "generated/vendor").rglob("*") if path.is_file()
    } == before
    assert lock(vendored) == pinned


def test_what_is_out_of_use_goes(vendored, capsys):
    edit(vendored / "platform.yaml", "    training-operator: {version: 1.7.0}\n", "")
    mirror = str(platforms.mirror())
    code, document = told(capsys, "vendor", "cert-manager", "--mirror", mirror, "-C", str(vendored))
    assert code == 0
    assert not (vendored / VENDOR).exists()
    assert f"{NAME}/{VERSION}" not in lock(vendored)
    assert all(path.startswith(f"{VENDOR}/") for path in document["removed"])


# What it refuses --------------------------------------------------------------------------------


def test_another_object_than_the_catalogue_knows_is_refused(folder, capsys):
    mirrored = folder / "mirror" / NAME / VERSION / "manifests.yaml"
    edit(mirrored, "image: kubeflow/training-operator", "image: evil.example.com/training-operator")
    code, message = fault(vendor(capsys, folder))
    assert code == "PLN910"
    assert "holds other objects than the catalogue knows" in message
    assert not (folder / "generated").exists()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        pytest.param(
            "manifests.yaml", None, "the mirror has no `training-operator/1.7.0/manifests.yaml`", id="no file"
        ),
        pytest.param("crds.yaml", None, "other objects than the catalogue knows", id="no CRDs"),
        pytest.param("manifests.yaml", "", "other objects than the catalogue knows", id="an empty file"),
        pytest.param("manifests.yaml", "a: [", "is not YAML", id="no YAML"),
        pytest.param("manifests.yaml", "a: 1", "`training-operator/1.7.0`", id="no object"),
        pytest.param(
            "manifests.yaml",
            "kind: A\napiVersion: v1\nmetadata: b",
            "`training-operator/1.7.0`",
            id="no name",
        ),
    ],
)
def test_a_mirror_that_cannot_be_used_is_refused(name, text, message, folder, capsys):
    path = folder / "mirror" / NAME / VERSION / name
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")
    code, found = fault(vendor(capsys, folder))
    assert code == "PLN910"
    assert message in found
    assert not (folder / "generated").exists()


def test_a_mirror_has_to_be_named_and_there(folder, capsys):
    assert fault(told(capsys, "vendor", "-C", str(folder)))[0] == "PLN910"
    assert fault(told(capsys, "vendor", "--mirror", str(folder / "no"), "-C", str(folder)))[0] == "PLN910"


def test_only_upstreams_of_the_platform_can_be_named(folder, capsys):
    code, message = fault(
        told(capsys, "vendor", "kueue", "--mirror", str(folder / "mirror"), "-C", str(folder))
    )
    assert (code, message) == ("PLN909", "the platform has no upstream called `kueue`")


# What a compile makes of it -----------------------------------------------------------------------


def test_what_is_not_vendored_cannot_be_compiled(folder, capsys):
    vendor(capsys, folder)
    assert fault(told(capsys, "compile", "-C", str(folder))) == ("PLN320", "`argo-cd` 3.5.1 is not vendored")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(f"{VENDOR}/deployment-kubeflow-training-operator.yaml", id="an object"),
        pytest.param(f"{VENDOR}/kustomization.yaml", id="the kustomization"),
        pytest.param(f"{VENDOR}/crds/customresourcedefinition-tfjobs.kubeflow.org.yaml", id="a CRD"),
    ],
)
def test_an_edited_file_is_refused_and_so_is_one_that_is_gone(path, vendored, capsys):
    whole = (vendored / path).read_bytes()
    (vendored / path).write_bytes(whole + b"# by hand\n")
    assert fault(told(capsys, "compile", "-C", str(vendored))) == ("PLN911", f"`{path}` was edited")
    (vendored / path).unlink()
    assert fault(told(capsys, "compile", "-C", str(vendored))) == ("PLN911", f"`{path}` is missing")
    (vendored / path).write_bytes(whole)
    assert told(capsys, "compile", "--check", "-C", str(vendored))[0] == 0


def test_vendoring_again_brings_an_edited_file_back(vendored, capsys):
    path = vendored / VENDOR / "deployment-kubeflow-training-operator.yaml"
    whole = path.read_bytes()
    path.write_bytes(whole + b"# by hand\n")
    told(capsys, "vendor", NAME, "--mirror", str(platforms.mirror()), "-C", str(vendored))
    assert path.read_bytes() == whole


def test_another_pin_than_the_tree_has_is_refused(vendored, capsys):
    pin = lock(vendored)[f"{NAME}/{VERSION}"]["vendored"]["digest"]
    edit(vendored / "plinth.lock.yaml", pin, "sha256:" + "0" * 64)
    code, message = fault(told(capsys, "compile", "-C", str(vendored)))
    assert (code, message) == ("PLN911", f"`{VENDOR}/` is not what `plinth.lock.yaml` pins")


def test_an_edited_ledger_does_not_hide_an_edit(vendored, capsys):
    """Whoever edits a file and its line in the ledger still has the lock against him."""
    path = f"{VENDOR}/deployment-kubeflow-training-operator.yaml"
    ledger = vendored / "generated/vendor/index.jsonl"
    (entry,) = (each for each in read_ledger(ledger.read_bytes()).entries if each.path == path)
    (vendored / path).write_bytes(b"{}\n")
    edit(ledger, entry.digest, digest(b"{}\n"))
    assert fault(told(capsys, "compile", "-C", str(vendored)))[0] == "PLN911"
