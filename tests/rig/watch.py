"""Watches of the Kubernetes API: a thread and a connection for each kind.

A watch ends when the server likes, and whenever the definition of a custom kind changes. It is opened again at once, and
begins with what is there: the history before a changed definition is gone for the server, so to resume from the last
version would be answered by 410. Whoever is told hears of each object that came, changed or went meanwhile, once, as
it is by then; one that went as it was last known. Only what came and went again in between, a tenth of a second as a
rule, is told by nobody.

Where a list would be one document of megabytes, this is a line for each object, its end marked by a bookmark.

Source: Kubernetes API concepts, "Efficient detection of changes" and "Streaming lists".
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType

    from .client import Client

Event = Mapping[str, Any]
"""`type` and `object`, as the API has them."""

RETRY_S: Final = 0.5
"""How soon a watch that was refused is asked for again; a kind that is not there yet refuses it."""

_QUERY: Final = urlencode(
    {
        "watch": "1",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "allowWatchBookmarks": "true",
    }
)
_BOOKMARK: Final = "BOOKMARK"
_WHOLE: Final = "k8s.io/initial-events-end"

_DEFINITIONS: Final = "customresourcedefinitions"
_OF_INTEREST: Final = (b'"strategy":"Webhook"', _BOOKMARK.encode())


class Watches:
    """A context manager that tells of every event of some kinds, each by its plural."""

    def __init__(
        self,
        client: Client,
        kinds: Iterable[tuple[str, str]],
        tell: Callable[[tuple[str, Event]], None],
    ) -> None:
        """`kinds` are API versions and plurals; `tell` is called from several threads."""
        self._client, self._tell = client, tell
        self._context = ssl.create_default_context(cafile=str(client.authority))
        self._ended = threading.Event()
        self._open: dict[str, socket.socket] = {}
        self._threads = [
            threading.Thread(target=self._watch, args=kind, name=f"watch of {kind[1]}") for kind in kinds
        ]

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for each in self._threads:
            while each.is_alive():
                # Below TLS: a thread that reads then sees the end. Again, as it may just have opened another.
                for connection in tuple(self._open.values()):
                    with suppress(OSError):
                        socket.socket.shutdown(connection, socket.SHUT_RDWR)
                each.join(timeout=RETRY_S)

    def _watch(self, api_version: str, plural: str) -> None:
        told = _Told()
        while not self._ended.is_set():
            told.begin()
            with suppress(OSError, http.client.HTTPException):
                for line in self._lines(api_version, plural):
                    for event in told.news(line):
                        self._tell((plural, event))
            self._open.pop(plural, None)
            if not told.is_whole:
                self._ended.wait(RETRY_S)

    def _lines(self, api_version: str, plural: str) -> Iterator[Event]:
        """What the server says from now on until it ends the watch, or refuses it."""
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        address = self._client.server.removeprefix("https://")
        connection = http.client.HTTPSConnection(address, context=self._context)
        try:
            connection.connect()
            self._open[plural] = connection.sock
            if self._ended.is_set():
                return
            headers = {"Authorization": f"Bearer {self._client.token}"}
            connection.request("GET", f"{root}/{plural}?{_QUERY}", headers=headers)
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                return
            for line in response:
                # A definition is up to megabytes of schema, and almost none converts by a webhook.
                if plural == _DEFINITIONS and not any(each in line for each in _OF_INTEREST):
                    continue
                try:
                    event = json.loads(line)
                except ValueError:
                    return  # it was cut off
                if event["type"] == "ERROR":
                    return
                yield event
        finally:
            connection.close()


class _Told:
    """What was told of the objects of one kind, so that each is told once however often its watch begins anew."""

    def __init__(self) -> None:
        self.is_whole = False
        """Whether the watch has told of all that was there when it began."""
        self._last: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._found: set[tuple[str, str]] = set()
        """What is there still, of what was there before the watch began anew."""

    def begin(self) -> None:
        """The watch begins: it tells of everything that is there."""
        self.is_whole = False
        self._found.clear()

    def news(self, event: Event) -> Iterator[Event]:
        """What an event of the watch says that is not known yet."""
        body = event["object"]
        if event["type"] == _BOOKMARK:
            if not self.is_whole and _WHOLE in body["metadata"].get("annotations", {}):
                self.is_whole = True
                yield from [_gone(self._last.pop(each)) for each in set(self._last) - self._found]
            return
        metadata = body["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        before = self._last.pop(key, None)
        if event["type"] == "DELETED":
            yield event
            return
        self._last[key] = body
        self._found.add(key)
        if before is not None and before["metadata"]["uid"] != metadata["uid"]:
            yield _gone(before)
        if before is None or before["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            yield event


def _gone(body: Mapping[str, Any]) -> Event:
    return {"type": "DELETED", "object": body}
