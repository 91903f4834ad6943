"""Compare what was compiled with what is live: the objects of a cluster, and plans of Terraform.

Nothing is changed: a cluster is asked by reads and dry runs, a plan is a file. Exit codes: 0 clean,
2 something drifted, 3 nothing did but something could not be read, 1 the question could not be asked.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from plinth.cli import DIFFERENT, DONE, INCOMPLETE
from plinth.cli.project import Project, told
from plinth.cli.tree_arguments import add_environment_argument, add_tree_arguments
from plinth.diagnostics.diagnostic import Diagnostic, PlinthError
from plinth.drift import Finding
from plinth.drift.findings import Reading, identity
from plinth.drift.plan_file import LARGEST_BYTES
from plinth.drift.report import as_json, as_text
from plinth.ir.layout import vendor
from plinth.ir.origins import place_of
from plinth.ir.said import show_origins
from plinth.live.api_server import connect
from plinth.live.git import committed_digests
from plinth.live.kubernetes import Cluster
from plinth.pipeline import BASE, LOCK_PATH, compile_spec
from plinth.reconcile.cluster import read_cluster
from plinth.reconcile.desired import wanted
from plinth.reconcile.plans import read_terraform, too_large
from plinth.reconcile.stale import stale
from plinth.text.manifests import read_manifests
from plinth.text.nodes import read_yaml

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from plinth.cli.console import Console
    from plinth.compilation import Compilation
    from plinth.ir.targets import Application
    from plinth.pipeline import Result

EXAMPLES = """\
examples:
  plinth drift --env prod                       prod against the cluster of kubectl's current context
  plinth drift --env prod --context gke-prod    against the cluster of a context
  plinth drift --env prod --terraform plan.json     and what a plan of Terraform says
  plinth drift --no-cluster --terraform a.json --terraform b.json     plans alone
"""

CLEAR_LINE: Final = "\r\x1b[K"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `plinth drift`."""
    add_tree_arguments(parser)
    add_environment_argument(
        parser, "the environment (default: the only one there is); with --no-cluster it may be repeated"
    )
    parser.add_argument(
        "--context", metavar="NAME", help="the kubeconfig's context (default: the current one)"
    )
    parser.add_argument("--no-cluster", action="store_true", help="ask no cluster")
    parser.add_argument(
        "--terraform",
        dest="plans",
        metavar="PLAN.JSON",
        action="append",
        default=[],
        help="what `terraform show -json` gives for a plan of one root; may be repeated",
    )


def run(options: argparse.Namespace, console: Console) -> int:
    """Compile in memory, read what is live, and say where the two differ."""
    with told():
        project = Project(options, console)
        spec = project.spec()
        result = compile_spec(spec, project.file, project.inputs())
        console.warn(result.diagnostics)
        chosen = _chosen(options, result)
        reading = _read(options, console, project, result, chosen)
    document = read_yaml(spec, project.file)[0]

    def place(origin: str) -> Mapping[str, Any]:
        return place_of(origin, document, project.file)

    console.data(as_json(reading, place))
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = shutil.get_terminal_size(fallback=(100, 24)).columns
    console.text(as_text(reading, place, width=width, colour=colour))
    _say_what_was_left_out(options, console, chosen)
    if reading.fails:
        return DIFFERENT
    return INCOMPLETE if reading.unknown else DONE


def _read(
    options: argparse.Namespace,
    console: Console,
    project: Project,
    result: Result,
    chosen: tuple[Compilation, ...],
) -> Reading:
    # Files first: a mistyped name is told before a cluster has been asked for minutes.
    plans = [(name, _plan(name)) for name in options.plans]
    reading = Reading(findings=tuple(each for one in chosen for each in _stale(project, result, one)))
    for name, data in plans:
        reading = reading.and_also(read_terraform(data, name, chosen))
    if not options.no_cluster:
        reading = reading.and_also(_read_cluster(options, console, project, chosen[0]))
    return reading


def _read_cluster(
    options: argparse.Namespace, console: Console, project: Project, compilation: Compilation
) -> Reading:
    env = compilation.environment.name
    desired = wanted(compilation, _crds(project))
    cluster = Cluster(connect(options.context))
    progress = _Progress(console)
    progress(f"{cluster.address} runs Kubernetes {cluster.version()}")
    try:
        reading = read_cluster(cluster, desired.objects, env=env, progress=progress)
    finally:
        progress.end()
    waiting = Reading(
        findings=tuple(_withheld(env, each) for each in desired.withheld), unknown=desired.unknown
    )
    return reading.and_also(waiting)


def _chosen(options: argparse.Namespace, result: Result) -> tuple[Compilation, ...]:
    chosen = result.named(options.environments)
    if len(chosen) > 1 and not options.no_cluster:
        names = ", ".join(each.environment.name for each in chosen)
        raise PlinthError(
            Diagnostic(
                code="PLN909",
                message=f"a cluster is one environment, and there are {len(chosen)}: {names}",
                help="name one with `--env`, or judge plans alone with `--no-cluster`",
            )
        )
    return chosen


def _stale(project: Project, result: Result, compilation: Compilation) -> tuple[Finding, ...]:
    env = compilation.environment.name
    plan = project.workspace.plan(
        {name: files for name, files in result.groups.items() if name in {BASE, env}},
        extra={LOCK_PATH: result.lock},
        known=committed_digests(project.root),
        overwrite=False,
        all_groups=False,
    )
    return stale(env, () if plan.is_clean else (*plan.written, *plan.removed), plan.edited)


def _plan(name: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise PlinthError(
            Diagnostic(
                code="PLN905",
                message=f"`{name}` cannot be read: {error.strerror}",
                help="name what `terraform show -json` gave for a plan",
            )
        ) from None
    if len(data) > LARGEST_BYTES:
        raise too_large(name)
    return data


def _crds(project: Project) -> Callable[[str, str], tuple[Mapping[str, Any], ...] | None]:
    """The CRDs of what is vendored, whose bytes the compile has proven already."""

    def read(component: str, version: str) -> tuple[Mapping[str, Any], ...] | None:
        folder = f"{vendor(component, version)}/crds/"
        paths = sorted(
            each.path
            for each in project.vendor_ledger().entries
            if each.path.startswith(folder) and not each.path.endswith("/kustomization.yaml")
        )
        if not paths:
            return None
        return tuple(body for path in paths for body in read_manifests(project.workspace.read(path)))

    return read


def _withheld(env: str, application: Application) -> Finding:
    resource = {
        "group": "argoproj.io",
        "kind": "Application",
        "namespace": "argocd",
        "name": application.name,
    }
    return Finding(
        id=identity(env, "argocd", resource, "pending", []),
        class_="pending",
        severity="info",
        env=env,
        layer="argocd",
        resource=resource,
        origins=show_origins({"": application.origins})[""],
        reason=f"it is not delivered before there is {', '.join(application.withheld)}",
        remedy="give what it waits for, then `plinth compile`",
    )


def _say_what_was_left_out(
    options: argparse.Namespace, console: Console, chosen: tuple[Compilation, ...]
) -> None:
    if options.no_cluster:
        console.say("not looked at: the cluster")
    has_roots = any(path.endswith(".tf.json") for each in chosen for path in each.files)
    if has_roots and not options.plans:
        console.say("not looked at: Terraform, since no plan was given with --terraform")


class _Progress:
    """How far it is, on a terminal; nothing where nobody looks."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._is_shown = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        if self._is_shown:
            # A line that wraps could not be taken back.
            columns = shutil.get_terminal_size(fallback=(80, 24)).columns
            self._console.say_as_is(f"{CLEAR_LINE}{text[: columns - 1]}")

    def end(self) -> None:
        """Leave nothing of it."""
        if self._is_shown:
            self._console.say_as_is(CLEAR_LINE)
