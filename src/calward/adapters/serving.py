"""How does a web application get its port, so that nothing but loopback is ever served without TLS?"""

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from calward.domain.errors import LicensingError, Problem

__all__ = ["TlsFiles", "is_loopback", "serve_asgi"]

_BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Certificate (with its chain) and private key, PEM."""

    certificate: Path
    key: Path


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine only; a name other than localhost never counts."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def serve_asgi(
    app: ASGIApp, host: str, port: int, tls: TlsFiles | None = None, *, ready: Callable[[str], None] = lambda _url: None
) -> None:
    """Serve until a signal ends it; ``ready`` gets the address once it listens. Port 0 takes any free one.

    Raises: LicensingError: MALFORMED: not loopback and no TLS files; UNAVAILABLE: the address cannot be had.
    """
    if tls is None and not is_loopback(host):
        detail = f"{host} can be reached by others and is served by TLS only: name a certificate and its key, or use 127.0.0.1"
        raise LicensingError(Problem.MALFORMED, detail)
    for file in () if tls is None else (tls.certificate, tls.key):
        if not file.is_file():
            raise LicensingError(Problem.NOT_FOUND, f"there is no TLS file {file}")
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None else tls.key,
    )
    shown = f"[{host}]" if ":" in host else host
    ready(f"{'http' if tls is None else 'https'}://{shown}:{listener.getsockname()[1]}")
    with listener:
        uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{host} port {port} cannot be served: {error.strerror}") from None
    return listener
