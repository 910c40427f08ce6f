"""How are bytes copied once nothing is looked at any more, as fast as the slower side takes them?"""

import asyncio

from calward.entrypoints.relay.legs import Leg

__all__ = ["splice"]


async def splice(client: Leg, host: Leg) -> None:
    """Copy until one side ends, first what has come already."""
    to_client, to_host = client.transport, host.transport
    if to_client is None or to_host is None:
        return
    done = asyncio.Event()
    _begin(client, to_client, to_host, done)
    _begin(host, to_host, to_client, done)
    if not to_client.is_closing() and not to_host.is_closing():
        await done.wait()


def _begin(leg: Leg, own: asyncio.Transport, other: asyncio.Transport, done: asyncio.Event) -> None:
    rest = leg.take()
    if leg.full and not other.is_closing():
        other.pause_reading()
    own.set_protocol(Pump(other, done))
    if rest:
        other.write(rest)


class Pump(asyncio.Protocol):
    """One side: what comes goes to ``peer``."""

    def __init__(self, peer: asyncio.Transport, done: asyncio.Event) -> None:
        self._peer = peer
        self._done = done
        self.data_received = peer.write  # type: ignore[method-assign] # One call less for each piece.

    def pause_writing(self) -> None:
        """Have the peer be quiet until this side has taken what was sent."""
        if not self._peer.is_closing():
            self._peer.pause_reading()

    def resume_writing(self) -> None:
        """Let the peer go on."""
        if not self._peer.is_closing():
            self._peer.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature.
        """End the other side too, after what it is still to be sent."""
        self._peer.close()
        self._done.set()
