"""Who is served when many ask at once? So many at a time; the others wait, not too many, and none past its time."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

__all__ = ["Allowance", "Turns"]

T = TypeVar("T")

_TO_FINISH_SHARE: Final = 0.25
_TO_FINISH: Final = 0.8
"""Seconds at most, and share of the whole, that are kept back from the license servers: to decide, write and answer.

Two hundred at once on a busy machine take half a second for that.
"""


@dataclass(frozen=True, slots=True)
class Allowance:
    """The time of one question, by ``time.monotonic``: ``asking`` ends what license servers may take, ``whole`` all of it."""

    asking: float
    whole: float

    @classmethod
    def of(cls, seconds: float) -> "Allowance":
        """From now on."""
        now = time.monotonic()
        return cls(now + seconds - min(_TO_FINISH, seconds * _TO_FINISH_SHARE), now + seconds)

    def overdue(self) -> "Allowance":
        """Nothing more for license servers: what the host knows by itself decides."""
        return replace(self, asking=time.monotonic())

    def to_ask(self) -> float:
        """Seconds left for license servers; may be negative."""
        return self.asking - time.monotonic()

    def to_decide(self) -> float:
        """Seconds left for the host's own work; may be negative."""
        return self.whole - time.monotonic()


class Turns:
    """Serves questions in threads, each with its allowance.

    At most ``at_once`` may wait for license servers, ``waiting`` more stand in line: a server that works serves them all in
    no time. Who finds the line full, or has seen it stand still for half of the time for license servers, is served at once by
    others with an overdue allowance; all of them may come at the same moment. Where the line moves, they stay in it until
    that time is over.
    """

    def __init__(self, name: str, *, at_once: int = 16, waiting: int = 256, overdue: int = 4) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._room = waiting
        self._in_line = 0
        self._given = 0
        self._pool = ThreadPoolExecutor(at_once, name)
        self._overdue = ThreadPoolExecutor(overdue, f"{name}-overdue")

    async def serve(self, work: Callable[[Allowance], T], allowance: Allowance) -> T:
        """Give what ``work`` gives, which has to keep to its allowance."""
        if await self._turn(allowance):
            loop = asyncio.get_running_loop()
            job = self._pool.submit(work, allowance)
            # Not when the one who asked gives up: only when the thread is free again.
            job.add_done_callback(partial(self._release, loop))
            return await asyncio.wrap_future(job)
        return await asyncio.wrap_future(self._overdue.submit(work, allowance.overdue()))

    def stop(self) -> None:
        """Take no more questions; what runs ends by its own time limit."""
        for pool in (self._pool, self._overdue):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _turn(self, allowance: Allowance) -> bool:
        if self._free.locked() and self._in_line >= self._room:
            return False
        given = self._given
        self._in_line += 1
        try:
            return await self._within(allowance.to_ask() / 2) or (
                self._given > given and await self._within(allowance.to_ask())
            )
        finally:
            self._in_line -= 1

    async def _within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._free.acquire()
        except TimeoutError:
            return False
        self._given += 1
        return True

    def _release(self, loop: asyncio.AbstractEventLoop, _job: "Future[T]") -> None:
        with suppress(RuntimeError):  # The loop has ended before the thread.
            loop.call_soon_threadsafe(self._free.release)
