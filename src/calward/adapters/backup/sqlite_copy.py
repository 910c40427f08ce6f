"""How is a SQLite database copied that another program is writing to?

By SQLite's own backup in one step: it reads one snapshot, and whoever writes goes on.
"""

import os
from pathlib import Path

import pysqlite3

from calward.domain.errors import LicensingError, Problem

__all__ = ["check_sqlite", "copy_sqlite"]


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database into a new file, its owner's alone, with all that was committed.

    Raises: LicensingError: NOT_FOUND: there is none; UNAVAILABLE: it cannot be read or the copy not be written.
    """
    if not source.is_file():
        raise LicensingError(Problem.NOT_FOUND, f"there is no database {source}")
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
    try:
        reading, writing = pysqlite3.connect(source), pysqlite3.connect(target)
        try:
            reading.execute("PRAGMA query_only = ON")
            reading.execute("PRAGMA busy_timeout = 30000")
            reading.backup(writing, pages=-1)
        finally:
            writing.close()
            reading.close()
    except (pysqlite3.Error, OSError) as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{source} cannot be copied: {error}") from None


def check_sqlite(path: Path) -> None:
    """Have SQLite look through all pages; raises LicensingError(CORRUPT)."""
    try:
        connection = pysqlite3.connect(path)
        try:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        finally:
            connection.close()
    except pysqlite3.Error as error:
        found = [str(error)]
    if found != ["ok"]:
        raise LicensingError(Problem.CORRUPT, f"the database {path.name} is damaged: {'; '.join(found)}")
