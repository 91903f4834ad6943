"""The command line. A command is a module here and is imported when it is called.

Exit codes: 0 nothing to do or done, 1 something is wrong (a mistyped line too), 2 differences,
3 incomplete. Data goes to stdout, everything said about it to stderr.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from plinth import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS: Final = {
    "init": "write a first platform.yaml, by questions or flags, and the workflows beside it",
    "compile": "write the Terraform roots, overlays and Argo CD objects that platform.yaml declares",
    "bootstrap": "the first hour of an environment: state bucket, Terraform roots, kubeconfig, Argo CD",
    "teardown": "the last hour of an environment: what must go first, what is kept; a plan unless confirmed",
    "outputs": "record what only an apply tells, so that what waits for it can be compiled",
    "drift": "compare what was compiled with what is live, in a cluster and in Terraform's plans",
    "vendor": "bring upstream manifests into the tree, verified and pinned",
    "schema": "print the JSON Schema of platform.yaml, for editors",
    "why": "say which line of the spec a compiled line comes from, or what a part of it becomes",
    "images": "list the container images that the platform's pods name, and where",
    "cost": "say what the platform costs in a month, idle, expected and at most, and what an edit does to it",
    "graph": "draw the platform: what comes before what, as text or Mermaid",
    "explain": "say what a diagnostic means and how to mend it",
    "completion": "print what makes a shell complete commands and options",
}

DONE: Final = 0
WRONG: Final = 1
DIFFERENT: Final = 2
INCOMPLETE: Final = 3
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words == ["--version"]:
        sys.stdout.write(f"plinth {__version__}\n")
        return DONE
    from plinth.cli.run import run  # noqa: PLC0415 - the version alone needs no parser

    return run(words)


def entry() -> NoReturn:
    """Run one command as a process of its own, and end it.

    A compile makes a few hundred thousand objects and keeps nearly all of them: looking for garbage
    finds none. At the end the interpreter would take all this apart, object by object; that takes a
    tenth of the time of the compile and there is nothing to clean up.
    """
    gc.disable()
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
