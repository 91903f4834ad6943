"""The first hour: from a compiled tree to an Argo CD that brings everything else.

Every step asks first whether it is done, so that the whole can be stopped anywhere and begun again. What
Argo CD has taken over is left to it: once the root Application is there, neither of the two
kustomizations is applied again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from plinth.bootstrap.steps import Step
from plinth.ir import layout
from plinth.ir.commands import MANAGER, Check, Command, kubectl, repository_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plinth.bootstrap.roots import Root
    from plinth.ir.commands import CloudCommands, Making

HOW_TO_GET: Final = {
    "terraform": "https://developer.hashicorp.com/terraform/install or https://opentofu.org/docs/intro/install"
    ", 1.11 or later; PLINTH_TERRAFORM names another program",
    "kubectl": "https://kubernetes.io/docs/tasks/tools",
}
"""Programs that are needed on every cloud."""

CRDS: Final = ("crd/applications.argoproj.io", "crd/appprojects.argoproj.io")
APPLICATIONS: Final = "applications.argoproj.io"
"""In full everywhere: other programs have Applications too."""

ON_ARGO_CD: Final = ("-n", "argocd")


def programs(roots: Sequence[Root], commands: CloudCommands, terraform: str) -> dict[str, str]:
    """Every program that the steps start -> how one gets it."""
    wanted = dict(commands.programs)
    if roots:
        wanted[terraform] = HOW_TO_GET["terraform"]
    return wanted | {"kubectl": HOW_TO_GET["kubectl"]}


def first_hour(
    environment: str,
    roots: Sequence[Root],
    commands: CloudCommands,
    *,
    terraform: str,
    repository: tuple[str, str | None],
) -> tuple[Step, ...]:
    """The steps in their order.

    Args:
        environment: Its name.
        roots: Its Terraform roots.
        commands: What only its cloud knows.
        terraform: The program.
        repository: What Argo CD reads, and the name of the Secret that it needs for that.
    """
    url, credentials = repository
    return (
        *(_made("state", "Terraform keeps what it knows there", each) for each in commands.state),
        *(_applied(each, terraform) for each in roots),
        *_recorded(roots, terraform),
        reached(commands),
        *(_made("namespace", "Secrets go there before Argo CD does", each) for each in commands.namespaces),
        *(_given(each) for each in commands.secrets),
        _installed(environment, commands.context),
        *([_given(repository_secret(commands.context, credentials, url))] if credentials else []),
        _rooted(environment, commands.context),
    )


def reached(commands: CloudCommands) -> Step:
    """Kubectl reaches the cluster, and no other one."""
    return Step(
        name="credentials",
        why="kubectl reaches the cluster",
        check=Check(argv=kubectl(commands.context, "get", "--raw=/readyz", "--request-timeout=20s")),
        commands=commands.credentials,
        is_proven=True,
        otherwise=commands.way_in,
    )


def _made(name: str, why: str, making: Making) -> Step:
    return Step(name=f"{name}: {making.what}", why=why, check=making.check, commands=making.commands)


def _given(making: Making) -> Step:
    return Step(
        name=f"secret: {making.what}",
        why="a value that only a person has; the file is yours to write and to delete",
        check=making.check,
        commands=making.commands,
        is_for_person=True,
    )


def _applied(root: Root, terraform: str) -> Step:
    return Step(
        name=f"terraform: {root.name}",
        why="the cloud is as this root says",
        prepare=(root.init(terraform),),
        check=root.plan(terraform),
        commands=(root.apply(terraform, "that very plan"),),
        asks=f"apply this plan of `{root.name}`?",
        plan_file=root.plan_file,
    )


def _recorded(roots: Sequence[Root], terraform: str) -> Iterator[Step]:
    for root in roots:
        if root.outputs:
            yield Step(
                name=f"outputs: {root.name}",
                why="what only an apply tells goes into outputs.lock.yaml: "
                "`plinth outputs ENV --from FILE` does it from what this prints",
                commands=(outputs_command(root, terraform),),
                records=root.outputs,
            )


def outputs_command(root: Root, terraform: str) -> Command:
    """What prints the outputs of a root."""
    return root.command(terraform, "output", "-json", "-no-color", purpose="what only an apply tells")


def _is_rooted(context: str) -> Check:
    return Check(argv=kubectl(context, *ON_ARGO_CD, "get", APPLICATIONS, "root", "--output=name"))


def _kustomized(context: str, folder: str, purpose: str) -> Command:
    words = ("apply", "--server-side", "--force-conflicts", f"--field-manager={MANAGER}", "-k", folder)
    return Command(argv=kubectl(context, *words), purpose=purpose)


def _installed(environment: str, context: str) -> Step:
    crds = kubectl(context, "wait", "--for=condition=established", "--timeout=120s", *CRDS)
    return Step(
        name="argo cd",
        why="Argo CD itself, under the name that it will apply itself with",
        check=_is_rooted(context),
        commands=(
            _kustomized(context, f"{layout.bootstrap(environment)}/install", "namespace, CRDs, controllers"),
            Command(argv=crds, purpose="the root is one of these kinds"),
        ),
    )


def _rooted(environment: str, context: str) -> Step:
    return Step(
        name="root",
        why="the Application that brings all others, Argo CD among them",
        check=_is_rooted(context),
        commands=(_kustomized(context, f"{layout.bootstrap(environment)}/root", "projects and the root"),),
    )
