"""How is a session host probed over the network, within a time limit?

``wire.probe`` says what to do; here are the socket, TLS and what needs random numbers or a certificate's key.
"""

import hashlib
import secrets
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Any, Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from calward.domain.errors import LicensingError, Problem
from calward.wire.errors import ProtocolError, RemoteProtocolError
from calward.wire.probe import Act, Findings, Receive, Send, StartTls, probe
from calward.wire.rdp.tpkt import packet_size
from calward.wire.rdpele.certificates import CertificateChain, ProprietaryCertificate, decode_certificate
from calward.wire.rdpele.client_session import ClientSession, encrypt_premaster
from calward.wire.rdpele.legacy_crypto import PREMASTER_SIZE, RANDOM_SIZE, name_hash

__all__ = ["Probed", "described", "probe_host"]

_PLATFORM: Final = 0x04010000
_CLIENT_NAME: Final = "calward-probe"
_CHUNK: Final = 16_384
_MAX_WAITING: Final = 1 << 16
"""Bytes of a packet that is not whole yet: no packet is longer."""


@dataclass(slots=True)
class Probed:
    """What was found at a host, and the SHA-256 fingerprint (hex) of its TLS certificate; ``problem``: what went wrong."""

    host: str
    port: int
    findings: Findings = field(default_factory=Findings)
    fingerprint: str | None = None
    problem: str | None = None


def probe_host(host: str, port: int, *, seconds: float) -> Probed:
    """Probe a host; gives what was found as far as it went.

    The host is not authenticated: a probe has no secret to lose. It always says the same hardware id, so that it takes at
    most one temporary license of a license server, however often it is used.

    Raises: LicensingError(UNREACHABLE): no connection came about.
    """
    probed = Probed(host, port)
    try:
        connection = _Connection(host, port, seconds)
    except OSError as error:
        detail = (
            f"no connection to {host} port {port} ({error.strerror or error}): name the host's RDP port, as HOST:PORT"
        )
        raise LicensingError(Problem.UNREACHABLE, detail) from None
    with connection:
        try:
            _run(connection, probed)
        except ProtocolError as error:
            probed.problem = str(error)
        except OSError as error:
            if probed.findings.outcome is None:  # Else licensing has ended, and the rest does not matter.
                probed.problem = f"the connection broke: {error}"
        probed.fingerprint = connection.fingerprint
    return probed


def described(probed: Probed) -> dict[str, Any]:
    """What was found, as JSON values; null is "not seen". Keys are for scripts and stay."""
    found, request = probed.findings, probed.findings.request
    return {
        "host": probed.host,
        "port": probed.port,
        "security": found.security,
        "tls_fingerprint": probed.fingerprint,
        "outcome": found.outcome,
        "error_code": found.error_code,
        "certificate": None if request is None else _certificate(request.certificate),
        "product": None
        if request is None
        else {
            "company": request.product.company,
            "product": request.product.product,
            "version": f"{request.product.version >> 16}.{request.product.version & 0xFFFF}",
        },
        "scopes": None if request is None else list(request.scopes),
        "license": None
        if found.license is None
        else {"scope": found.license.scope, "company": found.license.company, "bytes": len(found.license.license)},
        "problem": probed.problem,
    }


def _certificate(blob: bytes) -> dict[str, Any]:
    """The form of the certificate by which a host opens licensing."""
    if not blob:
        return {"form": "none"}
    try:
        certificate = decode_certificate(blob)
    except ProtocolError as error:
        return {"form": "unreadable", "detail": str(error)}
    if isinstance(certificate, ProprietaryCertificate):
        return {"form": "proprietary", "key_bits": certificate.modulus.bit_length()}
    try:
        bits = _key_of(certificate).key_size
    except ProtocolError as error:
        return {"form": "x509-chain", "certificates": len(certificate.certificates), "detail": str(error)}
    return {"form": "x509-chain", "certificates": len(certificate.certificates), "key_bits": bits}


def _run(connection: "_Connection", probed: Probed) -> None:
    steps = probe(probed.findings, _session, _CLIENT_NAME)
    packet = b""
    try:
        act: Act = next(steps)
        while True:
            packet = connection.carry_out(act)
            act = steps.send(packet)
    except StopIteration:
        return


def _session() -> ClientSession:
    hardware_id = _PLATFORM.to_bytes(4, "little") + name_hash(_CLIENT_NAME)
    return ClientSession(
        client_random=secrets.token_bytes(RANDOM_SIZE),
        premaster=secrets.token_bytes(PREMASTER_SIZE),
        encrypt=_encrypt,
        hardware_id=hardware_id,
        platform_id=_PLATFORM,
        user_name="",
        machine_name=_CLIENT_NAME,
    )


def _encrypt(premaster: bytes, blob: bytes) -> bytes:
    """Encrypt with the key of the host's certificate, the last of a chain."""
    certificate = decode_certificate(blob)
    if isinstance(certificate, ProprietaryCertificate):
        return encrypt_premaster(premaster, certificate.modulus, certificate.exponent)
    numbers = _key_of(certificate).public_numbers()
    return encrypt_premaster(premaster, numbers.n, numbers.e)


def _key_of(chain: CertificateChain) -> RSAPublicKey:
    try:
        key = x509.load_der_x509_certificate(chain.certificates[-1]).public_key()
    except Exception as error:  # noqa: BLE001 - see below.
        # Whatever a stranger's certificate does to the parser, the host's bytes are at fault.
        raise RemoteProtocolError(f"the certificate cannot be read: {error}", structure="X.509 chain") from None
    if not isinstance(key, RSAPublicKey):
        raise RemoteProtocolError("the certificate holds no RSA key", structure="X.509 chain")
    return key


class _Connection:
    """A socket with a deadline for everything together."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._socket: socket.socket = socket.create_connection((host, port), timeout=seconds)
        self._waiting = bytearray()
        self.fingerprint: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def carry_out(self, act: Act) -> bytes:
        """Do what the probe says; gives the packet that it waits for, else nothing."""
        self._socket.settimeout(max(0.001, self._until - time.monotonic()))
        match act:
            case Send(data):
                self._socket.sendall(data)
            case StartTls():
                self._start_tls()
            case Receive():
                return self._receive()
        return b""

    def _start_tls(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        tls = context.wrap_socket(self._socket)
        self._socket = tls
        self.fingerprint = hashlib.sha256(tls.getpeercert(binary_form=True) or b"").hexdigest()

    def _receive(self) -> bytes:
        """One whole packet; empty where the host has closed."""
        while (size := packet_size(self._waiting)) is None or len(self._waiting) < size:
            if len(self._waiting) > _MAX_WAITING:
                raise RemoteProtocolError("a packet does not end", structure="TPKT")
            self._socket.settimeout(max(0.001, self._until - time.monotonic()))
            more = self._socket.recv(_CHUNK)
            if not more:
                return b""
            self._waiting += more
        packet = bytes(self._waiting[:size])
        del self._waiting[:size]
        return packet
