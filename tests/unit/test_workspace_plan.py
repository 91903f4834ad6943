import os

import pytest

from plinth.ir.fileset import File, digest
from plinth.ir.ledger import ledger_text
from plinth.workspace import BadLedger, HandEdited, LinkInTree, NotAFile, NotAFolder, Workspace

DEV = {"overlays/dev/mlflow/a.yaml": b"a\n", "generated/dev/argocd/app.yaml": b"app\n"}
BASE = {"generated/base/mlflow/1/b.yaml": b"b\n"}


def files(contents):
    return {path: File(content, "test") for path, content in contents.items()}


def compile_to(root, groups, **options):
    workspace = Workspace(root)
    plan = workspace.plan({name: files(contents) for name, contents in groups.items()}, **options)
    workspace.write(plan)
    return plan


def plan_of(root, groups, **options):
    return Workspace(root).plan({name: files(contents) for name, contents in groups.items()}, **options)


def tree(root):
    paths = (path for path in root.rglob("*") if ".plinth" not in path.parts)
    return {path.relative_to(root).as_posix(): path.is_file() and path.read_bytes() for path in paths}


def edit(root, path, content=b"mine\n"):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)


def test_a_first_plan_writes_every_file_and_every_ledger(tmp_path):
    plan = plan_of(tmp_path, {"dev": DEV, "base": BASE}, extra=files({"plinth.lock.yaml": b"lock\n"}))
    assert plan.written == (
        "generated/base/index.jsonl",
        "generated/base/mlflow/1/b.yaml",
        "generated/dev/argocd/app.yaml",
        "generated/dev/index.jsonl",
        "overlays/dev/mlflow/a.yaml",
        "plinth.lock.yaml",
    )
    assert (plan.removed, plan.edited, plan.foreign, plan.unchanged, plan.is_clean) == ((), (), (), 0, False)
    assert tree(tmp_path) == {}


def test_a_second_plan_is_clean(tmp_path):
    compile_to(tmp_path, {"dev": DEV, "base": BASE})
    plan = plan_of(tmp_path, {"dev": DEV, "base": BASE})
    assert plan.is_clean
    assert plan.unchanged == 3


def test_a_plan_carries_the_digest_of_every_file_of_the_finished_tree(tmp_path):
    groups, extra = {"dev": DEV, "base": BASE}, files({"plinth.lock.yaml": b"lock\n"})
    first = plan_of(tmp_path, groups, extra=extra)
    Workspace(tmp_path).write(first)
    on_disk = {path: digest(content) for path, content in tree(tmp_path).items() if content is not False}
    assert first.digests == on_disk
    assert plan_of(tmp_path, groups, extra=extra).digests == first.digests


def test_what_is_not_wanted_any_more_is_removed_with_its_folder(tmp_path):
    compile_to(tmp_path, {"dev": DEV})
    left = {"generated/dev/argocd/app.yaml": b"app\n"}
    assert compile_to(tmp_path, {"dev": left}).removed == ("overlays/dev/mlflow/a.yaml",)
    assert not (tmp_path / "overlays").exists()


def test_a_group_that_is_not_wanted_any_more_leaves_nothing(tmp_path):
    compile_to(tmp_path, {"dev": DEV, "base": BASE})
    assert compile_to(tmp_path, {"base": {}}).written == ()
    assert tree(tmp_path) == {}


def test_other_groups_can_be_left_alone(tmp_path):
    compile_to(tmp_path, {"dev": DEV, "base": BASE})
    assert plan_of(tmp_path, {"dev": DEV}, all_groups=False).is_clean


def test_vendored_files_are_left_alone_by_all_but_their_own_plan(tmp_path):
    vendored = {"generated/vendor/mlflow/1/x.yaml": b"x\n"}
    compile_to(tmp_path, {"vendor": vendored}, all_groups=False)
    edit(tmp_path, "generated/vendor/mlflow/1/stray.yaml")
    plan = compile_to(tmp_path, {"dev": DEV})
    assert (plan.removed, plan.foreign) == ((), ())
    compile_to(tmp_path, {"vendor": {}}, all_groups=False)
    assert list(tree(tmp_path / "generated/vendor")) == ["mlflow", "mlflow/1", "mlflow/1/stray.yaml"]


def test_a_hand_edit_is_refused_and_nothing_is_written(tmp_path):
    compile_to(tmp_path, {"dev": DEV})
    edit(tmp_path, "overlays/dev/mlflow/a.yaml")
    before = tree(tmp_path)
    with pytest.raises(HandEdited) as caught:
        compile_to(tmp_path, {"dev": DEV, "base": BASE})
    assert caught.value.paths == ("overlays/dev/mlflow/a.yaml",)
    assert tree(tmp_path) == before


def test_a_hand_edit_of_a_file_that_should_go_is_refused(tmp_path):
    compile_to(tmp_path, {"dev": DEV, "base": BASE})
    edit(tmp_path, "overlays/dev/mlflow/a.yaml")
    with pytest.raises(HandEdited):
        compile_to(tmp_path, {"base": BASE})
    compile_to(tmp_path, {"base": BASE}, overwrite=True)
    assert not (tmp_path / "overlays").exists()


def test_a_strangers_file_at_a_path_of_ours_is_refused_unless_it_says_the_same(tmp_path):
    edit(tmp_path, "overlays/dev/mlflow/a.yaml")
    assert plan_of(tmp_path, {"dev": DEV}).edited == ("overlays/dev/mlflow/a.yaml",)
    edit(tmp_path, "overlays/dev/mlflow/a.yaml", b"a\n")
    assert plan_of(tmp_path, {"dev": DEV}).edited == ()


def test_overwrite_takes_our_version(tmp_path):
    compile_to(tmp_path, {"dev": DEV})
    edit(tmp_path, "overlays/dev/mlflow/a.yaml")
    plan = compile_to(tmp_path, {"dev": DEV}, overwrite=True)
    assert plan.edited == ("overlays/dev/mlflow/a.yaml",)
    assert (tmp_path / "overlays/dev/mlflow/a.yaml").read_bytes() == b"a\n"


def test_a_missing_file_is_written_again(tmp_path):
    compile_to(tmp_path, {"dev": DEV})
    (tmp_path / "overlays/dev/mlflow/a.yaml").unlink()
    assert compile_to(tmp_path, {"dev": DEV}).written == ("overlays/dev/mlflow/a.yaml",)
    assert plan_of(tmp_path, {"dev": DEV}).is_clean


def test_the_caller_may_know_a_file_and_is_asked_only_about_others(tmp_path):
    compile_to(tmp_path, {"dev": DEV})
    edit(tmp_path, "overlays/dev/mlflow/a.yaml", b"of the other branch\n")
    asked = []

    def known(path):
        asked.append(path)
        return iter([digest(b"of the other branch\n")])

    new = {path: b"new " + content for path, content in DEV.items()}
    assert plan_of(tmp_path, {"dev": new}, known=known).edited == ()
    assert asked == ["overlays/dev/mlflow/a.yaml"]


def test_extra_files_are_ours_whatever_they_say(tmp_path):
    edit(tmp_path, "plinth.lock.yaml")
    plan = compile_to(tmp_path, {}, extra=files({"plinth.lock.yaml": b"lock\n"}))
    assert (plan.written, plan.edited) == (("plinth.lock.yaml",), ())
    assert tree(tmp_path) == {"plinth.lock.yaml": b"lock\n"}


def test_strangers_are_reported_and_kept_terraforms_own_only_kept(tmp_path):
    compile_to(tmp_path, {"dev": DEV})
    edit(tmp_path, "overlays/dev/mlflow/notes.txt")
    edit(tmp_path, "generated/nobody/x")
    own = (".terraform.lock.hcl", ".terraform/modules.json", "terraform.tfstate", "terraform.tfstate.backup")
    for name in own:
        edit(tmp_path, f"generated/dev/terraform/{name}")
    (tmp_path / "generated/link").symlink_to("/")
    plan = compile_to(tmp_path, {"base": BASE})
    strangers = ("generated/link", "generated/nobody/x", "overlays/dev/mlflow/notes.txt")
    assert plan.foreign == strangers
    assert {f"generated/dev/terraform/{name}" for name in own}.union(strangers) <= tree(tmp_path).keys()


def test_both_sides_of_a_merge_conflict_in_a_ledger_are_ours(tmp_path):
    ours, theirs = {"overlays/dev/a": b"ours\n"}, {"overlays/dev/a": b"theirs\n", "overlays/dev/b": b"b\n"}
    texts = [ledger_text(files(side)) for side in (ours, theirs)]
    for path, content in theirs.items():
        edit(tmp_path, path, content)
    edit(tmp_path, "generated/dev/index.jsonl", b"<<<<<<< A\n%b=======\n%b>>>>>>> B\n" % tuple(texts))
    plan = compile_to(tmp_path, {"dev": ours})
    assert (plan.edited, plan.removed) == ((), ("overlays/dev/b",))
    assert plan_of(tmp_path, {"dev": ours}).is_clean


def test_a_next_ledger_that_a_kill_left_counts(tmp_path):
    compile_to(tmp_path, {"dev": DEV})
    half = {"overlays/dev/half": b"half\n"}
    edit(tmp_path, "overlays/dev/half", b"half\n")
    edit(tmp_path, "generated/dev/index.next.jsonl", ledger_text(files(half)))
    plan = compile_to(tmp_path, {"dev": DEV})
    assert plan.removed == ("generated/dev/index.next.jsonl", "overlays/dev/half")
    assert plan_of(tmp_path, {"dev": DEV}).is_clean


@pytest.mark.parametrize("path", ["compiler/plinth/x.py", "overlays/prod/a", "generated/dev/index.jsonl"])
def test_a_ledger_cannot_claim_what_is_outside_its_folders(tmp_path, path):
    edit(tmp_path, path, b"x\n")
    edit(tmp_path, "generated/dev/index.jsonl", ledger_text(files({path: b"x\n"})))
    with pytest.raises(BadLedger):
        plan_of(tmp_path, {"dev": DEV})


def test_a_damaged_ledger_is_reported_by_line(tmp_path):
    edit(tmp_path, "generated/dev/index.jsonl", ledger_text(files(DEV)) + b"what?\n")
    with pytest.raises(BadLedger) as caught:
        plan_of(tmp_path, {})
    assert (caught.value.path, caught.value.line_number) == ("generated/dev/index.jsonl", 3)


@pytest.mark.parametrize(
    ("group", "path"),
    [
        ("dev", "overlays/prod/a"),
        ("dev", "a"),
        ("dev", "overlays/dev"),
        ("dev", "generated/dev/index.jsonl"),
        ("dev", "generated/dev/index.next.jsonl"),
        ("base", "overlays/base/a"),
        ("vendor", "overlays/vendor/a"),
        ("a/b", "overlays/a/b/c"),
        ("..", "overlays/../c"),
        ("dev", "overlays/dev/NUL"),
    ],
)
def test_a_path_outside_its_groups_folders_is_our_fault(tmp_path, group, path):
    with pytest.raises(ValueError, match=r"\w"):
        plan_of(tmp_path, {group: {path: b""}})


def test_groups_that_some_system_takes_for_one_are_our_fault(tmp_path):
    with pytest.raises(ValueError, match="one file on some systems"):
        plan_of(tmp_path, {"dev": {"overlays/dev/a": b""}, "Dev": {"overlays/Dev/b": b""}})


@pytest.mark.parametrize(
    "link", ["overlays", "overlays/dev", "overlays/dev/mlflow", "overlays/dev/mlflow/a.yaml", "generated"]
)
def test_a_link_among_the_outputs_is_refused(tmp_path, link):
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / link).parent.mkdir(parents=True)
    outside.mkdir()
    (root / link).symlink_to(outside)
    with pytest.raises(LinkInTree) as caught:
        plan_of(root, {"dev": DEV})
    assert caught.value.path == link


def test_a_strangers_folder_or_pipe_at_a_path_of_ours_is_refused(tmp_path):
    edit(tmp_path, "overlays/dev/mlflow/a.yaml/stray")
    with pytest.raises(NotAFile):
        plan_of(tmp_path, {"dev": DEV}, overwrite=True)
    os.mkfifo(tmp_path / "overlays/dev/pipe")
    with pytest.raises(NotAFile):
        plan_of(tmp_path, {"dev": {"overlays/dev/pipe": b""}}, overwrite=True)


def test_a_strangers_file_where_a_folder_must_be_is_refused(tmp_path):
    edit(tmp_path, "overlays/dev/mlflow")
    with pytest.raises(NotAFolder) as caught:
        plan_of(tmp_path, {"dev": DEV}, overwrite=True)
    assert caught.value.path == "overlays/dev/mlflow"


def test_a_file_of_ours_may_become_a_folder_and_back(tmp_path):
    file, folder = {"overlays/dev/x": b"1"}, {"overlays/dev/x/y": b"2", "overlays/dev/x/z/a": b"3"}
    for wanted in (file, folder, file):
        compile_to(tmp_path, {"dev": wanted})
        assert plan_of(tmp_path, {"dev": wanted}).is_clean
        assert wanted.items() <= tree(tmp_path).items()
