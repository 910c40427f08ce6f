"""What does a license server remember of transfers that it was the source of?

A document for each: small, for good, and what makes an order that comes twice, late or out of order change nothing more.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum

from calward.app.licensing.install_key_pack import BARRED
from calward.app.ports import Book
from calward.domain.key_packs import PackId

__all__ = ["Stage", "Transfer", "bar", "keep_release", "open_transfers", "release_of", "releases", "transfer", "unbar"]

_TRANSFER, _RELEASE = "transfer:", "release:"


class Stage(StrEnum):
    """How far a transfer has come, as its source knows it."""

    RELEASED = "released"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer of a pack away from here. ``target``: name of the license server that gets it, for people."""

    id: str
    pack: str
    generation: int
    stage: Stage
    target: str = ""
    at: int = 0

    def keep(self, book: Book) -> None:
        """Remember it; with its end the list of licenses is forgotten, because it names people."""
        book.keep_document(_TRANSFER + self.id, json.dumps(asdict(self)).encode())
        if self.stage is not Stage.RELEASED:
            book.drop_document(_RELEASE + self.id)


def transfer(book: Book, number: str) -> Transfer | None:
    """What is remembered of a transfer."""
    body = book.document(_TRANSFER + number)
    if body is None:
        return None
    found = json.loads(body)
    return Transfer(**found | {"stage": Stage(found["stage"])})


def open_transfers(book: Book) -> tuple[Transfer, ...]:
    """Those of whose end nothing was heard."""
    names = [name.removeprefix(_TRANSFER) for name in book.documents(_TRANSFER)]
    found = [transfer(book, name) for name in names]
    return tuple(one for one in found if one is not None and one.stage is Stage.RELEASED)


def keep_release(book: Book, number: str, bundle: bytes) -> None:
    """Keep the signed release with its list of licenses until the transfer has ended."""
    book.keep_document(_RELEASE + number, bundle)


def release_of(book: Book, number: str) -> bytes | None:
    """The bundle of release and handover of a transfer that has not ended."""
    return book.document(_RELEASE + number)


def releases(book: Book) -> tuple[bytes, ...]:
    """All bundles of transfers that have not ended."""
    return tuple(book.documents(_RELEASE).values())


def bar(book: Book, pack: PackId, generation: int) -> None:
    """Never install this generation of a pack here, nor an older one."""
    barred = book.document(BARRED + pack)
    book.keep_document(BARRED + pack, str(max(generation + 1, int(barred or 1))).encode())


def unbar(book: Book, pack: PackId, generation: int) -> None:
    """Take that back for this generation, not for older ones; where a later one went elsewhere since, it stays."""
    if book.document(BARRED + pack) == str(generation + 1).encode():
        book.keep_document(BARRED + pack, str(generation).encode())
