"""How does a device become proven? By a logon with it that the host has accepted: its license server and this host hear of it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import BoundedSemaphore
from typing import Final

from calward.app.sessionhost.heartbeats import AgentServer
from calward.app.sessionhost.joins import Joined
from calward.domain.errors import LicensingError
from calward.entrypoints.agent.outside import Holders, Outside

__all__ = ["Proving"]

_AT_ONCE: Final = 4
_SECONDS: Final = 5.0
"""Nobody waits for it."""
_IN_LINE: Final = 256
"""Confirmations that may wait; the next logon confirms what one too many does not."""


class Proving:
    """Confirms logons in threads of its own: no user waits meanwhile."""

    def __init__(self, outside: Outside, servers: Sequence[AgentServer]) -> None:
        self._outside = outside
        self._servers = servers
        self._pool = ThreadPoolExecutor(_AT_ONCE, "confirm")
        self._room = BoundedSemaphore(_IN_LINE)

    def later(self, joined: Joined) -> None:
        """Confirm a logon with this device soon; nothing where it has no license, or it may have been another device."""
        has_license = joined.verdict.admission.license is not None
        if joined.certain and has_license and self._room.acquire(blocking=False):
            self._pool.submit(self._prove, joined).add_done_callback(lambda _: self._room.release())

    def finish(self) -> None:
        """Begin no more, and wait for those that run or stand in line."""
        self._pool.shutdown(wait=True)

    def stop(self) -> None:
        """Begin no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _prove(self, joined: Joined) -> None:
        """Prove the device to the server that gave its license, and to this host's own memory."""
        held = joined.verdict.admission.license
        server = next((one for one in self._servers if held is not None and one.name == held.server), None)
        if held is not None and server is not None:
            try:
                server.confirm(held.id, seconds=_SECONDS)
            except LicensingError as error:
                self._outside.journal.info(error.detail)
        memory = self._outside.memory(Holders.DEVICES, lambda: _SECONDS)
        memory.change(joined.verdict.device or "", lambda known: (replace(known, proven=True), None))
