"""How far does this host come when it asks a license server, and what does it meet on the way?

Unlike ``http_exchange``, which only needs an answer, this goes step by step and keeps what was seen at each. The host's token is
sent to nobody who has not shown the pinned certificate, or one that is trusted, and has not proved to be a license server.
"""

import hashlib
import json
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Thread
from typing import Any, Final

from calward.adapters.network.http_exchange import Address
from calward.adapters.sessionhost.config import ListedServer
from calward.app.sessionhost.diagnosis.facts import Reached, ServerFacts, TokenFacts, Told

__all__ = ["ask_servers"]

_PATIENCE: Final = 2.0
"""Seconds for a connection; a name has as long as all questions together."""
_WHOLE: Final = 6.0
"""Seconds for all questions to one server; all servers are asked at once."""
_MAX_BODY: Final = 1 << 20
_SHOWN: Final = 120
"""Characters of a stranger's own words that are repeated."""
_OK: Final = 200
_STRANGER: Final = frozenset({401, 403})
"""What a license server answers to a token that it does not take."""
_HOST: Final = "/api/v1/host"


def ask_servers(listed: Sequence[tuple[ListedServer, TokenFacts, str | None]]) -> tuple[ServerFacts, ...]:
    """Ask all at once, each with its token or without; what has not come in time is said to be so. Raises nothing."""
    inquiries = [_Inquiry(one.address, token, secret) for one, token, secret in listed]
    threads = [Thread(target=one.run, name=f"ask {one.found.name}", daemon=True) for one in inquiries]
    for thread in threads:
        thread.start()
    until = time.monotonic() + _WHOLE
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return tuple(one.found for one in inquiries)


class _Failed(Exception):  # noqa: N818 - it is an end, not an error.
    """This is as far as it goes; the sentence says why."""


class _Inquiry:
    """Questions to one server. ``found`` always says what holds if nothing more comes: whoever waits may stop at any time."""

    def __init__(self, address: Address, token: TokenFacts, secret: str | None) -> None:
        self._address = address
        self._secret = secret
        self._places: list[tuple[Any, ...]] = []
        self.found = ServerFacts(address.name, token, pinned=address.pin)

    def run(self) -> None:
        """Go on to the end, or to the first step that fails."""
        started = time.monotonic()
        try:
            self._resolve()
            self._is_license_server(started)
            self._asks_about_itself()
        except _Failed as end:
            self._note(trouble=str(end))
        except (OSError, HTTPException) as error:
            self._note(trouble=_words(error))

    def _note(self, **changes: Any) -> None:  # noqa: ANN401 - what ServerFacts has
        self.found = replace(self.found, **changes)

    # --- a connection ---

    def _resolve(self) -> None:
        self._note(trouble="no name server answered in time")
        if self._address.path is not None:
            self._note(places=(self._address.path,))
        else:
            host, port = self._address.host, self._address.port
            self._places = list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
            self._note(places=tuple(dict.fromkeys(_place(one[4]) for one in self._places)))
        self._note(reached=Reached.ADDRESS, trouble=f"nothing answered within {_PATIENCE:.0f} seconds")

    def _connect(self) -> socket.socket:
        """Connect to the first place that takes it; raises OSError with what the last one said."""
        if self._address.path is not None:
            return _connected(socket.AF_UNIX, self._address.path)
        failure: OSError = OSError("it has no address")
        until = time.monotonic() + _PATIENCE
        for family, _, _, _, place in self._places:
            try:
                return _connected(family, place, max(0.1, until - time.monotonic()))
            except OSError as error:
                failure = error
        raise failure

    def _open(self) -> socket.socket:
        """Connect and, where it is TLS, see the certificate; raises _Failed or OSError."""
        try:
            sock = self._connect()
        except TimeoutError:
            raise _Failed(f"nothing answered within {_PATIENCE:.0f} seconds") from None
        if not self._address.tls:
            self._at_least(Reached.SERVICE)
            return sock
        self._at_least(Reached.PORT)
        secured = self._secured(sock)
        shown = _fingerprint(secured)
        self._note(shown=shown)
        self._at_least(Reached.CERTIFICATE)
        if self._address.pin is not None and shown != self._address.pin:
            secured.close()
            raise _Failed(f"it shows the certificate {shown}")
        self._at_least(Reached.SERVICE)
        return secured

    def _secured(self, sock: socket.socket) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        if self._address.pin is not None:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # The fingerprint proves more than any signature.
        try:
            return context.wrap_socket(sock, server_hostname=self._address.host)
        except ssl.SSLCertVerificationError as error:
            self._note(shown=self._shown_anyway())
            raise _Failed(f"its certificate is not trusted: {error.verify_message}") from None
        except (OSError, ValueError) as error:
            raise _Failed(f"TLS is not spoken there: {_words(error)}") from None
        finally:
            if sock.fileno() >= 0:
                sock.close()

    def _shown_anyway(self) -> str | None:
        """The fingerprint of a certificate that is not trusted: to be compared by people; nothing is sent."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with suppress(OSError), context.wrap_socket(self._connect(), server_hostname=self._address.host) as secured:
            return _fingerprint(secured)
        return None

    def _at_least(self, step: Reached) -> None:
        if self.found.reached < step:
            self._note(reached=step, trouble="it said nothing in time")

    # --- questions ---

    def _get(self, target: str, token: str | None = None) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection("license-server", timeout=_WHOLE)
        connection.auto_open = 0  # Else a closed connection would be opened again without TLS.
        connection.sock = self._open()
        try:
            headers = {"Accept": "application/json", "Connection": "close", "Host": self._address.host or "localhost"}
            connection.request("GET", target, headers=headers | ({"Authorization": f"Bearer {token}"} if token else {}))
            reply = connection.getresponse()
            return reply, reply.read(_MAX_BODY)
        finally:
            connection.close()

    def _is_license_server(self, started: float) -> None:
        """Only a license server says whether it is ready; nobody needs a token for it."""
        try:
            reply, body = self._get("/readyz")
        except HTTPException as error:
            raise _Failed(f"it does not speak HTTP: {_words(error)}") from None
        said = _document(body)
        if not isinstance(said.get("ready"), bool):
            raise _Failed(f"GET /readyz: {_stranger(reply, body)}")
        self._note(
            reached=Reached.LICENSE_SERVER,
            trouble="",
            not_ready="" if said["ready"] else f"not ready ({_shown(said.get('problem', reply.status))})",
            ready=said["ready"],
            seconds=time.monotonic() - started,
            ahead=_ahead(reply),
        )

    def _asks_about_itself(self) -> None:
        if self._secret is None:
            return
        self._note(trouble=f"GET {_HOST}: it said nothing in time")
        reply, body = self._get(_HOST, self._secret)
        said = _document(body)
        told = _told(said) if reply.status == _OK else None
        words = f"status {reply.status}, {_shown(said.get('detail', 'no reason'))}"
        if told is not None:
            self._note(reached=Reached.HOST, told=told, trouble="")
        elif reply.status in _STRANGER:
            self._note(refusal=words, trouble="")
        elif reply.status == _OK:
            raise _Failed(f"GET {_HOST}: it answers in words of another release")
        else:
            raise _Failed(f"GET {_HOST}: {words}")


def _connected(family: int, place: Any, seconds: float = _PATIENCE) -> socket.socket:  # noqa: ANN401 - each family has its own
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect(place)
    except OSError:
        sock.close()
        raise
    sock.settimeout(_WHOLE)
    return sock


def _place(address: Any) -> str:  # noqa: ANN401 - what getaddrinfo gives
    host, port = str(address[0]), address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _fingerprint(secured: ssl.SSLSocket) -> str:
    return hashlib.sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()


def _words(error: Exception) -> str:
    strerror = getattr(error, "strerror", None)
    return _shown(strerror or str(error) or type(error).__name__)


def _shown(words: object) -> str:
    text = str(words).strip()[:_SHOWN]
    return text if text.isprintable() else ascii(text)


def _stranger(reply: HTTPResponse, body: bytes) -> str:
    """What else answers, by what it says of itself."""
    server = reply.getheader("Server")
    named = f", Server: {_shown(server)}" if server else ""
    return f"status {reply.status}{named}, {_shown(body[:60].decode('utf-8', 'replace').strip() or 'nothing more')!r}"


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _ahead(reply: HTTPResponse) -> Any:  # noqa: ANN401 - a timedelta, or None
    try:
        there = parsedate_to_datetime(reply.getheader("Date") or "")
    except ValueError:
        return None
    here = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - adapters.system serves the license server.
    return there.replace(tzinfo=there.tzinfo or UTC) - here


def _told(said: Mapping[str, Any]) -> Told | None:
    try:
        end = said.get("issue_until")
        return Told(
            name=_shown(said["name"]),
            version=_shown(said["version"]),
            mode=_shown(said["mode"]),
            mode_from=_shown(said["mode_from"]),
            grace_days=int(said["grace_days"]),
            servers=tuple(map(_shown, said["servers"])),
            server_id=_shown(said.get("server_id") or ""),
            server_version=said.get("server_version"),
            activated=said.get("activated"),
            issue_until=None if end is None else datetime.fromisoformat(end),
        )
    except (KeyError, TypeError, ValueError):
        return None
