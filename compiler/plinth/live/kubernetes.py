"""What is asked of a cluster, as plain data: its kinds, lists of objects, and probes that change nothing.

A kind is listed in the version that the desired object has, so that both sides speak of the same
fields. Both probes are dry runs: the API server does all that it would do with the object, admission
included, and stores nothing.

Source: Kubernetes, "API Concepts" (discovery, chunked lists, dry-run), "Server-Side Apply".
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from plinth.diagnostics.diagnostic import Diagnostic, PlinthError
from plinth.live.api_server import AT_ONCE, ApiServer, Refused, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TypeVar

    Given = TypeVar("Given")
    Got = TypeVar("Got")

PAGE: Final = 500
RESTARTS: Final = 3
DELIVERER: Final = "argocd-controller"
"""The field manager under which Argo CD applies; another one's fields and removals would be a stranger's."""
PROBER: Final = "plinth-probe"

_DISCOVERY: Final = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
    "application/json"
)
_APPLY: Final = "application/apply-patch+yaml"
_GONE: Final = 410
_FORBIDDEN: Final = 403


class Kind(Struct, frozen=True, kw_only=True):
    """A kind that the API server serves."""

    group: str
    kind: str
    plural: str
    is_namespaced: bool
    versions: tuple[str, ...]
    """The preferred one first."""
    verbs: frozenset[str]


class Kinds(Struct, frozen=True, kw_only=True):
    """Every kind of a cluster."""

    served: Mapping[tuple[str, str], Kind]
    """By group and kind."""
    unread: frozenset[str]
    """Groups whose own API server does not answer: what they hold is not known, and not absent."""


class Place(Struct, frozen=True, kw_only=True):
    """Where one object is."""

    kind: Kind
    version: str
    namespace: str
    name: str

    @property
    def folder(self) -> str:
        """The path of the objects beside it."""
        within = f"/namespaces/{self.namespace}" if self.kind.is_namespaced else ""
        return f"{_root(self.kind.group, self.version)}{within}/{self.kind.plural}"


class Cluster:
    """One cluster, which is asked and never changed."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server

    @property
    def address(self) -> str:
        """The API server, for a message."""
        return self._server.address

    def version(self) -> str:
        """The version of the API server: `v1.36.3`."""
        return str(self._asked("/version").get("gitVersion", ""))

    def kinds(self) -> Kinds:
        """Every kind, by two requests where the server aggregates them, by one for each group elsewhere."""
        served: dict[tuple[str, str], Kind] = {}
        unread: set[str] = set()
        for root in ("/api", "/apis"):
            found = self._asked(root, accept=_DISCOVERY)
            if found.get("kind") == "APIGroupDiscoveryList":
                _aggregated(found, served, unread)
            else:
                self._one_by_one(found, served, unread)
        return Kinds(served=served, unread=frozenset(unread))

    def objects(self, kind: Kind, version: str) -> tuple[Mapping[str, Any], ...] | Refused:
        """Every object of a kind in one version, each with its `apiVersion` and `kind`."""
        path = f"{_root(kind.group, version)}/{kind.plural}"
        for _ in range(RESTARTS):
            found = self._pages(path)
            if not isinstance(found, Refused) or found.status != _GONE:
                break
        if isinstance(found, Refused):
            return found
        head = {"apiVersion": f"{kind.group}/{version}" if kind.group else version, "kind": kind.kind}
        return tuple({**head, **each} for each in found)

    def object(self, place: Place) -> Mapping[str, Any] | Refused:
        """One object as it is now."""
        return self._server.ask(Request(path=f"{place.folder}/{place.name}"))

    def apply_probe(self, place: Place, body: Mapping[str, Any]) -> Mapping[str, Any] | Refused:
        """What the object would be after Argo CD had applied `body`."""
        return self._server.ask(_patch(place, body, DELIVERER))

    def create_probe(self, place: Place, body: Mapping[str, Any]) -> Mapping[str, Any] | Refused:
        """What `body` would be if it were created at a place that is free.

        An identity without `patch` is bridged by POST, which asks for the right to create alone.
        """
        found = self._server.ask(_patch(place, body, PROBER))
        if isinstance(found, Refused) and found.status == _FORBIDDEN:
            return self._server.ask(
                Request(method="POST", path=place.folder, query=_probe_query(PROBER), body=body)
            )
        return found

    def all(self, ask: Callable[[Given], Got], every: Iterable[Given]) -> Iterator[Got]:
        """What `ask` gives for each, in order; as many at once as the API server is asked to bear."""
        pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="plinth")
        try:
            yield from pool.map(ask, every)
        finally:
            # After a fault or Ctrl-C nothing new begins; what is under way ends by its time-out.
            pool.shutdown(wait=False, cancel_futures=True)

    def _asked(self, path: str, accept: str = "application/json") -> Mapping[str, Any]:
        found = self._server.ask(Request(path=path, accept=accept))
        if isinstance(found, Refused):
            raise self._no_way_in(path, found)
        return found

    def _pages(self, path: str) -> list[Mapping[str, Any]] | Refused:
        found: list[Mapping[str, Any]] = []
        query = {"limit": str(PAGE)}
        while True:
            page = self._server.ask(Request(path=path, query=query))
            if isinstance(page, Refused):
                return page
            found += page.get("items") or ()
            following = (page.get("metadata") or {}).get("continue")
            if not following:
                return found
            query = {"limit": str(PAGE), "continue": following}

    def _one_by_one(
        self, found: Mapping[str, Any], served: dict[tuple[str, str], Kind], unread: set[str]
    ) -> None:
        versions = [("", each) for each in found.get("versions") or ()]
        for each in found.get("groups") or ():
            preferred = (each.get("preferredVersion") or {}).get("version")
            listed = [version["version"] for version in each["versions"]]
            first = [version for version in listed if version == preferred]
            versions += [(each["name"], version) for version in dict.fromkeys([*first, *listed])]
        for group, version in versions:
            resources = self._server.ask(Request(path=_root(group, version)))
            if isinstance(resources, Refused):
                unread.add(group)
                continue
            for each in resources.get("resources") or ():
                if "/" not in each["name"]:
                    _add(
                        served, group, version, each["kind"], each["name"], each["namespaced"], each["verbs"]
                    )

    def _no_way_in(self, path: str, why: Refused) -> PlinthError:
        if why.status == _FORBIDDEN:
            return PlinthError(
                Diagnostic(
                    code="PLN915",
                    message=f"{self.address} knows us, and does not let us read `{path}`",
                    help="bind the ClusterRole `system:discovery` to the user or service account",
                )
            )
        return PlinthError(
            Diagnostic(
                code="PLN916",
                message=f"{self.address} gives no `{path}`: HTTP {why.status}",
                help="see to `server` in the kubeconfig, and to the health of the control plane",
            )
        )


def _root(group: str, version: str) -> str:
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def _patch(place: Place, body: Mapping[str, Any], manager: str) -> Request:
    return Request(
        method="PATCH",
        path=f"{place.folder}/{place.name}",
        query={**_probe_query(manager), "force": "true"},
        content_type=_APPLY,
        body=body,
    )


def _probe_query(manager: str) -> dict[str, str]:
    return {"dryRun": "All", "fieldManager": manager, "fieldValidation": "Strict"}


def _aggregated(found: Mapping[str, Any], served: dict[tuple[str, str], Kind], unread: set[str]) -> None:
    for group in found.get("items") or ():
        name = (group.get("metadata") or {}).get("name", "")
        for version in group.get("versions") or ():
            if version.get("freshness") == "Stale":
                unread.add(name)
            for each in version.get("resources") or ():
                kind = (each.get("responseKind") or {}).get("kind", "")
                is_namespaced = each.get("scope") == "Namespaced"
                verbs = each.get("verbs") or ()
                _add(served, name, version["version"], kind, each["resource"], is_namespaced, verbs)


def _add(
    served: dict[tuple[str, str], Kind],
    group: str,
    version: str,
    kind: str,
    plural: str,
    is_namespaced: bool,  # noqa: FBT001 - as discovery has it
    verbs: Iterable[str],
) -> None:
    before = served.get((group, kind))
    served[group, kind] = Kind(
        group=group,
        kind=kind,
        plural=before.plural if before else plural,
        is_namespaced=before.is_namespaced if before else is_namespaced,
        versions=(*(before.versions if before else ()), version),
        verbs=(before.verbs if before else frozenset()) | set(verbs),
    )
