"""How does a license server ask its clearinghouse over HTTP?

What comes back is bytes that nobody vouches for: ``calward.domain.acceptance`` decides about them. Here only size and time are bounded,
so that a clearinghouse which is slow, huge or not one at all costs a few seconds and some kilobytes.
"""

import json
import ssl
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.bundle import MAX_BUNDLE_SIZE
from calward.domain.envelope import MAX_ENVELOPE_SIZE
from calward.domain.errors import LicensingError, Problem
from calward.domain.this_machine import is_loopback

__all__ = ["HttpClearinghouse"]

_JSON = "application/vnd.dsse.envelope.v1+json"
_BUNDLE = "application/vnd.calward.bundle"
ASK_SECONDS = 600.0
"""For requests about packs: a list of a million licenses takes minutes on a slow line, and the clearinghouse reads all of it."""
_ASK_WAIT_SECONDS = 120.0
"""For one wait within that."""
_MAX_DETAIL = 300
_SAYS_NO = frozenset({409, 422})
"""Statuses with which a request is refused that was understood."""

_PROBLEMS = {
    400: Problem.MALFORMED,
    401: Problem.UNAUTHORIZED,
    403: Problem.FORBIDDEN,
    404: Problem.NOT_FOUND,
    408: Problem.UNAVAILABLE,
    409: Problem.CONFLICT,
    413: Problem.MALFORMED,
    422: Problem.MALFORMED,
    429: Problem.UNAVAILABLE,
    503: Problem.UNAVAILABLE,
}
"""What each status says to the caller; any other one is UNREACHABLE: whatever answers there is no clearinghouse."""


class HttpClearinghouse:
    """A clearinghouse at an address like ``https://clearinghouse.example``; safe to share between threads.

    Args:
        url: https, or http on this machine.
        ca_file: certificates (PEM) to trust instead of the system's.
        timeout: seconds for one exchange, from the first to the last byte; requests about packs have ``ASK_SECONDS``.
        transport: for tests, another way to carry requests.

    Raises: LicensingError: MALFORMED: the address cannot be used; NOT_FOUND: there is no such file of certificates.
    """

    def __init__(
        self,
        url: str,
        *,
        ca_file: Path | None = None,
        timeout: float = 10.0,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        self._url = _checked(url)
        self._seconds = timeout
        self._client = httpx2.Client(
            base_url=self._url,
            verify=_context(ca_file),
            timeout=timeout,
            follow_redirects=False,
            # A proxy of the environment is for the outside; this machine is asked directly.
            trust_env=not is_loopback(self._url.host),
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def activate(self, request: bytes) -> bytes:
        """Send an activation request's envelope; the envelope of the activation, not verified.

        Raises: LicensingError: UNREACHABLE: no answer, or none of a clearinghouse; the other kinds: it said no, and why.
        """
        return self._exchange("POST", "/v1/activations", request)

    def keyring(self) -> bytes:
        """Fetch the envelope of the newest keyring, not verified; raises as ``activate``."""
        return self._exchange("GET", "/v1/keyring", None)

    def ask(self, bundle: bytes) -> bytes | NotAccepted:
        """Send signed requests about packs; the answer's bundle, not verified, or the clearinghouse's no. Raises as ``activate``."""
        asked = {"Content-Type": _BUNDLE}
        status, answer = self._send(
            "POST", "/v1/requests", bundle, MAX_BUNDLE_SIZE, asked, max(ASK_SECONDS, self._seconds)
        )
        if status == httpx2.codes.OK:
            return answer
        no = _not_accepted(answer) if status in _SAYS_NO else None
        if no is None:
            raise self._refusal(status, answer)
        return no

    def _exchange(self, method: str, path: str, body: bytes | None) -> bytes:
        headers = {"Content-Type": _JSON} if body is not None else {}
        status, answer = self._send(method, path, body, MAX_ENVELOPE_SIZE, headers, self._seconds)
        if status == httpx2.codes.OK:
            return answer
        raise self._refusal(status, answer)

    def _send(
        self, method: str, path: str, body: bytes | None, most: int, headers: dict[str, str], seconds: float
    ) -> tuple[int, bytes]:
        # Nothing packed: a few bytes could unfold to very many before they are counted.
        asked = {"Accept-Encoding": "identity"} | headers
        wait = httpx2.Timeout(min(seconds, _ASK_WAIT_SECONDS), connect=self._seconds)
        deadline = time.monotonic() + seconds
        try:
            with self._client.stream(method, path, content=body, headers=asked, timeout=wait) as response:
                answer = self._read(response, most, deadline, seconds)
        except (httpx2.HTTPError, ssl.SSLError) as error:
            raise self._unreachable(str(error) or type(error).__name__) from error
        return response.status_code, answer

    def _read(self, response: httpx2.Response, most: int, deadline: float, seconds: float) -> bytes:
        """The body; the client's own timeout is for each wait, so the whole is bounded here."""
        parts, size = [], 0
        for part in response.iter_raw():
            parts.append(part)
            size += len(part)
            if size > most:
                raise self._unreachable(f"its answer is longer than {most} bytes")
            if time.monotonic() > deadline:
                raise self._unreachable(f"its answer took longer than {seconds:g} seconds")
        return b"".join(parts)

    def _refusal(self, status: int, answer: bytes) -> LicensingError:
        detail = _detail(answer)
        if status not in _PROBLEMS or detail is None:
            return self._unreachable(f"it answered with status {status}")
        return LicensingError(_PROBLEMS[status], f"the clearinghouse {self._url} says: {detail}")

    def _unreachable(self, why: str) -> LicensingError:
        return LicensingError(
            Problem.UNREACHABLE,
            f"the clearinghouse {self._url} cannot be asked: {why}; check its address, or use files",
        )


def _checked(url: str) -> httpx2.URL:
    try:
        found = httpx2.URL(url)
    except httpx2.InvalidURL:
        found = httpx2.URL("")
    if found.scheme == "https" and found.host:
        return found
    if found.scheme == "http" and is_loopback(found.host):
        return found
    detail = f"{url!a} is no address of a clearinghouse: use https://HOST, or http:// on this machine"
    raise LicensingError(Problem.MALFORMED, detail)


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise LicensingError(Problem.NOT_FOUND, f"{ca_file} cannot be read as certificates: {error}") from None


def _not_accepted(answer: bytes) -> NotAccepted | None:
    """What a problem document says of a request that was understood and refused; None where it is another error."""
    detail, reason = _detail(answer), _problem(answer).get("reason")
    if detail is None or reason not in set(AcceptanceRefusal):
        return None
    return NotAccepted(AcceptanceRefusal(str(reason)), detail)


def _problem(answer: bytes) -> dict[str, object]:
    try:
        found = json.loads(answer)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _detail(answer: bytes) -> str | None:
    """The sentence of a problem document, made harmless: it comes from outside and ends in logs and terminals."""
    detail = _problem(answer).get("detail")
    if not isinstance(detail, str):
        return None
    return "".join(one if one.isprintable() else "?" for one in detail[:_MAX_DETAIL])
