import errno
import fcntl
import os
import stat

import pytest

from plinth.ir.fileset import File, digest
from plinth.workspace import (
    Busy,
    FileCalls,
    InputChanged,
    LinkInTree,
    NotAFile,
    NotAFolder,
    OutputChanged,
    OutsideTree,
    ReadFailed,
    Workspace,
    WriteFailed,
)
from plinth.workspace.folders import Folders
from plinth.workspace.places import ledgers_on_disk

DEV = {
    "dev": {
        "overlays/dev/mlflow/a.yaml": File(b"a\n", "test"),
        "overlays/dev/ray/b.yaml": File(b"b\n", "test"),
    }
}


def test_reading_remembers_the_digest_of_the_first_reading(tmp_path):
    (tmp_path / "platform.yaml").write_bytes(b"1")
    workspace = Workspace(tmp_path)
    assert workspace.read("platform.yaml") == b"1"
    (tmp_path / "platform.yaml").write_bytes(b"2")
    assert workspace.read("platform.yaml") == b"2"
    assert workspace.inputs == {"platform.yaml": digest(b"1")}


def test_a_missing_input_is_missing(tmp_path):
    workspace = Workspace(tmp_path)
    assert workspace.read_optional("outputs.lock.yaml") is None
    assert workspace.read_optional("patches/a") is None
    with pytest.raises(FileNotFoundError) as caught:
        workspace.read("platform.yaml")
    assert caught.value.filename == "platform.yaml"
    assert workspace.inputs == {}


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "", "a//b", "./a", "a\0b", "\ud800"])
def test_reading_never_leaves_the_tree(tmp_path, path):
    with pytest.raises(OutsideTree):
        Workspace(tmp_path).read(path)


def test_reading_follows_no_link_below_the_root(tmp_path):
    real = tmp_path / "real"
    (real / "patches").mkdir(parents=True)
    (real / "patches/a").write_bytes(b"a")
    (real / "link").symlink_to("patches/a")
    (real / "folder").symlink_to("patches")
    (tmp_path / "root").symlink_to(real)
    workspace = Workspace(tmp_path / "root")
    assert workspace.read("patches/a") == b"a"
    for path, link in [("link", "link"), ("folder/a", "folder")]:
        with pytest.raises(LinkInTree) as caught:
            workspace.read(path)
        assert caught.value.path == link


def test_only_a_regular_file_is_read(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    workspace = Workspace(tmp_path)
    for path in ("folder", "pipe"):
        with pytest.raises(NotAFile):
            workspace.read(path)
    with pytest.raises(NotAFolder):
        workspace.read("file/x")
    with pytest.raises(ReadFailed):
        workspace.read("x" * 300)


def test_files_of_a_folder_are_listed_by_path(tmp_path):
    (tmp_path / "patches/b").mkdir(parents=True)
    for name in ("b/c", "b.x", "a"):
        (tmp_path / "patches" / name).write_bytes(b"")
    (tmp_path / "patches/link").symlink_to("/")
    workspace = Workspace(tmp_path)
    assert workspace.list_files("patches") == ["patches/a", "patches/b.x", "patches/b/c", "patches/link"]
    assert workspace.list_files("missing") == []
    with pytest.raises(LinkInTree):
        workspace.list_files("patches/link")


@pytest.mark.parametrize("change", ["changed", "removed", "appeared"])
def test_nothing_is_written_if_an_input_changed_since(tmp_path, change):
    spec, outputs = tmp_path / "platform.yaml", tmp_path / "outputs.lock.yaml"
    spec.write_bytes(b"1")
    workspace = Workspace(tmp_path)
    workspace.read("platform.yaml")
    workspace.read_optional("outputs.lock.yaml")
    plan = workspace.plan(DEV)
    if change == "changed":
        spec.write_bytes(b"2")
    elif change == "removed":
        spec.unlink()
    else:
        outputs.write_bytes(b"")
    with pytest.raises(InputChanged):
        workspace.write(plan)
    assert not (tmp_path / "overlays").exists()


def test_an_input_that_we_write_ourselves_has_not_changed(tmp_path):
    workspace = Workspace(tmp_path)
    for content in (b"1", b"2"):
        workspace.read_optional("plinth.lock.yaml")
        workspace.write(workspace.plan(DEV, extra={"plinth.lock.yaml": File(content, "test")}))
    assert workspace.inputs == {"plinth.lock.yaml": digest(b"2")}


def test_what_is_only_proven_is_remembered_and_is_no_input(tmp_path):
    crd = tmp_path / "crd.yaml"
    crd.write_bytes(b"1")
    workspace = Workspace(tmp_path)
    assert workspace.prove(["crd.yaml", "none.yaml"]) == {"crd.yaml": digest(b"1"), "none.yaml": None}
    assert workspace.inputs == {}
    assert workspace.inputs_seen == {"crd.yaml": digest(b"1"), "none.yaml": None}
    crd.write_bytes(b"2")
    workspace.write(workspace.plan(DEV))
    assert (tmp_path / "overlays/dev/mlflow/a.yaml").read_bytes() == b"a\n"


def test_a_file_that_is_proven_is_no_link_and_no_path_out_of_the_tree(tmp_path):
    (tmp_path / "link.yaml").symlink_to("crd.yaml")
    with pytest.raises(LinkInTree):
        Workspace(tmp_path).prove(["link.yaml"])
    with pytest.raises(OutsideTree):
        Workspace(tmp_path).prove(["../crd.yaml"])


def test_groups_are_those_with_a_settled_ledger(tmp_path):
    for path in ("generated/dev/index.jsonl", "generated/prod/index.next.jsonl", "generated/base/x.yaml"):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(b"")
    assert Workspace(tmp_path).groups() == ["dev"]
    with Folders(tmp_path) as folders:
        assert ledgers_on_disk(folders) == ["generated/dev/index.jsonl", "generated/prod/index.next.jsonl"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_do_not_depend_on_who_compiles(tmp_path, umask):
    before = os.umask(umask)
    try:
        workspace = Workspace(tmp_path)
        workspace.write(workspace.plan(DEV))
    finally:
        os.umask(before)
    for top in ("overlays", "generated"):
        for path in [tmp_path / top, *(tmp_path / top).rglob("*")]:
            assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644)


def test_a_file_that_is_right_is_not_touched(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.write(workspace.plan(DEV))
    kept = tmp_path / "overlays/dev/mlflow/a.yaml"
    os.utime(kept, ns=(1, 1))
    before = kept.stat()
    workspace.write(workspace.plan({"dev": DEV["dev"] | {"overlays/dev/ray/b.yaml": File(b"new\n", "test")}}))
    assert (kept.stat().st_mtime_ns, kept.stat().st_ino) == (1, before.st_ino)


def test_a_clean_plan_makes_no_call_at_all(tmp_path):
    Workspace(tmp_path).write(Workspace(tmp_path).plan({}))
    assert list(tmp_path.iterdir()) == []
    Workspace(tmp_path).write(Workspace(tmp_path).plan(DEV))
    (tmp_path / ".plinth/lock").unlink()
    (tmp_path / ".plinth").rmdir()
    Workspace(tmp_path).write(Workspace(tmp_path).plan(DEV))
    assert not (tmp_path / ".plinth").exists()


def test_two_at_once_are_refused(tmp_path):
    workspace = Workspace(tmp_path)
    (tmp_path / ".plinth").mkdir()
    with (tmp_path / ".plinth/lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Busy):
            workspace.write(workspace.plan(DEV))
        assert not (tmp_path / "overlays").exists()
    workspace.write(workspace.plan(DEV))


@pytest.mark.parametrize(
    "ahead", [{}, {"dev": {"overlays/dev/other": File(b"", "test")}}], ids=["gone", "other"]
)
def test_a_plan_that_another_plinth_has_overtaken_is_refused(tmp_path, ahead):
    workspace = Workspace(tmp_path)
    workspace.write(workspace.plan(DEV))
    # This plan changes no ledger: it only brings back a file.
    (tmp_path / "overlays/dev/ray/b.yaml").unlink()
    late = workspace.plan(DEV)
    workspace.write(workspace.plan(ahead))
    with pytest.raises(OutputChanged):
        workspace.write(late)
    assert workspace.plan(ahead).is_clean
    assert workspace.plan(ahead).foreign == ()


def test_a_folder_that_is_still_needed_is_not_made_anew(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.write(workspace.plan(DEV))
    folder = tmp_path / "overlays/dev/ray"
    folder.chmod(0o750)
    workspace.write(workspace.plan({"dev": {"overlays/dev/ray/c.yaml": File(b"c\n", "test")}}))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def test_an_edit_right_before_a_removal_is_kept(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.write(workspace.plan(DEV))
    edited = tmp_path / "overlays/dev/ray/b.yaml"

    class Slow(FileCalls):
        def rename(self, *arguments):
            super().rename(*arguments)
            edited.write_bytes(b"mine\n")

    wanted = {"dev": {"overlays/dev/mlflow/a.yaml": File(b"a\n", "test")}}
    with pytest.raises(OutputChanged):
        Workspace(tmp_path, io=Slow()).write(workspace.plan(wanted))
    assert edited.read_bytes() == b"mine\n"
    assert workspace.plan(wanted).edited == ("overlays/dev/ray/b.yaml",)


def test_an_edit_between_plan_and_write_is_kept(tmp_path):
    workspace = Workspace(tmp_path)
    workspace.write(workspace.plan(DEV))
    edited = tmp_path / "overlays/dev/ray/b.yaml"
    for wanted in ({}, {"dev": {"overlays/dev/ray/b.yaml": File(b"new\n", "test")}}):
        edited.write_bytes(b"b\n")
        plan = workspace.plan(wanted, overwrite=True)
        edited.write_bytes(b"mine\n")
        with pytest.raises(OutputChanged):
            workspace.write(plan)
        assert edited.read_bytes() == b"mine\n"


@pytest.mark.parametrize("name", [".plinth", ".plinth/lock", ".plinth/stage"])
def test_our_own_folder_may_not_be_a_link(tmp_path, name):
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / name).parent.mkdir(parents=True)
    outside.mkdir()
    (root / name).symlink_to(outside)
    workspace = Workspace(root)
    with pytest.raises(LinkInTree):
        workspace.write(workspace.plan(DEV))
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("name", ["mlflow", "mlflow/a.yaml"])
def test_a_link_planted_after_the_plan_is_refused(tmp_path, name):
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "overlays/dev" / name).parent.mkdir(parents=True)
    outside.mkdir()
    workspace = Workspace(root)
    plan = workspace.plan(DEV)
    (root / "overlays/dev" / name).symlink_to(outside)
    with pytest.raises(LinkInTree):
        workspace.write(plan)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
@pytest.mark.parametrize("call", ["mkdir", "open_lock", "create", "write"])
def test_a_tree_that_cannot_be_written_stays_as_it_was(tmp_path, call, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    io = FileCalls()
    setattr(io, call, refuse)
    workspace = Workspace(tmp_path, io=io)
    with pytest.raises(WriteFailed, match="nothing was changed") as caught:
        workspace.write(workspace.plan(DEV))
    assert (caught.value.cause.errno, caught.value.is_begun) == (number, False)
    assert {path.name for path in tmp_path.rglob("*")} <= {".plinth", "lock"}


def test_short_writes_are_continued(tmp_path):
    class OneByteAtATime(FileCalls):
        def write(self, file, content):
            return super().write(file, content[:1])

    workspace = Workspace(tmp_path, io=OneByteAtATime())
    workspace.write(workspace.plan(DEV))
    assert Workspace(tmp_path).plan(DEV).is_clean
