"""Do the tables still say what the events say, and are the events still those that the tree was made of?

Folds all events anew and compares: packs, CALs, licenses, holders, hosts, the server; then the Merkle tree with its stored root and
with every checkpoint, stored here or kept elsewhere. Findings are values. A big ledger is gone through in several passes, each for
a share of licenses and holders, so that memory stays bounded.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, fields
from itertools import islice
from operator import attrgetter
from typing import Any, Final

from calward.app.licensing.findings import Audit
from calward.app.licensing.records import HolderRow, LicenseRow, LogKey, PackRow, Records, SeatRow, StoredEvent
from calward.app.licensing.verify_tree import check_tree
from calward.domain.cals import HolderKind
from calward.domain.errors import LicensingError
from calward.domain.events import Event, Kind, encode_event, read_event
from calward.domain.holders import holder_token
from calward.domain.ladder import Ladder
from calward.domain.replay import Replay
from calward.domain.replay_state import Check, Finding, LicenseState, Share, difference

__all__ = ["Audit", "verify_ledger"]

PER_PASS: Final = 200_000
"""Events for which one more pass is made: at most so many licenses are in memory, about 80 MB."""

_CHUNK = 5_000
_KINDS: Final = frozenset(Kind)
_VALUES: Final = attrgetter(*(x.name for x in fields(LicenseState)))
"""A license as the events leave it in the order of a ``LicenseRow``: quick to compare, a million times."""

_CANNOT_READ: Final = (ValueError, KeyError, TypeError, AttributeError)
"""What reading a row's JSON raises where somebody has written something else into it."""

Progress = Callable[[int, int], None]
"""Called now and then with how much is done, and of how much."""


def verify_ledger(
    records: Records,
    log: LogKey,
    ladder: Ladder,
    *,
    kept: Sequence[str] = (),
    progress: Progress | None = None,
    per_pass: int = PER_PASS,
) -> Audit:
    """Verify one snapshot of a ledger.

    Args:
        records: the snapshot.
        log: whose checkpoints are believed.
        ladder: the license server's, to know the families of versions.
        kept: checkpoints kept outside the ledger, as signed notes; each must be one of its past states.
        progress: called about every 5,000 events.
        per_pass: how many events make one more pass.
    """
    audit, total = Audit(), records.count()
    parts = 1 + total // per_pass
    tell = _Teller(progress, total * (parts + 1))
    for part in range(parts):
        replay = _fold(records, Replay(ladder.family_of, Share(part, parts)), audit, tell)
        if part == 0:
            _compare_once(records, replay, audit)
        _compare_licenses(records, replay, audit)
        _compare_holders(records, replay, audit)
    check_tree(records, log, kept, audit, tell.chunks(records.placed()))
    tell.done()
    return audit


class _Teller:
    """Tells how far an audit is."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._so_far = progress, total, 0

    def chunks(self, stream: Iterable[StoredEvent]) -> Iterator[list[StoredEvent]]:
        """The stream in pieces."""
        waiting = iter(stream)
        while chunk := list(islice(waiting, _CHUNK)):
            yield chunk
            self._so_far += len(chunk)
            if self._progress:
                self._progress(min(self._so_far, self._total), self._total)

    def done(self) -> None:
        if self._progress:
            self._progress(self._total, self._total)


# The events themselves.


def _fold(records: Records, replay: Replay, audit: Audit, tell: _Teller) -> Replay:
    """Replay the events; what is wrong with one of them is noted in the first pass, in which alone they are examined."""
    first = replay.share.part == 0
    for chunk in tell.chunks(records.events()):
        for stored in chunk:
            event = _examined(stored, audit) if first else _readable(stored)
            if event is not None:
                _apply(replay, event, audit)
        audit.events += len(chunk) if first else 0
    for finding in replay.findings:
        if first or finding not in audit.findings:
            audit.add(finding)
    return replay


def _apply(replay: Replay, event: Event, audit: Audit) -> None:
    try:
        replay.apply(event)
    except (KeyError, TypeError, ValueError, AttributeError, LicensingError) as error:
        what = f"{type(error).__name__}: {error}"
        finding = Finding(Check.EVENT, f"event {event['id']} ({event['kind']})", "all keys of its kind", what)
        if finding not in audit.findings:
            audit.add(finding)


def _readable(stored: StoredEvent) -> Event | None:
    """The event, or None for what is none; numbered as its row is."""
    try:
        event: Any = read_event(stored.body)
    except (ValueError, RecursionError):
        return None
    known = isinstance(event, dict) and isinstance(event.get("at"), int) and event.get("kind") in _KINDS
    return event if known and event.get("id") == stored.id else None


def _examined(stored: StoredEvent, audit: Audit) -> Event | None:
    """The same, with a finding for what is no event, not canonical, or not what its row says."""
    event, where = _readable(stored), f"event {stored.id}"
    if event is None:
        audit.note(Check.EVENT, where, f"an event with the id {stored.id}, at and a known kind", stored.body[:200])
    elif encode_event(event) != stored.body:
        audit.note(Check.EVENT, where, "canonical bytes", stored.body[:200])
    return event


# What is compared once, because it is small or needs no event.


def _compare_once(records: Records, replay: Replay, audit: Audit) -> None:
    _compare_server(records, replay, audit)
    _compare_packs(records, replay, audit)
    _compare_named(Check.HOST, replay.hosts, records.hosts(), audit)
    _compare_policies(records, replay, audit)
    _compare_named(Check.TOKEN, replay.tokens, records.tokens(), audit)
    _check_seats(records, audit)
    for table, number in records.strays():
        audit.note(Check.REQUEST, f"{table} that was answered with event {number}", "that event", "no such event")


def _compare_server(records: Records, replay: Replay, audit: Audit) -> None:
    try:
        stored = records.server()
    except _CANNOT_READ as error:
        audit.note(
            Check.SERVER, "the license server", replay.server or "none was made", f"a row that cannot be read: {error}"
        )
        return
    if stored is None or not replay.server:
        if stored is not None or replay.server:
            audit.note(Check.SERVER, "the license server", replay.server or "none was made", stored or "no row")
        return
    audit.add(difference(Check.SERVER, "the license server", replay.server, stored))
    audit.add(difference(Check.SERVER, "the settings", replay.settings, stored["settings"]))


def _compare_policies(records: Records, replay: Replay, audit: Audit) -> None:
    try:
        found = records.policies()
    except _CANNOT_READ as error:
        audit.note(Check.POLICY, "the policies", "rows as they were set", f"a row that cannot be read: {error}")
        return
    _compare_named(Check.POLICY, replay.policies, found, audit)


def _compare_packs(records: Records, replay: Replay, audit: Audit) -> None:
    waiting = dict(replay.packs)
    for row in records.packs():
        where, state = f"pack {row.id}", waiting.pop(row.number, None)
        if state is None:
            audit.note(Check.PACK, where, "no such pack: no event installed it", f"{row.total} CALs")
            continue
        audit.add(difference(Check.PACK, where, asdict(state), row._asdict()))
        _check_seat_count(row, 0 if state.removed_at is not None else state.total, audit)
        if row.waiting != state.aside:
            audit.note(Check.SEAT, where, f"{state.aside} CALs set aside", f"{row.waiting}")
    for state in waiting.values():
        audit.note(Check.PACK, f"pack {state.id}", f"{state.total} CALs", "no row")


def _check_seat_count(row: PackRow, total: int, audit: Audit) -> None:
    expected = (total, 1, total) if total else (0, None, None)
    if (row.seats, row.first, row.last) != expected:
        there = f"{row.seats} CALs numbered {row.first} to {row.last}"
        audit.note(Check.SEAT, f"pack {row.id}", f"{total} CALs numbered from 1" if total else "no CALs", there)


def _compare_named(
    what: Check, expected: Mapping[Any, dict[str, Any]], found: Mapping[Any, dict[str, Any]], audit: Audit
) -> None:
    """Hosts, policies, tokens: the same names, and each as the events left it."""
    for name, facts in expected.items():
        if name in found:
            audit.add(difference(what, f"{what} {name}", facts, found[name]))
        else:
            audit.note(what, f"{what} {name}", facts, "no row")
    for name in found.keys() - expected.keys():
        audit.note(what, f"{what} {name}", f"no such {what}: no event made it", found[name])


def _check_seats(records: Records, audit: Audit) -> None:
    """Each held CAL names exactly its running license, and each running full license its CAL."""
    for row in records.seats():
        finding = _seat(row)
        audit.add(finding)
    for number, pack, n in records.unseated():
        audit.note(Check.SEAT, f"license L{number}", f"CAL {n} of pack row {pack} to name it", "it does not")


def _seat(row: SeatRow) -> Finding | None:
    where = f"CAL {row.n} of pack row {row.pack}"
    if row.license is None:
        return None if row.held_until == 0 else Finding(Check.SEAT, where, "free", f"held until {row.held_until}")
    if row.holds != (row.pack, row.n):
        return Finding(Check.SEAT, where, "a running license that holds it", f"license L{row.license}, which does not")
    if row.held_until != row.expires_at:
        return Finding(Check.SEAT, where, f"held until {row.expires_at}, as its license", f"until {row.held_until}")
    return None


# What is compared share by share.


def _compare_licenses(records: Records, replay: Replay, audit: Audit) -> None:
    waiting, share = replay.licenses, replay.share
    for row in records.licenses(share):
        state = waiting.pop(row.id, None)
        if state is None or _VALUES(state) != row[1:]:
            audit.add(_license(row, state))
    for number, left in waiting.items():
        audit.note(Check.LICENSE, f"license L{number}", f"a license of {left.holder}", "no row")


def _license(row: LicenseRow, state: LicenseState | None) -> Finding | None:
    where = f"license L{row.id}"
    if state is None:
        return Finding(Check.LICENSE, where, "no such license: no event issued it", f"a license of {row.holder}")
    return difference(Check.LICENSE, where, asdict(state), row._asdict())


def _compare_holders(records: Records, replay: Replay, audit: Audit) -> None:
    waiting, share = replay.holders, replay.share
    for row in records.holders():
        if not share.has_holder(row.token):
            continue
        proven = waiting.pop(row.token, None)  # A holder of whom nothing is recorded may stand in the table.
        where = f"holder {row.id} ({row.token})"
        audit.add(difference(Check.HOLDER, where, {"proven_at": proven}, {"proven_at": row.proven_at}))
        audit.add(_identity(row, where, erased=row.token in replay.erased))
    for token in waiting:
        audit.note(Check.HOLDER, f"holder {token}", "the holder that events name", "no row")


def _identity(row: HolderRow, where: str, *, erased: bool) -> Finding | None:
    """Name and salt of a holder make what events call it, or both are gone by an event."""
    if row.key is None or row.salt is None:
        gone = row.key is None and row.salt is None and erased
        return (
            None if gone else Finding(Check.HOLDER, where, "name and salt, no event erased them", "part of it is gone")
        )
    if erased:
        return Finding(Check.HOLDER, where, "name and salt erased", "still there")
    with suppress(ValueError):
        if holder_token(HolderKind(row.kind), row.key, bytes(row.salt)) == row.token:
            return None
    return Finding(Check.HOLDER, where, "name and salt that give this hash", "another name, or another salt")
