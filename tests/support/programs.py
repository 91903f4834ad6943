"""Stand-ins for the programs that a bootstrap starts: they note how they were called, and answer from files.

    programs = Programs(folder)
    programs.add("kubectl")                 every call ends with 0
    programs.answers("terraform", "plan", code=2, output="Plan: 1 to add, 0 to change, 0 to destroy.")
    programs.calls                          [("terraform", "-chdir=...", "init"), ...]

An answer holds for calls in whose words its text is, the last one added first. `once=True` takes it back
after its first call.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """\
#!{python}
import json, os, pathlib, signal, sys, time
here = pathlib.Path(__file__).resolve().parent
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
with (here / "calls").open("a") as calls:
    calls.write(json.dumps([name, *words]) + "\\n")
answers = json.loads((here / "answers.json").read_text())
text = " ".join([name, *words])
for number, each in reversed(list(enumerate(answers))):
    if each["program"] != name or each["text"] not in text:
        continue
    used = here / f"used-{{number}}"
    if each["once"] and used.exists():
        continue
    used.touch()
    if each["waits"]:
        def stop(number, frame):
            (here / "interrupted").write_text(str(number))
            sys.stderr.write("Interrupt received.\\n")
            sys.exit(1)
        signal.signal(signal.SIGINT, stop)
        (here / "waiting").write_text(str(os.getpid()))
        time.sleep(60)
    sys.stdout.write(each["output"])
    sys.stderr.write(each["complaint"])
    sys.exit(each["code"])
"""


class Programs:
    """A folder for PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._answers: list[dict[str, object]] = []
        self._save()

    def add(self, *names: str) -> None:
        """A program of each name."""
        for name in names:
            file = self.folder / name
            file.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
            file.chmod(0o755)

    def answers(
        self,
        program: str,
        text: str = "",
        *,
        code: int = 0,
        output: str = "",
        complaint: str = "",
        once: bool = False,
        waits: bool = False,
    ) -> None:
        """How a program answers to calls that have this text."""
        self._answers.append(
            {
                "program": program,
                "text": text,
                "code": code,
                "output": output,
                "complaint": complaint,
                "once": once,
                "waits": waits,
            }
        )
        self._save()

    @property
    def calls(self) -> list[tuple[str, ...]]:
        """Every call so far."""
        file = self.folder / "calls"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [tuple(json.loads(line)) for line in lines]

    def forget(self) -> None:
        """Note calls from here on."""
        (self.folder / "calls").unlink(missing_ok=True)

    def _save(self) -> None:
        (self.folder / "answers.json").write_text(json.dumps(self._answers), encoding="utf-8")
