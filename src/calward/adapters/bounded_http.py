"""How long may the head of a request be? Whoever has not said who it is yet must not fill the memory.

Bodies are bounded where they are read; request line and headers only here, because the parser keeps whatever comes.
"""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["MAX_HEAD", "BoundedProtocol"]

MAX_HEAD: Final = 64 * 1024
"""Bytes of request line and headers, beside the first chunk that comes from the socket (at most 256 KiB)."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 as uvicorn speaks it; a head that does not end is answered 400 and cut off."""

    _in_head = False
    _head = 0

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
