"""A webhook that agrees to everything: it allows every review, and converts by changing the version alone.

Source: Kubernetes documentation, "Dynamic Admission Control" and "Versions in CustomResourceDefinitions".
"""

from __future__ import annotations

import json
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

_FIRST_PORT: Final = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
_HTTPS: Final = 443


class Reviewer:
    """A server that listens until it is closed."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, name=f"reviewer at {server.server_name}")
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # the API server keeps its connections open

    def server_bind(self) -> None:
        """Bind, without asking DNS for the name of the address as the library does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: the API server ends its connections as it likes."""


def may_listen() -> str | None:
    """Why this user may not listen at the port of webhooks; None where they may."""
    first = int(_FIRST_PORT.read_text(encoding="ascii")) if _FIRST_PORT.exists() else 1024
    if os.geteuid() == 0 or first <= _HTTPS:
        return None
    return f"webhooks listen at port {_HTTPS}, and this user may only listen at {first} and above"


def reviewer(at: tuple[str, int], context: ssl.SSLContext, tell: Callable[[], object]) -> Reviewer:
    """Listen at an address and port; `tell` is called before each answer."""

    class Handler(_Handler):
        told = staticmethod(tell)

    server = _Server(at, Handler)
    # The handshake belongs to the thread of the connection, not to the one that accepts.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return Reviewer(server)


def review(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer to an AdmissionReview or a ConversionReview."""
    request = asked["request"]
    answer: dict[str, Any] = {"uid": request["uid"]}
    if asked["kind"] == "AdmissionReview":
        answer["allowed"] = True
    else:
        version = request["desiredAPIVersion"]
        answer["convertedObjects"] = [{**each, "apiVersion": version} for each in request["objects"]]
        answer["result"] = {"status": "Success"}
    return {"apiVersion": asked["apiVersion"], "kind": asked["kind"], "response": answer}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    told: Callable[[], object]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.told()
        answer = json.dumps(review(asked)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words: object) -> None:
        """Say nothing: a test's output is its own."""
