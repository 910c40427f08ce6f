"""On which ledgers do tests run? The one in memory, and the real one on each database.

``LEDGERS`` names a maker for each; what it needs to know is a folder of its own (SQLite) or the address of an empty,
migrated database (PostgreSQL: the fixture ``postgresql_database``).
"""

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from calward.adapters.store.ledger import SqlLedger
from calward.adapters.store.migrate import migrate
from calward.app.ports import Ledger
from calward.app.scenarios.memory_ledger import MemoryLedger
from tests.support.clocks import CountedEntropy, SetClock

Place = Path | str


@lru_cache
def _migrated_file() -> Path:
    """A SQLite ledger without rows, made once: to copy it is much faster than to migrate."""
    folder = Path(tempfile.mkdtemp(prefix="calward-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrate(f"sqlite:///{folder / 'ledger.db'}")
    return folder / "ledger.db"


@contextmanager
def _in_memory(_place: Place, clock: SetClock) -> Iterator[Ledger]:
    yield MemoryLedger(CountedEntropy(), clock)


@contextmanager
def _on_sqlite(place: Place, clock: SetClock) -> Iterator[Ledger]:
    file = Path(place) / "ledger.db"
    if not file.exists():  # A second maker on the same folder opens the same ledger.
        shutil.copy(_migrated_file(), file)
    with _sql(f"sqlite:///{file}", clock) as ledger:
        yield ledger


@contextmanager
def _sql(url: Place, clock: SetClock) -> Iterator[Ledger]:
    ledger = SqlLedger(str(url), entropy=CountedEntropy(), clock=clock)
    try:
        yield ledger
    finally:
        ledger.close()


LEDGERS: dict[str, Callable[[Place, SetClock], object]] = {
    "memory": _in_memory,
    "sqlite": _on_sqlite,
    "postgresql": _sql,
}
