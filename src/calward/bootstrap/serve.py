"""How is a license server served? ``serve`` is what ``calward serve`` runs."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from calward.adapters.logs import configure_logs
from calward.adapters.network.certificates import names_of_this_machine, own_certificate
from calward.adapters.network.serving import serve_asgi
from calward.adapters.store.engines import dialect_of
from calward.adapters.system import SystemClock, tune_interpreter
from calward.bootstrap.data_folder import alone, private_folder
from calward.bootstrap.license_server import LicenseServer
from calward.config import ServerConfig

__all__ = ["serve"]


def serve(
    config: ServerConfig,
    *,
    ready: Callable[[Mapping[str, str]], None],
    first: Callable[[LicenseServer], object] = lambda _server: None,
) -> None:
    """Serve a license server until a signal ends it; ``first`` is done before it listens.

    ``ready`` gets where it is: url, socket, the fingerprint of its certificate (hex) where it speaks TLS, and, until there is an
    administrator, setup: the link that makes one.
    Raises: LicensingError: the settings cannot be served; CONFLICT: another process serves the same ledger.
    """
    private_folder(config.data_dir)
    with alone(config.database_url):
        _serve(_with_certificate(config), ready, first)


def _serve(
    config: ServerConfig, ready: Callable[[Mapping[str, str]], None], first: Callable[[LicenseServer], object]
) -> None:
    configure_logs(sys.stderr)
    license_server = LicenseServer(config)
    try:
        host, port = config.address
        certificate = Path(config.tls_certificate) if config.tls_certificate else None
        key = Path(config.tls_key) if config.tls_key else None
        first(license_server)
        tune_interpreter(short_turns=dialect_of(config.database_url) == "sqlite")
        code = license_server.set_up_code()

        def listening(url: str) -> None:
            license_server.url = url
            ready(license_server.places(code))

        serve_asgi(
            license_server.app(),
            host,
            port,
            certificate=certificate,
            key=key,
            unix=config.socket_path,
            ready=listening,
        )
    finally:
        license_server.close()


def _with_certificate(config: ServerConfig) -> ServerConfig:
    """The same with a certificate of our own, where one is wanted and none is named."""
    if not config.self_signed or config.tls_certificate:
        return config
    own = own_certificate(config.data_dir, names_of_this_machine(config.address[0]), now=SystemClock().now())
    return replace(config, tls_certificate=str(own.certificate), tls_key=str(own.key))
