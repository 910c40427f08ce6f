"""How is a small body read, when anybody may send?"""

from starlette.requests import Request

from calward.domain.envelope import MAX_ENVELOPE_SIZE
from calward.domain.errors import LicensingError, Problem

__all__ = ["small_body"]


async def small_body(request: Request) -> bytes:
    """The body, never more of it in memory than is allowed; raises LicensingError(MALFORMED)."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_ENVELOPE_SIZE + 1:  # A line feed may follow the envelope.
            raise LicensingError(Problem.MALFORMED, f"the body is longer than {MAX_ENVELOPE_SIZE} bytes")
    return bytes(body)
