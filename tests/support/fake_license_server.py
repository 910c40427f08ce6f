"""A license server of thirty lines for tests of its hosts: per user, one pack, enforced; it can also misbehave.

Speaks the host contract over plain HTTP on loopback. The real one is another program; what matters here is what a host
makes of its answers, and of none.
"""

import base64
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from calward.adapters.signing.ed25519 import Ed25519Signer

TOKEN = "fake-host-token"


_LICENSE_KEY = Ed25519Signer(b"the fake license server's own ke").public_key
_PATIENCE = 60
"""Seconds after which even a silent one answers: longer than any test waits."""


def _set_event() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class FakeLicenseServer:
    """What the server knows, and ``asked``: the bodies it got, by path."""

    cals: int = 1
    grace_days: int = 120
    token: str = TOKEN
    mode: str = "per-user"
    full_status: str = "active"
    holders: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    next_answers: list[tuple[int, Any]] = field(default_factory=list)
    """Answers (status, body) to give first, before it works as usual."""
    speaks: threading.Event = field(default_factory=_set_event)
    """Cleared, it hears questions and answers none of them before it is set again."""
    url: str = ""

    def answer(self, path: str, body: dict[str, Any], token: str) -> tuple[int, Any]:
        self.asked.append((path, body))
        self.speaks.wait(_PATIENCE)
        if self.next_answers:
            return self.next_answers.pop(0)
        if token != f"Bearer {self.token}":
            return 401, {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "unknown token"}
        return _ROUTES[path.rpartition("/")[2]](self, body)

    def _request(self, body: dict[str, Any]) -> tuple[int, Any]:
        user = body["user"]
        known = user in self.holders
        if not known and len(self.holders) >= self.cals:
            return 200, {
                "outcome": "refused",
                "license": None,
                "decision": "D1",
                "trace": [],
                "reason": ["no-cal-free"],
            }
        number = self.holders.setdefault(user, len(self.holders) + 1)
        given = {
            "id": f"L{number}",
            "version": "2022",
            "type": "per-user",
            "status": self.full_status,
            "expires_at": (datetime.now(UTC) + timedelta(days=60)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "pack": "P1",
            "change": "kept" if known else "new",
        }
        return 200, {"outcome": "granted", "license": given, "decision": f"D{number}", "trace": [], "reason": []}

    def _confirm(self, body: dict[str, Any]) -> tuple[int, Any]:
        return 200, {"outcome": "confirmed", "reason": []}

    def _host(self, body: dict[str, Any]) -> tuple[int, Any]:
        policy = {"name": "SH1", "version": "2022", "mode": self.mode, "mode_from": "host", "servers": []}
        return 200, {**policy, "grace_days": self.grace_days, "per_user": "enforce"}

    def _enroll(self, body: dict[str, Any]) -> tuple[int, Any]:
        return 200, {"host": {"name": "SH1", "version": "2022", "mode": "per-user"}, "token": self.token}

    def _heartbeat(self, body: dict[str, Any]) -> tuple[int, Any]:
        host = self._host({})[1]
        key = base64.b64encode(_LICENSE_KEY).decode()
        return 200, {
            "host": host,
            "license_keys": [key],
            "server_id": "1" * 32,
            "revoked": [],
            "now": "2026-11-24T06:22:46Z",
        }


_ROUTES: dict[str, Callable[[FakeLicenseServer, dict[str, Any]], tuple[int, Any]]] = {
    "licenses:request": FakeLicenseServer._request,
    "licenses:confirm": FakeLicenseServer._confirm,
    "host": FakeLicenseServer._host,
    "host:heartbeat": FakeLicenseServer._heartbeat,
    "hosts:enroll": FakeLicenseServer._enroll,
}


@contextmanager
def serving(fake: FakeLicenseServer, wrap: Callable[[socket.socket], socket.socket] | None = None) -> Iterator[str]:
    """Serve on a free port of loopback; gives the URL. ``wrap`` puts TLS around the listening socket."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, document = fake.answer(self.path, json.loads(body or b"{}"), self.headers.get("Authorization", ""))
            sent = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST  # noqa: N815 - the library's name.

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # A client may hang up: that is tested.
    if wrap is not None:
        server.socket = wrap(server.socket)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    fake.url = f"http{'s' if wrap else ''}://127.0.0.1:{server.server_port}"
    try:
        yield fake.url
    finally:
        fake.speaks.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def hanging(first_bytes: bytes = b"") -> Iterator[str]:
    """Listen, accept, and say nothing more than ``first_bytes``; gives the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        connections: list[socket.socket] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    connections.append(connection)
                    connection.sendall(first_bytes)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in connections:
                connection.close()


@contextmanager
def dripping(pause: threading.Event) -> Iterator[str]:
    """Send one byte of an endless header now and then: each wait is short, the whole never ends. ``pause`` ends it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            with suppress(OSError):
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
                    while not pause.wait(0.05):
                        connection.sendall(b"x")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            pause.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def dead_url() -> str:
    """A URL at which nothing listens: connections are refused at once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
