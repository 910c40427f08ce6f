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
    rest_for_host, rest_for_client = client.take(), host.take()
    to_client.set_protocol(Pump(to_host, done))
    to_host.set_protocol(Pump(to_client, done))
    # Only now, because to take may have a side read on.
    for leg, other in ((client, to_host), (host, to_client)):
        if leg.full and not other.is_closing():
            other.pause_reading()
    to_host.write(rest_for_host)
    to_client.write(rest_for_client)
    if not to_client.is_closing() and not to_host.is_closing():
        await done.wait()


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
