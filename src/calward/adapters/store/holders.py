# ruff: noqa: D102, S608 - the port says what each method without a docstring does; names in statements come from our own tables
"""How are devices and users found, many at once, and made when they are new?"""

from collections.abc import Sequence

import msgspec

from calward.adapters.store import rows
from calward.adapters.store.transaction import Room, Transaction
from calward.app.ports import Entropy
from calward.domain.cals import HolderKind
from calward.domain.holders import SALT_SIZE, holder_hash, token_of
from calward.domain.licenses import Holder, License

__all__ = ["Holders"]

_HOLDER = ", ".join(rows.HOLDER)
_MAKE = (
    "INSERT INTO holder (id, kind, key, label, salt, hash) "
    "SELECT nextval('holder_id'), ?, v ->> 0, v ->> 1, decode(v ->> 2, 'base64'), decode(v ->> 3, 'base64') "
    f"FROM jsonb_array_elements(?::jsonb) AS v ON CONFLICT (kind, key) DO NOTHING RETURNING {_HOLDER}"
)
"""PostgreSQL: makes those of many holders who are missing, from a JSON array of (key, label, salt, hash)."""


class Holders(Room):
    """The holders of one transaction. On PostgreSQL those found by key stay locked until its end, so that replicas take turns."""

    def __init__(self, transaction: Transaction, entropy: Entropy) -> None:
        super().__init__(transaction)
        self._entropy = entropy
        self._salts: list[bytes] = []

    def load(self, labels: dict[tuple[str, str], str]) -> None:
        """Find holders by kind (its letter) and key. PostgreSQL: make the missing ones, with these labels, and lock all."""
        for kind in sorted({kind for kind, _ in labels}):
            keys = sorted(key for k, key in labels if k == kind)
            self._work.holders.update(dict.fromkeys((kind, key) for key in keys))
            if self._sql.dialect == "postgresql":
                keys = self._make(kind, keys, labels)
            if not keys:
                continue
            lock = "ORDER BY kind, key FOR UPDATE" if self._sql.dialect == "postgresql" else ""
            where, values = self._sql.among("key", keys)
            for row in self._select(f"SELECT {_HOLDER} FROM holder WHERE kind = ? AND {where} {lock}", [kind, *values]):
                self._work.know(rows.holder_from(row))

    def _make(self, kind: str, keys: Sequence[str], labels: dict[tuple[str, str], str]) -> list[str]:
        """Make the holders that are missing, in one order; gives the keys of those that were there."""
        full = rows.kind_from(kind)
        salts = [self._salt() for _ in keys]
        hashes = [holder_hash(full, key, salt) for key, salt in zip(keys, salts, strict=True)]
        shown = [_label(labels[kind, key], key) for key in keys]
        made = self._select(
            _MAKE, (kind, msgspec.json.encode(list(zip(keys, shown, salts, hashes, strict=True))).decode())
        )
        for row in made:
            holder = rows.holder_from(row)
            self._work.know(holder)
            self._work.licenses_of[holder.id] = []
        return [key for key in keys if self._work.holders[kind, key] is None]

    def find_holder(self, kind: HolderKind, key: str) -> Holder | None:
        known = (kind[0], key)
        if known not in self._work.holders:
            lock = "FOR UPDATE" if self._sql.dialect == "postgresql" else ""
            found = self._select(f"SELECT {_HOLDER} FROM holder WHERE kind = ? AND key = ? {lock}", known)
            self._work.holders[known] = None
            for row in found:
                self._work.know(rows.holder_from(row))
        return self._work.holders[known]

    def holder(self, kind: HolderKind, key: str, label: str) -> Holder:
        known = (kind[0], key)
        if known not in self._work.holders:
            self.load({known: label})
        return self._work.holders[known] or self._new_holder(kind, key, label)

    def _new_holder(self, kind: HolderKind, key: str, label: str) -> Holder:
        salt = self._salt()
        digest = holder_hash(kind, key, salt)
        made = Holder(self._shared.next_holder(self._cursor), kind, key, label, token_of(kind, digest))
        self._work.new_holders.append((made.id, kind[0], key, _label(label, key), salt, digest))
        self._work.licenses_of[made.id] = []
        self._work.know(made)
        return made

    def holder_of(self, license_: License) -> Holder:
        if license_.holder not in self._work.holders_by_id:
            found = self._select(f"SELECT {_HOLDER} FROM holder WHERE id = ?", (license_.holder,))
            self._work.know(rows.holder_from(found[0]))
        return self._work.holders_by_id[license_.holder]

    def _salt(self) -> bytes:
        """A salt; drawn for the whole group at once, because asking the system costs as much for one as for many."""
        if not self._salts:
            drawn = self._entropy.token(SALT_SIZE * self._work.expected)
            self._salts = [drawn[at : at + SALT_SIZE] for at in range(0, len(drawn), SALT_SIZE)]
        return self._salts.pop()


def _label(label: str, key: str) -> str | None:
    """A label that says nothing beyond the key is not stored."""
    return None if label == key else label
