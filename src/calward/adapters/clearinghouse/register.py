"""What was bought, and where is each pack?"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from calward.adapters.clearinghouse.rows import seconds, seconds_or_none, to_purchase, to_transfer
from calward.domain.errors import LicensingError, Problem
from calward.domain.purchases import Purchase
from calward.domain.register import PackRecord, Transfer
from calward.domain.statements import KeyPackStatement

__all__ = ["SqlitePurchases", "SqliteRegister"]

_PURCHASE = (
    "SELECT purchase_id, organization_id, program, numbers, ladder, version, cal_type, quantity, expires_at, convertible, added_at"
    " FROM purchases"
)
_TRANSFER = (
    "SELECT transfer_id, pack_id, generation, source_id, target_id, target_name, source, reason, ordered_at, effective_at, outcome,"
    " ended_at, claimed FROM transfers"
)
_PACK = "SELECT payload, generation, server_id, total, purchase_id, transfer_id FROM packs"
_PUT_PACK = "INSERT INTO packs (pack_id, generation, server_id, purchase_id, total, payload, transfer_id) VALUES (?, ?, ?, ?, ?, ?, ?)"
_CHANGE_PACK = (
    "UPDATE packs SET generation = ?, server_id = ?, total = ?, payload = ?, transfer_id = ? WHERE pack_id = ?"
)
_PUT_TRANSFER = (
    "INSERT INTO transfers (transfer_id, pack_id, generation, source_id, target_id, target_name, source, reason, ordered_at,"
    " effective_at, outcome, ended_at, claimed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (transfer_id) DO UPDATE SET source = excluded.source, effective_at = excluded.effective_at, outcome = excluded.outcome,"
    " ended_at = excluded.ended_at, claimed = excluded.claimed"
)


class SqlitePurchases:
    """The port ``Purchases`` on a connection within a transaction."""

    def __init__(self, db: Any) -> None:  # noqa: ANN401 - the driver has no types
        self._db = db

    def add(self, purchase: Purchase, order: str | None) -> None:
        """Remember a purchase."""
        self._db.execute(
            "INSERT INTO purchases (purchase_id, organization_id, sale_order, program, numbers, proof, ladder, version, cal_type,"
            " quantity, expires_at, convertible, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                purchase.purchase_id,
                purchase.organization,
                order,
                purchase.program.value,
                _numbers(purchase.numbers),
                purchase.proof,
                purchase.ladder,
                purchase.version,
                purchase.cal_type.value,
                purchase.quantity,
                seconds(purchase.expires_at),
                int(purchase.convertible),
                seconds(purchase.added_at),
            ),
        )

    def purchase(self, purchase_id: str) -> Purchase:
        """A purchase by its id."""
        found = self._one("purchase_id = ?", purchase_id)
        if found is None:
            raise LicensingError(Problem.NOT_FOUND, f"there is no purchase {purchase_id} here", field="purchase_id")
        return found

    def of_order(self, order: str) -> Purchase | None:
        """The purchase that was added under the seller's order number."""
        return self._one("sale_order = ?", order)

    def with_numbers(self, numbers: Sequence[str]) -> Purchase | None:
        """The purchase that bears these numbers."""
        return self._one("numbers = ?", _numbers(numbers))

    def with_proof(self, proof: str) -> Purchase | None:
        """The purchase whose last number this is."""
        return self._one("proof = ?", proof)

    def claimed(self, purchase_id: str) -> int:
        """The CALs of all packs that belong to it."""
        query = "SELECT coalesce(sum(total), 0) FROM packs WHERE purchase_id = ?"
        return int(self._db.execute(query, (purchase_id,)).fetchone()[0])

    def all(self) -> Sequence[Purchase]:
        """All purchases, the oldest first."""
        return [to_purchase(row) for row in self._db.execute(f"{_PURCHASE} ORDER BY n")]

    def _one(self, condition: str, value: str) -> Purchase | None:
        row = self._db.execute(f"{_PURCHASE} WHERE {condition}", (value,)).fetchone()
        return None if row is None else to_purchase(row)


class SqliteRegister:
    """The port ``Register`` on a connection within a transaction."""

    def __init__(self, db: Any) -> None:  # noqa: ANN401 - the driver has no types
        self._db = db

    def pack(self, pack_id: str) -> PackRecord | None:
        """A pack by its id."""
        row = self._db.execute(f"{_PACK} WHERE pack_id = ?", (pack_id,)).fetchone()
        return None if row is None else self._record(row)

    def packs(self, server_id: str | None = None) -> Sequence[PackRecord]:
        """The packs of a license server, or all."""
        where, values = ("", ()) if server_id is None else (" WHERE server_id = ?", (server_id,))
        return [self._record(row) for row in self._db.execute(f"{_PACK}{where} ORDER BY n", values).fetchall()]

    def put_packs(self, records: Iterable[PackRecord]) -> None:
        """Store packs as they are now."""
        for one in records:
            statement = one.statement
            known = self._db.execute("SELECT 1 FROM packs WHERE pack_id = ?", (statement.pack_id,)).fetchone()
            transfer = None if one.transfer is None else one.transfer.transfer_id
            payload = statement.to_payload()
            head = (statement.generation, statement.server_id)
            if known is None:
                values = (statement.pack_id, *head, one.purchase_id, statement.total, payload, transfer)
                self._db.execute(_PUT_PACK, values)
            else:
                self._db.execute(_CHANGE_PACK, (*head, statement.total, payload, transfer, statement.pack_id))

    def put_transfers(self, transfers: Iterable[Transfer]) -> None:
        """Store transfers as they are now."""
        for one in transfers:
            values = (
                one.transfer_id,
                one.pack.pack_id,
                one.pack.generation,
                one.source_id,
                one.target_id,
                one.target_name,
                one.source.value,
                one.reason.value,
                seconds(one.ordered_at),
                seconds_or_none(one.effective_at),
                None if one.outcome is None else one.outcome.value,
                seconds_or_none(one.ended_at),
                int(one.claimed),
            )
            self._db.execute(_PUT_TRANSFER, values)

    def transfer(self, transfer_id: str) -> Transfer | None:
        """A transfer by its id."""
        row = self._db.execute(f"{_TRANSFER} WHERE transfer_id = ?", (transfer_id,)).fetchone()
        return None if row is None else to_transfer(row)

    def transfers(self, *, pending: bool) -> Sequence[Transfer]:
        """All transfers, or those that have not ended, the oldest first."""
        where = " WHERE outcome IS NULL" if pending else ""
        return [to_transfer(row) for row in self._db.execute(f"{_TRANSFER}{where} ORDER BY n")]

    def _record(self, row: Sequence[Any]) -> PackRecord:
        payload, generation, server_id, total, purchase_id, transfer_id = row
        transfer = None if transfer_id is None else self.transfer(transfer_id)
        # What the database's own rules look at is what counts; an audit finds where the payload says other.
        signed = KeyPackStatement.from_payload(payload)
        statement = replace(signed, generation=generation, server_id=server_id, total=total)
        return PackRecord(statement, purchase_id, transfer)


def _numbers(numbers: Sequence[str]) -> str:
    return json.dumps(list(numbers))
