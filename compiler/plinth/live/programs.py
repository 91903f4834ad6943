"""Start programs: terraform, kubectl, and those of the clouds.

A program has a session of its own, so a Ctrl-C reaches Plinth alone. It is handed on once, and then
waited for: Terraform releases its lock and writes its state before it ends, and would stop in the
middle at a second one. What a program prints goes to the person line by line, without what looks like
a secret. It is asked nothing on the way: its standard input is empty.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Self

from msgspec import Struct

from plinth.diagnostics.diagnostic import Diagnostic, PlinthError
from plinth.diagnostics.show import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

VARIABLE: Final = "PLINTH_TERRAFORM"
"""Names the program that is called for `terraform`."""
TERRAFORMS: Final = ("terraform", "tofu")

TAIL: Final = 20
"""Lines of a program's complaints that a message repeats."""
CHUNK: Final = 65536
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
PATIENCE: Final = 3
"""From this Ctrl-C on a program is killed."""


class Ended(Struct, frozen=True, kw_only=True):
    """How a program ended."""

    code: int
    """As a shell has it: 128 and the signal's number where a signal ended it."""
    output: str
    """Its standard output, where that was not shown to the person."""
    complaints: tuple[str, ...]
    """The last lines of its standard error, without secrets."""
    seconds: float


class Stopped(Exception):
    """Somebody pressed Ctrl-C while a program ran; it has ended."""

    def __init__(self, seconds: float) -> None:
        super().__init__("stopped")
        self.seconds = seconds


def terraform() -> str:
    """The program that is called for `terraform`: as named by the variable, or what is found on PATH."""
    named = os.environ.get(VARIABLE)
    if named:
        # Programs run in the platform's folder, and a path is meant from where it was typed.
        return str(Path(named).absolute()) if os.sep in named else named
    return next((each for each in TERRAFORMS if shutil.which(each)), TERRAFORMS[0])


def terraform_named() -> str:
    """The same, where nothing is looked for."""
    return os.environ.get(VARIABLE) or TERRAFORMS[0]


def check_programs(wanted: Mapping[str, str]) -> None:
    """Find every program, before the first of them has done anything.

    Args:
        wanted: Program -> how one gets it.

    Raises:
        PlinthError: one or more are missing.
    """
    missing = [name for name in wanted if shutil.which(name) is None]
    if not missing:
        return
    raise PlinthError(
        Diagnostic(
            code="PLN940",
            message=f"not on PATH: {', '.join(f'`{name}`' for name in missing)}",
            help="; ".join(f"`{name}`: {wanted[name]}" for name in missing),
        )
    )


def run(argv: Sequence[str], folder: Path, show: Callable[[str], None] | None = None) -> Ended:
    """Run a program to its end.

    Args:
        argv: The program and its words.
        folder: Where it runs.
        show: Takes each line of both of its streams, without secrets. Where there is none, its output is
            given back instead.

    Raises:
        PlinthError: there is no such program.
        Stopped: somebody pressed Ctrl-C, and the program ended at that.
    """
    began = time.monotonic()
    with _Presses() as presses:
        try:
            child = subprocess.Popen(  # noqa: S603 - what runs is in the plan that `--plan` prints
                argv,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env={**os.environ, "TF_IN_AUTOMATION": "1", "AWS_PAGER": ""},
            )
        except OSError as error:
            raise PlinthError(
                Diagnostic(
                    code="PLN940",
                    message=f"`{argv[0]}` cannot be started: {error.strerror}",
                    help="put the program on PATH",
                )
            ) from None
        with child:
            presses.hand_on_to(child)
            output, complaints = _followed(child, show)
            code = child.wait()
    seconds = time.monotonic() - began
    if presses.count:
        raise Stopped(seconds)
    return Ended(
        code=code if code >= 0 else 128 - code,
        output=output,
        complaints=tuple(complaints),
        seconds=seconds,
    )


class _Presses:
    """Ctrl-C while a program runs: handed on to it and to all that it started."""

    def __init__(self) -> None:
        self.count = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._before = {each: signal.signal(each, self._pressed) for each in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def hand_on_to(self, child: subprocess.Popen[bytes]) -> None:
        """From here on; also what was pressed before there was a program."""
        self._child = child
        if self.count:
            self._send(signal.SIGINT)

    def _pressed(self, number: int, _: FrameType | None) -> None:
        self.count += 1
        self._send(number if self.count < PATIENCE else signal.SIGKILL)

    def _send(self, number: int) -> None:
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, number)


def _followed(child: subprocess.Popen[bytes], show: Callable[[str], None] | None) -> tuple[str, deque[str]]:
    """What a program prints until it closes both streams: its output, and its last complaints."""
    if child.stdout is None or child.stderr is None:
        raise ValueError("both streams are pipes")
    kept: list[bytes] = []
    complaints: deque[str] = deque(maxlen=TAIL)
    rest: dict[IO[bytes], bytes] = {child.stdout: b"", child.stderr: b""}
    with selectors.DefaultSelector() as waiting:
        for stream in rest:
            waiting.register(stream, selectors.EVENT_READ)
        while waiting.get_map():
            for key, _ in waiting.select():
                stream = child.stdout if key.fileobj is child.stdout else child.stderr
                data = os.read(stream.fileno(), CHUNK)
                if not data:
                    waiting.unregister(stream)
                if show is None and stream is child.stdout:
                    kept.append(data)
                    continue
                *lines, rest[stream] = (rest[stream] + data).split(b"\n")
                if not data and rest[stream]:
                    lines.append(rest[stream])
                for line in map(_line, lines):
                    if stream is child.stderr:
                        complaints.append(line)
                    if show:
                        show(line)
    return b"".join(kept).decode("utf-8", "replace"), complaints


def _line(data: bytes) -> str:
    return printable(data.decode("utf-8", "replace").rstrip("\r"))
