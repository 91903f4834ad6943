"""Watches of the Kubernetes API: a thread and a connection for each kind.

A watch without a version begins with what is there, so a connection that ends is simply opened again, and
whoever is told has to bear being told twice.

Source: Kubernetes API concepts, "Efficient detection of changes".
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    from .client import Client

RETRY_S: Final = 0.5
"""How soon a watch is opened again; a kind that is not there yet refuses it."""

_DEFINITIONS: Final = "customresourcedefinitions"
_CONVERTS: Final = b'"strategy":"Webhook"'


class Watches:
    """A context manager that tells of every event of some kinds, each by its plural."""

    def __init__(
        self,
        client: Client,
        kinds: Iterable[tuple[str, str]],
        tell: Callable[[tuple[str, Mapping[str, Any]]], None],
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
        while not self._ended.is_set():
            with suppress(OSError, http.client.HTTPException):
                for event in self._events(api_version, plural):
                    self._tell((plural, event))
            self._open.pop(plural, None)
            self._ended.wait(RETRY_S)

    def _events(self, api_version: str, plural: str) -> Iterator[Mapping[str, Any]]:
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        address = self._client.server.removeprefix("https://")
        connection = http.client.HTTPSConnection(address, context=self._context)
        try:
            connection.connect()
            self._open[plural] = connection.sock
            if self._ended.is_set():
                return
            headers = {"Authorization": f"Bearer {self._client.token}"}
            connection.request("GET", f"{root}/{plural}?watch=1", headers=headers)
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                return
            for line in response:
                # A definition is up to megabytes of schema, and almost none converts by a webhook.
                if plural == _DEFINITIONS and _CONVERTS not in line:
                    continue
                event = json.loads(line)
                if event["type"] == "ERROR":
                    return
                yield event
        finally:
            connection.close()
