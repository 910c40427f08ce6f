"""How is a small body read, when anybody may send?"""

from starlette.requests import Request
from starlette.responses import Response

from calward.domain.envelope import MAX_ENVELOPE_SIZE
from calward.entrypoints.problems import too_large

__all__ = ["TooLargeError", "on_too_large", "small_body"]


class TooLargeError(Exception):
    """A body is larger than an envelope may be."""


def on_too_large(_request: Request, _error: Exception) -> Response:
    """Starlette's handler for TooLargeError."""
    return too_large(MAX_ENVELOPE_SIZE)


async def small_body(request: Request) -> bytes:
    """The body, never more of it in memory than is allowed; raises TooLargeError."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_ENVELOPE_SIZE + 1:  # A line feed may follow the envelope.
            raise TooLargeError
    return bytes(body)
