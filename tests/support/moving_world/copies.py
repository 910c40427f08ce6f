"""A license server's process on a disk: the real use cases around it. Two copies of one disk are two such processes with one id and key."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from random import Random
from typing import Any

from calward.adapters import signing
from calward.app.licensing.change_server import make_server
from calward.app.licensing.signed_things import Signatures, moment_of
from calward.app.licensing.take_orders import Desk
from calward.app.licensing.watch_checkpoints import CheckpointWatch, WatchedKey
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.merkle import Frontier
from calward.domain.notes import checkpoint_text, sign_note
from calward.domain.parties import Server
from tests.support.builders import a_server, ladder
from tests.support.clocks import SetClock
from tests.support.moving_world.disks import Disk, MemoryDisk, SqliteDisk
from tests.support.moving_world.faults import FaultyLedger
from tests.support.signed import ROOT, a_signer

verify = lru_cache(maxsize=4096)(signing.verify)
"""Pure, asked for the same again and again, and the most expensive thing here."""


class DrawnEntropy:
    """Randomness from the seed (port ``Entropy``)."""

    def __init__(self, name: str) -> None:
        self._rng = Random(name)

    def between(self, low: int, high: int) -> int:
        return self._rng.randint(low, high)

    def token(self, size: int) -> bytes:
        return self._rng.randbytes(size)


@dataclass(frozen=True)
class OffClock:
    """A clock that is off by some seconds for good."""

    clock: SetClock
    off: int

    def now(self) -> int:
        return self.clock.now() + self.off


@dataclass(frozen=True)
class Identity:
    """What all copies of a license server share: its id and key, its version."""

    name: str
    version: str

    @property
    def id(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()[:32]

    @property
    def signer(self) -> Any:
        return a_signer(self.name)

    @property
    def origin(self) -> str:
        return f"{self.id}/calward"


@dataclass
class Copy:
    """One process. ``fresh``: the number of the step in which it last heard the clearinghouse's answer to a word of its own."""

    who: Identity
    label: str
    disk: Disk
    clock: OffClock
    entropy: DrawnEntropy
    license_keys: int = 0
    fresh: int = -1
    running: bool = True
    ledger: FaultyLedger = field(init=False)
    watch: CheckpointWatch = field(init=False)
    header: bytes = b""

    def __post_init__(self) -> None:
        self.ledger = FaultyLedger(self.disk)
        self.start()

    def start(self) -> None:
        """A new process on the same disk: what only the old one knew is gone."""
        self.ledger.doom.forget()
        self.watch = CheckpointWatch(
            self.ledger, self.disk.tree, WatchedKey(self.who.origin, self.who.signer.public_key, verify)
        )
        self.header = b""

    def restart(self) -> None:
        self.disk.restart()
        self.start()

    @property
    def signatures(self) -> Signatures:
        return signatures_of(self.who)

    @property
    def desk(self) -> Desk:
        return Desk(self.signatures, ladder(), self.entropy, new_license_key=self._new_license_key)

    def _new_license_key(self) -> str:
        self.license_keys += 1
        return f"{self.label}-{self.license_keys}"

    def act(self, do: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return self.ledger.write(lambda book: do(*args, book, now=book.now(), **options))

    def look(self, what: Callable[[Any], Any]) -> Any:
        """Outside of what may crash: for those who watch."""
        return self.disk.ledger.write(what)

    @property
    def server(self) -> Server:
        return self.look(lambda book: book.server())

    def packs(self) -> Mapping[PackId, KeyPack]:
        return self.look(lambda book: dict(book.shelf().by_id))

    def usable(self) -> Mapping[PackId, KeyPack]:
        """The packs from which it would issue or renew now."""

        def found(book: Any) -> Mapping[PackId, KeyPack]:
            now = book.now()
            if book.server().blocked(now) is not None:
                return {}
            return {x.id: x for x in book.shelf().packs if x.transfer is None and x.expires_at > now}

        return self.look(found)

    def note(self) -> str:
        """Its newest checkpoint, signed; nothing before the first event."""
        leaves = Frontier().extend(self.disk.leaves())
        if not leaves.size:
            return ""
        text = checkpoint_text(self.who.origin, leaves.size, leaves.root(), moment_of(self.clock.now()))
        return sign_note(text, self.who.origin, self.who.signer.public_key, self.who.signer.sign).encode()

    def tend(self) -> None:
        """What happens each second: the tree grows, the newest checkpoint goes out with answers, what hosts showed is looked at."""
        if isinstance(self.disk, SqliteDisk):
            self.disk.fold(self.who.origin, self.who.signer)
        leaves = Frontier().extend(self.disk.leaves())
        self.header = base64.b64encode(self.note().encode())
        self.watch.publish(self.header, leaves.size, leaves.root())
        self.watch.settle()


@lru_cache
def signatures_of(who: Identity) -> Signatures:
    key = who.signer
    return Signatures(
        frozenset({ROOT.public_key}), verify, key.public_key, lambda kind, body: signing.seal(kind, body, key)
    )


def new_copy(who: Identity, label: str, disk: Disk, clock: OffClock, entropy: DrawnEntropy) -> Copy:
    """A server's first start."""
    copy = Copy(who, label, disk, clock, entropy)
    made = replace(a_server(who.version, activated=False), id=who.id, name=who.name)
    copy.act(make_server, made, by="set-up")
    return copy


def new_disk(folder: Any, entropy: DrawnEntropy, clock: OffClock) -> Disk:
    """In memory, or on SQLite where a folder is given."""
    return MemoryDisk(entropy, clock) if folder is None else SqliteDisk(folder, entropy, clock)
