"""How do the doors look at the audit trail? One snapshot of the ledger for each question."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from sqlalchemy import Engine

from calward.adapters.store.records import open_records
from calward.adapters.store.tree import AuditLog
from calward.app.licensing.export_audit import export_audit
from calward.app.licensing.records import LogKey
from calward.app.licensing.verify_ledger import verify_ledger
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder
from calward.domain.notes import parse_note

__all__ = ["SqlAuditDesk"]


class SqlAuditDesk:
    """The audit trail of one license server. ``key``: whose checkpoints are believed."""

    def __init__(self, log: AuditLog, reader: Engine, key: LogKey, ladder: Ladder) -> None:
        self._log = log
        self._reader = reader
        self._key = key
        self._ladder = ladder

    def checkpoint(self) -> str:
        """A signed checkpoint of everything up to now, as a note."""
        self._log.fold()
        return self._log.latest_checkpoint()

    def verify(self, checkpoint: str | None) -> dict[str, Any]:
        """Verify the whole ledger, and a checkpoint that was kept elsewhere; raises LicensingError(MALFORMED) for no checkpoint."""
        if checkpoint is not None:
            _readable(checkpoint)
        with suppress(LicensingError):  # A tree that cannot go on is a finding of its own.
            self._log.fold()
        with open_records(self._reader) as records:
            found = verify_ledger(records, self._key, self._ladder, kept=[checkpoint] if checkpoint else ())
        return {
            "holds": found.holds,
            "findings": [asdict(finding) for finding in found.findings],
            "left_out": found.left_out,
            "events": found.events,
            "size": found.size,
            "root": found.root.hex(),
        }

    def export(self) -> Iterator[str]:
        """Lines of JSON: every event with its position, then the signed checkpoint, which is stored too."""
        note = self._log.store_checkpoint()
        with open_records(self._reader) as records:
            yield from export_audit(records, note)


def _readable(checkpoint: str) -> None:
    try:
        parse_note(checkpoint)
    except LicensingError as error:
        detail = f"the checkpoint cannot be read: {error.detail}"
        raise LicensingError(Problem.MALFORMED, detail, field="checkpoint") from None
