"""What does a large ledger cost: how much longer does an answer take, how much room do disk and memory need?

Both benchmarks use one SQLite ledger, filled by the ledger itself: ``growth`` asks it over HTTP with few and with many licenses,
``size`` looks at the file and the process once it holds many.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.asking import ECHO, FULL_LICENSE, Asking
from bench.estate import HOST_VERSION, open_ledger, prepare, requests, with_host
from bench.figures import Sizes, ratio
from bench.ledger_speed import check
from bench.load import Job
from bench.places import SqlitePlace, say
from bench.server import loader, serving
from calward.adapters.store.engines import open_writer
from calward.domain.cals import CalType
from calward.domain.parties import Host

__all__ = ["measure"]

_CHUNK = 25_600
"""Issues that are prepared at once while a ledger is filled."""
_BLOCKS = 5
"""Blocks of requests, each beside a block of echoes, at one point of ``growth``."""


@dataclass(frozen=True, slots=True)
class Point:
    """Medians in milliseconds at one number of licenses, and the server's memory afterwards."""

    issue_ms: float
    echo_ms: float
    resident_mb: float


@dataclass(slots=True)
class Filled:
    """A ledger that is filled step by step; users are numbered, so that each comes once."""

    url: str
    folder: Path
    sizes: Sizes
    host: Host
    token: str
    issued: int = 0

    @classmethod
    def empty(cls, folder: Path, sizes: Sizes) -> "Filled":
        """A ledger with enough CALs for everything that is to come."""
        url = SqlitePlace(folder).empty()
        prepare(url, [(HOST_VERSION, CalType.PER_USER, sizes.many + 4 * sizes.growth_issues + 10_000)])
        host, token = with_host(url, "SH1", HOST_VERSION, CalType.PER_USER)
        return cls(url, folder, sizes, host, token)

    @property
    def path(self) -> Path:
        """The database file."""
        return Path(self.url.removeprefix("sqlite:///"))

    def fill(self, upto: int) -> None:
        """Issue until so many licenses are there."""
        ledger, began, before = open_ledger(self.url), time.perf_counter(), self.issued
        try:
            while self.issued < upto:
                count = min(_CHUNK, upto - self.issued)
                check(ledger.write_all(requests(self.host, self.issued + 1, count)))
                self.issued += count
        finally:
            ledger.close()
        say(f"   {upto:,} licenses ({(upto - before) / (time.perf_counter() - began):,.0f}/s)")

    def ask(self) -> Point:
        """Start the server on what is there and ask it for single licenses, a block of echoes beside each block of those."""
        each, connections = (
            max(connections_of(self.sizes), self.sizes.growth_issues // _BLOCKS),
            connections_of(self.sizes),
        )
        asking = Asking(self.token, self.issued + 1)
        issue_ms, echo_ms = [], []
        with loader() as load, serving(self.url, self.path.parent) as server:
            load.run(Job(server.port, connections, asking.singles(each), FULL_LICENSE))
            load.run(Job(server.port, connections, asking.singles(each, ECHO)))
            for _ in range(_BLOCKS):
                echo_ms += load.run(Job(server.port, connections, asking.singles(each, ECHO))).ms
                issue_ms += load.run(Job(server.port, connections, asking.singles(each), FULL_LICENSE)).ms
            resident = server.resident_mb
        self.issued += each * (_BLOCKS + 1) * 2  # Numbers that went to the echo are not used again.
        return Point(median(issue_ms), median(echo_ms), resident)

    def bytes_per_license(self) -> float:
        """The size of the database file, with nothing left beside it, for each license in it."""
        engine = open_writer(self.url)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("BEGIN")
                licenses = connection.exec_driver_sql("SELECT count(*) FROM license").scalar_one()
        finally:
            engine.dispose()
        return float(round(self.path.stat().st_size / licenses, 1))


def connections_of(sizes: Sizes) -> int:
    """Low concurrency: what a median answer takes, not what the server can take."""
    return sizes.growth_connections


def measure(folder: Path, sizes: Sizes, names: Sequence[str]) -> Mapping[str, Any]:
    """The figures of ``growth`` and ``size``, as they are named."""
    say(f"── {' and '.join(names)}, sqlite")
    filled = Filled.empty(folder, sizes)
    found: dict[str, Any] = {}
    few = None
    if "growth" in names:
        filled.fill(sizes.few)
        few = filled.ask()
    filled.fill(sizes.many)
    many = filled.ask()
    if few:
        say(f"   echo beside it: {few.echo_ms:.3f} ms with few, {many.echo_ms:.3f} ms with many licenses")
        found["growth"] = {
            "p50_ms_10k": round(few.issue_ms, 3),
            "p50_ms_1m": round(many.issue_ms, 3),
            "ratio": ratio(many.issue_ms, few.issue_ms),
        }
    if "size" in names:
        found["size"] = {"bytes_per_license": filled.bytes_per_license(), "rss_mb": many.resident_mb}
    return found
