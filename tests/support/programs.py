"""Stand-ins for the programs that a bootstrap starts: they note how they were called, and answer from files.

    programs = Programs(folder)
    programs.add("kubectl")                 every call ends with 0
    programs.answers("terraform", "plan", code=2, output="Plan: 1 to add, 0 to change, 0 to destroy.")
    programs.calls                          [("terraform", "-chdir=...", "init"), ...]

An answer holds for calls in whose words its text is, the last one added first. `once=True` takes it back
after its first call.
"""

from __future__ import annotations

import shlex
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# A shell with what it has built in: a Python would take longer to start than all of a bootstrap takes.
PROGRAM = """\
#!/bin/sh
here=${0%/*} name=${0##*/}
printf '%s\\0' "$#" "$name" "$@" >> "$here/calls"
text="$name $*"
answer() {
  number=$1 program=$2 part=$3 code=$4 output=$5 complaint=$6 once=$7 waits=$8
  [ "$program" = "$name" ] || return 0
  case $text in *"$part"*) ;; *) return 0 ;; esac
  if [ "$once" ] && [ -e "$here/used-$number" ]; then return 0; fi
  : > "$here/used-$number"
  if [ "$waits" ]; then
    trap 'printf 2 > "$here/interrupted"; echo "Interrupt received." >&2; kill $!; exit 1' INT
    sleep 60 > /dev/null 2>&1 &
    printf %s "$$" > "$here/waiting"
    wait
  fi
  printf %s "$output"
  printf %s "$complaint" >&2
  exit "$code"
}
. "$here/answers"
"""


class Programs:
    """A folder for PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self._answers: list[str] = []
        self._save()

    def add(self, *names: str) -> None:
        """A program of each name."""
        for name in names:
            file = self.folder / name
            file.write_text(PROGRAM, encoding="utf-8")
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
        number = str(len(self._answers))
        flags = ["yes" if each else "" for each in (once, waits)]
        self._answers.append(
            shlex.join(["answer", number, program, text, str(code), output, complaint, *flags])
        )
        self._save()

    @property
    def calls(self) -> list[tuple[str, ...]]:
        """Every call so far."""
        file = self.folder / "calls"
        words = iter(file.read_text(encoding="utf-8").split("\0")[:-1] if file.exists() else [])
        return [tuple(islice(words, int(more) + 1)) for more in words]

    def forget(self) -> None:
        """Note calls from here on."""
        (self.folder / "calls").unlink(missing_ok=True)

    def _save(self) -> None:
        lines = [f"{each}\n" for each in reversed(self._answers)]
        (self.folder / "answers").write_text("".join(lines), encoding="utf-8")
