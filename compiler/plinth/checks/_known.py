"""What is known of every object of an environment, at hand or not.

An upstream object that is not at hand is known by the catalogue's facts. They give a sketch of it,
with patches and images on: its identity, the maps of its metadata, and its containers with their
images. What a sketch lacks, the object may still have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from msgspec.structs import replace

from plinth.ir import patch as json_patch
from plinth.ir.render import Rendered, overlay_objects
from plinth.ir.said import settle
from plinth.ir.targets import Application, Base, Image, ObjectKey, Patch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plinth.catalog.components import ContainerFacts, ObjectFacts
    from plinth.ir.graph import Graph

Body = Mapping[str, Any]
"""An object, or a part of one."""

CRD: Final = "CustomResourceDefinition"

BUILT_IN: Final = frozenset(
    {
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "authentication.k8s.io",
        "authorization.k8s.io",
        "certificates.k8s.io",
        "coordination.k8s.io",
        "discovery.k8s.io",
        "events.k8s.io",
        "flowcontrol.apiserver.k8s.io",
        "internal.apiserver.k8s.io",
        "networking.k8s.io",
        "node.k8s.io",
        "rbac.authorization.k8s.io",
        "resource.k8s.io",
        "scheduling.k8s.io",
        "storage.k8s.io",
        "storagemigration.k8s.io",
    }
)
"""API groups of Kubernetes itself whose name has a dot. Source: the API reference, 1.36."""


class Served(Struct, frozen=True, kw_only=True):
    """A kind that an Application brings by its CRD."""

    application: Application
    versions: tuple[str, ...]
    """Those that the API answers to."""
    is_namespaced: bool


Kinds = dict[tuple[str, str], tuple[Served, ...]]
"""By group and kind."""


def is_custom(group: str) -> bool:
    """True for an API group that only a CRD can bring."""
    return "." in group and group not in BUILT_IN


def kinds(graph: Graph, whole: Iterable[tuple[Application, Mapping[str, Any]]]) -> Kinds:
    """Every kind that a CRD of the environment brings, upstream's or one among the whole objects."""
    found: dict[tuple[str, str], list[Served]] = defaultdict(list)
    applications = _applications(graph)
    for base in graph.of(Base):
        application = applications.get((base.component, True))
        if application is None:
            continue
        for crd in base.upstream.crds:
            served = Served(application=application, versions=crd.versions, is_namespaced=crd.is_namespaced)
            found[crd.group, crd.kind].append(served)
    for application, body in whole:
        if body.get("kind") == CRD:
            spec = body["spec"]
            versions = tuple(each["name"] for each in spec["versions"] if each.get("served"))
            served = Served(
                application=application, versions=versions, is_namespaced=spec["scope"] == "Namespaced"
            )
            found[spec["group"], spec["names"]["kind"]].append(served)
    return {kind: tuple(some) for kind, some in found.items()}


def in_place(key: ObjectKey, application: Application, known: Kinds) -> ObjectKey:
    """The key with the namespace that the object gets where its file names none.

    Argo CD puts it into the Application's own. A custom kind has a namespace where its CRD says so.
    """
    served = known.get((key.group, key.kind), ())
    has_none = not all(each.is_namespaced for each in served) if served else is_custom(key.group)
    if key.namespace or key.is_cluster_scoped or has_none:
        return key
    return replace(key, namespace=application.namespace)


def sketches(
    graph: Graph, at_hand: frozenset[tuple[str, ObjectKey]]
) -> Iterator[tuple[Application, ObjectKey, Mapping[str, Any]]]:
    """A sketch of every upstream object that is not at hand, which all CRDs are.

    `at_hand` has the Application's name and the key of each whole object.
    """
    applications = _applications(graph)
    patches: dict[tuple[str, ObjectKey], list[Patch]] = defaultdict(list)
    for patch in graph.of(Patch):
        patches[patch.application, patch.target].append(patch)
    for base in graph.of(Base):
        images = tuple(image for image in graph.of(Image) if image.application == base.component)
        for key, facts in base.upstream.objects.items():
            application = applications.get((base.component, key.kind == CRD))
            is_at_hand = base.objects is not None and key.kind != CRD
            if application is None or is_at_hand or (application.name, key) in at_hand:
                continue
            body = _patched(
                _sketch(facts), base.operations.get(key, ()), patches.get((application.name, key), ())
            )
            yield (
                application,
                key,
                overlay_objects((Rendered(key, body),), (), (), images)[0].body if images else body,
            )


def _applications(graph: Graph) -> dict[tuple[str, bool], Application]:
    return {(each.component, each.holds_crds): each for each in graph.of(Application)}


def _sketch(facts: ObjectFacts) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": facts.key.name}
    if facts.key.namespace:
        metadata["namespace"] = facts.key.namespace
    metadata |= {"annotations": {}} if facts.has_annotations else {}
    metadata |= {"labels": {}} if facts.has_labels else {}
    body: dict[str, Any] = {"apiVersion": facts.api_version, "kind": facts.key.kind, "metadata": metadata}
    if facts.pod:
        pod: dict[str, Any] = {}
        for name, some in (
            ("containers", facts.pod.containers),
            ("initContainers", facts.pod.init_containers),
        ):
            pod |= {name: [_container(each) for each in some]} if some else {}
        for part in reversed(json_patch.parts_of(facts.pod.path)):
            pod = {part: pod}
        body |= pod
    return body


def _container(facts: ContainerFacts) -> dict[str, Any]:
    return {"name": facts.name, "image": facts.image} if facts.image else {"name": facts.name}


def _patched(body: Body, operations: Iterable[Body], patches: Iterable[Patch]) -> Body:
    body = _operated(body, operations)
    for patch in patches:
        if patch.merge is not None:
            body = json_patch.merge(body, settle(patch.merge)[0])
        else:
            body = _operated(body, patch.operations)
    return body


def _operated(body: Body, operations: Iterable[Body]) -> Body:
    for operation in operations:
        try:
            body = json_patch.apply(body, settle([operation])[0])
        except json_patch.PatchError:
            continue  # it is about a part that the sketch does not have
    return body
