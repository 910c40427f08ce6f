"""What does a large ledger cost: how much longer does an answer take, how much room do disk and memory need?

Both benchmarks use one SQLite ledger, filled by the ledger itself. ``growth`` keeps a copy of it from when it held few licenses
and asks a server on each in turn, so that noise of the machine meets both; ``size`` looks at file and process in the end.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from bench.asking import ECHO, FULL_LICENSE, Asking
from bench.estate import HOST_VERSION, open_ledger, prepare, requests, with_host
from bench.figures import Sizes, ratio
from bench.ledger_speed import check
from bench.load import Job
from bench.places import SqlitePlace, say
from bench.server import Loader, Running, loader, serving
from calward.adapters.store.engines import open_writer
from calward.domain.cals import CalType
from calward.domain.parties import Host

__all__ = ["measure"]

_CHUNK = 25_600
"""Issues that are prepared at once while a ledger is filled."""
_BLOCKS = 10
"""Blocks of requests at each number of licenses, a block of echoes beside each."""


def path_of(url: str) -> Path:
    """The database file behind an address."""
    return Path(url.removeprefix("sqlite:///"))


@dataclass(slots=True)
class Filled:
    """A ledger that is filled step by step; users are numbered, so that each comes once."""

    url: str
    host: Host
    token: str
    issued: int = 0

    @classmethod
    def empty(cls, folder: Path, sizes: Sizes) -> "Filled":
        """A ledger with enough CALs for everything that is to come."""
        url = SqlitePlace(folder).empty()
        prepare(url, [(HOST_VERSION, CalType.PER_USER, sizes.many + 4 * sizes.growth_issues + 10_000)])
        host, token = with_host(url, "SH1", HOST_VERSION, CalType.PER_USER)
        return cls(url, host, token)

    def fill(self, upto: int) -> None:
        """Issue until so many licenses are there."""
        ledger, began, before = open_ledger(self.url), time.perf_counter(), self.issued
        try:
            while self.issued < upto:
                count = min(_CHUNK, upto - self.issued)
                check(ledger.write_all(requests(self.host, self.issued + 1, count)))
                self.issued += count
                if self.issued % (8 * _CHUNK) == 0:
                    say(f"   … {self.issued:,}")
        finally:
            ledger.close()
        say(f"   {upto:,} licenses ({(upto - before) / (time.perf_counter() - began):,.0f}/s)")

    def copy(self) -> str:
        """The address of a copy as it is now, alone in a folder."""
        path = path_of(self.url)
        folder = path.parent.with_name(f"{path.parent.name}-{self.issued}")
        folder.mkdir(mode=0o700)
        shutil.copy(path, folder / path.name)
        return f"sqlite:///{folder / path.name}"

    def bytes_per_license(self) -> float:
        """The size of the database file, checkpointed, for each license in it."""
        engine = open_writer(self.url)
        try:
            with engine.connect() as connection:
                licenses = connection.exec_driver_sql("SELECT count(*) FROM license").scalar_one()
        finally:
            engine.dispose()  # The last connection to close writes the log into the file.
        return float(round(path_of(self.url).stat().st_size / licenses, 1))


@dataclass(slots=True)
class Asked:
    """A server on one number of licenses, and the milliseconds of its answers."""

    server: Running
    load: Loader
    asking: Asking
    connections: int
    issue_ms: list[float] = field(default_factory=list)
    echo_ms: list[float] = field(default_factory=list)
    resident_mb: float = 0.0
    """Memory of the server's process after the load."""

    def block(self, count: int) -> None:
        """A block of single requests, and as many echoes."""
        self.echo_ms += self._ms(self.asking.singles(count, ECHO))
        self.issue_ms += self._ms(self.asking.singles(count), FULL_LICENSE)

    def forget(self) -> None:
        """What was until now was only to warm up."""
        self.issue_ms.clear()
        self.echo_ms.clear()

    def _ms(self, messages: list[str], expect: str = "") -> list[float]:
        return self.load.run(Job(self.server.port, self.connections, messages, expect)).ms


def _ask(ledgers: Mapping[str, int], token: str, sizes: Sizes) -> list[Asked]:
    """A server on each ledger (with so many licenses), asked in turn."""
    each = max(sizes.growth_connections, sizes.growth_issues // _BLOCKS)
    with ExitStack() as stack:
        load = stack.enter_context(loader())
        servers = [
            Asked(
                stack.enter_context(serving(url, path_of(url).parent)),
                load,
                Asking(token, issued + 1),
                sizes.growth_connections,
            )
            for url, issued in ledgers.items()
        ]
        for asked in servers:
            asked.block(each)
            asked.forget()
        for _ in range(_BLOCKS):
            for asked in servers:
                asked.block(each)
        for asked in servers:
            asked.resident_mb = asked.server.resident_mb()
    return servers


def measure(folder: Path, sizes: Sizes, names: Sequence[str]) -> Mapping[str, Any]:
    """The figures of ``growth`` and ``size``, as they are named."""
    say(f"── {' and '.join(names)}, sqlite")
    filled = Filled.empty(folder, sizes)
    ledgers = {}
    if "growth" in names:
        filled.fill(sizes.few)
        ledgers[filled.copy()] = sizes.few
    filled.fill(sizes.many)
    *few, many = _ask(ledgers | {filled.url: sizes.many}, filled.token, sizes)
    found = {"growth": _growth(few[0], many)} if few else {}
    if "size" in names:
        found["size"] = {"bytes_per_license": filled.bytes_per_license(), "rss_mb": many.resident_mb}
    return found


def _growth(few: Asked, many: Asked) -> dict[str, float]:
    echoes = f"{median(few.echo_ms):.3f} ms with few, {median(many.echo_ms):.3f} ms with many licenses"
    say(f"   the median echo beside them: {echoes}")
    few_ms, many_ms = median(few.issue_ms), median(many.issue_ms)
    return {"p50_ms_10k": round(few_ms, 3), "p50_ms_1m": round(many_ms, 3), "ratio": ratio(many_ms, few_ms)}
