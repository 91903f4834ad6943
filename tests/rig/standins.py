"""What the pods of a platform would have done, done by the test's own process: kwok runs no code.

    with stand_ins(cluster) as others:
        ...                                  # a platform comes up
    assert others.answered["cert-manager/cert-manager-webhook"]

| stand-in for | what it does |
| - | - |
| webhooks | HTTPS on the ClusterIP and port of the Service that a webhook configuration names, from when a pod of it is ready: every review is allowed, every conversion changes the version and nothing else |
| who fills in `caBundle` | the authority of those certificates is written into the configuration |
| a provisioner of volumes | a PersistentVolume for every claim that waits for one |
| a cloud's load balancers | an address in the status of every Service that asks for one |
| operators | `Ready` in the status of the objects in `READY`, and the Secrets that External Secrets would have made |

A stand-in that cannot do its part keeps a platform from coming up, and would let whoever waits for it run into a
deadline. So who waits calls `others.check()`, which raises what is wrong; the end of the `with` does so as well.

Nothing here knows a component by name: what is done follows from the objects that the API server shows. A thread
watches each kind and one more acts on what they saw, so everything has one order and needs no lock.
ClusterIPs of the rig are loopback addresses, so the listening and the calls stay on this machine.
"""

from __future__ import annotations

import base64
import queue
import tempfile
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from .certificates import missing_openssl, new_authority
from .client import NOT_FOUND, ApiError, UnknownKind
from .faults import RigFault
from .reviewer import may_listen, reviewer
from .watch import Watches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .certificates import Authority
    from .control_plane import ControlPlane
    from .reviewer import Reviewer

READY: Final = (
    ("external-secrets.io/v1", "clustersecretstores"),
    ("external-secrets.io/v1", "externalsecrets"),
    ("cert-manager.io/v1", "certificates"),
    ("cert-manager.io/v1", "issuers"),
    ("cert-manager.io/v1", "clusterissuers"),
)
"""Kinds that are Progressing, or that nothing may be built on, until their operator says `Ready`."""

_ADMISSION: Final = "admissionregistration.k8s.io/v1"
_CONFIGURATIONS: Final = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
_DEFINITIONS: Final = "customresourcedefinitions"
_SERVICES: Final = "services"
_SLICES: Final = "endpointslices"
_CLAIMS: Final = "persistentvolumeclaims"
_WATCHED: Final = (
    ("v1", _SERVICES),
    ("discovery.k8s.io/v1", _SLICES),
    ("v1", _CLAIMS),
    *((_ADMISSION, each) for each in _CONFIGURATIONS),
    ("apiextensions.k8s.io/v1", _DEFINITIONS),
    *READY,
)

_MANAGER: Final = "stand-in"
_PATCH: Final = "application/json-patch+json"
_CHANGED: Final = frozenset({NOT_FOUND, 409})
"""An object that is gone or was changed at the same time; a kind that is set up anew is not found either."""
_PAUSES_S: Final = (0.2, 0.4, 0.8, 1.6)
"""Before each further try where the API server does not answer, or does not have a kind yet."""
_THEN: Final = "2026-01-01T00:00:00Z"
"""When all this happened: no clock is asked."""

Key = tuple[str, str]
"""Namespace and name."""


def missing_for_stand_ins() -> str | None:
    """Why there can be no stand-ins on this machine; None where there can."""
    return missing_openssl() or may_listen()


class StandInFault(Exception):
    """A stand-in cannot do its part; the message is for the person who runs the tests."""


@contextmanager
def stand_ins(cluster: ControlPlane) -> Iterator[StandIns]:
    """Do what pods would have done until the `with` ends; what was written stays.

    Raises:
        RigFault: openssl is missing or too old.
        StandInFault: at the end, where a stand-in failed; an error that ends the `with` has it as a note.
    """
    folder = Path(tempfile.mkdtemp(prefix="stand-ins-", dir=cluster.programs.folder))
    others = StandIns(cluster=cluster, authority=new_authority(folder / "authority"))
    events: queue.Queue[tuple[str, Mapping[str, Any]] | None] = queue.Queue()
    actor = threading.Thread(target=others.act_on, args=(events,), name="stand-ins")
    actor.start()
    try:
        with Watches(cluster.client, _WATCHED, events.put):
            yield others
    except Exception as error:
        for each in others.faults[:1]:
            if each is not error:
                error.add_note(str(each))
        raise
    finally:
        others.ended.set()
        events.put(None)
        actor.join()
        others.close()
    others.check()


@dataclass(slots=True, kw_only=True)
class StandIns:
    """What is known of the cluster, and what was done. Only the thread that acts changes it."""

    cluster: ControlPlane
    authority: Authority
    answered: Counter[str] = field(default_factory=Counter)
    """How many reviews came, by `namespace/service`."""
    faults: list[StandInFault] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when nothing more is to be done."""
    _addresses: dict[Key, str] = field(default_factory=dict)
    """Services and their ClusterIPs."""
    _ready: dict[Key, Key | None] = field(default_factory=dict)
    """EndpointSlices, and the Service for which they name a pod that is ready."""
    _configurations: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    """Configurations of webhooks, and definitions that convert by one: by plural and name."""
    _reviewers: dict[tuple[str, int], Reviewer] = field(default_factory=dict)

    def act_on(self, events: queue.Queue[tuple[str, Mapping[str, Any]] | None]) -> None:
        """Act on one event after the other until there is None."""
        while (event := events.get()) is not None and not self.ended.is_set():
            plural, metadata = event[0], event[1]["object"]["metadata"]
            try:
                self._act_again(*event)
            except Exception as error:  # noqa: BLE001 - whatever it is, who waits has to hear of it
                said = str(error) if isinstance(error, ApiError | RigFault) else repr(error)
                name = f"{metadata.get('namespace', '')}/{metadata['name']}".lstrip("/")
                fault = StandInFault(f"a stand-in failed at {plural} {name}: {said}")
                fault.__cause__ = error
                self.faults.append(fault)

    def check(self) -> None:
        """Say what a stand-in failed at first, to whoever waits for what then never comes.

        Raises:
            StandInFault: one failed.
        """
        if self.faults:
            raise self.faults[0]

    def close(self) -> None:
        """Stop listening."""
        for each in self._reviewers.values():
            each.close()

    def _act_again(self, plural: str, event: Mapping[str, Any]) -> None:
        """Act on an event, a few times if need be: all that is done may be done twice."""
        for pause_s in (*_PAUSES_S, None):
            try:
                return self._act(plural, event)
            except (ApiError, UnknownKind, OSError) as error:
                is_changed = isinstance(error, ApiError) and error.status in _CHANGED
                if isinstance(error, ApiError) and not (error.is_passing or is_changed):
                    raise
                if pause_s is None:
                    if is_changed:
                        return None  # another event says so
                    raise
            if self.ended.wait(pause_s):
                return None
        return None

    def _act(self, plural: str, event: Mapping[str, Any]) -> None:
        body, is_gone = event["object"], event["type"] == "DELETED"
        key = (body["metadata"].get("namespace", ""), body["metadata"]["name"])
        if plural in {_SERVICES, _SLICES, _DEFINITIONS, *_CONFIGURATIONS}:
            self._learn(plural, key, body, is_gone=is_gone)
            for each in tuple(self._configurations.items()):
                self._stand_in_for_webhooks(*each)
        if is_gone or body["metadata"].get("deletionTimestamp"):
            return
        if plural == _SERVICES:
            self._balance(key, body)
        elif plural == _CLAIMS:
            self._provision(key, body)
        elif plural in {each for _, each in READY}:
            self._make_ready(body)

    def _learn(self, plural: str, key: Key, body: Mapping[str, Any], *, is_gone: bool) -> None:
        if plural == _SERVICES:
            address = body["spec"].get("clusterIP", "None")
            self._addresses.pop(key, None)
            if not is_gone and address not in {"", "None"}:
                self._addresses[key] = address
        elif plural == _SLICES:
            service = body["metadata"].get("labels", {}).get("kubernetes.io/service-name")
            ready = any(each.get("conditions", {}).get("ready") for each in body.get("endpoints") or ())
            self._ready[key] = (key[0], service) if service and ready and not is_gone else None
        else:
            self._configurations.pop((plural, key[1]), None)
            if not is_gone:
                self._configurations[plural, key[1]] = body

    def _stand_in_for_webhooks(self, which: tuple[str, str], body: Mapping[str, Any]) -> None:
        """Listen where a configuration says that somebody does, and write who is to be trusted."""
        plural, name = which
        bundle = base64.b64encode(self.authority.certificate.read_bytes()).decode()
        changes = []
        for pointer, client in _clients(body):
            if "service" not in client or not self._listen(client["service"]):
                continue
            if client.get("caBundle") != bundle:
                changes.append({"op": "add", "path": f"{pointer}/caBundle", "value": bundle})
        if changes:
            root = "/apis/apiextensions.k8s.io/v1" if plural == _DEFINITIONS else f"/apis/{_ADMISSION}"
            path = f"{root}/{plural}/{quote(name)}?fieldManager={_MANAGER}"
            try:
                after = self.cluster.client.call("PATCH", path, changes, content_type=_PATCH)
            except ApiError as error:
                if error.status not in _CHANGED:
                    raise
            else:
                self._configurations[which] = after

    def _listen(self, service: Mapping[str, Any]) -> bool:
        """Listen for a Service, if a pod of it is ready and nobody does yet; True if somebody does then."""
        key = (service["namespace"], service["name"])
        if key not in self._addresses or key not in self._ready.values():
            return False
        at = (self._addresses[key], service.get("port", 443))
        if at not in self._reviewers:
            namespace, name = key
            context = self.authority.server_context(f"{name}.{namespace}.svc")
            said = f"{namespace}/{name}"
            try:
                self._reviewers[at] = reviewer(at, context, lambda: self.answered.update([said]))
            except OSError as error:
                where = f"{at[0]}:{at[1]}"
                raise RigFault(f"the webhooks of {said} need {where}: {error.strerror}") from error
        return True

    def _balance(self, key: Key, body: Mapping[str, Any]) -> None:
        waits = not body.get("status", {}).get("loadBalancer", {}).get("ingress")
        if body["spec"].get("type") == "LoadBalancer" and waits:
            status = {"loadBalancer": {"ingress": [{"hostname": f"{key[1]}.{key[0]}.invalid"}]}}
            self.cluster.client.merge("v1", "Service", key[1], key[0], {"status": status}, status=True)

    def _provision(self, key: Key, body: Mapping[str, Any]) -> None:
        spec, uid = body["spec"], body["metadata"]["uid"]
        if body.get("status", {}).get("phase") != "Pending" or spec.get("volumeName"):
            return
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": key[0],
            "name": key[1],
            "uid": uid,
        }
        volume = {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "claimRef": claim,
            "hostPath": {"path": "/nowhere"},
            "persistentVolumeReclaimPolicy": "Retain",
        }
        if spec.get("storageClassName"):
            volume["storageClassName"] = spec["storageClassName"]
        metadata = {"name": f"stand-in-{uid}"}
        self.cluster.client.apply(
            {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": volume},
            manager=_MANAGER,
        )

    def _make_ready(self, body: Mapping[str, Any]) -> None:
        conditions = body.get("status", {}).get("conditions", ())
        if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
            return
        if body["kind"] == "ExternalSecret":
            self._make_secret(body)
        metadata = body["metadata"]
        said = {"reason": "StandIn", "message": "said by a test", "lastTransitionTime": _THEN}
        status = {"conditions": [{"type": "Ready", "status": "True", **said}]}
        self.cluster.client.merge(
            body["apiVersion"],
            body["kind"],
            metadata["name"],
            metadata.get("namespace", ""),
            {"status": status},
            status=True,
        )

    def _make_secret(self, body: Mapping[str, Any]) -> None:
        metadata, spec = body["metadata"], body["spec"]
        owner = {
            "apiVersion": body["apiVersion"],
            "kind": body["kind"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
        made = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": spec.get("target", {}).get("name") or metadata["name"],
                "namespace": metadata["namespace"],
                "ownerReferences": [owner],
            },
            "stringData": {each["secretKey"]: "made by a test" for each in spec.get("data", ())},
        }
        self.cluster.client.apply(made, manager=_MANAGER)


def _clients(body: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """JSON pointers to what names a webhook's Service, and that."""
    for number, each in enumerate(body.get("webhooks") or ()):
        yield f"/webhooks/{number}/clientConfig", each["clientConfig"]
    with suppress(KeyError):
        yield "/spec/conversion/webhook/clientConfig", body["spec"]["conversion"]["webhook"]["clientConfig"]
