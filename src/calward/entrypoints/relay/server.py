"""How are clients accepted, and who has to go when too many wait?"""

import asyncio
import socket
from collections import Counter
from typing import Final

from calward.entrypoints.relay.addresses import LoopbackAddresses, crowd_of
from calward.entrypoints.relay.connection import Connection
from calward.entrypoints.relay.legs import Leg
from calward.entrypoints.relay.settings import Outside, RelaySettings

__all__ = ["RelayServer"]

_BACKLOG: Final = 512
_KEEP_ALIVE: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
)
"""Seconds of silence, seconds between questions, questions without an answer: two minutes in all."""


class RelayServer:
    """Accepts clients from ``start`` to ``stop``."""

    def __init__(self, settings: RelaySettings, outside: Outside) -> None:
        self._settings = settings
        self._outside = outside
        self._addresses = LoopbackAddresses(int.from_bytes(outside.random(3), "big"))
        self._running: dict[asyncio.Task[None], Connection] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> tuple[str, int]:
        """Listen; gives the address, with the port that was chosen for 0. Raises OSError."""
        host, port = self._settings.listen
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Accepted(self, asyncio.Event()), host, port, backlog=_BACKLOG
        )
        address = self._server.sockets[0].getsockname()
        return address[0], address[1]

    async def stop(self) -> None:
        """Accept nobody any more, and end whoever is there."""
        if self._server:
            self._server.close()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._server:
            await asyncio.sleep(0)  # An aborted connection is gone at the loop's next turn.

    def accept(self, leg: Leg, wake: asyncio.Event) -> None:
        """Carry a new connection; called by its protocol."""
        self._make_room()
        try:
            connection = Connection(self._settings, self._outside, self._addresses, leg, wake)
        except Exception as error:  # noqa: BLE001 - whatever it is: the connection must not stay open with nobody behind it.
            self._fault(error)
            leg.abort()
            return
        task = asyncio.get_running_loop().create_task(connection.run())
        self._running[task] = connection
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.pop(task, None)
        if not task.cancelled() and (error := task.exception()):
            self._fault(error)

    def _fault(self, error: BaseException) -> None:
        self._outside.log(f"a connection has ended by a fault of the relay: {error!r}")

    def _make_room(self) -> None:
        """End the longest wait of the address that has most of them: who floods crowds out nobody but itself."""
        waiting = {task: crowd_of(one.peer) for task, one in self._running.items() if not one.spliced}
        if len(waiting) < self._settings.limits.waiting:
            return
        crowd = Counter(waiting.values()).most_common(1)[0][0]
        victim = next(task for task, owner in waiting.items() if owner == crowd)
        self._running.pop(victim)
        victim.cancel()
        self._outside.log(f"too many connections wait: the oldest of {crowd} was ended")


class _Accepted(Leg):
    def __init__(self, server: RelayServer, wake: asyncio.Event) -> None:
        super().__init__(wake)
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        _notice_death(transport.get_extra_info("socket"))
        self._server.accept(self, self._wake)


def _notice_death(sock: socket.socket) -> None:
    """Have the system ask a silent client now and then: a session is not kept for a machine that is gone."""
    for level, option, value in _KEEP_ALIVE:
        sock.setsockopt(level, option, value)
