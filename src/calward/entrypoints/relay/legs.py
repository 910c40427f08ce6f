"""What holds a side of a connection while its bytes are looked at?"""

import asyncio
import ssl
from typing import Final, cast

__all__ = ["INBOX_LIMIT", "Leg"]

INBOX_LIMIT: Final = 1 << 17
"""Bytes that wait to be looked at; a side that sends more is not read from until they were."""


class Leg(asyncio.Protocol):
    """One side while its bytes are looked at; ``wake`` is set whenever something has happened."""

    def __init__(self, wake: asyncio.Event) -> None:
        self._wake = wake
        self._inbox = bytearray()
        self._reading = True
        self.transport: asyncio.Transport | None = None
        self.ended = False
        """The other side has closed; what it had sent can still be taken."""
        self.full = False
        """What is written waits for the other side: take no more from whom it came."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Keep bytes until they are taken."""
        self._inbox += data
        if len(self._inbox) > INBOX_LIMIT and self._reading and self.transport:
            self._reading = False
            self.transport.pause_reading()
        self._wake.set()

    def eof_received(self) -> None:
        """Note the end; the transport closes itself."""
        self.ended = True
        self._wake.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature.
        """Note the end."""
        self.eof_received()

    def pause_writing(self) -> None:
        """Note that the other side is slow."""
        self.full = True

    def resume_writing(self) -> None:
        """Note that it has caught up."""
        self.full = False
        self._wake.set()

    @property
    def peer(self) -> str:
        """The other side's address; "" where the connection has ended at once."""
        address = self.transport.get_extra_info("peername") if self.transport else None
        return str(address[0]) if address else ""

    @property
    def certificate(self) -> bytes | None:
        """The certificate, DER, that the other side has shown."""
        tls = self.transport.get_extra_info("ssl_object") if self.transport else None
        return tls.getpeercert(binary_form=True) if tls else None

    @property
    def waiting(self) -> bool:
        """Say whether there are bytes to take."""
        return bool(self._inbox)

    def take(self) -> bytes:
        """Take all that has come."""
        data = bytes(self._inbox)
        self._inbox.clear()
        if not self._reading and self.transport and not self.ended:
            self._reading = True
            self.transport.resume_reading()
        return data

    def hold(self) -> None:
        """Leave what comes next, a TLS handshake, in the socket; ``start_tls`` reads on."""
        if self.transport and not self.transport.is_closing():
            self.transport.pause_reading()

    async def start_tls(self, context: ssl.SSLContext, handshake: float, shutdown: float, *, server: bool) -> None:
        """Go on with TLS, whose handshake and end take so many seconds at most; OSError where that fails."""
        if self.transport is None:
            raise ConnectionResetError("the connection has ended before TLS")
        self.transport = await asyncio.get_running_loop().start_tls(
            self.transport,
            self,
            context,
            server_side=server,
            ssl_handshake_timeout=handshake,
            ssl_shutdown_timeout=shutdown,
        )

    def write(self, data: bytes) -> None:
        """Send; nothing where the connection has ended."""
        if self.transport and not self.transport.is_closing():
            self.transport.write(data)

    def close(self) -> None:
        """End the connection after what was written."""
        if self.transport:
            self.transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        if self.transport:
            self.transport.abort()
