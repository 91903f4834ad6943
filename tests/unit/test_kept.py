"""What a compile leaves for the next in `.plinth/`: it saves time, and never hides anything."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from plinth.cli import main
from plinth.compilation import Draft
from plinth.ir.fileset import digest
from plinth.workspace import Workspace
from plinth.workspace.notes import read_note, write_note
from plinth.workspace.proven import SETTLED_NS

DEV = "overlays/dev/mlflow/service-mlflow.yaml"


@pytest.fixture
def tree(remote_example, tmp_path):
    """The example, compiled beside the lock of an earlier compile: the first one pins what it chooses."""
    shutil.copytree(remote_example, tmp_path, ignore=shutil.ignore_patterns(".plinth"), dirs_exist_ok=True)
    assert compiled(tmp_path) == 0
    return tmp_path


@pytest.fixture
def drafted(monkeypatch):
    """The environments that are compiled from here on."""
    names, emit = [], Draft.emit

    def seen(self):
        names.append(self.environment.name)
        return emit(self)

    monkeypatch.setattr(Draft, "emit", seen)
    return names


def compiled(tree, *words):
    return main(["compile", "-C", str(tree), *words])


def edit(tree, old, new):
    spec = tree / "platform.yaml"
    before = spec.read_text(encoding="utf-8")
    assert before.count(old) == 1
    spec.write_text(before.replace(old, new), encoding="utf-8")


def edit_prod(tree):
    edit(tree, "nodes: {min: 2, max: 5}", "nodes: {min: 2, max: 6}")


def files(tree):
    return {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in sorted(tree.rglob("*"))
        if path.is_file() and ".plinth" not in path.parts
    }


def fresh(tree, folder):
    """What a compile gives that finds nothing but what people own and the lock."""
    shutil.copytree(tree, folder, ignore=shutil.ignore_patterns(".plinth", "overlays", "generated"))
    assert compiled(folder) == 0
    return files(folder)


def test_only_the_environment_that_an_edit_touches_is_compiled(tree, drafted, tmp_path_factory):
    edit_prod(tree)
    assert compiled(tree) == 0
    assert drafted == ["prod"]
    assert files(tree) == fresh(tree, tmp_path_factory.mktemp("fresh") / "tree")
    assert compiled(tree, "--check") == 0


def test_what_environments_share_has_the_reasons_of_the_one_that_was_kept(tree, drafted, tmp_path_factory):
    edit(tree, "cert-manager: {version: 1.20.2}", "mlflow: {artifacts: artifacts}")
    assert compiled(tree) == 0
    assert drafted == ["prod"]
    assert files(tree) == fresh(tree, tmp_path_factory.mktemp("fresh") / "tree")


def test_a_check_compiles_all_whatever_was_kept(tree, drafted):
    edit_prod(tree)
    assert compiled(tree, "--check") == 2
    assert drafted == ["dev", "prod"]


def test_a_note_that_lies_is_found_out_by_a_check(tree, capsys):
    """Whoever edits a file, its ledger and the notes about both has still not changed the spec."""
    text = (tree / DEV).read_bytes()
    forged = text.replace(b"mlflow", b"forged", 1)
    assert forged != text
    (tree / DEV).write_bytes(forged)
    for path in ("generated/dev/index.jsonl", ".plinth/outputs.json"):
        marks = {digest(text): digest(forged)}
        if path.startswith(".plinth"):
            ledger = (tree / "generated/dev/index.jsonl").read_bytes()
            marks = {json.loads((tree / path).read_text())["environments"]["dev"]["ledger"]: digest(ledger)}
        for old, new in marks.items():
            assert old in (tree / path).read_text()
            (tree / path).write_text((tree / path).read_text().replace(old, new))
    edit_prod(tree)
    assert compiled(tree, "--check") == 2
    assert DEV in capsys.readouterr().out


def test_a_hand_edit_where_nothing_was_to_be_compiled_is_refused(tree, capsys):
    edit_prod(tree)
    (tree / DEV).write_bytes((tree / DEV).read_bytes() + b"# mine\n")
    assert compiled(tree) == 1
    assert DEV in capsys.readouterr().err


def test_a_file_that_is_gone_where_nothing_was_to_be_compiled_comes_back(tree, drafted):
    text = (tree / DEV).read_bytes()
    (tree / DEV).unlink()
    edit_prod(tree)
    assert compiled(tree) == 0
    assert drafted == ["dev", "prod"]
    assert (tree / DEV).read_bytes() == text


def test_another_branch_brings_files_that_were_not_kept(tree, drafted, tmp_path_factory):
    """After `git checkout` the tree is another compile's, and the notes are still those of this one."""
    other = tmp_path_factory.mktemp("other") / "tree"
    shutil.copytree(tree, other)
    edit(other, "idle: 2h", "idle: 3h")
    assert compiled(other) == 0
    for top in ("overlays", "generated"):
        shutil.rmtree(tree / top)
        shutil.copytree(other / top, tree / top)
    drafted.clear()
    edit_prod(tree)
    assert compiled(tree) == 0
    assert drafted == ["dev", "prod"]
    assert files(tree) == fresh(tree, tmp_path_factory.mktemp("fresh") / "tree")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "\x00"])
def test_a_note_that_is_none_is_found_out_anew(tree, text, drafted):
    for name in ("outputs.json", "proven.json", "stamp.json"):
        (tree / ".plinth" / name).write_text(text, encoding="utf-8")
    edit_prod(tree)
    assert compiled(tree) == 0
    assert drafted == ["dev", "prod"]


def test_an_output_that_is_not_what_it_says_is_made_anew(tree, drafted):
    note = json.loads((tree / ".plinth/outputs.json").read_text(encoding="utf-8"))
    note["environments"]["dev"]["output"] = {"upstreams": 1}
    write_note(tree, "outputs.json", note)
    edit_prod(tree)
    assert compiled(tree) == 0
    assert drafted == ["dev", "prod"]


def test_compiling_one_environment_keeps_what_is_known_of_the_other(tree, drafted):
    edit_prod(tree)
    assert compiled(tree, "--env", "prod") == 0
    edit(tree, "nodes: {min: 2, max: 6}", "nodes: {min: 2, max: 7}")
    drafted.clear()
    assert compiled(tree, "--env", "prod") == 0
    assert drafted == ["prod"]


def settled(root):
    """The note of what was proven, as if it were older than the moment in which files change."""
    path = root / ".plinth/proven.json"
    later = path.stat().st_mtime_ns + 2 * SETTLED_NS
    os.utime(path, ns=(later, later))


@pytest.fixture
def proven(tmp_path):
    """A file that was proven, and the note of it, with another digest in it, so that its use is seen."""
    (tmp_path / "generated").mkdir()
    (tmp_path / "generated/crd.yaml").write_bytes(b"one")
    workspace = Workspace(tmp_path, is_trusting=True)
    workspace.prove(["generated/crd.yaml"])
    workspace.keep_proven()
    note = read_note(tmp_path, "proven.json")
    note["files"]["generated/crd.yaml"][-1] = "noted"
    write_note(tmp_path, "proven.json", note)
    settled(tmp_path)
    return tmp_path


def found(root, *, is_trusting=True):
    return Workspace(root, is_trusting=is_trusting).prove(["generated/crd.yaml"])["generated/crd.yaml"]


def test_a_file_that_nobody_touched_is_not_read_again(proven):
    assert found(proven) == "noted"


def test_who_does_not_trust_reads_it(proven):
    assert found(proven, is_trusting=False) == digest(b"one")


def test_an_edit_that_puts_size_and_time_back_is_seen(proven):
    path = proven / "generated/crd.yaml"
    state = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert found(proven) == digest(b"two")


def test_another_file_in_its_place_is_seen(proven):
    path = proven / "generated/crd.yaml"
    (proven / "other").write_bytes(b"one")
    (proven / "other").replace(path)
    assert found(proven) == digest(b"one")


def test_a_file_that_changed_in_the_moment_of_the_note_is_read_again(proven):
    os.utime(proven / ".plinth/proven.json")
    assert found(proven) == digest(b"one")


def test_a_file_that_is_gone_is_gone(proven):
    (proven / "generated/crd.yaml").unlink()
    assert found(proven) is None
