"""Who may look into a license server's data folder, and which one process may write there?"""

import contextlib
import os
from pathlib import Path

from calward.adapters.one_process import only_process
from calward.adapters.store.engines import dialect_of, sqlite_path
from calward.domain.errors import LicensingError, Problem

__all__ = ["alone", "keep_id", "private_file", "private_folder"]


def alone(database_url: str) -> contextlib.AbstractContextManager[None]:
    """An embedded ledger has one process that writes (design 4): its sequencer and its lock are this process's own."""
    if dialect_of(database_url) != "sqlite":
        return contextlib.nullcontext()
    ledger = sqlite_path(database_url)
    if not ledger.name:
        raise LicensingError(Problem.MALFORMED, f"{database_url} names no file: say sqlite:///FILE", field="database")
    private_folder(ledger.parent)
    helps = "one process serves a ledger on SQLite: stop that one first, or name another --data-dir or --database"
    return only_process(ledger.with_name(f"{ledger.name}.lock"), f"another process serves the ledger {ledger}", helps)


def keep_id(file: Path, server_id: str) -> None:
    """Leave the server's id beside its keys: should the ledger be lost, the next one goes on under it."""
    if not file.exists():
        file.touch(0o600)  # No secret, but like all that lies beside it its owner's alone.
        file.write_text(f"{server_id}\n", encoding="ascii")


def private_file(file: Path) -> None:
    """Make the ledger's file if need be, its owner's alone: the folder may have been made by somebody less careful.

    SQLite gives its log the same rights. What cannot be made here is told by whoever opens it.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))


def private_folder(folder: Path) -> None:
    """Make the data folder if need be; nobody but its owner may look in."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        detail = f"the data folder {folder} cannot be made: {error.strerror}; name another with --data-dir"
        raise LicensingError(Problem.UNAVAILABLE, detail, field="data_dir") from None
    if not os.access(folder, os.W_OK):
        raise LicensingError(Problem.FORBIDDEN, f"the data folder {folder} cannot be written", field="data_dir")
