"""How is one question put to a license server so that its answer comes in time, or not at all?

``http.client`` limits each wait for bytes, not the whole: a name that is not resolved, or a server that sends a byte now
and then, would hold a logon for ever. So the exchange runs in a thread of its own; when time is up it is cut off and left.
The standard library only: a user waits while this loads (docs/decisions/0010).
"""

import hashlib
import hmac
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Thread
from typing import Any, Final
from urllib.parse import urlsplit

from calward.domain.errors import LicensingError, Problem
from calward.domain.this_machine import is_loopback

__all__ = ["CHECKPOINT", "LEDGER_SINCE", "Address", "Message", "Reply", "exchange"]

CHECKPOINT: Final = "Calward-Checkpoint"
LEDGER_SINCE: Final = "Calward-Ledger-Since"
"""Seconds since 1970: what was signed until then was given up and counts no more."""

_MAX_REPLY: Final = 1 << 20
"""Bytes; a batch of a thousand answers is smaller."""
_AFTERWARDS: Final = 1.0
"""Seconds after which a single wait ends by itself, where it could not be cut off."""
_PIN_LETTERS: Final = 64
"""Hex digits of a SHA-256 fingerprint."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a license server is: made by ``parse``.

    ``path`` is a Unix socket; then there is no host. ``pin``: the SHA-256 fingerprint of the server's certificate, which is
    then the only one accepted, whoever has signed it.
    """

    name: str
    host: str = ""
    port: int = 0
    path: str | None = None
    tls: bool = False
    pin: str | None = None

    @classmethod
    def parse(cls, url: str, pin: str | None = None) -> "Address":
        """Read ``https://host[:port]``, ``http://`` for this machine only, or ``unix:/path``.

        ``pin``: 64 hex digits, colons allowed. Raises: LicensingError: MALFORMED.
        """
        if pin is not None and not url.startswith("https:"):
            raise _wrong(url, "shows no certificate: leave its fingerprint away, or use https")
        if url.startswith("unix:/"):
            return cls(url, path=url.removeprefix("unix:"))
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise _wrong(url, "is no address of a license server: https://HOST:PORT is expected") from None
        if parts.scheme not in ("http", "https") or not host or parts.path.strip("/") or parts.query or parts.fragment:
            raise _wrong(url, "is no address of a license server: https://HOST:PORT is expected")
        if parts.scheme == "http" and not is_loopback(host):
            raise _wrong(url, "would send the host's token unprotected: use https, or http on this machine only")
        tls = parts.scheme == "https"
        return cls(url.rstrip("/"), host, port or (443 if tls else 80), tls=tls, pin=_pin(url, pin))


@dataclass(frozen=True, slots=True)
class Message:
    """One HTTP request: ``body`` is JSON or nothing; the token never shows in a representation."""

    method: str
    target: str
    body: bytes | None = None
    token: str | None = field(default=None, repr=False)
    checkpoint: str | None = None
    """The newest checkpoint of the server's ledger that this host has heard, as it came in the header of an answer."""

    def headers(self) -> dict[str, str]:
        """What stands above the body."""
        headers = {"Accept": "application/json", "Connection": "close"}
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.checkpoint is not None:
            headers[CHECKPOINT] = self.checkpoint
        return headers


@dataclass(frozen=True, slots=True)
class Reply:
    """Status code and body, as they came; ``checkpoint`` and ``since`` are what stood in the two headers about the ledger."""

    status: int
    body: bytes
    checkpoint: str | None = None
    since: str | None = None


def exchange(address: Address, message: Message, seconds: float) -> Reply:
    """Send and receive within so many seconds, from the first look-up of the name to the last byte.

    Raises: LicensingError: UNREACHABLE: nothing that can be used came in time, or it is not the pinned server.
    """
    late = LicensingError(
        Problem.UNREACHABLE, f"license server {address.name} did not answer within {max(0.0, seconds):.1f} seconds"
    )
    if seconds <= 0:  # Even a server that is fast has no time.
        raise late
    errand = _Errand(address, message, seconds)
    thread = Thread(target=errand.run, name=f"ask {address.name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        errand.cut()
        raise late
    return errand.reply()


class _Errand:
    """One exchange in its thread; afterwards there is a reply or a failure."""

    def __init__(self, address: Address, message: Message, seconds: float) -> None:
        self._address = address
        self._message = message
        # Longer than anybody waits for us: else two clocks would race for what is said of a server that is too slow.
        self._connection = _connection(address, seconds + _AFTERWARDS)
        self._reply: Reply | None = None
        self._failure: Exception | None = None

    def run(self) -> None:
        """Go, and come back with whatever happened: an exception that ends a thread is heard by nobody."""
        try:
            self._reply = self._go()
        except Exception as failure:  # noqa: BLE001 - raised again by ``reply``, in the thread that waits.
            self._failure = failure
        finally:
            self._connection.close()

    def cut(self) -> None:
        """Wake the thread from whatever it waits for on its socket; what it still does is seen by nobody."""
        sock = self._connection.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def reply(self) -> Reply:
        """Give the reply; raises what ``exchange`` says."""
        if isinstance(self._failure, OSError | HTTPException):
            text = str(self._failure) or type(self._failure).__name__
            raise LicensingError(
                Problem.UNREACHABLE, f"license server {self._address.name} cannot be reached: {text}"
            ) from self._failure
        if self._failure is not None:
            raise self._failure
        if self._reply is None:
            raise AssertionError
        return self._reply

    def _go(self) -> Reply:
        self._connection.connect()
        self._check_pin()  # Before the first byte of the request: it carries the token.
        message = self._message
        # Who is refused by the head of the request is answered, and cut off, before the body has been sent.
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.request(message.method, message.target, message.body, message.headers())
        with self._connection.getresponse() as response:
            body = response.read(_MAX_REPLY + 1)
        if len(body) > _MAX_REPLY:
            raise HTTPException(f"the answer is larger than {_MAX_REPLY} bytes")
        return Reply(response.status, body, response.getheader(CHECKPOINT), response.getheader(LEDGER_SINCE))

    def _check_pin(self) -> None:
        if self._address.pin is None:
            return
        sock: Any = self._connection.sock  # A TLS socket: only an https address has a pin.
        certificate = sock.getpeercert(binary_form=True) or b""
        found = hashlib.sha256(certificate).hexdigest()
        if not hmac.compare_digest(found, self._address.pin):
            raise LicensingError(
                Problem.UNREACHABLE,
                f"{self._address.name} shows the certificate {found}, not the pinned one: enroll this host again if the "
                "license server has a new certificate, else somebody stands between",
            )


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection(address: Address, seconds: float) -> HTTPConnection:
    if address.path is not None:
        return _UnixConnection(address.path, seconds)
    if not address.tls:
        return HTTPConnection(address.host, address.port, timeout=seconds)
    context = ssl.create_default_context()
    if address.pin is not None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # The fingerprint proves more than any signature: see ``_check_pin``.
    return HTTPSConnection(address.host, address.port, timeout=seconds, context=context)


def _pin(url: str, pin: str | None) -> str | None:
    if pin is None:
        return None
    digits = pin.strip().lower().removeprefix("sha256:").replace(":", "")
    if len(digits) != _PIN_LETTERS or not set(digits) <= set("0123456789abcdef"):
        raise _wrong(url, "has a fingerprint that is no SHA-256 in hex: 64 digits are expected")
    return digits


def _wrong(url: str, what: str) -> LicensingError:
    return LicensingError(Problem.MALFORMED, f"{url!a} {what}")
