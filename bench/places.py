"""Where do the benchmarks keep their databases? On a real disk, each database made from a template in a moment."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

from calward.adapters.store.migrate import migrate
from tests.support.postgresql import PostgresqlServer, find_programs, running_server

__all__ = ["DIALECTS", "Place", "SqlitePlace", "place", "say", "work_folder"]

DIALECTS = ("sqlite", "postgresql")

_REAL_DISK = Path("/var/tmp")  # By convention kept over a restart, so never in memory, as /tmp may be.


def say(text: str) -> None:
    """Tell the person something; stderr, because stdout is the figures."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def work_folder(parent: Path | None = None) -> Iterator[Path]:
    """A folder on a disk for one run; stops the run if what is written there would never reach a disk."""
    parent = parent or (_REAL_DISK if _REAL_DISK.is_dir() else Path(tempfile.gettempdir()))
    kind = subprocess.run(
        ["stat", "-f", "-c", "%T", parent], capture_output=True, text=True, check=False
    ).stdout.strip()
    if kind in {"tmpfs", "ramfs"}:
        raise SystemExit(f"bench: {parent} lies in memory ({kind}): name a folder on a disk with --folder")
    with tempfile.TemporaryDirectory(prefix="calward-bench-", dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


class Place(Protocol):
    """Makes databases of one kind."""

    dialect: str

    def empty(self) -> str:
        """The address of a new database with all tables and no rows."""

    def copy(self, url: str) -> str:
        """The address of a copy; nobody may have the original open."""


class SqlitePlace:
    """Databases are files; to copy one is faster than to migrate."""

    dialect = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="sqlite-", dir=folder))
        self._numbers = count(1)
        self._template = self._folder / "template.db"
        migrate(f"sqlite:///{self._template}")

    def empty(self) -> str:
        """See ``Place``."""
        return self.copy(f"sqlite:///{self._template}")

    def copy(self, url: str) -> str:
        """See ``Place``; the copy lies alone in its folder, named as `calward serve` looks for it."""
        folder = self._folder / f"data-{next(self._numbers)}"
        folder.mkdir(mode=0o700)
        shutil.copy(url.removeprefix("sqlite:///"), folder / "ledger.db")
        return f"sqlite:///{folder / 'ledger.db'}"


class PostgresqlPlace:
    """Databases of a server of our own."""

    dialect = "postgresql"

    def __init__(self, server: PostgresqlServer) -> None:
        self._server = server

    def empty(self) -> str:
        """See ``Place``."""
        return self._server.url(self._server.new_database())

    def copy(self, url: str) -> str:
        """See ``Place``."""
        return self._server.url(self._server.new_database(url.rpartition("/")[2]))


@contextmanager
def place(dialect: str, folder: Path) -> Iterator[Place | None]:
    """Where databases of a kind can be made; None (and a word about it) where its programs are not installed."""
    if dialect == "sqlite":
        yield SqlitePlace(folder)
    elif find_programs() is None:
        say("no PostgreSQL server is installed: its figures are left out (apt-get install postgresql)")
        yield None
    else:
        with running_server(_open_to_all(folder)) as server:
            yield PostgresqlPlace(server)


def _open_to_all(folder: Path) -> Path:
    """The nearest folder above that anyone may enter: PostgreSQL refuses to run as root, and so is somebody else."""
    if os.geteuid() != 0:
        return folder
    return next(x for x in folder.parents if all(above.stat().st_mode & 0o001 for above in (x, *x.parents)))
