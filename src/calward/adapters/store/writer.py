"""How do many waiting requests share one commit?

One thread owns the ledger's pen. While it commits, the next requests gather; it takes them all. What one turn of the event loop
brings is handed over together. Nobody is kept waiting for a group to fill: an idle ledger commits a single request at once.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from calward.adapters.store.ledger import GROUP, SqlLedger
from calward.app.ports import Book

__all__ = ["GroupWriter"]

Act = Callable[[Book], Any]
_Job = tuple[Sequence[Act], "asyncio.Future[list[Any]]"]


class GroupWriter:
    """The thread that writes for one event loop. ``start`` before the first ``submit``, ``stop`` after the last."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger
        self._fresh: list[_Job] = []
        self._queue: SimpleQueue[tuple[list[_Job], asyncio.AbstractEventLoop] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is waiting, then end."""
        self._queue.put(None)
        self._thread.join()

    def submit(self, acts: Sequence[Act]) -> "asyncio.Future[list[Any]]":
        """Carry out acts, each alone, and give the results once all of it is durable; an act's exception stands in its place."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Any]] = loop.create_future()
        if not self._fresh:
            loop.call_soon(self._hand_over, loop)
        self._fresh.append((acts, future))
        return future

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        fresh, self._fresh = self._fresh, []
        self._queue.put((fresh, loop))

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            jobs, loop = first
            last = self._gather(jobs)
            self._write(jobs, loop)
            if last:
                return

    def _gather(self, jobs: list[_Job]) -> bool:
        """Take all that is waiting, up to a group; says whether the end was reached."""
        while sum(len(acts) for acts, _ in jobs) < GROUP:
            try:
                more = self._queue.get_nowait()
            except Empty:
                break
            if more is None:
                return True
            jobs += more[0]
        return False

    def _write(self, jobs: list[_Job], loop: asyncio.AbstractEventLoop) -> None:
        try:
            results = self._ledger.write_all([act for acts, _ in jobs for act in acts])
        except BaseException as failure:  # noqa: BLE001 - those who wait must hear of it, whatever it was
            results = [failure] * sum(len(acts) for acts, _ in jobs)
        answers, start = [], 0
        for acts, future in jobs:
            answers.append((future, results[start : start + len(acts)]))
            start += len(acts)
        loop.call_soon_threadsafe(_resolve, answers)


def _resolve(answers: list[tuple["asyncio.Future[list[Any]]", list[Any]]]) -> None:
    for future, results in answers:
        if not future.done():
            future.set_result(results)
