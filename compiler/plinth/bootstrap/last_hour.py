"""The last hour: what must go first, what follows, what stays.

Argo CD goes first, since it would bring back what is deleted; machines, load balancers and disks next, since
only the cluster that made them knows of them; then the Terraform roots in reverse. Whatever holds data
stays, with all that it stands on, unless it is named.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from plinth.bootstrap.first_hour import APPLICATIONS, ON_ARGO_CD, reached
from plinth.bootstrap.protected import Fate, fate, without_protection
from plinth.bootstrap.steps import Step
from plinth.ir.commands import Check, Command, kubectl

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from plinth.bootstrap.roots import Root
    from plinth.ir.commands import CloudCommands
    from plinth.ir.said import Origin
    from plinth.ir.targets import Application

VOLUMES: Final = "volumes"
"""The name that lets go of the disks that the cluster made."""

OVERRIDE: Final = "plinth_teardown_override.tf.json"
PATIENCE: Final = "--timeout=15m"

ARGO_CD: Final = "argo-cd"
"""The component that everything else is removed by."""


def namable(
    roots: Sequence[Root], origins: Mapping[str, tuple[Origin, ...]], commands: CloudCommands
) -> tuple[str, ...]:
    """Everything that stays unless it is named, sorted."""
    fates = [fate(root, origins, commands, ()) for root in roots]
    kept = {name for each in fates for address, name in each.names.items() if address not in each.let_go}
    return tuple(sorted({*kept, VOLUMES}))


def last_hour(
    roots: Sequence[Root],
    commands: CloudCommands,
    applications: Sequence[Application],
    *,
    origins: Mapping[str, tuple[Origin, ...]],
    terraform: str,
    named: Collection[str] = (),
    has_cluster: bool = True,
) -> tuple[Step, ...]:
    """The steps in their order.

    Args:
        roots: The Terraform roots, as they are applied.
        commands: What only the cloud knows.
        applications: All that Argo CD has.
        origins: Address of a Terraform resource -> what asked for it.
        terraform: The program.
        named: What a person lets go of.
        has_cluster: The cluster answers; where it is gone already, its own things are too.
    """
    inside = (
        (
            reached(commands),
            *_applications(commands, applications),
            *_machines(commands),
            *_load_balancers(commands.context),
            _volumes(commands, is_named=VOLUMES in named),
        )
        if has_cluster
        else ()
    )
    return (
        *inside,
        *_leftovers(commands),
        *_roots(roots, commands, origins, terraform, named),
        *_state(commands),
    )


def _applications(commands: CloudCommands, applications: Sequence[Application]) -> Iterator[Step]:
    """The root first and alone, or it would bring the others back; then what came last goes first.

    What makes nodes goes when no other pods are left on them: some may only move, and nowhere is room then.
    """
    context = commands.context
    makes_nodes = commands.own_nodes.application if commands.own_nodes else None
    kind = ("customresourcedefinitions", APPLICATIONS, "--ignore-not-found", "--output=name")
    # Where Argo CD was never installed, the cluster does not know what an Application is.
    no_argo_cd = Check(argv=kubectl(context, "get", *kind), prints="")
    delete = kubectl(context, *ON_ARGO_CD, "delete", APPLICATIONS)
    yield Step(
        name="root",
        why="the Application that would bring all others back; it leaves them where they are",
        check=no_argo_cd,
        commands=(
            Command(
                argv=(*delete, "root", "--cascade=orphan", "--ignore-not-found", PATIENCE),
                purpose="no other Application goes with it",
            ),
        ),
        is_removal=True,
    )
    # Argo CD would delete itself before it is done, and CRDs take every object of their kind along:
    # both go with the cluster.
    gone = [
        each
        for each in applications
        if not each.withheld and not each.holds_crds and each.component != ARGO_CD
    ]
    others = [each for each in gone if each.name != makes_nodes]
    groups = [
        (f"wave {wave}", sorted(each.name for each in others if each.wave == wave))
        for wave in sorted({each.wave for each in others}, reverse=True)
    ]
    groups += [(each.name, [each.name]) for each in gone if each.name == makes_nodes]
    for what, names in groups:
        yield Step(
            name=f"applications: {what}",
            why="Argo CD removes their objects, but for those that say they stay",
            check=no_argo_cd,
            commands=(
                Command(
                    argv=(*delete, *names, "--ignore-not-found", PATIENCE),
                    purpose="in the reverse of the order in which they came",
                ),
            ),
            is_removal=True,
        )


def _machines(commands: CloudCommands) -> Iterator[Step]:
    """What makes nodes went once they were gone; this sees that none is left."""
    if commands.own_nodes is None:
        return
    nodes = ("nodes", f"--selector={commands.own_nodes.label}")
    yield Step(
        name="machines",
        why="the cluster made them; they would go on, and cost, without it",
        check=Check(argv=kubectl(commands.context, "get", *nodes, "--output=name"), prints=""),
        commands=(
            Command(
                argv=kubectl(commands.context, "wait", "--for=delete", *nodes, PATIENCE),
                purpose="a pod that must not be moved holds its node: stop it, and run this again",
            ),
        ),
        is_removal=True,
    )


def _load_balancers(context: str) -> Iterator[Step]:
    """In a network with a load balancer nothing else can be destroyed, and Terraform knows of none."""
    for kind, selector in (
        ("services", "--field-selector=spec.type=LoadBalancer"),
        ("ingresses.networking.k8s.io", ""),
    ):
        chosen = [selector] if selector else []
        yield Step(
            name=f"load balancers: {kind}",
            why="only the cluster knows them, and a network that holds one cannot be destroyed",
            check=Check(
                argv=kubectl(context, "get", kind, "--all-namespaces", *chosen, "--output=name"), prints=""
            ),
            commands=(
                Command(
                    argv=kubectl(
                        context, "delete", kind, "--all-namespaces", *(chosen or ["--all"]), PATIENCE
                    ),
                    purpose="waits until the cloud has let them go",
                ),
            ),
            is_removal=True,
        )


def _volumes(commands: CloudCommands, *, is_named: bool) -> Step:
    context = commands.context
    none = Check(argv=kubectl(context, "get", "persistentvolumes", "--output=name"), prints="")
    if is_named:
        return Step(
            name=VOLUMES,
            why="disks that the cluster made, with what is on them: they are named",
            check=none,
            commands=(
                Command(
                    argv=kubectl(
                        context, "delete", "persistentvolumeclaims", "--all", "--all-namespaces", PATIENCE
                    ),
                    purpose="a disk whose class says so goes with its claim",
                ),
            ),
            is_removal=True,
        )
    if not commands.disks_outlive_cluster and commands.is_provisioned:
        return Step(
            name=VOLUMES,
            why="disks that the cluster made go with it on this cloud, and they are not named",
            check=none,
            is_proven=True,
            is_removal=True,
            otherwise=f"move what they hold, or let them go with `--also-delete {VOLUMES}`",
        )
    columns = "NAME:.metadata.name,CLAIM:.spec.claimRef.name,DISK:.spec.csi.volumeHandle"
    return Step(
        name=VOLUMES,
        why="disks that the cluster made: write down which they are, nobody else will know",
        commands=(
            Command(
                argv=kubectl(context, "get", "persistentvolumes", f"--output=custom-columns={columns}"),
                purpose="only looks",
            ),
        ),
        kept_because=f"they hold data; `--also-delete {VOLUMES}` deletes them",
    )


def _leftovers(commands: CloudCommands) -> Iterator[Step]:
    if commands.leftovers:
        yield Step(
            name="leftovers",
            why="what is in the cloud beside Terraform: read it, what stands in the network keeps it there",
            commands=commands.leftovers,
            kept_because="this only looks",
        )


def _roots(
    roots: Sequence[Root],
    commands: CloudCommands,
    origins: Mapping[str, tuple[Origin, ...]],
    terraform: str,
    named: Collection[str],
) -> Iterator[Step]:
    later = ""
    is_single = len(roots) == 1
    for root in reversed(roots):
        found = fate(root, origins, commands, named)
        stay = sorted({name for address, name in found.names.items() if address in found.kept})
        names = ", ".join(f"`{name}`" for name in stay)
        if is_single and stay:
            yield _kept(root, f"{names} stand in it, and one root cannot be destroyed around them")
        elif root.name == "network" and later:
            yield _kept(root, f"{later} stand in it")
        else:
            yield from _destroyed(root, found, commands.protections, terraform)
            for name in stay:
                yield _kept(root, f"it holds data; `--also-delete {name}` deletes it", what=name)
        later = ", ".join(each for each in (later, names) if each)


def _kept(root: Root, because: str, what: str = "") -> Step:
    return Step(
        name=f"terraform: {what or root.name}",
        why="protected, and not named" if what else "not destroyed",
        kept_because=because,
    )


def _destroyed(root: Root, found: Fate, protections: Mapping[str, bool], terraform: str) -> Iterator[Step]:
    resources = root.resources()
    freed = {address: without_protection(resources[address], protections) for address in found.let_go}
    body: dict[str, dict[str, object]] = {}
    for address, (arguments, _) in freed.items():
        kind, _, name = address.partition(".")
        body.setdefault(kind, {})[name] = arguments
    writes = {f"{root.folder}/{OVERRIDE}": json.dumps({"resource": body}, sort_keys=True)} if body else None
    prepare: tuple[Command, ...] = (root.init(terraform),)
    for address in (each for each, (_, is_applied) in freed.items() if is_applied):
        yield Step(
            name=f"let go: {address}",
            why=f"its protection is lifted; {OVERRIDE} stands in the root for as long as this takes",
            prepare=prepare,
            check=root.plan(terraform, f"-target={address}"),
            commands=(root.apply(terraform, "nothing is deleted yet"),),
            writes=writes,
            plan_file=root.plan_file,
            may_delete=frozenset(),
            only_with=address,
            is_removal=True,
        )
        prepare = ()  # once for a root
    if not found.destroyed:
        return
    targets = [f"-target={each}" for each in sorted(found.destroyed)] if found.kept else []
    yield Step(
        name=f"terraform: {root.name}",
        why="everything in this root"
        if not targets
        else "everything in this root that nothing kept stands on",
        prepare=prepare,
        check=root.plan(terraform, "-destroy", *targets),
        commands=(root.apply(terraform, "destroys what that plan lists, and nothing else"),),
        asks=f"destroy what this plan lists in `{root.name}`?",
        writes=writes,
        plan_file=root.plan_file,
        may_delete=found.destroyed,
        is_removal=True,
    )


def _state(commands: CloudCommands) -> Iterator[Step]:
    if commands.state:
        yield Step(
            name="state",
            why="what Terraform knows of this and of other environments",
            kept_because="no command of Plinth deletes it",
        )
