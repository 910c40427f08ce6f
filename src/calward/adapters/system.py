"""What time is it, and what is random? The system's answers to the ports ``Clock`` and ``Entropy``."""

import gc
import secrets
import sys
import time

__all__ = ["SystemClock", "SystemEntropy", "tune_interpreter"]


class SystemClock:
    """The system's clock, in whole seconds since 1970 (UTC)."""

    def now(self) -> int:
        """The time."""
        return int(time.time())


class SystemEntropy:
    """The system's source of unpredictable bytes."""

    def between(self, low: int, high: int) -> int:
        """A whole number between both, inclusive."""
        return low + secrets.randbelow(high - low + 1)

    def token(self, size: int) -> bytes:
        """So many unpredictable bytes."""
        return secrets.token_bytes(size)


SWITCH_INTERVAL = 0.000_05
"""Seconds after which a thread that waits gets its turn, where turns are to be short.

On SQLite the ledger's writer hands the interpreter over at each statement; by default it would wait 5 ms to get it back. On PostgreSQL
it waits for the database anyhow, and the larger groups that gather meanwhile are worth more: a sixth more answers a second by default.
"""

COLLECT_AFTER = 200_000
"""Objects made before the collector of cycles looks; what a request makes holds none."""


def tune_interpreter(*, short_turns: bool = True) -> None:
    """Set Python up for a server with a writing thread: call once, after everything is loaded."""
    if short_turns:
        sys.setswitchinterval(SWITCH_INTERVAL)
    gc.collect()
    gc.freeze()  # What is loaded stays: it need not be looked through again.
    gc.set_threshold(COLLECT_AFTER, 20, 20)
