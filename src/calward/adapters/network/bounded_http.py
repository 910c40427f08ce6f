"""How is HTTP spoken beyond what uvicorn does: how long may a request's head be, and in how many pieces does an answer leave?

Whoever has not said who it is yet must not fill the memory. Bodies are bounded where they are read; request line and headers only
here, because the parser keeps whatever comes.
"""

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["IN_ONE_PIECE", "MAX_HEAD", "BoundedProtocol"]

MAX_HEAD: Final = 64 * 1024
"""Bytes of request line and headers, beside the first chunk that comes from the socket (at most 256 KiB)."""

IN_ONE_PIECE: Final = "calward.in_one_piece"
"""In ``scope["state"]``: what is called before an answer is sent whose head and body follow at once, neither of them empty."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it; a head that does not end is answered 400 and cut off."""

    _in_head = False
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects."""
        patient = _Patient(transport)
        super().connection_made(cast("asyncio.Transport", patient))
        self.app_state = {**self.app_state, IN_ONE_PIECE: patient.hold}

    def data_received(self, data: bytes) -> None:
        """Count only while a head goes on over several chunks: nearly all come in one, and cost nothing more."""
        goes_on = self._in_head
        super().data_received(data)
        if not (goes_on and self._in_head):
            return
        self._head += len(data)
        if self._head > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("the head of the request is too large")

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """It has ended."""
        self._in_head = False
        super().on_headers_complete()


class _Patient:
    """A transport that can hold one piece back for the next: uvicorn writes head and body of an answer singly, and each of the two
    writes would wake up who waits for the answer.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._send = transport.write
        self._holds = False
        self._held = b""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the transport has
        return getattr(self._transport, name)

    def hold(self) -> None:
        """Send the next piece together with the one after it."""
        self._holds = True

    def write(self, data: bytes) -> None:
        """Send, or wait for the next piece."""
        if self._holds:
            self._holds, self._held = False, data
        elif self._held:
            whole, self._held = self._held + data, b""
            self._send(whole)
        else:
            self._send(data)
