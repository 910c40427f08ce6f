"""How does the command line speak to a license server's administration API?

Over the server's Unix socket, or over https with a token. What comes back is checked before it is believed; problem documents
(RFC 9457) become the LicensingError that the server meant.
"""

import hashlib
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2

from calward.adapters.network.http_exchange import Address
from calward.domain.errors import LicensingError, Problem

__all__ = ["HttpAdminClient"]

_ROOT: Final = "/api/v1/"
_ENVELOPE: Final = "application/vnd.dsse.envelope.v1+json"
_CONNECT_SECONDS: Final = 5.0
_READ_SECONDS: Final = 60.0
_SLOW_SECONDS: Final = 3600.0
"""Verifying a million events takes its time; so does moving a million licenses."""
_SLOW: Final = ("audit/verify", "clearinghouse:", "server:recover", "server:take-recovery")
_MAX_SHOWN: Final = 500
_NO_TLS: Final = False
"""Where no TLS is spoken: the library would read all certificates of the system, for as long as all the rest takes."""
_PROBLEMS: Final = {
    400: Problem.MALFORMED,
    401: Problem.UNAUTHORIZED,
    403: Problem.FORBIDDEN,
    404: Problem.NOT_FOUND,
    405: Problem.MALFORMED,
    409: Problem.CONFLICT,
    413: Problem.MALFORMED,
    415: Problem.MALFORMED,
    422: Problem.MALFORMED,
}
"""What is not here is UNAVAILABLE: the server could not do it now."""
_GOOD: Final = 200
_NOT_GOOD: Final = 300


class HttpAdminClient:
    """One license server; every method raises LicensingError.

    ``token`` None: the server knows who asks by the Unix socket, or nobody needs to be known. ``ca_file``: certificates (PEM)
    to trust instead of the system's. ``transport``: for tests, another way to carry requests.
    """

    def __init__(
        self,
        address: Address,
        token: str | None = None,
        *,
        ca_file: Path | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._name = address.name
        local = address.path is not None or not address.tls
        self._client = httpx2.Client(
            base_url="http://localhost" if address.path is not None else address.name,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx2.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            transport=transport or _transport(address, ca_file),
            # A proxy of the environment is for the outside; this machine is asked directly.
            trust_env=not local,
        )

    @property
    def name(self) -> str:
        """Where the server is, for messages."""
        return self._name

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def ask(
        self,
        method: str,
        target: str,
        *,
        query: Mapping[str, str | int | bool | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One question below /api/v1/, one JSON object; parameters that are None are left out."""
        content = None if body is None else json.dumps(body).encode()
        return self._document(self._exchange(method, target, query, content, "application/json"))

    def deliver(self, method: str, target: str, content: bytes) -> dict[str, Any]:
        """Send a signed envelope as it is."""
        return self._document(self._exchange(method, target, None, content, _ENVELOPE))

    def made(self, target: str, body: dict[str, Any]) -> bytes | dict[str, Any]:
        """POST for a signed file; the file, or the JSON object that says why it is not made."""
        response = self._exchange("POST", target, None, json.dumps(body).encode(), "application/json")
        kind = response.headers.get("content-type", "")
        return self._document(response) if kind.startswith("application/json") else response.content

    def text(self, target: str) -> str:
        """GET a text."""
        return self._exchange("GET", target, None, None, None).text

    def lines(self, target: str, query: Mapping[str, str | int | bool | None] | None = None) -> Iterator[str]:
        """GET lines, one at a time."""
        with self._errors(), self._client.stream("GET", _ROOT + target, params=_given(query) or None) as response:
            if response.status_code != _GOOD:
                response.read()
                raise self._problem(response)
            yield from response.iter_lines()

    def _exchange(
        self,
        method: str,
        target: str,
        query: Mapping[str, str | int | bool | None] | None,
        content: bytes | None,
        content_type: str | None,
    ) -> httpx2.Response:
        headers = {"Accept": "application/json", "Content-Type": content_type} if content_type and content else {}
        seconds = _SLOW_SECONDS if target.startswith(_SLOW) else _READ_SECONDS
        with self._errors():
            response = self._client.request(
                method,
                _ROOT + target,
                params=_given(query) or None,
                content=content,
                headers=headers,
                timeout=httpx2.Timeout(seconds, connect=_CONNECT_SECONDS),
            )
        if not _GOOD <= response.status_code < _NOT_GOOD:
            raise self._problem(response)
        return response

    def _document(self, response: httpx2.Response) -> dict[str, Any]:
        document = _object(response)
        if document is None:
            raise self._error(Problem.UNREACHABLE, "does not speak the administration API: it answered no JSON object")
        return document

    def _problem(self, response: httpx2.Response) -> LicensingError:
        """The error that the server meant: by the name in its type, else by the status."""
        document = _object(response) or {}
        status = response.status_code
        detail = document.get("detail") or document.get("title")
        if not isinstance(detail, str):
            where = _PROBLEMS.get(status, Problem.UNREACHABLE)
            return self._error(where, f"answered with status {status} and no reason")
        named = str(document.get("type", "")).rpartition("/")[2].rpartition(":")[2]
        known = {problem.value: problem for problem in Problem}
        found = known.get(named) or _PROBLEMS.get(status, Problem.UNAVAILABLE)
        field = document.get("field")
        return LicensingError(found, detail[:_MAX_SHOWN], field=field if isinstance(field, str) else None)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError) as error:
            words = str(error) or type(error).__name__
            raise self._error(Problem.UNREACHABLE, f"cannot be reached: {words}") from error

    def _error(self, problem: Problem, what: str) -> LicensingError:
        return LicensingError(problem, f"license server {self._name} {what}")


def _transport(address: Address, ca_file: Path | None) -> httpx2.BaseTransport:
    if address.path is not None:
        _check_listens(address.name, address.path)
        return httpx2.HTTPTransport(uds=address.path, verify=_NO_TLS)
    if not address.tls:
        return httpx2.HTTPTransport(verify=_NO_TLS)
    if address.pin is not None:
        return httpx2.HTTPTransport(verify=_pinned(address, address.pin))
    try:
        return httpx2.HTTPTransport(verify=ssl.create_default_context(cafile=ca_file))
    except OSError as error:
        raise LicensingError(Problem.NOT_FOUND, f"{ca_file} cannot be read as certificates: {error}") from None


def _check_listens(name: str, path: str) -> None:
    """Refuse a socket at which nobody listens; the library would leave its end of it open until some garbage collection."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_CONNECT_SECONDS)
        try:
            probe.connect(path)
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise LicensingError(Problem.UNREACHABLE, f"license server {name} cannot be reached: {why}") from None


def _pinned(address: Address, pin: str) -> ssl.SSLContext:
    """Trust the one certificate that has this fingerprint, whoever has signed it and whatever name it bears."""
    try:
        shown = ssl.get_server_certificate((address.host, address.port), timeout=_CONNECT_SECONDS)
    except OSError as error:
        raise LicensingError(Problem.UNREACHABLE, f"license server {address.name} cannot be reached: {error}") from None
    found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest()
    if found != pin:
        detail = f"{address.name} shows the certificate {found}, not the one named: it has a new one, or somebody stands between"
        raise LicensingError(Problem.UNREACHABLE, detail)
    context = ssl.create_default_context(cadata=shown)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _given(query: Mapping[str, str | int | bool | None] | None) -> dict[str, str]:
    found = {key: value for key, value in (query or {}).items() if value is not None}
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in found.items()}


def _object(response: httpx2.Response) -> dict[str, Any] | None:
    try:
        found = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
