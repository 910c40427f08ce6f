"""What does a license server tell anybody who watches it: is it ready, how many CALs are free, what was found?"""

from collections import Counter

from calward.adapters.store.ledger import SqlLedger
from calward.adapters.store.reader import SqlReader
from calward.app.estates.own_estate import take_counts
from calward.app.ports import Clock
from calward.domain.ladder import Ladder
from calward.domain.reasons import Reason
from calward.entrypoints.api.health import Metrics
from calward.insight.diagnoser import diagnose_counts

__all__ = ["COUNTS_FRESH_FOR", "ServerCounts"]

COUNTS_FRESH_FOR = 5
"""Seconds for which /metrics tells the same numbers of CALs."""


class ServerCounts:
    """Answers for /readyz and /metrics. Anybody may ask, so none of them is worked out at each question."""

    def __init__(self, ledger: SqlLedger, scanner: SqlReader, ladder: Ladder, clock: Clock) -> None:
        self.metrics = Metrics()
        self._ledger, self._scanner, self._ladder, self._clock = ledger, scanner, ladder, clock
        self._counted_at = -COUNTS_FRESH_FOR
        self._ready_at = -1
        self._limited: Reason | None = None

    def ready(self) -> str | None:
        """Whether the ledger can be written, and why only temporary licenses are given; asked at most once a second."""
        now = self._clock.now()
        if now != self._ready_at:
            self._limited = self._ledger.write(lambda book: book.server()).blocked(now)
            self._ready_at = now
        return self._limited

    def refresh(self, metrics: Metrics) -> None:
        """Count CALs; a million of them take a while."""
        now, installed, free = self._clock.now(), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        if 0 <= now - self._counted_at < COUNTS_FRESH_FOR:
            return
        self._counted_at = now
        for row in self._scanner.packs(now):
            unexpired = row.pack.expires_at > now  # Else its CALs are worth nothing, held or not.
            cal = (row.pack.version, row.pack.type.value)
            installed[cal] += row.pack.total * unexpired
            free[cal] += (row.pack.total - row.issued) * unexpired
        for gauge, counts in ((metrics.installed, installed), (metrics.free, free)):
            gauge.clear()  # Else a CAL whose last pack was removed would be told for ever.
            for cal, number in counts.items():
                gauge.labels(*cal).set(number)

    def diagnose(self, address: str) -> None:
        """Count findings, as far as counts tell them: a list of a million licenses would not fit in here.

        ``address``: where this server is reached.
        """
        now = self._clock.now()
        counts = take_counts(self._scanner, self._ladder, now=now, addresses=(address,))
        self.metrics.tell(diagnose_counts(counts), now)
