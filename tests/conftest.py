"""What every test may ask for, and what a run says."""

from __future__ import annotations

import gc
import os
import random
from functools import cache

import hypothesis
import pytest

from plinth.cli import main
from support import (
    golden,
    offline,
    platforms,
    recordings,
    repository,
    roots,
    stub_provider,
    terraform,
    watched,
)
from support.modules import Modules

pytest_plugins = ("rig.fixtures", "support.left_out")

WATCH = pytest.StashKey[watched.Watch]()

END_TO_END = "end-to-end"
LONGEST = ("admission", "google-provider", "terraform", "tofu", "changes-aws")
"""Groups that one worker is busy with for a minute or more, the longest first."""


# How fast a machine is says nothing of the code: no test fails for being slow.
hypothesis.settings.register_profile(
    "plinth", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("plinth")

# A compile makes many objects and nearly no garbage in cycles, see `cli.entry`: looking for it as often as usual
# takes a tenth of the whole run.
gc.set_threshold(100_000, 20, 50)


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write golden files as they are compiled now; read the diff",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    # What keeps one worker busy for long begins before the rest, or the other one would wait for it at the end.
    items.sort(key=_turn)


def _turn(item):
    """The end-to-end platform comes up first, beside what needs one core; then what takes both, and what fills up."""
    mark = item.get_closest_marker("xdist_group")
    group = mark.args[0] if mark else None
    if group == END_TO_END:
        return 0
    if group is None and item.path.parent.name in {"properties", "unit"}:
        return 1
    return 2 + (LONGEST.index(group) if group in LONGEST else len(LONGEST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from support.by_file import ByFile

    return ByFile(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_report_header():
    network = (
        "loopback alone" if offline.is_offline() else "all of this machine's, and what is dialled is watched"
    )
    return [f"mutations of the spec: PLINTH_SEED={os.environ['PLINTH_SEED']}", f"network: {network}"]


def pytest_configure(config):
    # Set before the workers start, so that all of them draw from the seed that is printed.
    os.environ.setdefault("PLINTH_SEED", str(random.SystemRandom().randrange(10**9)))
    if config.getoption("--update-golden") and os.environ.get("CI"):
        raise pytest.UsageError(
            "--update-golden has no use under CI: golden files are written where somebody reads the diff"
        )


def pytest_sessionstart(session):
    # The workers are children of the process that hands out the tests, and so is all that they start.
    if not offline.is_offline() and not hasattr(session.config, "workerinput"):
        session.config.stash[WATCH] = watched.Watch()
        session.config.stash[WATCH].start()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    watch = session.config.stash.get(WATCH, None)
    if watch is not None:
        watch.stop()
        if watch.seen:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            out = session.config.pluginmanager.get_plugin("terminalreporter")
            out.write_line("")
            out.write_line(f"dialled beyond 127.0.0.0/8: {', '.join(sorted(watch.seen))}", red=True)


def pytest_terminal_summary(terminalreporter):
    """What tests found out."""
    for report in terminalreporter.stats.get("passed", ()):
        for name, text in report.user_properties:
            if name == "table":
                terminalreporter.write_line(f"{report.nodeid}\n{text}")


@pytest.fixture(scope="session")
def update_golden(request):
    """True where golden files are to be written, not compared."""
    return request.config.getoption("--update-golden")


@pytest.fixture(scope="session")
def served():
    """Serves recordings once in this process; gives the value of `TF_REATTACH_PROVIDERS` for them."""
    with stub_provider.serving() as served:
        yield served


@pytest.fixture(scope="session")
def stub_providers(served):
    """The value of `TF_REATTACH_PROVIDERS` for each recorded provider, in its oldest version."""
    return served(recordings.oldest())


@pytest.fixture(scope="session")
def every_root(served, tmp_path_factory):
    """What a program says of all roots of an edition of the recordings; a worker asks it once."""

    @cache
    def tried(tool, edition):
        work, reattach = tmp_path_factory.mktemp(edition), served(recordings.EDITIONS[edition]())
        try:
            return Modules(tool, roots.of_edition(edition), work=work, reattach=reattach)
        except terraform.CommandError as error:
            return error  # the next test need not wait for it again

    def judged(tool, edition):
        found = tried(tool, edition)
        if isinstance(found, terraform.CommandError):
            raise found
        return found

    return judged


@pytest.fixture(scope="session")
def remote_example(tmp_path_factory):
    """A folder with the example, compiled as it stands."""
    return _compiled(tmp_path_factory.mktemp("remote"), platforms.example())


@pytest.fixture(scope="session")
def dev_example(tmp_path_factory):
    """A folder with the environment `dev` of the example, compiled; copied by who changes it."""
    return _compiled(tmp_path_factory.mktemp("dev"), platforms.example_of_dev())


def _compiled(folder, text):
    (folder / "platform.yaml").write_bytes(text)
    assert main(["compile", "-C", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def committed_example(tmp_path_factory):
    """A repository with the example, compiled and committed; copied by who changes it."""
    folder = repository.repository(tmp_path_factory.mktemp("committed"))
    _compiled(folder, platforms.example())
    repository.commit(folder)
    repository.git(folder, "repack", "-adq")  # two files in place of two hundred, for every copy
    return folder


@pytest.fixture(scope="session")
def vendored_example(tmp_path_factory):
    """A folder with the example, its upstreams vendored from the mirror, and compiled."""
    mirror = platforms.mirror()
    if mirror is None:
        pytest.skip(platforms.needs_mirror.kwargs["reason"])
    folder = tmp_path_factory.mktemp("vendored")
    text = platforms.example().replace(b"upstreams: remote", b"upstreams: vendored")
    (folder / "platform.yaml").write_bytes(text)
    assert main(["vendor", "--mirror", str(mirror), "-C", str(folder)]) == 0
    assert main(["compile", "-C", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def vendored_result(vendored_example):
    """The same compile in memory: graphs and final objects."""
    return golden.compiled(vendored_example)
