"""A server on 127.0.0.1 that says what a test wrote down: one answer after the other, then 404.

    context = authority.server_context("127.0.0.1")
    with scripted(context, [Answer(status=503), Answer(lines=[{"items": []}])]) as server:
        Client(server=server.address, authority=authority.certificate, token="any")

It speaks HTTPS, as an API server does, and ends each answer by closing the connection.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one request gets; each line is text as it is, or something that is written as JSON."""

    status: int | None = 200
    """None: the connection is closed without a word."""
    lines: tuple[object, ...] = ()
    retry_after: str | None = None
    missing: int = 0
    """How many more bytes are promised than come."""


@dataclass(kw_only=True)
class Scripted:
    """A server, and what it was asked: methods with paths."""

    address: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def scripted(context: ssl.SSLContext, answers: Iterable[Answer]) -> Iterator[Scripted]:
    """Serve until the `with` ends."""
    found, script, lock = Scripted(), iter(answers), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                found.asked.append(f"{self.command} {self.path}")
                answer = next(script, Answer(status=404))
            if answer.status is None:
                return
            body = b"".join(each.encode() if isinstance(each, str) else _line(each) for each in answer.lines)
            self.send_response(answer.status)
            if answer.retry_after is not None:
                self.send_header("Retry-After", answer.retry_after)
            if answer.missing:
                self.send_header("Content-Length", str(len(body) + answer.missing))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PATCH = do_POST = do_DELETE = answer  # noqa: N815 - the library's names

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    found.address = f"https://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _line(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"
