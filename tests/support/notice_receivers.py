"""Receivers of notices for tests, on loopback: a mail server and a webhook's receiver, each in a thread that ends with the test."""

import hashlib
import hmac
import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread


class MailServer(socketserver.TCPServer):
    """As much of SMTP (RFC 5321) as takes mail; ``mails``: sender, addressees and text of each."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.port = self.server_address[1]
        self.mails: list[tuple[str, list[str], str]] = []


class _Smtp(socketserver.StreamRequestHandler):
    server: MailServer

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        sender, to = "", []
        self._say("220 test")
        while line := self.rfile.readline().decode().strip():
            command = line.upper()
            if command.startswith("MAIL FROM:"):
                sender = line[10:].split(">")[0].lstrip("<")
            elif command.startswith("RCPT TO:"):
                to.append(line[8:].split(">")[0].lstrip("<"))
            elif command == "DATA":
                self._say("354 go on")
                lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                self.server.mails.append((sender, to, "".join(one.removeprefix(".") for one in lines)))
            elif command == "QUIT":
                self._say("221 bye")
                return
            self._say("250 ok")


@dataclass(frozen=True)
class Post:
    """One request, as it came."""

    headers: Message
    body: bytes

    def is_signed_with(self, secret: str) -> bool:
        """Whether the signature is right, made as the documentation says and not by the code that is tested."""
        parts = dict(part.split("=", 1) for part in self.headers["Calward-Signature"].split(","))
        expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + self.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, parts["v1"])


@dataclass
class Hook:
    """Answers with these statuses, one after another; ``posts`` is what it got."""

    url: str
    posts: list[Post] = field(default_factory=list)


class _Quiet(HTTPServer):
    """Says nothing of clients that do not trust its certificate."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Leave it to the test."""


@contextmanager
def a_mail_server() -> Iterator[MailServer]:
    with MailServer() as server, _running(server):
        yield server


@contextmanager
def a_webhook(statuses: list[int], tls: ssl.SSLContext | None = None) -> Iterator[Hook]:
    left = iter(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.posts.append(Post(self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(next(left))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with _Quiet(("127.0.0.1", 0), Handler) as server, _running(server):
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        hook = Hook(f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}/hook")
        yield hook


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
