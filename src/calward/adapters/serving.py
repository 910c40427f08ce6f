"""How does a web application get its port, so that nothing but loopback is ever served without TLS?"""

import ipaddress
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from calward.domain.errors import LicensingError, Problem

__all__ = ["is_loopback", "serve_asgi"]

_BACKLOG = 2048


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine only; a name other than localhost never counts."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def serve_asgi(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    certificate: Path | None = None,
    key: Path | None = None,
    ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve until a signal ends it; ``ready`` gets the address once it listens. Port 0 takes any free one.

    ``certificate`` (with its chain) and ``key`` are PEM files; both or neither.

    Raises: LicensingError: MALFORMED: not loopback and no TLS files; NOT_FOUND: one of them is not there; UNAVAILABLE: the
    address cannot be had.
    """
    tls = _tls(host, certificate, key)
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    shown = f"[{host}]" if ":" in host else host
    ready(f"{'https' if tls else 'http'}://{shown}:{listener.getsockname()[1]}")
    with listener:
        uvicorn.Server(config).run(sockets=[listener])


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
