"""Karpenter: it makes the nodes that pods wait for, and takes away those that no pod needs.

Only where the cloud answers for it; what it makes of each pool is the cloud's to say, and comes with this
Application. It runs on the pool that is always there, which it does not make.

It is in `kube-system`, as its makers advise: the API server hears controllers there before all others.

Source: Karpenter 1.14, "Getting Started", "Settings"; Kubernetes, "API Priority and Fairness".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from plinth.components import Component, Given, Variant
from plinth.diagnostics.diagnostic import Diagnostic
from plinth.ir import needs
from plinth.ir.kubernetes import Operation, expect, put
from plinth.ir.pools import system_pool
from plinth.ir.said import said
from plinth.ir.targets import Image, ObjectKey, Patch
from plinth.spec.platform import ComponentSection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from plinth.ir.said import Origin
    from plinth.ir.targets import Target

NAME: Final = "karpenter"
HOME: Final = "kube-system"
IMAGE: Final = "public.ecr.aws/karpenter/controller"

REPLICAS: Final = 2
"""The second takes over within seconds; each wants a node of its own."""
RESOURCES: Final = {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}}


class KarpenterSection(ComponentSection):
    """Nodes of exactly the pools that pods wait for, made by Karpenter in place of groups that grow."""


class Karpenter(Component[KarpenterSection]):
    """The controller as its makers publish it."""

    name: ClassVar[str] = NAME
    namespace: ClassVar[str] = HOME
    Section = KarpenterSection

    def variant(self, version: str) -> Variant:
        del version
        # Names that the chart insists on; an overlay has the real ones.
        return Variant(values={"settings": {"clusterName": "example", "interruptionQueue": "example"}})

    def faults(self, section: KarpenterSection, context: needs.Context) -> Iterable[Diagnostic]:
        if context.platform.component("cluster_autoscaler"):
            yield Diagnostic(
                code="PLN328",
                message="`karpenter` and `cluster-autoscaler` would both decide how many nodes there are",
                help="remove one of them from `components`",
                path=section.spec_path,
                at_key=True,
            )

    def needs(
        self, section: KarpenterSection, context: needs.Context, origins: tuple[Origin, ...]
    ) -> Mapping[str, needs.Need]:
        del section, context
        account = needs.ServiceAccount(namespace=HOME, name=NAME)
        return {"nodes": needs.NodeProvisioner(account=account, origins=origins)}

    def emit(self, section: KarpenterSection, given: Given) -> Iterable[Target]:
        del section
        yield Patch(
            application=NAME,
            target=ObjectKey("apps", "Deployment", HOME, NAME),
            operations=tuple(_operations(given)),
            origins=given.origins,
        )
        # The chart in git is behind the release, and what is rendered from it has the image before.
        yield Image(application=NAME, name=IMAGE, tag=given.version, origins=given.origins)


def _operations(given: Given) -> Iterator[Operation]:
    pod = given.pod("Deployment", NAME)
    container = pod.pointer("controller")
    known = next(each.env for each in pod.containers if each.name == "controller")
    yield expect(f"{container}/name", "controller")
    for name, value in sorted(given.node_provisioner("nodes").environment.items()):
        if name in known:
            place = f"{container}/env/{known.index(name)}"
            yield expect(f"{place}/name", name)
            yield {"op": "replace", "path": f"{place}/value", "value": value}
        else:
            yield {"op": "add", "path": f"{container}/env/-", "value": {"name": name, "value": value}}
    yield {"op": "add", "path": f"{container}/resources", "value": RESOURCES}
    always = system_pool(given.context.platform)
    if always is not None:
        yield from put(given.pools[always.name].labels, f"{pod.path}/nodeSelector", exists=True)
        # A second one on a single node would wait for another for ever.
        replicas = said(always.nodes, "min").map(lambda least: min(REPLICAS, least))
        yield {"op": "replace", "path": "/spec/replicas", "value": replicas}


COMPONENT = Karpenter()
