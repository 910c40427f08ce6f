"""How do many waiting requests share one commit?

One thread owns the ledger's pen. While it commits, the next requests gather; it takes them all. Nobody is kept waiting for a group
to fill: an idle ledger commits a single request at once.
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
_Job = tuple[Sequence[Act], "asyncio.Future[list[Any]]", asyncio.AbstractEventLoop]


class GroupWriter:
    """The thread that writes for an event loop. ``start`` before the first ``submit``, ``stop`` after the last."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is waiting, then end."""
        self._jobs.put(None)
        self._thread.join()

    async def submit(self, acts: Sequence[Act]) -> list[Any]:
        """Carry out acts, each alone, and return once all of it is durable; an act's exception stands in its place."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Any]] = loop.create_future()
        self._jobs.put((acts, future, loop))
        return await future

    def _run(self) -> None:
        while (first := self._jobs.get()) is not None:
            jobs, last = self._gather(first)
            self._write(jobs)
            if last:
                return

    def _gather(self, first: _Job) -> tuple[list[_Job], bool]:
        """All that is waiting, up to a group; and whether the end was reached."""
        jobs, count = [first], len(first[0])
        while count < GROUP:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if job is None:
                return jobs, True
            jobs.append(job)
            count += len(job[0])
        return jobs, False

    def _write(self, jobs: list[_Job]) -> None:
        try:
            results = self._ledger.write_all([act for acts, _, _ in jobs for act in acts])
        except BaseException as failure:  # noqa: BLE001 - those who wait must hear of it, whatever it was
            results = [failure] * sum(len(acts) for acts, _, _ in jobs)
        answers, start = [], 0
        for acts, future, _ in jobs:
            answers.append((future, results[start : start + len(acts)]))
            start += len(acts)
        jobs[0][2].call_soon_threadsafe(_resolve, answers)


def _resolve(answers: list[tuple["asyncio.Future[list[Any]]", list[Any]]]) -> None:
    for future, results in answers:
        if not future.done():
            future.set_result(results)
