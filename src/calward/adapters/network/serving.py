"""How does a web application get its port, so that nothing but loopback is ever served without TLS?"""

import asyncio
import contextlib
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send

from calward.adapters.network.slow_peers import CrowdedProtocol, Patience, SlowPeers, usual_patience
from calward.domain.errors import LicensingError, Problem
from calward.domain.this_machine import is_loopback

__all__ = ["serve_asgi"]

_BACKLOG = 2048


def serve_asgi(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    unix: Path | None = None,
    ready: Callable[[str], None] = lambda _url: None,
    patience: Patience | None = None,
) -> None:
    """Serve until a signal ends it; ``ready`` gets the address once it listens. Port 0 takes any free one.

    ``certificate`` (with its chain) and ``key`` are PEM files; both or neither. ``unix``: also serve on this Unix socket, where
    the scope says who asks: ``scope["extensions"]["calward.peer_uid"]`` is the peer's user id, as the kernel knows it.
    ``patience``: with peers who connect and do not ask.

    Raises: LicensingError: MALFORMED: not loopback and no TLS files; NOT_FOUND: one of them is not there; UNAVAILABLE: the
    address cannot be had.
    """
    tls = _tls(host, certificate, key)
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    patience = patience or usual_patience()
    options: dict[str, Any] = {
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "loop": "uvloop",
        "http": partial(CrowdedProtocol, most=patience.connections),
    }
    of_peers = {"http": partial(PeerProtocol, most=patience.connections)}
    server = _Main(uvicorn.Config(app, ssl_certfile=certificate, ssl_keyfile=key, **options))
    local = _Local(uvicorn.Config(_with_peer(app), lifespan="off", **(options | of_peers))) if unix else None
    with listener:
        unix_listener = _listen_locally(unix) if unix else None
        ready(f"{'https' if tls else 'http'}://{shown}:{listener.getsockname()[1]}")
        uvloop.run(_serve(server, listener, local, unix_listener, patience))
    if unix:
        unix.unlink(missing_ok=True)


async def _serve(
    server: uvicorn.Server,
    listener: socket.socket,
    local: "_Local | None",
    unix_listener: socket.socket | None,
    patience: Patience,
) -> None:
    """Both servers in one loop; the second ends with the first."""
    watching = [asyncio.create_task(_peers_of(one, patience).watch()) for one in (server, local) if one]
    try:
        if local is None or unix_listener is None:
            await server.serve(sockets=[listener])
            return
        beside = asyncio.create_task(local.serve(sockets=[unix_listener]))
        await server.serve(sockets=[listener])
        local.should_exit = True
        await beside
    finally:
        for one in watching:
            one.cancel()


def _peers_of(server: uvicorn.Server, patience: Patience) -> SlowPeers:
    return SlowPeers(lambda: server.server_state.connections, patience, time.monotonic)


class _Main(uvicorn.Server):
    """The server that hears signals: it ends, and whoever has called it goes on and cleans up.

    uvicorn would raise the signal again afterwards, which ends the process before the ledger is closed.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Turn signals into the end of serving."""
        if threading.current_thread() is not threading.main_thread():  # Only there can signals be caught.
            yield
            return
        kept = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in kept.items():
                signal.signal(one, handler)


class _Local(uvicorn.Server):
    """The server on the Unix socket: signals are the other one's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


class PeerProtocol(CrowdedProtocol):
    """HTTP on a Unix socket: remembers who connected (SO_PEERCRED)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A peer connects: ask the kernel who it is."""
        super().connection_made(transport)
        peer = transport.get_extra_info("socket").getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
        )
        self.app_state = {**self.app_state, _PEER: struct.unpack("3i", peer)[1]}


_PEER = "calward.peer_uid"


def _with_peer(app: ASGIApp) -> ASGIApp:
    """The application, told who asks."""

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("extensions", {})[_PEER] = scope["state"][_PEER]
        await app(scope, receive, send)

    return told


def _listen_locally(path: Path) -> socket.socket:
    """A Unix socket that anyone may connect to: who may do what is decided by who it is."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_socket() and not _answers(path):
            path.unlink()
        listener.bind(str(path))
        path.chmod(0o666)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        why = error.strerror or f"{error}; name a shorter one with --socket, or none"  # Too long: Python's own error.
        raise LicensingError(Problem.UNAVAILABLE, f"the Unix socket {path} cannot be served: {why}") from None
    return listener


def _answers(path: Path) -> bool:
    """Whether a server listens there already."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0


def _tls(host: str, certificate: Path | None, key: Path | None) -> bool:
    """Whether TLS is to be spoken; refuses what must not be served."""
    if certificate is None and key is None:
        if is_loopback(host):
            return False
        detail = f"{host} can be reached by others: name a TLS certificate and its key, or listen on 127.0.0.1"
        raise LicensingError(Problem.MALFORMED, detail)
    if certificate is None or key is None:
        raise LicensingError(Problem.MALFORMED, "a TLS certificate and its key go together: name both files")
    for file in (certificate, key):
        if not file.is_file():
            raise LicensingError(Problem.NOT_FOUND, f"there is no TLS file {file}")
    return True


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise _taken(host, port, error) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise _taken(host, port, error) from None
    return listener


def _taken(host: str, port: int, error: OSError) -> LicensingError:
    return LicensingError(Problem.UNAVAILABLE, f"{host} port {port} cannot be served: {error.strerror}")
