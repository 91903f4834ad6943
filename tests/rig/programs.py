"""What the rig consists of, and where it is kept.

A program is a package of a pinned Go module. `pins/<module>/` holds `go.mod` and `go.sum`, with the
replacements that the program's own module needs, so that a build depends on nothing but these files.

Built programs lie in `<cache>/<digest>/bin`. The digest is that of all pins, commands and the platform: a
program that is there was built from what this checkout says, by a Go that is new enough for it. Its receipt in
`share/built` says from what and how large it is: without one it does not count, and by it a folder of other pins
takes over what is the same in both.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

PINS: Final = Path(__file__).parent / "pins"
VARIABLE: Final = "PLINTH_RIG_CACHE"

KUBERNETES: Final = "1.36.3"
# Without these the API server says that its version is `v0.0.0-master+$Format:%H$`, which no client reads.
_KUBERNETES_FLAGS: Final = " ".join(
    f"-X k8s.io/component-base/version.{name}={value}"
    for name, value in (
        ("gitVersion", f"v{KUBERNETES}"),
        ("gitMajor", KUBERNETES.split(".")[0]),
        ("gitMinor", KUBERNETES.split(".")[1]),
    )
)

GO_SETTINGS: Final = {
    "GOFLAGS": "-buildvcs=false",
    "GOWORK": "off",
    # Go would fetch another Go where a module asks for one; which one builds is decided by `go`.
    "GOTOOLCHAIN": "local",
}
"""Of the environment of every build: what decides over the binary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A binary that is built from a pinned module."""

    name: str
    module: str
    """The folder of `pins/`."""
    package: str
    cold_build_s: int
    """Seconds on two idle cores with nothing in Go's caches; said before a build, so that nobody gives up early."""
    linker_flags: str = ""
    other_names: tuple[str, ...] = ()
    """Links beside the binary. Argo CD is one binary that takes its role from its name."""
    module_files: tuple[tuple[str, str], ...] = ()
    """Files of the package's module that are kept beside the binaries: pattern below the module, folder below `share`."""

    def command(self, output: str, packages: int) -> tuple[str, ...]:
        """What Go is told, so that the binary comes to lie at `output`; it compiles so many packages at a time."""
        return (
            "build",
            "-gcflags=all=-dwarf=false",  # nobody debugs them, and it is a fifteenth of the time; what they do is the same
            "-ldflags",
            self.linker_flags,
            "-p",
            str(packages),
            "-o",
            output,
            self.package,
        )


PROGRAMS: Final = (
    Program(name="etcd", module="etcd", package="go.etcd.io/etcd/server/v3", cold_build_s=90),
    *(
        Program(
            name=name,
            module="kube",
            package=f"k8s.io/kubernetes/cmd/{name}",
            cold_build_s=cold_build_s,
            linker_flags=_KUBERNETES_FLAGS,
        )
        for name, cold_build_s in (
            ("kube-apiserver", 310),
            ("kube-controller-manager", 90),
            ("kube-scheduler", 11),
            ("kubectl", 40),
        )
    ),
    Program(name="kwok", module="kwok", package="sigs.k8s.io/kwok/cmd/kwok", cold_build_s=230),
    Program(
        name="argocd",
        module="argocd",
        package="github.com/argoproj/argo-cd/v3/cmd",
        cold_build_s=300,
        other_names=("argocd-repo-server", "argocd-application-controller"),
        module_files=(("manifests/crds/*-crd.yaml", "argocd/crds"),),
    ),
    Program(
        name="kustomize",
        module="kustomize",
        package="sigs.k8s.io/kustomize/kustomize/v5",
        cold_build_s=47,
    ),
    Program(name="helm", module="helm", package="helm.sh/helm/v3/cmd/helm", cold_build_s=127),
    Program(name="tofu", module="tofu", package="github.com/opentofu/opentofu/cmd/tofu", cold_build_s=430),
    Program(
        name="terraform-provider-google",
        module="provider-google",
        package="github.com/hashicorp/terraform-provider-google",
        cold_build_s=390,
    ),
)
"""In the order in which they are built: what most tests need comes first."""

REDIS: Final = "redis-server"
"""Needed by Argo CD, and no Go program."""

ZSH: Final = "zsh"
"""Reads the completion that is written for it."""

JQ: Final = "jq"
"""Used by the scripts that are written for a pipeline and for roots."""

PACKAGES: Final = (REDIS, ZSH, JQ)
"""The distribution's own, each in a package of its name; see `debian`."""


def cache() -> Path:
    """The folder of everything that was built, whatever the pins."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "plinth-rig"


def folder() -> Path:
    """The folder of what was built from the pins of this checkout: `bin`, `share`, `logs`."""
    return cache() / digest()


def digest(pins: Path = PINS, programs: Iterable[Program] = PROGRAMS) -> str:
    """16 hexadecimal digits that stand for all that a build depends on."""
    of_each = (digest_of(each, pins) for each in programs)
    return hashlib.sha256("".join(of_each).encode()).hexdigest()[:16]


def digest_of(program: Program, pins: Path = PINS) -> str:
    """The same for one program, in 64 digits."""
    command = program.command("", 0)
    decides = (platform.system(), platform.machine(), sorted(GO_SETTINGS.items()), command)
    belongs = (program.name, program.other_names, program.module_files)
    state = hashlib.sha256(f"{decides!r} {belongs!r}\n".encode())
    for name in ("go.mod", "go.sum"):
        state.update((pins / program.module / name).read_bytes())
    return state.hexdigest()


def stale() -> list[Path]:
    """Folders that were built from other pins; nobody needs them but an older checkout."""
    kept = digest()
    return sorted(each.parent for each in cache().glob("*/bin") if each.parent.name not in (kept, "go"))


def is_built(program: Program, where: Path, pins: Path = PINS) -> bool:
    """True if the program and all that belongs to it lie whole in a folder such as `folder()`."""
    names = (program.name, *program.other_names)
    shares = (target for _, target in program.module_files)
    left = receipt(program, where)
    return (
        left.is_file()
        and all(_is_executable(where / "bin" / name) for name in names)
        and all((where / "share" / target).is_dir() for target in shares)
        and left.read_text(encoding="utf-8") == _receipt(program, where, pins)
    )


def receipt(program: Program, where: Path) -> Path:
    """The file that says from what a program in a folder was built."""
    return where / "share" / "built" / program.name


def leave_receipt(program: Program, where: Path, pins: Path = PINS) -> None:
    """Say that a program is there and whole, after everything else that belongs to it."""
    path = receipt(program, where)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_receipt(program, where, pins), encoding="utf-8")


def _receipt(program: Program, where: Path, pins: Path) -> str:
    return f"{digest_of(program, pins)} {(where / 'bin' / program.name).stat().st_size}\n"


def _is_executable(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0 and os.access(path, os.X_OK)


def program(name: str) -> str | None:
    """The path of a program or of one of its other names, or None where it is not built."""
    if name in PACKAGES:
        return shutil.which(name)
    where = folder()
    for each in PROGRAMS:
        if name in (each.name, *each.other_names) and is_built(each, where):
            return str(where / "bin" / name)
    return None


def find(name: str) -> str | None:
    """The path of a program that people have as well: the one on `PATH`, else the rig's."""
    return shutil.which(name) or program(name)


def missing(*names: str) -> str | None:
    """Why a test that needs these programs is left out; None where all of them are there."""
    lacking = [name for name in names if program(name) is None]
    return f"the rig has no {', '.join(lacking)}: run `make rig`" if lacking else None
