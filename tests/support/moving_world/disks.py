"""What a license server keeps on its disk: a ledger in memory or on SQLite, which can be copied and put back as a whole."""

import pickle
import shutil
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, select

from calward.adapters.signing import verify
from calward.adapters.store import tables
from calward.adapters.store.engines import open_reader
from calward.adapters.store.ledger import SqlLedger
from calward.adapters.store.records import open_records
from calward.adapters.store.standing import SqlTree
from calward.adapters.store.tree import AuditLog
from calward.app.licensing.records import LogKey
from calward.app.licensing.verify_ledger import verify_ledger
from calward.app.licensing.watch_checkpoints import Tree
from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.domain.key_packs import Shelf
from calward.domain.merkle import Frontier, leaf_hash
from calward.domain.quarantine import Standing
from calward.domain.replay import Replay
from tests.support.builders import ladder
from tests.support.ledgers import _migrated_file

HOSTS = (1, 2, 3)


class Disk(Protocol):
    """A ledger and its tree."""

    ledger: Any
    tree: Tree

    def fail(self, act: Any) -> None: ...
    def snapshot(self) -> Any: ...
    def put_back(self, copy: Any) -> None: ...
    def leaves(self) -> list[bytes]: ...
    def restart(self) -> None: ...
    def audit(self, origin: str, key: Any) -> list[Any]: ...
    def close(self) -> None: ...


class MemoryTree:
    """The tree of a ledger in memory; leaves are hashed once."""

    def __init__(self, disk: "MemoryDisk") -> None:
        self._disk = disk
        self._hashed: dict[int, tuple[str, bytes]] = {}

    def leaves(self) -> list[bytes]:
        known, found = self._hashed, []
        for number, body in self._disk.ledger._events.items():
            kept = known.get(number)
            if kept is None or kept[0] is not body:
                kept = known[number] = (body, leaf_hash(body.encode()))
            found.append(kept[1])
        return found

    def standing(self) -> Standing:
        leaves = Frontier().extend(self.leaves())
        return Standing(leaves.size, leaves.root(), self._disk.ledger.server().recovered_at)

    def roots_at(self, sizes: Collection[int]) -> Mapping[int, bytes]:
        leaves = self.leaves()
        return {size: Frontier().extend(leaves[:size]).root() for size in sizes}

    def enrolled(self) -> Collection[int]:
        return HOSTS


class MemoryDisk:
    """Everything in dictionaries; a copy is their bytes."""

    def __init__(self, entropy: Any, clock: Any) -> None:
        self.ledger = MemoryLedger(entropy, clock)
        self.tree = MemoryTree(self)

    def snapshot(self) -> bytes:
        kept = {one.name: getattr(self.ledger, one.name) for one in fields(self.ledger)}
        for name in ("entropy", "clock", "_shelf"):
            del kept[name]
        return pickle.dumps(kept)

    def put_back(self, copy: bytes) -> None:
        found = pickle.loads(copy)
        for name, value in found.items():
            setattr(self.ledger, name, value)
        self.ledger._shelf = Shelf.of(self.ledger._packs.values())

    def fail(self, act: Any) -> None:
        """The act is carried out and never committed."""
        before = self.snapshot()
        try:
            self.ledger.write(act)
        finally:
            self.put_back(before)

    def leaves(self) -> list[bytes]:
        return self.tree.leaves()

    def restart(self) -> None:
        """Nothing is open."""

    def audit(self, origin: str, key: Any) -> list[Any]:
        """Whether the dictionaries are what the events say."""
        ledger, replay = self.ledger, Replay(ladder().family_of)
        for event in ledger.events():
            replay.apply(event)
        there = {
            x.id: (x.version, x.seat and x.seat.pack, x.seat and x.seat.n, x.expires_at, x.ended_at, x.ending)
            for x in ledger.licenses()
        }
        folded = {
            n: (x.version, x.pack, x.seat, x.expires_at, x.ended_at, x.ending) for n, x in replay.licenses.items()
        }
        found = [*replay.findings, *(n for n in {*there, *folded} if there.get(n) != folded.get(n))]
        here = {x.id: (x.version, x.total, x.generation, x.bought_as, x.transfer) for x in ledger.shelf().packs}
        packs = {
            x.id: (x.version, x.total, x.generation, x.bought_as, x.transfer)
            for x in replay.packs.values()
            if x.removed_at is None
        }
        return [*found, *(n for n in {*here, *packs} if here.get(n) != packs.get(n))]

    def close(self) -> None:
        """Nothing is open."""


class UndoneError(Exception):
    """Nothing of a transaction shall stay."""


class SqliteDisk:
    """A file; the process that has it open is stopped before it is copied or put back."""

    def __init__(self, folder: Path, entropy: Any, clock: Any) -> None:
        self.file, self.entropy, self.clock = folder / "ledger.db", entropy, clock
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(_migrated_file(), self.file)
        self._open()

    def _open(self) -> None:
        url = f"sqlite:///{self.file}"
        self.ledger = SqlLedger(url, entropy=self.entropy, clock=self.clock)
        self.reader: Engine = open_reader(url)
        self.tree = SqlTree(self.reader)

    def close(self) -> None:
        self.ledger.close()
        self.reader.dispose()

    def restart(self) -> None:
        self.close()
        self._open()

    def snapshot(self) -> bytes:
        self.close()
        try:
            return self.file.read_bytes()
        finally:
            self._open()

    def put_back(self, copy: bytes) -> None:
        self.close()
        for one in self.file.parent.iterdir():
            one.unlink()
        self.file.write_bytes(copy)
        self._open()

    def fail(self, act: Any) -> None:
        def undone(book: Any) -> None:
            act(book)
            raise UndoneError

        with suppress(UndoneError):
            self.ledger.write(undone)

    def leaves(self) -> list[bytes]:
        query = select(tables.event.c.body).order_by(tables.event.c.position)
        with self.reader.connect() as connection:
            return [leaf_hash(body.encode()) for body in connection.scalars(query)]

    def fold(self, origin: str, key: Any) -> None:
        AuditLog(self.ledger, self.reader, origin, key, self.clock).fold()

    def audit(self, origin: str, key: Any) -> list[Any]:
        self.fold(origin, key)
        with open_records(self.reader) as records:
            return list(verify_ledger(records, LogKey(origin, (key.public_key,), verify), ladder()).findings)
