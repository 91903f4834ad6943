"""What only a cloud knows about its first hour and its last: commands, as data.

A cloud names its own program's commands here and nothing runs them: `bootstrap/` puts them in order,
`live/` starts programs. No command holds a secret's value: a person gives it by a file.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MANAGER: Final = "argocd-controller"
"""The field manager of Argo CD: what was first applied under another name it would never remove."""


class Command(Struct, frozen=True, kw_only=True):
    """A program with its words."""

    argv: tuple[str, ...]
    purpose: str
    """What it does, as a comment says it."""

    def text(self) -> str:
        """As a shell takes it."""
        return shlex.join(self.argv)


class Check(Struct, frozen=True, kw_only=True):
    """A question whose answer says whether something is there."""

    argv: tuple[str, ...]
    prints: str | None = None
    """What it prints where the thing is there; None where ending with 0 says so."""
    to_do: int | None = None
    """How it ends where there is something to do, other codes being faults; None where any but 0 says so."""
    is_shown: bool = False
    """A person reads what it prints, and what comes after it builds on it."""

    def text(self) -> str:
        """As a shell takes it."""
        return shlex.join(self.argv)


class Making(Struct, frozen=True, kw_only=True):
    """A thing, the question whether it is there, and the commands that make it."""

    what: str
    check: Check
    commands: tuple[Command, ...]


class WantedSecret(Struct, frozen=True, kw_only=True):
    """A secret that the platform reads and that is not, or not everywhere, made by itself."""

    name: str
    namespace: str
    """Of the component that reads it."""
    keys: tuple[str, ...]
    is_generated: bool
    """Nobody has to know its value: where there is a secret store, it is made up there."""


class OwnNodes(Struct, frozen=True, kw_only=True):
    """Nodes that a program in the cluster makes: their machines would go on without it."""

    application: str
    """The program's; it takes its machines away when it goes."""
    label: str
    """On every node of its making."""


class CloudCommands(Struct, frozen=True, kw_only=True):
    """One environment's commands."""

    context: str
    """What the kubeconfig calls the cluster once `credentials` have run."""
    programs: Mapping[str, str] = field(default_factory=dict)
    """Programs of the cloud -> how one gets them."""
    state: tuple[Making, ...] = ()
    """The place of Terraform's state, in order; empty where none is asked for."""
    credentials: tuple[Command, ...] = ()
    """What makes kubectl reach the cluster; empty where somebody else did that."""
    namespaces: tuple[Making, ...] = ()
    """Namespaces that `secrets` need before Argo CD makes them."""
    secrets: tuple[Making, ...] = ()
    """Secrets whose values a person has to give; the commands are for that person."""
    leftovers: tuple[Command, ...] = ()
    """Questions for what a cluster makes in the cloud by itself: load balancers, disks."""
    own_nodes: OwnNodes | None = None
    """Nodes that the cluster makes by itself."""
    is_provisioned: bool = True
    """Terraform made the cluster, so Terraform can destroy it."""
    disks_outlive_cluster: bool = True
    """A disk that the cluster made stays when the cluster goes."""
    protections: Mapping[str, bool] = field(default_factory=dict)
    """Arguments of Terraform resources that keep them from being deleted -> the value that lets go."""
    control_plane: str = ""
    """The type of Terraform resource that is the cluster itself: what a teardown is about."""
    way_in: str = ""
    """What to do where the control plane does not answer."""


def kubectl(context: str, *words: str) -> tuple[str, ...]:
    """A command of kubectl that can reach no other cluster than the one that is meant.

    Without a context it is for a person, who knows which cluster that is.
    """
    return ("kubectl", *([f"--context={context}"] if context else []), *words)


def repository_secret(context: str, name: str, url: str) -> Making:
    """The credentials with which Argo CD reads a private repository.

    A file, not a word of the command: those stay in the shell's history.
    """
    is_https = url.startswith("https://")
    given = ("--from-literal=username=USER", "--from-file=password=FILE")
    keys = given if is_https else ("--from-file=sshPrivateKey=FILE",)
    on = ("-n", "argocd")
    return Making(
        what=f"Secret `{name}` in namespace `argocd`",
        check=Check(argv=kubectl(context, *on, "get", "secret", name, "--output=name")),
        commands=(
            Command(
                argv=kubectl(
                    context,
                    *on,
                    "create",
                    "secret",
                    "generic",
                    name,
                    "--from-literal=type=git",
                    f"--from-literal=url={url}",
                    *keys,
                ),
                purpose=f"FILE holds {'a token that may read' if is_https else 'a deploy key'}",
            ),
            Command(
                argv=kubectl(
                    context, *on, "label", "secret", name, "argocd.argoproj.io/secret-type=repository"
                ),
                purpose="Argo CD looks for this label",
            ),
        ),
    )


def cluster_secret(context: str, wanted: WantedSecret) -> Making:
    """A Secret that a person makes in the cluster, where there is no secret store."""
    files = tuple(f"--from-file={key}" for key in wanted.keys)
    source = "; `openssl rand -hex 32` makes one" if wanted.is_generated else ""
    on = ("-n", wanted.namespace)
    return Making(
        what=f"Secret `{wanted.name}` in namespace `{wanted.namespace}`",
        check=Check(argv=kubectl(context, *on, "get", "secret", wanted.name, "--output=name")),
        commands=(
            Command(
                argv=kubectl(context, *on, "create", "secret", "generic", wanted.name, *files),
                purpose=f"each value in a file that is called as its key, no newline at its end{source}",
            ),
        ),
    )


def namespaces_of(context: str, wanted: Iterable[WantedSecret]) -> tuple[Making, ...]:
    """The namespaces in which a person makes Secrets; Argo CD takes them over."""
    return tuple(
        Making(
            what=f"namespace `{name}`",
            check=Check(argv=kubectl(context, "get", "namespace", name, "--output=name")),
            commands=(
                Command(
                    argv=kubectl(context, "create", "namespace", name), purpose="Argo CD takes it over later"
                ),
            ),
        )
        for name in sorted({each.namespace for each in wanted})
    )
