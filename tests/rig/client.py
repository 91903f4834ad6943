"""The Kubernetes API in the few calls that tests need, with nothing but the standard library.

It is no part of what is tested: it prepares a cluster and looks at it, so it must not share code with
the readers under test.
"""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

JsonObject = dict[str, Any]

TIMEOUT_S: Final = 30.0
NOT_FOUND: Final = 404
_BUSY: Final = 429
_TRIES: Final = 20


class ApiError(Exception):
    """The API server refused; the message is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One identity at one API server."""

    server: str
    """`https://127.0.0.1:PORT`."""
    authority: Path
    """The certificate that the server is known by."""
    token: str = field(repr=False)
    _resources: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict, repr=False)

    def call(
        self, method: str, path: str, body: object = None, *, content_type: str = "application/json"
    ) -> JsonObject:
        """What the server answers to one request.

        Raises:
            ApiError: it refuses.
            OSError: it does not answer.
        """
        request = urllib.request.Request(  # noqa: S310 - the address is the rig's own
            self.server + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": content_type},
        )
        # No proxy: whatever the environment says, 127.0.0.1 is on this machine.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(self.authority))),
        )
        text = _answer(opener, request)
        return json.loads(text) if text.startswith(b"{") else {"text": text.decode()}

    def apply(self, body: Mapping[str, Any], *, manager: str = "rig", force: bool = True) -> JsonObject:
        """Server-side apply of one object; gives it as it is then."""
        query = urlencode({"fieldManager": manager, "force": str(force).lower()})
        return self.call(
            "PATCH", f"{self.path_of(body)}?{query}", body, content_type="application/apply-patch+yaml"
        )

    def serves(self, api_version: str, kind: str) -> bool:
        """True once the server knows a kind and answers for it; a new definition takes a moment."""
        root = _root(api_version)
        try:
            plural, _ = self._resource(root, api_version, kind)
            self.call("GET", f"{root}/{plural}?limit=1")
        except LookupError:
            return False
        except ApiError as error:
            if error.status == NOT_FOUND:
                return False
            raise
        return True

    def get(self, api_version: str, kind: str, name: str, namespace: str = "") -> JsonObject | None:
        """An object, or None where there is none."""
        metadata = {"name": name, "namespace": namespace}
        try:
            return self.call(
                "GET", self.path_of({"apiVersion": api_version, "kind": kind, "metadata": metadata})
            )
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise

    def merge(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str,
        change: Mapping[str, Any],
        *,
        status: bool = False,
    ) -> JsonObject:
        """A JSON merge patch of an object, or of its status."""
        path = self.path_of(
            {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}
        )
        return self.call(
            "PATCH", path + ("/status" if status else ""), change, content_type="application/merge-patch+json"
        )

    def delete(self, api_version: str, kind: str, name: str, namespace: str = "") -> None:
        """Ask for the end of an object."""
        metadata = {"name": name, "namespace": namespace}
        self.call("DELETE", self.path_of({"apiVersion": api_version, "kind": kind, "metadata": metadata}))

    def path_of(self, body: Mapping[str, Any]) -> str:
        """The path of an object, its kind looked up in what the server says that it has.

        Raises:
            LookupError: the server has no such kind.
        """
        version, kind, metadata = body["apiVersion"], body["kind"], body["metadata"]
        root = _root(version)
        plural, is_namespaced = self._resource(root, version, kind)
        within = f"/namespaces/{quote(metadata.get('namespace') or 'default')}" if is_namespaced else ""
        return f"{root}{within}/{plural}/{quote(metadata['name'])}"

    def _resource(self, root: str, version: str, kind: str) -> tuple[str, bool]:
        """The plural of a kind, and whether its objects are in namespaces."""
        if (version, kind) in self._resources:
            return self._resources[version, kind]
        for each in self.call("GET", root)["resources"]:
            if "/" not in each["name"]:
                self._resources[version, each["kind"]] = (each["name"], each["namespaced"])
        if (version, kind) not in self._resources:
            raise LookupError(f"the API server has no {kind} of {version}")
        return self._resources[version, kind]


def _answer(opener: urllib.request.OpenerDirector, request: urllib.request.Request) -> bytes:
    """The body of an answer. Who is told to come back later does: a kind is set up anew after its definition."""
    for tries_left in range(_TRIES, -1, -1):
        try:
            with opener.open(request, timeout=TIMEOUT_S) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            if error.code != _BUSY or not tries_left:
                raise ApiError(error.code, _message(error.read())) from None
            time.sleep(float(error.headers.get("Retry-After", 1)))
    raise AssertionError  # the last try returns or raises


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _message(text: bytes) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.decode(errors="replace")[:500]
