"""The command line as a user meets it: exit codes, streams, JSON, and what happens to what people own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from plinth.cli import COMMANDS, main
from support.repository import git

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent.parent
EXAMPLE = (ROOT / "platform.yaml").read_text(encoding="utf-8")

FORBIDDEN_AT_START = (
    "pydantic",
    "msgspec",
    "yaml",
    "rich",
    "kubernetes",
    "git",
    "argparse",
    "asyncio",
    "importlib.metadata",
)
FORBIDDEN_WHEN_CURRENT = ("pydantic", "msgspec", "yaml", "rich", "kubernetes", "git")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with the example's platform file and nothing else."""
    (tmp_path / "platform.yaml").write_text(EXAMPLE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def made(remote_example: Path, tmp_path: Path) -> Path:
    """A folder with the example and all that it compiles to."""
    return shutil.copytree(remote_example, tmp_path, dirs_exist_ok=True)


def compiled(tree: Path, *words: str) -> int:
    return main(["compile", "-C", str(tree), *words])


def files(tree: Path) -> dict[str, bytes]:
    return {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in sorted(tree.rglob("*"))
        if path.is_file() and ".plinth" not in path.parts
    }


def state(tree: Path) -> dict[str, tuple[int, int]]:
    return {path: ((tree / path).stat().st_mtime_ns, (tree / path).stat().st_ino) for path in files(tree)}


def loaded(modules: tuple[str, ...], *words: str) -> list[str]:
    """Those of the modules that a command loads, in a process of its own."""
    code = (
        "import sys; from plinth.cli import main; main(sys.argv[2:]); "
        "print(*[name for name in sys.argv[1].split() if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, " ".join(modules), *words], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1].split()


def test_the_version_loads_nothing_heavy():
    assert loaded(FORBIDDEN_AT_START, "--version") == []


def test_a_compile_with_nothing_to_do_loads_neither_pydantic_nor_yaml(tree, capsys):
    assert compiled(tree) == 0
    assert loaded(FORBIDDEN_WHEN_CURRENT, "compile", "-C", str(tree)) == []
    (tree / ".plinth/stamp.json").unlink()
    assert {"pydantic", "yaml"} <= set(loaded(FORBIDDEN_WHEN_CURRENT, "compile", "-C", str(tree)))


@pytest.mark.parametrize("words", [[], ["--help"], ["-h"]])
def test_help_lists_every_command(words, capsys):
    assert main(words) == 0
    text = capsys.readouterr().out
    assert all(name in text and line in text for name, line in COMMANDS.items())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command, capsys):
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: plinth {command}")
    assert "examples:" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_no_help_is_cut_off_in_the_middle_of_a_list(command, capsys):
    assert main([command, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert re.findall(r".{20}(?:[,;:(] ?[;)]| [;,])", text) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compil"], "did you mean `compile`?"),
        (["compile", "--nonsense"], "unrecognized arguments: --nonsense"),
        (["compile", "--form", "json"], "unrecognized arguments"),
        (["vendor", "--format", "xml"], "invalid choice"),
        (["--nonsense"], "there is no command `--nonsense`"),
        (["explain", "PLN000"], "no diagnostic has the code `PLN000`"),
    ],
)
def test_a_mistyped_line_is_1_and_never_2(words, said, capsys):
    assert main(words) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_a_mistyped_line_is_answered_in_json_where_json_was_asked_for(capsys):
    assert main(["compile", "--nonsense", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "plinth.dev/diagnostics/v1"
    assert [each["code"] for each in document["diagnostics"]] == ["PLN909"]


def test_a_compile_then_a_check_then_a_compile(tree, capsys):
    assert compiled(tree, "--check") == 2
    assert files(tree).keys() == {"platform.yaml"}
    assert "would write overlays/dev/mlflow/service-mlflow.yaml" in capsys.readouterr().out
    assert compiled(tree) == 0
    before = state(tree)
    assert compiled(tree, "--check") == 0
    assert compiled(tree) == 0
    shutil.rmtree(tree / ".plinth")  # without the note of the last compile, too
    assert compiled(tree) == 0
    assert state(tree) == before


def test_the_json_of_a_compile(tree, capsys):
    assert compiled(tree, "--format", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"schema", "written", "removed", "withheld"}
    assert document["schema"] == "plinth.dev/compile/v1"
    assert set(document["written"]) == files(tree).keys() - {"platform.yaml"}
    assert compiled(tree, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out) == {**document, "written": []}


def test_the_json_of_a_fault(tree, capsys):
    (tree / "platform.yaml").write_text(
        EXAMPLE.replace("count: 1}, capacity", "count: 3}, capacity"), encoding="utf-8"
    )
    assert compiled(tree, "--format", "json") == 1
    (fault,) = json.loads(capsys.readouterr().out)["diagnostics"]
    line = next(number for number, text in enumerate(EXAMPLE.splitlines(), start=1) if "name: t4" in text)
    assert (fault["code"], fault["file"], fault["line"]) == ("PLN305", "platform.yaml", line)
    assert "n1-standard-8 with 2 t4" in fault["help"] or "2 t4" in fault["help"]
    assert files(tree).keys() == {"platform.yaml"}


def test_one_environment_alone(tree, capsys):
    assert compiled(tree, "--env", "dev") == 0
    assert {path.split("/")[1] for path in files(tree) if path.startswith("generated/")} == {"base", "dev"}
    whole = files(tree)
    assert compiled(tree) == 0
    assert {path: content for path, content in files(tree).items() if path in whole} == whole
    assert compiled(tree, "--env", "dev", "--check") == 0
    assert compiled(tree, "--env", "produ") == 1
    assert "did you mean `prod`?" in capsys.readouterr().err


def test_a_hand_edit_is_refused_with_the_way_out_and_kept(made, capsys):
    edited = made / "overlays/dev/mlflow/service-mlflow.yaml"
    edited.write_text("mine\n", encoding="utf-8")
    before = files(made)
    assert compiled(made) == 1
    said = capsys.readouterr().err
    assert "PLN901" in said
    assert "overlays/dev/mlflow/service-mlflow.yaml" in said
    assert "patches/" in said
    assert files(made) == before
    assert compiled(made, "--check") == 2
    assert compiled(made, "--overwrite") == 0
    assert edited.read_text(encoding="utf-8").startswith("apiVersion: v1\n")


@pytest.fixture
def branches(tree: Path) -> Callable[[str, str], None]:
    """Commits the example's tree, and then a change of each of two branches, each compiled."""

    def commit(ours: str, theirs: str) -> None:
        git(tree, "init", "-q", "-b", "main")
        (tree / ".gitignore").write_text(".plinth/\n", encoding="utf-8")
        for number, (branch, text) in enumerate((("main", EXAMPLE), ("other", theirs), ("main", ours))):
            if number:
                git(tree, "checkout", "-q", *(["-b"] if branch == "other" else []), branch)
            (tree / "platform.yaml").write_text(text, encoding="utf-8")
            assert compiled(tree) == 0
            git(tree, "add", "-A")
            git(tree, "commit", "-q", "--allow-empty", "-m", f"change {number}")

    return commit


def test_a_merge_of_two_changes_needs_no_compile(tree, branches):
    """A ledger has a line for each file, so git merges it as it merges the files."""
    branches(EXAMPLE.replace("size: small", "size: large"), EXAMPLE.replace("idle: 2h", "idle: 3h"))
    git(tree, "merge", "-q", "--no-edit", "other")
    assert compiled(tree, "--check") == 0


def test_a_merge_with_conflicts_is_no_hand_edit(tree, branches, capsys):
    """Bytes that a parent's ledger names are that parent's output, whoever chose the side."""
    branches(EXAMPLE.replace("idle: 2h", "idle: 4h"), EXAMPLE.replace("idle: 2h", "idle: 3h"))
    with pytest.raises(subprocess.CalledProcessError):
        git(tree, "merge", "other")
    git(tree, "checkout", "--theirs", "overlays")
    git(tree, "checkout", "--ours", "generated")
    (tree / "platform.yaml").write_text(EXAMPLE.replace("idle: 2h", "idle: 5h"), encoding="utf-8")
    assert compiled(tree) == 0, capsys.readouterr().err
    assert compiled(tree, "--check") == 0


def test_an_edit_that_was_committed_is_one_all_the_same(tree, branches, capsys):
    branches(EXAMPLE, EXAMPLE.replace("idle: 2h", "idle: 3h"))
    edited = tree / "overlays/dev/mlflow/service-mlflow.yaml"
    edited.write_text("mine\n", encoding="utf-8")
    git(tree, "commit", "-qam", "an edit")
    assert compiled(tree) == 1
    assert "PLN901" in capsys.readouterr().err


def test_a_removed_environment_goes_and_the_other_stays(made):
    before = files(made)
    text = EXAMPLE[: EXAMPLE.index("    prod:")]
    (made / "platform.yaml").write_text(text, encoding="utf-8")
    assert compiled(made) == 0
    after = files(made)
    assert not any("prod" in path for path in after)
    assert {path for path in before if path.startswith("overlays/dev")} <= after.keys()


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        pytest.param(lambda tree: (tree / "platform.yaml").unlink(), "PLN905", id="no platform file"),
        pytest.param(
            lambda tree: (tree / "plinth.lock.yaml").write_text("[]\n"), "PLN908", id="a lock that is none"
        ),
        pytest.param(
            lambda tree: (tree / "plinth.lock.yaml").write_text("a: [\n"),
            "PLN908",
            id="a lock that is not YAML",
        ),
        pytest.param(
            lambda tree: (tree / "generated/dev/index.jsonl").write_text("x\n"),
            "PLN907",
            id="a broken ledger",
        ),
        pytest.param(lambda tree: link(tree, "overlays"), "PLN902", id="a folder that is a link"),
        pytest.param(
            lambda tree: link(tree, "overlays/dev/mlflow/service-mlflow.yaml"),
            "PLN902",
            id="a file that is a link",
        ),
        pytest.param(
            lambda tree: folder(tree / "plinth.lock.yaml"), "PLN902", id="a folder where a file belongs"
        ),
        pytest.param(lambda tree: (tree / "platform.yaml").write_text(""), "PLN113", id="an empty file"),
        pytest.param(
            lambda tree: (tree / "platform.yaml").write_bytes(b"a" * 5_000_000), "PLN108", id="5 MB"
        ),
        pytest.param(lambda tree: (tree / "platform.yaml").write_text("- 1\n"), "PLN203", id="a list"),
    ],
)
def test_what_is_wrong_with_the_world_is_said(made, damage, code, capsys):
    damage(made)
    before = files(made)
    capsys.readouterr()
    assert compiled(made) == 1
    said = capsys.readouterr().err
    assert f"error[{code}]" in said
    assert "Traceback" not in said
    assert files(made) == before


def link(tree: Path, path: str) -> None:
    (tree / path).rename(tree / "elsewhere")
    (tree / path).symlink_to(tree / "elsewhere")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def test_a_folder_that_is_not_there(tmp_path, capsys):
    assert main(["compile", "-C", str(tmp_path / "nowhere")]) == 1
    assert "PLN905" in capsys.readouterr().err


def test_a_file_outside_the_tree_is_refused(tree, capsys):
    assert compiled(tree, "-f", "../platform.yaml") == 1
    assert "PLN905" in capsys.readouterr().err


def test_a_full_disk_leaves_the_tree_as_it_was(made, capsys, monkeypatch):
    from plinth.workspace.calls import FileCalls

    before = files(made)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileCalls, "write", full)
    (made / "platform.yaml").write_text(EXAMPLE.replace("idle: 2h", "idle: 3h"), encoding="utf-8")
    capsys.readouterr()
    assert compiled(made) == 1
    said = capsys.readouterr().err
    assert "PLN903" in said
    assert "No space left on device" in said
    monkeypatch.undo()
    (made / "platform.yaml").write_text(EXAMPLE, encoding="utf-8")
    assert files(made) == before


def test_an_input_that_changes_meanwhile_stops_the_write(tree, capsys, monkeypatch):
    from plinth.workspace import Workspace

    plan = Workspace.plan

    def slow(self: Workspace, *words: object, **named: object) -> object:
        made = plan(self, *words, **named)
        (tree / "platform.yaml").unlink()
        return made

    monkeypatch.setattr(Workspace, "plan", slow)
    assert compiled(tree) == 1
    assert "PLN904" in capsys.readouterr().err
    assert files(tree) == {}


def test_a_stamp_that_lies_is_not_believed(tree):
    """Any byte of any file that was read or written brings the compile back."""
    assert compiled(tree) == 0
    whole = files(tree)
    stamp = (tree / ".plinth/stamp.json").read_bytes()
    for path in (
        "platform.yaml",
        "plinth.lock.yaml",
        "generated/dev/index.jsonl",
        "overlays/dev/mlflow/service-mlflow.yaml",
    ):
        status = (tree / path).stat()
        content = bytearray((tree / path).read_bytes())
        content[-2] ^= 1
        (tree / path).write_bytes(content)
        os.utime(tree / path, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert compiled(tree, "--check") != 0
        assert (tree / ".plinth/stamp.json").read_bytes() == stamp
        (tree / path).write_bytes(whole[path])
    shutil.copytree(tree / "generated/dev", tree / "generated/brought-back")
    assert compiled(tree, "--check") != 0


def test_interrupted(tree):
    """Ctrl-C at any time is exit 130 and no traceback, and the next compile completes."""
    seen = set()
    for delay in (0.05, 0.25, 0.45, 0.6):
        process = subprocess.Popen(
            [sys.executable, "-m", "plinth", "compile", "-C", str(tree)], stderr=subprocess.PIPE, text=True
        )
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
        seen.add(process.returncode)
        if process.returncode == 130:
            assert "interrupted" in said
            assert "Traceback" not in said
    assert seen <= {0, 130, -signal.SIGINT, 1}
    assert compiled(tree) == 0
    assert compiled(tree, "--check") == 0


def test_a_reader_that_closes_its_end(tree):
    script = f"{sys.executable} -m plinth schema | head -c 1 > /dev/null; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
