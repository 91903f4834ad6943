"""The programs of one rig: started in one process group, watched, and ended together.

    with rig_folder("control-plane") as programs:
        programs.start("etcd", [...])
        programs.wait("etcd answers", lambda: ...)

Nothing outlives the owner. At the end of the `with`, also by an exception or Ctrl-C, every program is
ended; where the owner is killed, the keeper does it (see `keeper`).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .faults import RigFault, in_words
from .ports import Reservations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

READY_TIMEOUT_S: Final = 90.0
"""A deadline for a loaded machine: an idle one needs a tenth of it."""

POLL_S: Final = 0.05
SHOWN_LINES: Final = 15


@dataclass(slots=True, kw_only=True)
class Programs:
    """Running programs, their folder and their ports."""

    folder: Path
    ports: Reservations
    group: int
    """The process group that all of them are in."""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    keep_logs: bool = False
    """Set where something failed: the folder `logs` then stays when the rig ends."""

    @property
    def logs(self) -> Path:
        """A file for each program, `<name>.log`."""
        return self.folder / "logs"

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a program, its output going to its log; it sees PATH, a HOME of its own and what is given."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                process_group=self.group,
            )

    def wait(
        self,
        what: str,
        is_so: Callable[[], bool],
        timeout_s: float = READY_TIMEOUT_S,
        *,
        poll_s: float = POLL_S,
    ) -> None:
        """Wait until something is so, by asking every `poll_s` seconds.

        Raises:
            RigFault: a program ended, or the deadline passed; with the ends of the logs.
        """
        deadline = time.monotonic() + timeout_s
        while not is_so():
            ended = [name for name, each in self.running.items() if each.poll() is not None]
            if ended:
                codes = ", ".join(f"{name} ended with {self.running[name].returncode}" for name in ended)
                raise self.fault(f"{codes} before this was so: {what}", ended)
            if time.monotonic() > deadline:
                raise self.fault(f"not so after {timeout_s:.0f} s: {what}", list(self.running))
            time.sleep(poll_s)

    def fault(self, message: str, names: Sequence[str]) -> RigFault:
        """A fault with the last lines of the logs of some programs."""
        tails = [f"{name}:\n{_tail(self.logs / f'{name}.log')}" for name in names]
        return RigFault("\n".join([message, *tails, f"logs: {self.logs}"]))

    def stop(self, name: str) -> None:
        """End a program at once. Nothing that it holds is worth a graceful end."""
        each = self.running.pop(name)
        each.kill()
        each.wait()


@contextmanager
def rig_folder(name: str) -> Iterator[Programs]:
    """A folder and a process group for programs, all gone afterwards but for the logs where something failed."""
    with in_words("TMPDIR names the folder in which the rig makes its own: see that it can be written"):
        folder = Path(tempfile.mkdtemp(prefix=f"plinth-rig-{name}-"))
    with Reservations() as ports, _keeper(folder) as keeper:
        programs = Programs(folder=folder, ports=ports, group=keeper.pid)
        try:
            yield programs
        except Exception:
            programs.keep_logs = True
            raise
        finally:
            for each in reversed(tuple(programs.running)):
                programs.stop(each)
            _clear(folder, keep_logs=programs.keep_logs)


@contextmanager
def _keeper(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-I", str(Path(__file__).with_name("keeper.py")), str(folder)]
    keeper = subprocess.Popen(words, stdin=subprocess.PIPE, cwd="/", process_group=0)
    try:
        yield keeper
    finally:
        # What a program left behind in the group (a git of Argo CD's, say) is killed, and the keeper with it.
        os.killpg(keeper.pid, signal.SIGKILL)
        keeper.communicate()


def _clear(folder: Path, *, keep_logs: bool) -> None:
    if not keep_logs:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for each in folder.iterdir():
        if each.name != "logs":
            shutil.rmtree(each, ignore_errors=True) if each.is_dir() else each.unlink()


def _tail(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return (
        "\n".join(f"    {line[:300]}" for line in text.splitlines()[-SHOWN_LINES:]) or "    (it said nothing)"
    )
