# ruff: noqa: D102, S608 - the port says what each method without a docstring does; names in statements come from our own tables
"""How is read at once what a whole group of acts will need?"""

from collections.abc import Mapping, Sequence
from typing import Any

from calward.adapters.store import rows
from calward.adapters.store.answers import Answers
from calward.adapters.store.holders import Holders
from calward.adapters.store.transaction import Room, Transaction
from calward.app.licensing.issue_license import IssueLicense
from calward.domain.cals import HolderKind
from calward.domain.licenses import Holder, License

__all__ = ["MOST_AT_ONCE", "Loader"]

_LICENSE = ", ".join(rows.LICENSE)

MOST_AT_ONCE = 256
"""For how many requests CALs, salts and numbers are fetched together at most."""


class Loader(Room):
    """Fills the working set: all that a group needs before it begins, and licenses when one is asked for alone."""

    def __init__(self, transaction: Transaction, holders: Holders, answers: Answers) -> None:
        super().__init__(transaction)
        self._holders = holders
        self._answers = answers

    def prefetch(self, asks: Sequence[IssueLicense], licenses: Sequence[int] = (), *, trusting: bool = False) -> None:
        """Read what these requests will need: holders (locked on PostgreSQL, in one order), their licenses, their request ids.

        ``licenses``: numbers of those that will be confirmed. ``trusting``: nobody new comes with a request id that was used before.
        Where that is wrong the database refuses the second answer under that id, and with it all that was to be written.
        """
        if licenses:
            self._by_number(licenses)
        if not asks:
            return
        self._work.expected = min(MOST_AT_ONCE, len(asks))
        self._holders.load({(ask.kind[0], ask.key): ask.label for ask in asks})
        known = {place: x.id for place, x in self._work.holders.items() if x and x.id not in self._work.licenses_of}
        # On PostgreSQL after the locks: another replica may just have answered the same request.
        keys = {self._answers.key(ask.host.id, ask.request_id): ask for ask in asks}
        self._work.requests.update(dict.fromkeys(keys))
        doubtful = [x for x, ask in keys.items() if not trusting or ask.full_only or (ask.kind[0], ask.key) in known]
        self._answers.load(doubtful)
        self._by_holder(list(known.values()))

    def meet(self, kind: HolderKind, labels: Mapping[str, str]) -> None:
        known = {(kind[0], key): label for key, label in labels.items()}
        self._work.expected = max(self._work.expected, min(MOST_AT_ONCE, len(known)))
        self._holders.load(known)
        found = [self._work.holders[one] for one in known]
        self._by_holder([x.id for x in found if x and x.id not in self._work.licenses_of])

    def licenses_of(self, holder: Holder) -> Sequence[License]:
        if holder.id not in self._work.licenses_of:
            self._by_holder([holder.id])
        return self._work.licenses_of[holder.id]

    def license(self, number: int) -> License | None:
        if number not in self._work.licenses:
            self._by_number([number])
        return self._work.licenses.get(number)

    def _by_holder(self, holders: Sequence[int]) -> None:
        if not holders:
            return
        for holder in holders:
            self._work.licenses_of[holder] = []
        where, values = self._sql.among("holder", holders)
        for row in self._select(f"SELECT {_LICENSE} FROM license WHERE {where}", values):
            found = self.known(row)
            self._work.licenses_of[found.holder].append(found)

    def _by_number(self, numbers: Sequence[int]) -> None:
        """Read licenses and their holders; on PostgreSQL lock the holders first, so that nobody changes the licenses meanwhile."""
        lock = "ORDER BY h.id FOR UPDATE OF h" if self._sql.dialect == "postgresql" else ""
        columns = ", ".join(f"h.{name}" for name in rows.HOLDER)
        where, values = self._sql.among("l.id", numbers)
        text = f"SELECT {columns} FROM holder h JOIN license l ON l.holder = h.id WHERE {where} {lock}"
        for row in self._select(text, values):
            if row[0] not in self._work.holders_by_id:
                self._work.know(rows.holder_from(row))
        for row in self.rows_of(numbers):
            self.known(row)

    def rows_of(self, numbers: Sequence[int]) -> list[Any]:
        """The rows of licenses by their numbers."""
        if not numbers:
            return []
        where, values = self._sql.among("id", numbers)
        return self._select(f"SELECT {_LICENSE} FROM license WHERE {where}", values)

    def ended_without_cal(self, now: int, limit: int) -> list[Any]:
        """Rows of licenses that held no CAL and have ended by themselves without that being written down."""
        return self._select(
            f"SELECT {_LICENSE} FROM license WHERE ended_at IS NULL AND seat IS NULL AND expires_at <= ? "
            "ORDER BY expires_at LIMIT ?",
            (now, limit),
        )

    def known(self, row: Sequence[Any]) -> License:
        """A license from its row, or the one already known under its number, which may be newer than the row."""
        return self._work.licenses.setdefault(row[0], rows.license_from(row, self._shared.pack_names(self._cursor)))
