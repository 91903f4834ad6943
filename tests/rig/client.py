"""The Kubernetes API in the few calls that tests need, with nothing but the standard library.

It is no part of what is tested: it prepares a cluster and looks at it, so it must not share code with
the readers under test.

A machine that is busy with a whole platform lets a request time out now and then, or cuts it off. What does no
harm when it is done twice is asked again, a few times and for a minute at most; then the last error is raised.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

JsonObject = dict[str, Any]

TIMEOUT_S: Final = 30.0
PATIENCE_S: Final = 60.0
"""How long after its beginning a call is still tried again."""
NOT_FOUND: Final = 404

_BUSY: Final = 429
_PASSING: Final = frozenset({500, 503, 504})
_PAUSES_S: Final = (0.1, 0.3, 0.6, 1.0)
"""Before each further try where there was no answer, or one of these."""
_APPLY: Final = "application/apply-patch+yaml"
_MERGE: Final = "application/merge-patch+json"


class ApiError(Exception):
    """The API server refused; the message is its own."""

    def __init__(self, status: int, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(f"{status}: {message}")
        self.status, self.retry_after_s = status, retry_after_s

    @property
    def is_passing(self) -> bool:
        """Whether the server may well answer the next time."""
        return self.status in _PASSING


class UnknownKind(LookupError):
    """The API server has no such kind, or not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One identity at one API server."""

    server: str
    """`https://127.0.0.1:PORT`."""
    authority: Path
    """The certificate that the server is known by."""
    token: str = field(repr=False)
    patience_s: float = PATIENCE_S
    """0 for who asks again anyway."""
    _resources: dict[tuple[str, str], tuple[str, bool]] = field(default_factory=dict, repr=False)

    def call(
        self, method: str, path: str, body: object = None, *, content_type: str = "application/json"
    ) -> JsonObject:
        """What the server answers to one request.

        Reads are repeated, and writes that say what is to be so: server-side apply and merge patches.

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
        text = self._answer(opener, request)
        return json.loads(text) if text.startswith(b"{") else {"text": text.decode()}

    def apply(self, body: Mapping[str, Any], *, manager: str = "rig", force: bool = True) -> JsonObject:
        """Server-side apply of one object; gives it as it is then."""
        query = urlencode({"fieldManager": manager, "force": str(force).lower()})
        return self.call("PATCH", f"{self.path_of(body)}?{query}", body, content_type=_APPLY)

    def serves(self, api_version: str, kind: str) -> bool:
        """True once the server knows a kind and answers for it; a new definition takes a moment."""
        root = _root(api_version)
        try:
            plural, _ = self._resource(root, api_version, kind)
            self.call("GET", f"{root}/{plural}?limit=1")
        except UnknownKind:
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
        return self.call("PATCH", path + ("/status" if status else ""), change, content_type=_MERGE)

    def delete(self, api_version: str, kind: str, name: str, namespace: str = "") -> None:
        """Ask for the end of an object."""
        metadata = {"name": name, "namespace": namespace}
        self.call("DELETE", self.path_of({"apiVersion": api_version, "kind": kind, "metadata": metadata}))

    def path_of(self, body: Mapping[str, Any]) -> str:
        """The path of an object, its kind looked up in what the server says that it has.

        Raises:
            UnknownKind: the server has no such kind.
        """
        version, kind, metadata = body["apiVersion"], body["kind"], body["metadata"]
        root = _root(version)
        plural, is_namespaced = self._resource(root, version, kind)
        within = f"/namespaces/{quote(metadata.get('namespace') or 'default')}" if is_namespaced else ""
        return f"{root}{within}/{plural}/{quote(metadata['name'])}"

    def _answer(self, opener: urllib.request.OpenerDirector, request: urllib.request.Request) -> bytes:
        """The body of an answer, at once or later.

        Who is told to come back later does, whatever was asked: nothing was done, and a kind is set up anew after
        its definition.
        """
        may_repeat = request.get_method() == "GET" or request.get_header("Content-type") in {_APPLY, _MERGE}
        deadline, pauses_s = time.monotonic() + self.patience_s, iter(_PAUSES_S if may_repeat else ())
        while True:
            try:
                return _once(opener, request)
            except (ApiError, OSError) as error:
                pause_s = _pause_s(error, pauses_s)
                if pause_s is None or time.monotonic() + pause_s > deadline:
                    raise
            time.sleep(pause_s)

    def _resource(self, root: str, version: str, kind: str) -> tuple[str, bool]:
        """The plural of a kind, and whether its objects are in namespaces."""
        if (version, kind) in self._resources:
            return self._resources[version, kind]
        for each in self.call("GET", root)["resources"]:
            if "/" not in each["name"]:
                self._resources[version, each["kind"]] = (each["name"], each["namespaced"])
        if (version, kind) not in self._resources:
            raise UnknownKind(f"the API server has no {kind} of {version}")
        return self._resources[version, kind]


def _once(opener: urllib.request.OpenerDirector, request: urllib.request.Request) -> bytes:
    try:
        with opener.open(request, timeout=TIMEOUT_S) as response:
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        # Or a date, by the standard; this server says seconds.
        after_s = float(error.headers.get("Retry-After", 1))
        raise ApiError(error.code, _message(error.read()), retry_after_s=after_s) from None
    except http.client.HTTPException as error:
        raise ConnectionError(f"the answer broke off: {error!r}") from error


def _pause_s(error: ApiError | OSError, pauses_s: Iterator[float]) -> float | None:
    """How long to wait before the next try; None where there is none."""
    if isinstance(error, ApiError) and error.status == _BUSY:
        return error.retry_after_s
    if isinstance(error, ApiError) and not error.is_passing:
        return None
    return next(pauses_s, None)


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _message(text: bytes) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.decode(errors="replace")[:500]
