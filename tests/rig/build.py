"""Build what is missing, one program at a time.

A build goes to a temporary name and takes its own by rename, so a program that is there is whole. One that
another folder of the cache has, built from the same, is taken over. One lock for all checkouts: two builds side
by side are no faster on few cores, and need the memory of both.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from . import debian, go
from .faults import FULL, RigFault, in_words
from .programs import (
    PACKAGES,
    PINS,
    PROGRAMS,
    VARIABLE,
    cache,
    folder,
    is_built,
    leave_receipt,
    receipt,
    stale,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .programs import Program

    Say = Callable[[str], None]

PARALLEL_PACKAGES: Final = 2
"""Packages that Go compiles at the same time. With 2 a build stays below 4 GiB."""

SHOWN_LINES: Final = 15

LEAST_FREE: Final = 1 << 20
"""Bytes. Go takes away what it could not finish, but a log that could not be written does not come back."""

REMEDY: Final = f"see that its folder can be written, or name another one by {VARIABLE}"

# What the world does to a build, found in what Go says, and what to do about it. The first that fits is said.
_CAUSES: Final = (
    ("no space left on device", FULL),
    (
        "signal: killed",
        "the system killed the compiler, most often for want of memory: 4 GiB have to be free",
    ),
    ("cannot allocate memory", "no memory is left: 4 GiB have to be free"),
    (
        "go.mod requires go >=",
        "this Go is older than a module asks for: install the version that it names, or take Go off PATH",
    ),
    ("SECURITY ERROR", "a module is not what its pin says; nothing was built from it"),
    *(
        (sign, "the modules cannot be fetched: a first build needs the network, or GOPROXY naming a mirror")
        for sign in (
            "dial tcp",
            "i/o timeout",
            "no such host",
            "proxyconnect",
            "connection refused",
            "module lookup disabled",
        )
    ),
)


def build_all(say: Say, *, names: Iterable[str] = (), packages: int = PARALLEL_PACKAGES) -> bool:
    """Build every program that is missing, or those that are named; True if all of them are there then.

    A program that fails is said, with the last lines of its log, and the next one is tried.

    Raises:
        RigFault: nothing can be built on this machine, or a name is no program's.
    """
    if platform.system() != "Linux":
        raise RigFault("the rig is built and run on Linux only")
    wanted = _named(names)
    where = folder()
    with in_words(REMEDY), locked(cache() / "lock", say):
        for old in stale():
            say(f"left alone: {old}, built from other pins; delete it when no checkout needs it")
        todo = [each for each in wanted if not is_built(each, where) and not _is_taken_over(each, where, say)]
        failed = _build_missing(todo, where, say, packages)
        failed += [each for each in PACKAGES if (not names or each in names) and not _is_there(each, say)]
    say(
        f"built {len(wanted) - len([each for each in wanted if each.name in failed])} of {len(wanted)} in {where / 'bin'}"
    )
    return not failed


@in_words(REMEDY)
def build(
    program: Program, where: Path, *, go_path: str, packages: int = PARALLEL_PACKAGES, pins: Path = PINS
) -> None:
    """Build a program into `where/bin`, with its other names and the files of its module.

    Raises:
        RigFault: it does not build; `where/bin` holds nothing of it, and the log is kept.
    """
    bin_folder, log = where / "bin", where / "logs" / f"{program.name}.log"
    bin_folder.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(exist_ok=True)
    partial = bin_folder / f".{program.name}.partial"
    try:
        with log.open("wb") as output:
            code = subprocess.run(
                [go_path, *program.command(str(partial), packages)],
                check=False,
                cwd=pins / program.module,
                env=go.environment(go_path),
                stdout=output,
                stderr=output,
            ).returncode
        if code or not partial.is_file() or not partial.stat().st_size:
            raise RigFault(_failure(program.name, log))
        _take_module_files(program, where, go_path, pins)
        _finish(program, where, partial, pins)
    finally:
        partial.unlink(missing_ok=True)


def take_over(program: Program, where: Path, pins: Path = PINS) -> Path | None:
    """Take a program from a folder of the cache that has the very same one; gives that folder.

    A link costs nothing, and what it links to stays when the other folder is deleted.
    """
    found = (each.parents[2] for each in sorted(cache().glob(f"*/{receipt(program, Path())}")))
    other = next((each for each in found if each != where and is_built(program, each, pins)), None)
    if other is None:
        return None
    partial = where / "bin" / f".{program.name}.partial"
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        _link_or_copy(other / "bin" / program.name, partial)
        for _, target in program.module_files:
            shutil.copytree(other / "share" / target, where / "share" / target, dirs_exist_ok=True)
        _finish(program, where, partial, pins)
    finally:
        partial.unlink(missing_ok=True)
    return other


@contextmanager
def locked(path: Path, say: Say) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another build holds {path}: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _named(names: Iterable[str]) -> list[Program]:
    known = {each.name: each for each in PROGRAMS}
    unknown = sorted(set(names) - {*known, *PACKAGES})
    if unknown:
        there = ", ".join([*known, *PACKAGES])
        raise RigFault(f"no program of the rig: {', '.join(unknown)}; there are {there}")
    return [each for each in PROGRAMS if not names or each.name in names]


def _is_taken_over(program: Program, where: Path, say: Say) -> bool:
    other = take_over(program, where)
    if other is not None:
        say(f"{program.name}: the same as in {other}, taken over")
    return other is not None


def _build_missing(todo: list[Program], where: Path, say: Say, packages: int) -> list[str]:
    """The names of those that failed."""
    failed: list[str] = []
    if not todo:
        return failed
    go_path = go.find_or_fetch(say)
    for number, each in enumerate(todo, start=1):
        say(
            f"{number}/{len(todo)} {each.name}: building (about {each.cold_build_s} s where nothing is cached)"
        )
        started = time.monotonic()
        try:
            build(each, where, go_path=go_path, packages=packages)
        except RigFault as fault:
            say(f"{number}/{len(todo)} {each.name}: {fault}")
            failed.append(each.name)
        else:
            size_mib = (where / "bin" / each.name).stat().st_size >> 20
            say(f"{number}/{len(todo)} {each.name}: {time.monotonic() - started:.0f} s, {size_mib} MiB")
    return failed


def _is_there(package: str, say: Say) -> bool:
    try:
        debian.ensure(package, say)
    except RigFault as fault:
        say(str(fault))
        return False
    return True


def _take_module_files(program: Program, where: Path, go_path: str, pins: Path) -> None:
    for pattern, target in program.module_files:
        listed = subprocess.run(
            [go_path, "list", "-f", "{{.Module.Dir}}", program.package],
            check=True,
            capture_output=True,
            text=True,
            cwd=pins / program.module,
            env=go.environment(go_path),
        )
        share, partial = where / "share" / target, where / "share" / f".{program.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for path in sorted(Path(listed.stdout.strip()).glob(pattern)):
            (partial / path.name).write_bytes(path.read_bytes())
        if not any(partial.iterdir()):
            raise RigFault(f"the module of {program.name} holds no {pattern}")
        shutil.rmtree(share, ignore_errors=True)
        share.parent.mkdir(parents=True, exist_ok=True)
        os.replace(partial, share)  # noqa: PTH105 - a folder takes its name


def _finish(program: Program, where: Path, partial: Path, pins: Path) -> None:
    """Give a program its names, and then its receipt."""
    for name in program.other_names:
        link = where / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(program.name)
    partial.replace(where / "bin" / program.name)
    leave_receipt(program, where, pins)


def _link_or_copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:  # a file system without links, or a link to another user's file
        shutil.copy2(source, target)


def _failure(name: str, log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")
    unknown = FULL if shutil.disk_usage(log.parent).free < LEAST_FREE else "it does not build"
    cause = next((what for sign, what in _CAUSES if sign.lower() in text.lower()), unknown)
    tail = [f"    {line}" for line in text.splitlines()[-SHOWN_LINES:]]
    return "\n".join([cause, *tail, f"    the whole log: {log} (of {name})"])
