"""Issue a license: which CAL does this client get, and who must hear of it?"""

from typing import NamedTuple

from calward.app.licensing.shortages import note_shortages
from calward.app.ports import Book, Entropy
from calward.domain.cals import CalType, HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Event, decision_event
from calward.domain.issuing import Asking, Claim, Decision, Wanted, conclude, plan, refuse_host
from calward.domain.licenses import Ending, Holder, License, Seat, Status
from calward.domain.parties import Host, Server
from calward.domain.reasons import Reason
from calward.domain.trace import Rule

__all__ = ["REFUSALS_COUNT_FOR", "IssueLicense", "decide_beforehand", "issue_license"]

_DEVICE, _HOST = HolderKind.DEVICE, Rule.HOST
"""Named once: Python 3.11 calls a function at each look-up of an enumeration's member."""

REFUSALS_COUNT_FOR = 3600
"""Seconds for which equal refusals of one holder at one host are one event with a count (design 4)."""


class IssueLicense(NamedTuple):
    """A host's question. ``key`` is the device's hardware id or the user's name, compared exactly; ``label`` what people call it.

    ``full_only``: answer only with a full license; anything less is a refusal of which nothing is recorded
    (a host with several license servers passes such a server over).
    """

    host: Host
    request_id: str
    kind: HolderKind
    key: str
    label: str
    full_only: bool = False


def issue_license(command: IssueLicense, book: Book, *, now: int, entropy: Entropy) -> Event:
    """Decide, store and return the event to answer with.

    The same request id from the same host gets the same event; other content under it raises LicensingError(CONFLICT).
    An answer that changes nothing is not stored: its event is made up from the decision on which the license stands, and a
    refusal of a ``full_only`` question has the id 0.
    """
    _check_mode(command)
    earlier = book.remembered(command.host.id, command.request_id)
    if earlier:
        return _repeated(earlier, command, book)
    server = book.server()
    known = book.find_holder(command.kind, command.key)
    # A question of which nothing may be recorded leaves nobody behind: its holder is made only when there is an answer.
    holder = known or (_unknown_holder(command) if command.full_only else _made_holder(command, book))
    rules = server.settings
    days = entropy.between(rules.full_days_min, rules.full_days_max) if command.kind is _DEVICE else 0
    asking = _asking(command, server, holder, book, now, days)
    planned = _plan(command, server, asking)
    decision = planned if isinstance(planned, Decision) else _try_packs(asking, planned, book)
    if command.full_only and decision.status is not Status.ACTIVE:
        return decision_event(0, now, command.host, holder, Decision(trace=decision.trace, reasons=decision.reasons))
    if not decision.writes and decision.license:
        return decision_event(decision.license.decision, now, command.host, holder, decision)
    if not holder.id:
        holder = _made_holder(command, book)
    settle = _store if decision.granted else _refuse
    event = settle(command, book, holder, decision, now)
    if decision.trace[0][0] is not _HOST:
        note_shortages(event, decision, asking, command.host, server, book)
    return event


def _unknown_holder(command: IssueLicense) -> Holder:
    return Holder(0, command.kind, command.key, command.label, "")


def _made_holder(command: IssueLicense, book: Book) -> Holder:
    return book.holder(command.kind, command.key, command.label)


def _check_mode(command: IssueLicense) -> None:
    """A host of one mode asks for holders of that mode only."""
    host = command.host
    if command.kind is not (expected := host.mode.holder_kind):
        detail = f"session host {host.name} is set to {host.mode.value}: ask for a {expected.value}, not a {command.kind.value}"
        raise LicensingError(Problem.MALFORMED, detail)


def _repeated(earlier: Event, command: IssueLicense, book: Book) -> Event:
    """The answer once more, to whom it was given; a device's name is a label that may have changed meanwhile."""
    holder = book.find_holder(command.kind, command.key)
    another = holder is None or holder.token != earlier["holder"]
    if another or (command.full_only and earlier.get("status") != Status.ACTIVE):
        detail = f"request id {command.request_id!r} was used by this host for another question: use a new one"
        raise LicensingError(Problem.CONFLICT, detail, field="request_id")
    return earlier


def decide_beforehand(command: IssueLicense, holder: Holder, book: Book, *, now: int) -> Decision:
    """What ``issue_license`` would decide now, with nothing claimed or written."""
    _check_mode(command)
    server = book.server()
    asking = _asking(command, server, holder, book, now, server.settings.full_days_min)
    planned = _plan(command, server, asking)
    if isinstance(planned, Decision):
        return planned
    for pack in planned.candidates:
        if book.free((pack,), now, 1):
            return conclude(asking, planned, Claim(pack, Seat(pack.id, 0)))
    return conclude(asking, planned, None, prevented_free=_prevented_free(asking, planned, book))


def _asking(command: IssueLicense, server: Server, holder: Holder, book: Book, now: int, full_days: int) -> Asking:
    host = command.host
    return Asking(  # By place: names would cost as much again.
        now,
        host.version,
        host.family,
        host.mode,
        book.licenses_of(holder) if holder.id else (),
        holder.proven_at,
        server.blocked(now),
        server.settings,
        book.shelf(),
        full_days,
    )


def _plan(command: IssueLicense, server: Server, asking: Asking) -> Decision | Wanted:
    """The two conditions on the host first, then the holder's own case."""
    if not command.host.enrolled:
        return refuse_host(Reason.HOST_NOT_AUTHORIZED)
    if command.host.family > server.family:
        return refuse_host(Reason.SERVER_VERSION_TOO_LOW)
    return plan(asking)


def _try_packs(asking: Asking, wanted: Wanted, book: Book) -> Decision:
    """Claim a CAL from the first pack that has one, and conclude."""
    for pack in wanted.candidates:
        if claim := book.claim(pack, asking.now):
            return conclude(asking, wanted, claim)
    return conclude(asking, wanted, None, prevented_free=_prevented_free(asking, wanted, book))


def _prevented_free(asking: Asking, wanted: Wanted, book: Book) -> int:
    """How many of the packs that the policy forbids have a free CAL."""
    return sum(bool(book.free((pack,), asking.now, 1)) for pack in wanted.prevented)


def _store(command: IssueLicense, book: Book, holder: Holder, decision: Decision, now: int) -> Event:
    """License, event and answer, all in the book's transaction."""
    number = book.new_id()
    event = decision_event(number, now, command.host, holder, decision)
    if decision.license:
        book.extend(decision.license, decision.expires_at, number)
    else:
        _replace(book, holder, command.host.mode, decision, number, now)
    book.append(event)
    book.remember(command.host.id, command.request_id, number, now)
    return event


def _replace(book: Book, holder: Holder, type_: CalType, decision: Decision, number: int, now: int) -> None:
    for old in decision.ends:
        book.end(old, now, Ending.UPGRADED)
    if decision.status is None or decision.version is None:
        raise AssertionError(decision)  # A granted decision has both.
    book.add_license(
        License(  # By place, as above.
            number,
            holder.id,
            type_,
            decision.status,
            decision.version,
            decision.family,
            decision.seat,
            now,
            decision.expires_at,
            number,
        )
    )


def _refuse(command: IssueLicense, book: Book, holder: Holder, decision: Decision, now: int) -> Event:
    """Equal refusals of one holder at one host are one event an hour, with a count."""
    reasons = ",".join(decision.reasons)
    number = book.same_refusal(holder.id, command.host.id, reasons, now - REFUSALS_COUNT_FOR)
    if number is None:
        number = book.new_id()
        book.append(decision_event(number, now, command.host, holder, decision))
        book.note_refusal(holder.id, command.host.id, reasons, number, now)
    book.remember(command.host.id, command.request_id, number, now)
    return book.event(number) or decision_event(number, now, command.host, holder, decision)
