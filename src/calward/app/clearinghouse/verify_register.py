"""Do the clearinghouse's tables still say what its events say, are the events those of the tree, and was every rule kept?

Findings are values: what was looked at, and what is wrong with it. Nothing is changed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from calward.app.clearinghouse.ports import Book
from calward.app.clearinghouse.server_fields import organization_fields, server_fields
from calward.domain.errors import LicensingError
from calward.domain.events import encode_event, read_event
from calward.domain.merkle import Frontier, leaf_hash
from calward.domain.notes import Checkpoint
from calward.domain.register_events import Folded, fold_register, pack_fields, purchase_fields, transfer_fields
from calward.domain.statements import KeyPackStatement, PayloadType

__all__ = ["RegisterAudit", "RegisterCheck", "RegisterFinding", "verify_register"]


class RegisterCheck(StrEnum):
    """What is looked at."""

    EVENT = "event"
    """An event is missing, in the wrong place, or not in its canonical form."""
    TREE = "tree"
    """The events are not those that the tree was made of."""
    CHECKPOINT = "checkpoint"
    """A checkpoint that was kept outside is none of the tree's past states."""
    RECORD = "record"
    """A table says other than the events do."""
    RULE = "rule"
    """The events tell of something that no rule allows."""
    SIGNED = "signed"
    """A key pack was signed that the register does not know in this generation, or for another server."""


@dataclass(frozen=True, slots=True)
class RegisterFinding:
    """One thing that is wrong: ``where`` names event, table or pack; ``detail`` is a sentence."""

    check: RegisterCheck
    where: str
    detail: str


@dataclass(slots=True)
class RegisterAudit:
    """What was found; ``size`` and ``root`` are of the tree that the events make."""

    size: int = 0
    root: bytes = b""
    findings: list[RegisterFinding] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def note(self, check: RegisterCheck, where: str, detail: str) -> None:
        """Note a finding."""
        self.findings.append(RegisterFinding(check, where, detail))


def verify_register(book: Book, *, kept: Sequence[Checkpoint] = ()) -> RegisterAudit:
    """Verify one state of a clearinghouse; ``kept`` are checkpoints from outside, whose signatures were verified."""
    audit = RegisterAudit()
    events = list(_events(book, audit))
    _check_tree(book, kept, audit)
    folded = fold_register(events)
    for name, read in _TABLES.items():
        _compare(name, getattr(folded, name), _rows(name, read, book, audit), audit)
    _check_history(events, audit)
    _check_totals(folded, audit)
    _check_signed(book, events, audit)
    return audit


def _events(book: Book, audit: RegisterAudit) -> Iterator[Mapping[str, Any]]:
    for expected, (number, body) in enumerate(book.log.events(), 1):
        event = _read(body)
        if event is None or number != expected or event.get("id") != number:
            audit.note(RegisterCheck.EVENT, f"event {number}", "it is not the one that belongs here, or cannot be read")
        if event is not None:
            yield event


def _read(body: str) -> Mapping[str, Any] | None:
    try:
        event: object = read_event(body)
    except ValueError:
        return None
    return event if isinstance(event, dict) and encode_event(event) == body else None


def _check_tree(book: Book, kept: Sequence[Checkpoint], audit: RegisterAudit) -> None:
    frontier = Frontier()
    roots = {0: frontier.root()}
    wanted = {one.size for one in kept}
    for _, body in book.log.events():
        frontier = frontier.append(leaf_hash(body.encode()))
        if frontier.size in wanted:
            roots[frontier.size] = frontier.root()
    audit.size, audit.root = frontier.size, frontier.root()
    if _stored(book) != frontier:
        audit.note(
            RegisterCheck.TREE,
            "tree",
            "its stored state is not the one that the events make: an event was changed or lost",
        )
    for one in kept:
        if roots.get(one.size) != one.root:
            detail = "the events are not those that it was made of: the ledger was changed, cut or replaced since"
            audit.note(RegisterCheck.CHECKPOINT, f"checkpoint of {one.size} events", detail)


def _stored(book: Book) -> Frontier | None:
    try:
        return Frontier.from_bytes(book.log.tree()[1])
    except LicensingError:
        return None


_Table: TypeAlias = tuple[str, Callable[[Book], Iterable[Mapping[str, Any]]]]
_TABLES: Final[Mapping[str, _Table]] = MappingProxyType(
    {
        "packs": ("pack_id", lambda book: map(pack_fields, book.register.packs())),
        "transfers": ("transfer_id", lambda book: map(transfer_fields, book.register.transfers(pending=False))),
        "purchases": ("purchase_id", lambda book: map(purchase_fields, book.purchases.all())),
        "organizations": ("organization_id", lambda book: map(organization_fields, book.parties.organizations())),
        "servers": ("server_id", lambda book: map(server_fields, book.parties.servers())),
    }
)
"""Each table with its key and its rows as events bear them."""


def _rows(name: str, read: _Table, book: Book, audit: RegisterAudit) -> Mapping[str, Mapping[str, Any]]:
    key, rows = read
    try:
        return {one[key]: one for one in rows(book)}
    except (LicensingError, ValueError) as error:
        audit.note(RegisterCheck.RECORD, name, f"a row cannot be read: {error}")
        return {}


def _compare(name: str, folded: Mapping[str, Any], rows: Mapping[str, Any], audit: RegisterAudit) -> None:
    for key in sorted({*folded, *rows}):
        said, stored = folded.get(key), rows.get(key)
        if said is None or stored is None:
            detail = "the events know it, the table does not" if stored is None else "no event tells of it"
            audit.note(RegisterCheck.RECORD, f"{name} {key}", detail)
        elif said != stored:
            other = ", ".join(sorted(one for one in {*said, *stored} if said.get(one) != stored.get(one)))
            audit.note(RegisterCheck.RECORD, f"{name} {key}", f"the table says other than the events: {other}")


def _check_history(events: Sequence[Mapping[str, Any]], audit: RegisterAudit) -> None:
    """A generation only rises, and a pack is changed or handed on in no other way."""
    versions: dict[str, list[Mapping[str, Any]]] = {}
    for event in events:
        for one in event.get("packs", ()):
            versions.setdefault(one["pack_id"], []).append(one)
    for pack_id, records in versions.items():
        for before, after in pairwise(records):
            same = {key: before[key] for key in before if key != "transfer_id"} == {
                key: after[key] for key in after if key != "transfer_id"
            }
            if (
                after["generation"] != before["generation"] + (not same)
                or after["purchase_id"] != before["purchase_id"]
            ):
                detail = f"it went from generation {before['generation']} to {after['generation']} as no rule allows"
                audit.note(RegisterCheck.RULE, f"pack {pack_id}", detail)


def _check_totals(folded: Folded, audit: RegisterAudit) -> None:
    claimed: dict[str, int] = {}
    for one in folded.packs.values():
        claimed[one["purchase_id"]] = claimed.get(one["purchase_id"], 0) + one["total"]
    for purchase_id, total in claimed.items():
        bought = folded.purchases.get(purchase_id, {}).get("quantity", 0)
        if total > bought:
            audit.note(
                RegisterCheck.RULE, f"purchase {purchase_id}", f"its packs have {total} CALs, {bought} were bought"
            )


def _check_signed(book: Book, events: Sequence[Mapping[str, Any]], audit: RegisterAudit) -> None:
    known = {
        (one["pack_id"], one["generation"]): one["server_id"] for event in events for one in event.get("packs", ())
    }
    for intent in book.papers.intents(PayloadType.KEY_PACK):
        try:
            pack = KeyPackStatement.from_payload(intent.payload)
        except LicensingError as error:
            audit.note(RegisterCheck.SIGNED, f"order {intent.order}", error.detail)
            continue
        if known.get((pack.pack_id, pack.generation)) != pack.server_id:
            detail = f"generation {pack.generation} is signed for {pack.server_id}, which no event tells of"
            audit.note(RegisterCheck.SIGNED, f"pack {pack.pack_id}", detail)
