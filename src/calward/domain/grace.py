"""Who is let in by a session host: by a license, by its grace period, or not at all?

Two periods of ``grace_days`` each, after two different needs:

(a) A *new host* has until its first full license, at most ``grace_days`` from its first connection, to find its license
    server and its CALs. While it runs, whoever cannot get a license is let in, whatever the reason.
(b) *Later* only time counts in which no listed license server answers. It is a budget: full at the first connection, it
    runs down with the clock while none answers and fills at the same rate while one does.

A server that says "none free" has answered: after (a) that is a refusal. While (a) runs, (b) is used up as well, so that
a host which never had a server is not given both, one after the other.

Sources: design, section 3; [MS-RDPELE] 3.2.5.3 to 3.2.5.5 (what a host does with and without a license server).
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from calward.domain.heard import Heard, HeldLicense
from calward.domain.licenses import Change
from calward.domain.reasons import Reason

__all__ = [
    "USED_UP",
    "Admission",
    "GraceState",
    "HostOutcome",
    "admit",
    "grace_left",
    "new_host_left",
    "observe",
    "outage_left",
]

_NONE_LEFT = timedelta()
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class GraceState:
    """What a host has to remember for its grace period; the default is a host that nobody has used yet.

    ``spent`` is the used part of budget (b), between nothing and ``grace_days``: kept instead of what is left, so that a
    changed ``grace_days`` takes effect at once. ``answering`` is what was seen at ``observed_at`` and holds until the next
    observation.
    """

    first_connection: datetime | None = None
    first_full: datetime | None = None
    spent: timedelta = _NONE_LEFT
    observed_at: datetime | None = None
    answering: bool = True


_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
USED_UP: Final = GraceState(_LONG_AGO, _LONG_AGO, timedelta(days=1_000_000))
"""A host without any grace left, whatever its ``grace_days``; budget (b) fills again while a server answers."""


class HostOutcome(StrEnum):
    """How a connection ends at the host."""

    GRANTED = "granted"
    """By a license, or as an administrative session."""
    GRACE = "grace"
    """Without a license, while the grace period lasts."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Admission:
    """What a host does with a connection, and what it has to remember of it.

    ``reasons``: why there is no license or no full one; under ``grace``, why it would have been refused. ``grace_left`` is
    what is left of the period that let the client in, None where none did. ``state`` is to be stored.
    """

    outcome: HostOutcome
    license: HeldLicense | None
    reasons: tuple[str, ...]
    grace_left: timedelta | None
    state: GraceState

    @property
    def days_left_in_grace(self) -> float | None:
        """Days, with a fraction; None where the client did not come in by grace."""
        return None if self.grace_left is None else self.grace_left.total_seconds() / _SECONDS_A_DAY


def observe(state: GraceState, now: datetime, *, answering: bool, grace_days: int) -> GraceState:
    """Note that now some listed license server answers, or none does, and book the time since the last observation.

    That time counts as what was seen at its *beginning*: an outage begins when it is first noticed. Before the first
    connection nothing is booked. A clock that was set back books nothing.
    """
    return replace(state, spent=_spent(state, now, grace_days), observed_at=now, answering=answering)


def new_host_left(state: GraceState, grace_days: int, now: datetime) -> timedelta:
    """Give what is left of period (a); nothing after the first full license. A host not yet used has all of it."""
    if state.first_full is not None:
        return _NONE_LEFT
    whole = timedelta(days=grace_days)
    since = now - state.first_connection if state.first_connection else _NONE_LEFT
    return max(_NONE_LEFT, min(whole, whole - since))


def outage_left(state: GraceState, grace_days: int, now: datetime) -> timedelta:
    """Give what is left of budget (b) now, after the time since the last observation."""
    return max(_NONE_LEFT, timedelta(days=grace_days) - _spent(state, now, grace_days))


def grace_left(state: GraceState, grace_days: int, now: datetime) -> timedelta:
    """Give what is left of the grace period that runs now: (a) while it does, then (b) while no server answers.

    Nothing where a server answers and (a) is over: there is no grace from an answer.
    """
    left = new_host_left(state, grace_days, now)
    if left or state.answering:
        return left
    return outage_left(state, grace_days, now)


def admit(
    answer: Heard | None,
    in_hand: HeldLicense | None,
    state: GraceState,
    grace_days: int,
    now: datetime,
    *,
    admin: bool = False,
    issuer_silent: bool = False,
) -> Admission:
    """Decide what a host does with a connection; the only place where that is decided.

    Args:
        answer: what the license servers said together (``calward.domain.servers``); None if none of them answered.
        in_hand: the license that decides while none answers: per device the newest of those presented, per user what this
            host last saw for that user. One that has ended counts as none.
        state: what the host remembers; the state to store instead is in the result.
        grace_days: 0 = the host has no grace period.
        now: the host's clock.
        admin: an administrative session needs no CAL, asks nobody and does not start the grace period.
        issuer_silent: the server that gave the license in hand does not answer, though another one does. What the other
            cannot give does not take away what the first has given ([MS-RDPELE] 3.2.5.5: the old license is returned).
    """
    if admin:
        return Admission(HostOutcome.GRANTED, None, (), None, state)
    state = _connected(observe(state, now, answering=answer is not None, grace_days=grace_days), now)
    if answer is None:
        answer = _from_hand(in_hand, now)
    elif answer.issues_full:
        state = replace(state, first_full=state.first_full or now)
    if answer.license is None and issuer_silent:
        answer = Heard(_kept(in_hand, now), answer.reasons)
    if answer.license is not None:
        return Admission(HostOutcome.GRANTED, answer.license, answer.reasons, None, state)
    return _without_license(answer.reasons, state, grace_days, now)


def _without_license(reasons: tuple[str, ...], state: GraceState, grace_days: int, now: datetime) -> Admission:
    left = grace_left(state, grace_days, now)
    if left:
        return Admission(HostOutcome.GRACE, None, reasons, left, state)
    over = (Reason.GRACE_EXPIRED,) if grace_days > 0 else ()
    return Admission(HostOutcome.REFUSED, None, reasons + over, None, state)


def _from_hand(in_hand: HeldLicense | None, now: datetime) -> Heard:
    """Let the license in hand answer in place of the servers; the reason says that none of them did."""
    return Heard(_kept(in_hand, now), (Reason.NO_LICENSE_SERVER,))


def _kept(in_hand: HeldLicense | None, now: datetime) -> HeldLicense | None:
    return replace(in_hand, change=Change.KEPT) if in_hand is not None and in_hand.runs(now) else None


def _connected(state: GraceState, now: datetime) -> GraceState:
    """Note the first connection; one in the future was noted by a wrong clock and would stretch (a): now is the first."""
    first = min(state.first_connection or now, now)
    return replace(state, first_connection=first)


def _spent(state: GraceState, now: datetime, grace_days: int) -> timedelta:
    """Book the time since the last observation on budget (b): down while nothing answered, up while something did."""
    whole = timedelta(days=grace_days)
    spent = min(state.spent, whole)
    if state.observed_at is None or state.first_connection is None:
        return spent
    since = max(_NONE_LEFT, now - max(state.observed_at, state.first_connection))
    return max(_NONE_LEFT, spent - since) if state.answering else min(spent + since, whole)
