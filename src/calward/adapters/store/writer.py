"""How do many waiting requests share one commit?

One thread holds a ledger's pen. While it commits, the next requests gather; it takes them all. What one turn of the event loop
brings is handed over together. Nobody is kept waiting for a group to fill: an idle ledger commits a single request at once.
PostgreSQL takes two pens: while one waits for the database's process, the other decides.
A further thread makes the answers of what is committed, so that signing them delays neither the next commit nor the event loop.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from calward.adapters.store.ledger import GROUP
from calward.app.ports import Book

__all__ = ["GroupWriter"]

Act = Callable[[Book], Any]
Results = list[Any]
"""What acts came to, in their order; an act's exception stands in its place."""


class Writes(Protocol):
    """A ledger, as far as a writer needs it."""

    def write_all(self, acts: Sequence[Act], meanwhile: Callable[[], None]) -> Results:
        """Carry out acts; what they came to, once it is durable. ``meanwhile`` is called where the interpreter is free."""


@dataclass(slots=True)
class _Job:
    acts: Sequence[Act]
    render: Callable[[Results], Any]
    future: "asyncio.Future[Any]"
    results: Results | None = None


_Group = tuple[list[_Job], asyncio.AbstractEventLoop]


class GroupWriter:
    """The threads that write, and answer, for one event loop. ``start`` before the first ``submit``, ``stop`` after the last.

    ``pens``: one ledger, or several on the same database, each of which writes by itself.
    """

    def __init__(self, *pens: Writes) -> None:
        self._pens = pens
        self._fresh: list[_Job] = []
        self._waiting: SimpleQueue[_Group | None] = SimpleQueue()
        self._written: SimpleQueue[_Group | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._write_on, args=(pen,), name="ledger-writer", daemon=True) for pen in pens
        ]
        self._threads.append(threading.Thread(target=self._answer_on, name="ledger-answers", daemon=True))

    def start(self) -> None:
        """Begin to write."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Write and answer what is waiting, then end."""
        for _ in self._pens:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, acts: Sequence[Act], render: Callable[[Results], Any]) -> "asyncio.Future[Any]":
        """Carry out acts, each alone; gives what ``render`` makes of their results once all of it is durable.

        ``render`` runs in a thread of the writer's; what it raises is raised to who waits.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if not self._fresh:
            loop.call_soon(self._hand_over, loop)
        self._fresh.append(_Job(acts, render, future))
        return future

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        fresh, self._fresh = self._fresh, []
        self._waiting.put((fresh, loop))

    def _write_on(self, pen: Writes) -> None:
        kept = _Kept(self._written)
        last = False
        while not last and (first := self._next(kept)) is not None:
            jobs, loop = first
            last = self._gather(jobs)
            for group in _commits(jobs):
                _write(pen, group, kept.hand_over)
                kept.keep((group, loop))
        kept.hand_over()
        self._written.put(None)

    def _next(self, kept: "_Kept") -> _Group | None:
        """What waits, or will; nobody's answer waits for it."""
        try:
            return self._waiting.get_nowait()
        except Empty:
            kept.hand_over()
            return self._waiting.get()

    def _gather(self, jobs: list[_Job]) -> bool:
        """Take all that is waiting, up to a group; says whether the end was reached."""
        while sum(len(job.acts) for job in jobs) < GROUP:
            try:
                more = self._waiting.get_nowait()
            except Empty:
                break
            if more is None:
                return True
            jobs += more[0]
        return False

    def _answer_on(self) -> None:
        writing = len(self._pens)
        while writing:
            group = self._written.get()
            if group is None:  # A pen has ended.
                writing -= 1
                continue
            jobs, loop = group
            for start in range(0, len(jobs), ANSWERS):
                answers = [(job.future, *_rendered(job)) for job in jobs[start : start + ANSWERS]]
                loop.call_soon_threadsafe(_resolve, answers)


class _Kept:
    """A group that is written, kept back until the interpreter is free to answer it.

    While the database writes the next group, which takes half of the time, the writer needs no interpreter. Answers that are made
    before that would only take turns with it.
    """

    def __init__(self, written: "SimpleQueue[_Group | None]") -> None:
        self._written = written
        self._group: _Group | None = None

    def keep(self, group: _Group) -> None:
        """Keep this one; no more than one is ever kept."""
        self.hand_over()
        self._group = group

    def hand_over(self) -> None:
        """Have it answered."""
        if self._group is not None:
            self._written.put(self._group)
            self._group = None


def _write(pen: Writes, jobs: list[_Job], meanwhile: Callable[[], None]) -> None:
    try:
        results = pen.write_all([act for job in jobs for act in job.acts], meanwhile)
    except BaseException as failure:  # noqa: BLE001 - those who wait must hear of it, whatever it was
        results = [failure] * sum(len(job.acts) for job in jobs)
    start = 0
    for job in jobs:
        job.results = results[start : start + len(job.acts)]
        start += len(job.acts)


def _commits(jobs: list[_Job]) -> Iterator[list[_Job]]:
    """The jobs of each commit: as many as make a group, so that what is durable is answered while the rest is written."""
    some: list[_Job] = []
    acts = 0
    for job in jobs:
        acts += len(job.acts)
        if some and acts > GROUP:
            yield some
            some, acts = [], len(job.acts)
        some.append(job)
    yield some


ANSWERS = 16
"""Answers given to the event loop at once: it sends some while the next are made."""


def _rendered(job: _Job) -> tuple[Any, Exception | None]:
    try:
        return job.render(job.results or []), None
    except Exception as error:  # noqa: BLE001 - who waits gets it
        return None, error


def _resolve(answers: list[tuple["asyncio.Future[Any]", Any, Exception | None]]) -> None:
    for future, value, error in answers:
        if future.done():
            continue  # Who asked has gone.
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
