"""How is the licensing relay of a session host put together? ``relay_server`` gives it to the agent, or to a program of its own."""

import resource
import secrets
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from calward.adapters.network.certificates import names_of_this_machine, own_certificate
from calward.adapters.sessionhost.config import HostConfig, RelayConfig
from calward.adapters.signing.wire_authority import open_wire_authority
from calward.adapters.signing.wire_rsa import WireKey, create_wire_key, load_wire_key
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.relay import Limits, Outside, RelayServer, RelaySettings
from calward.entrypoints.relay.settings import Decide
from calward.wire.rdpele.certificates import CertificateChain
from calward.wire.rdpele.product_info import ProductInfo
from calward.wire.rdpele.server_session import Offer
from calward.wire.relay import HostSecurity, Terms

__all__ = ["own_chain", "relay_server", "wire_key"]

_VERSION: Final = 0x000A0000
"""10.0; clients may file what they store under it, so it stays the same whatever the host is."""
_MANY_SOCKETS: Final = 1 << 14
_PRODUCT: Final = "A02"
"""The product id that every session host names ([MS-RDPELE] 2.2.2.1.1)."""


def relay_server(
    config: HostConfig,
    *,
    decide: Decide,
    ended: Callable[[str], None],
    logged_on: Callable[[str], None],
    log: Callable[[str], None],
    now: int,
    chain: Callable[[], Sequence[bytes]] = tuple,
    exchange: Callable[[], bool] = lambda: True,
) -> RelayServer:
    """Make the relay of ``[relay]``, not yet listening.

    ``chain``: the certificates for the wire, DER, root first, as they are at the time of each connection; nothing: this
    host's own.
    ``exchange``: whether clients are asked for licenses at all. Raises LicensingError.
    """
    relay = config.relay
    if relay is None:
        raise LicensingError(Problem.MALFORMED, "the settings have no [relay]", field="relay")
    key = wire_key(config.state_dir)
    own = own_chain(config.state_dir, key, now)
    product, security = ProductInfo(_VERSION, relay.company, _PRODUCT), HostSecurity(relay.host_security)

    def terms() -> Terms:
        certificate = CertificateChain(tuple(chain()) or own).encode()
        return Terms(security, Offer(product, certificate, (relay.scope,)), key.decrypt_premaster, exchange())

    settings = RelaySettings(
        relay.listen,
        relay.host,
        terms,
        _client_tls(relay, config.state_dir, now),
        None if security is HostSecurity.PLAIN else _host_tls(),
        Limits(decide=config.agent.device_seconds, waiting=min(Limits().waiting, _sockets() // 4)),
        _shown(relay) if security is HostSecurity.NLA else None,
    )
    return RelayServer(settings, Outside(decide, ended, log, secrets.token_bytes, logged_on))


def _sockets() -> int:
    """Have the system allow as many files as it does, and say how many; 1024 are common, and a session takes two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MANY_SOCKETS if hard == resource.RLIM_INFINITY else min(hard, _MANY_SOCKETS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def wire_key(folder: Path) -> WireKey:
    """The host's key for the wire, made at its first use; raises LicensingError."""
    path = folder / "wire.key"
    try:
        return load_wire_key(path)
    except LicensingError as error:
        if error.problem is not Problem.NOT_FOUND:
            raise
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return create_wire_key(path)


def own_chain(folder: Path, key: WireKey, now: int) -> tuple[bytes, ...]:
    """Certificates of an authority of the host's own, for as long as no license server has given others."""
    authority = folder / "wire-authority"
    authority.mkdir(mode=0o700, parents=True, exist_ok=True)
    return open_wire_authority(authority, now=now).certify(key.public_key_der, "session host", now).chain


def _client_tls(relay: RelayConfig, folder: Path, now: int) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = relay.certificate, relay.key
    if certificate is None or key is None:
        names = names_of_this_machine(relay.listen[0])
        own = own_certificate(folder, names, now=now, holder="Calward session host")
        certificate, key = own.certificate, own.key
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        detail = f"{certificate} and {key} are no certificate and its key: {error}"
        raise LicensingError(Problem.MALFORMED, detail, field="relay.certificate") from None
    return context


def _shown(relay: RelayConfig) -> bytes | None:
    """The certificate of the settings, DER; the first where a file has a chain. It has been read before."""
    if relay.certificate is None:
        return None
    found = x509.load_pem_x509_certificate(relay.certificate.read_bytes())
    return found.public_bytes(Encoding.DER)


def _host_tls() -> ssl.SSLContext:
    """The host is on this machine and its certificate is often its own: nothing would be gained by asking who vouches for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
