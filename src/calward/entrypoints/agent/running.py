"""How long does the agent run? From its first listening until it is told to stop, with a heartbeat now and then."""

import asyncio
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from calward.app.sessionhost.ports import Journal
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.agent.desk import Desk
from calward.entrypoints.agent.door import Door

__all__ = ["ListeningRelay", "serve_until_stopped"]


class ListeningRelay(Protocol):
    """The licensing relay, where this host has one."""

    async def start(self) -> tuple[str, int]:
        """Listen; gives where. Raises OSError."""

    async def stop(self) -> None:
        """End all connections."""


async def serve_until_stopped(
    desk: Desk,
    door: Door,
    relay: Callable[[], ListeningRelay | None],
    *,
    places: dict[str, str],
    ready: Callable[[dict[str, str]], None],
    heartbeat_seconds: float,
    journal: Journal,
) -> None:
    """Serve until SIGTERM or SIGINT; ``ready`` hears ``places`` and where the relay listens. Raises LicensingError."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await door.open()
    listening = None
    try:
        listening = relay()
        if listening is not None:
            host, port = await listening.start()
            places = {**places, "relay": f"{host}:{port}"}
        ready(places)
        journal.info(f"started: {', '.join(f'{what} {place}' for what, place in places.items())}")
        await _beating(desk, heartbeat_seconds, stopped, journal)
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"the relay cannot listen: {error}") from None
    finally:
        if listening is not None:
            await listening.stop()
        await door.close()
        desk.stop()
    journal.info("stopped")


async def _beating(desk: Desk, seconds: float, stopped: asyncio.Event, journal: Journal) -> None:
    """A heartbeat now and then, until stopped; one at least, and one that has begun comes to its end."""
    with ThreadPoolExecutor(1, "heartbeat") as pool:
        while True:
            beat = asyncio.get_running_loop().run_in_executor(pool, desk.beat)
            waiting = asyncio.ensure_future(stopped.wait())
            both: set[asyncio.Future[Any]] = {beat, waiting}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if beat.done() and (error := beat.exception()) is not None:
                journal.warning(f"a heartbeat failed: {error!r}")
            await asyncio.wait({waiting}, timeout=seconds)
            waiting.cancel()
            if stopped.is_set():
                return
