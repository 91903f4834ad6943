"""End, fail or disturb a write at each of its calls, then see that the next one completes it."""

import errno
import inspect
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from plinth.ir.fileset import File
from plinth.ir.ledger import ledger_text
from plinth.workspace import (
    FileCalls,
    HandEdited,
    LinkInTree,
    NotAFile,
    NotAFolder,
    OutputChanged,
    Workspace,
    WorkspaceError,
    WriteFailed,
)


class Killed(BaseException):
    """The process ends here: nothing catches this."""


class Disturbed(FileCalls):
    """Lets `calls` calls through, then does `what` before the next; a write gets half way first."""

    def __init__(self, calls, what):
        self.left = calls
        self.what = what
        self.made = 0

    def count(self):
        self.made += 1
        self.left -= 1
        if self.left == -1:
            self.what()

    def mkdir(self, *arguments):
        self.count()
        super().mkdir(*arguments)

    def create(self, *arguments):
        self.count()
        return super().create(*arguments)

    def write(self, file, content):
        done = super().write(file, content[: len(content) // 2]) if self.left == 0 else 0
        self.count()
        return done + super().write(file, content[done:])

    def open_lock(self, *arguments):
        self.count()
        return super().open_lock(*arguments)

    def rename(self, *arguments):
        self.count()
        super().rename(*arguments)

    def unlink(self, *arguments):
        self.count()
        super().unlink(*arguments)

    def rmdir(self, *arguments):
        self.count()
        super().rmdir(*arguments)


class RenamedThen(Disturbed):
    """Does `what` after a rename, `calls` renames let through."""

    def count(self):
        pass

    def rename(self, *arguments):
        super().rename(*arguments)
        super().count()


@pytest.fixture
def memory(tmp_path):
    """A folder in memory where the system offers one: there, a file costs a tenth of what it does on a disk."""
    offered = Path("/dev/shm")  # noqa: S108 - the folder in it is this test's own
    if not (offered.is_dir() and os.access(offered, os.W_OK)):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=offered) as folder:
        yield Path(folder)


def kill():
    raise Killed


def fill_the_disk():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def files(contents):
    return {path: File(content.encode(), "test", {"": ("spec",)}) for path, content in contents.items()}


# From one to the other: files added, changed, kept and removed in two groups, a group that comes and
# one that goes, a file that becomes a folder and a folder that becomes a file.
A = {
    "dev": files({"overlays/dev/mlflow/a": "a", "overlays/dev/x": "x", "overlays/dev/y/z/deep": "y"}),
    "base": files({"generated/base/mlflow/1/b": "b", "generated/base/ray/1/same": "same"}),
    "old": files({"overlays/old/mlflow/a": "a", "generated/old/argocd/app": "app"}),
}
B = {
    "dev": files({"overlays/dev/mlflow/a": "A", "overlays/dev/x/1": "x", "overlays/dev/y": "y"}),
    "base": files({"generated/base/mlflow/2/b": "b", "generated/base/ray/1/same": "same"}),
    "new": files({"overlays/new/mlflow/a": "a"}),
}
C = {
    "dev": files({"overlays/dev/mlflow/a": "third", "overlays/dev/x": "X", "overlays/dev/ray/c": "c"}),
    "old": files({"overlays/old/mlflow/a": "b"}),
}
STATES = (A, B, C)
OUTPUTS = sorted({path for state in STATES for group in state.values() for path in group})


def finished(groups):
    """The tree that a clean compile gives: path -> bytes, and `None` for each folder."""
    contents = {path: file.content for group in groups.values() for path, file in group.items()}
    contents |= {f"generated/{name}/index.jsonl": ledger_text(group) for name, group in groups.items()}
    return contents | {str(folder): None for path in contents for folder in Path(path).parents if folder.name}


def tree(root):
    """What is on disk, as `finished` gives it; of `.plinth` only what must not stay."""
    found = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if name not in {".plinth", ".plinth/lock"}:
            found[name] = None if path.is_dir() else path.read_bytes()
    return found


def write(root, groups, io=None, **options):
    workspace = Workspace(root, io=io or FileCalls())
    workspace.write(workspace.plan(groups, **options))


def failure_of(root, groups, io):
    try:
        write(root, groups, io)
    except WorkspaceError as error:
        return error
    return None


def calls_of_a_write(root, groups, **options):
    counter = Disturbed(-1, kill)
    write(root, groups, counter, **options)
    return counter.made


def every_call(memory, before, after):
    """A fresh tree in the state `before`, for each call that a write of `after` makes."""
    (memory / "count").mkdir()
    write(memory / "count", before)
    for number in range(calls_of_a_write(memory / "count", after)):
        root = memory / str(number)
        root.mkdir()
        write(root, before)
        yield number, root


@pytest.mark.parametrize(
    ("before", "after"), [(A, B), (B, A), ({}, A), (A, {})], ids=["AB", "BA", "first", "last"]
)
def test_a_kill_at_any_call_is_seen_and_completed(memory, before, after):
    for number, root in every_call(memory, before, after):
        with pytest.raises(Killed):
            write(root, after, Disturbed(number, kill))
        plan = Workspace(root).plan(after)
        settled = {
            path: text for path, text in tree(root).items() if text is not None and ".plinth" not in path
        }
        complete = {path: text for path, text in finished(after).items() if text is not None}
        assert plan.is_clean == (settled == complete)
        assert (plan.edited, plan.foreign) == ((), ())
        Workspace(root).write(plan)
        assert tree(root) == finished(after)
        assert Workspace(root).plan(after).is_clean


def test_after_a_kill_the_old_state_and_a_third_one_can_be_had_too(memory):
    for number, root in every_call(memory, A, B):
        with pytest.raises(Killed):
            write(root, B, Disturbed(number, kill))
        # The write of the third state is killed as well, elsewhere each time.
        with suppress(Killed):
            write(root, C, Disturbed(number * 7 % 45, kill))
        wanted = A if number % 2 else C
        write(root, wanted)
        assert tree(root) == finished(wanted)


def test_a_full_disk_at_any_call_leaves_the_old_tree_or_one_to_complete(memory):
    seen = set()
    for number, root in every_call(memory, A, B):
        failure = failure_of(root, B, Disturbed(number, fill_the_disk))
        assert isinstance(failure, WriteFailed)
        assert failure.cause.errno == errno.ENOSPC
        assert failure.is_begun or tree(root) == finished(A)
        seen.add(failure.is_begun)
        write(root, B)
        assert tree(root) == finished(B)
    assert seen == {False, True}


def test_an_edit_after_a_kill_is_refused_and_kept(memory):
    for number, root in every_call(memory, A, B):
        with pytest.raises(Killed):
            write(root, B, Disturbed(number, kill))
        there = [path for path in OUTPUTS if (root / path).is_file()]
        edited = root / there[number % len(there)]
        edited.write_bytes(b"mine")
        before = tree(root)
        with pytest.raises(HandEdited) as caught:
            write(root, B)
        assert [root / path for path in caught.value.paths] == [edited]
        assert tree(root) == before
        write(root, B, overwrite=True)
        assert tree(root) == finished(B)


def test_an_edit_after_any_rename_is_kept(memory):
    """Between two renames; the last look at a file comes right before its own."""
    renames = 0
    while True:
        root = memory / str(renames)
        root.mkdir()
        write(root, A)
        edited = root / "overlays/dev/mlflow/a"
        disturbed = RenamedThen(renames, lambda edited=edited: edited.write_bytes(b"mine"))
        with suppress(OutputChanged):
            write(root, B, disturbed)
        if disturbed.left >= 0:
            break
        assert edited.read_bytes() == b"mine"
        assert Workspace(root).plan(B).edited == ("overlays/dev/mlflow/a",)
        renames += 1
    assert renames > 5


def test_a_link_planted_at_any_call_leads_nowhere(memory):
    outside = memory / "outside"
    (outside / "mlflow").mkdir(parents=True)
    (outside / "mlflow/a").write_bytes(b"a")  # what a plan would take for its own
    refused = 0
    for number, root in every_call(memory, A, B):

        def plant(root=root):
            (root / "overlays/dev").rename(root / "moved")
            (root / "overlays/dev").symlink_to(outside)

        failure = failure_of(root, B, Disturbed(number, plant))
        refused += isinstance(failure, LinkInTree)
        assert tree(outside) == {"mlflow": None, "mlflow/a": b"a"}
        (root / "overlays/dev").unlink()
        (root / "moved").rename(root / "overlays/dev")
        write(root, B)
        assert tree(root) == finished(B)
    assert refused > 10


class Histories(RuleBasedStateMachine):
    """Compiles, kills and people in any order: nobody's bytes are lost, and what is complete is right."""

    roots = None

    @initialize()
    def begin(self):
        self.root = type(self).roots()
        self.mine = {}

    @rule(groups=st.sampled_from(STATES), overwrite=st.booleans())
    def compile(self, groups, overwrite):
        workspace = Workspace(self.root)
        before = tree(self.root)
        try:
            plan = workspace.plan(groups, overwrite=overwrite)
        except (NotAFile, NotAFolder):
            assert any(_is_in_the_way(path, groups) for path in self.mine)
            return
        # A file of ours that a kill left or a compile has settled is never taken for somebody's.
        assert set(plan.edited) <= self.mine.keys()
        assert set(plan.foreign) <= self.mine.keys()
        if plan.edited and not overwrite:
            with pytest.raises(HandEdited):
                workspace.write(plan)
            assert tree(self.root) == before
            return
        workspace.write(plan)
        for path in {*plan.edited, *finished(groups)}:
            self.mine.pop(path, None)
        after = {path: text for path, text in tree(self.root).items() if text is not None}
        assert (
            after == {path: text for path, text in finished(groups).items() if text is not None} | self.mine
        )
        assert self.mine or tree(self.root) == finished(groups)
        assert Workspace(self.root).plan(groups).is_clean

    @rule(
        groups=st.sampled_from(STATES), calls=st.integers(0, 60), what=st.sampled_from([kill, fill_the_disk])
    )
    def compile_and_fail(self, groups, calls, what):
        with suppress(Killed, WriteFailed, HandEdited, NotAFile, NotAFolder):
            write(self.root, groups, Disturbed(calls, what))

    @rule(path=st.sampled_from(OUTPUTS), text=st.sampled_from([b"mine", b"also mine"]))
    def edit(self, path, text):
        target = self.root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
        except OSError:  # a folder where this path has a file, or the other way round
            return
        self.mine[path] = text

    @rule(path=st.sampled_from(OUTPUTS))
    def delete(self, path):
        if (self.root / path).is_file():
            (self.root / path).unlink()
            self.mine.pop(path, None)

    @invariant()
    def nobodys_bytes_are_lost(self):
        for path, text in self.mine.items():
            assert (self.root / path).read_bytes() == text


def _is_in_the_way(path, groups):
    wanted = [path for group in groups.values() for path in group]
    return any(other.startswith(path + "/") or path.startswith(other + "/") for other in wanted)


def test_any_history(memory):
    numbers = itertools.count()

    def fresh():
        root = memory / str(next(numbers))
        root.mkdir()
        return root

    class Here(Histories):
        roots = staticmethod(fresh)

    slow = settings(
        max_examples=40, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(Here, settings=slow)


def many(version):
    """200 files in 20 folders; the versions share all paths but two, and no content."""
    names = [f"overlays/dev/c{n % 20}/{n}.yaml" for n in range(version, 200 + version)]
    return {"dev": {name: File(f"{version} {name}\n".encode() * 50, "test") for name in names}}


WRITE_FOREVER = f"""
import sys
from pathlib import Path
from plinth.ir.fileset import File
from plinth.workspace import Workspace

{inspect.getsource(many)}

print("ready", flush=True)
while True:
    for version in (1, 2):
        workspace = Workspace(Path(sys.argv[1]))
        workspace.write(workspace.plan(many(version)))
"""


def test_a_killed_process_leaves_a_tree_that_the_next_one_completes(memory):
    write(memory, many(1))
    for wait_ms in (5, 13, 29, 47, 71):
        command = [sys.executable, "-c", WRITE_FOREVER, str(memory)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            time.sleep(wait_ms / 1000)
            process.send_signal(signal.SIGKILL)
        write(memory, many(1 + wait_ms // 2 % 2))
        assert tree(memory) == finished(many(1 + wait_ms // 2 % 2))
