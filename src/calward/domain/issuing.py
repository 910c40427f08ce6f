"""Which CAL does a client get?

Design 3, "Which CAL a client gets": five steps, each leaving one line in the trace. Pure and in two halves, because only the
ledger can say whether a CAL is free: ``plan`` keeps what the holder has or names the packs to try in order, the use case
claims a CAL from the first that has one, ``conclude`` turns what was claimed (or nothing) into the decision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from calward.domain.cals import CalType
from calward.domain.key_packs import KeyPack, Shelf
from calward.domain.licenses import Change, Ending, License, Seat, Status
from calward.domain.reasons import Reason
from calward.domain.settings import SECONDS_PER_DAY, PerUser, Settings
from calward.domain.trace import Rule, Trace, TraceLine, Verdict

__all__ = ["Asking", "Claim", "Decision", "Wanted", "conclude", "plan", "refuse_host"]


@dataclass(slots=True)  # Not frozen: one is made for each request, and freezing would cost as much as deciding.
class Asking:
    """All that a decision depends on. Times are seconds since 1970 (UTC).

    ``licenses``: all of the holder's, running and ended. ``blocked``: why this server may issue temporary licenses only, if so.
    ``full_days``: the life of a full per-device license, drawn by the caller between the two settings.
    """

    now: int
    host_version: str
    host_family: int
    mode: CalType
    licenses: Sequence[License]
    proven_at: int | None
    blocked: Reason | None
    settings: Settings
    shelf: Shelf
    full_days: int

    @property
    def proven(self) -> bool:
        """Whether the holder may take a CAL: every user, and a device after its first confirmed logon."""
        return self.mode is _PER_USER or self.proven_at is not None

    def running(self) -> list[License]:
        """The holder's running licenses of the host's type."""
        return [x for x in self.licenses if x.type is self.mode and x.runs(self.now)] if self.licenses else []


@dataclass(slots=True)
class Wanted:
    """Half a decision: the packs to try, in order; ``prevented`` are those that only the policy forbids."""

    trace: Trace
    same: tuple[KeyPack, ...]
    higher: tuple[KeyPack, ...]
    prevented: tuple[KeyPack, ...] = ()

    @property
    def candidates(self) -> tuple[KeyPack, ...]:
        """The packs from which one CAL is to be claimed, first come first tried."""
        return self.same + self.higher


@dataclass(slots=True)
class Claim:
    """A CAL that the ledger has set aside; ``expired``: the license that had held it until its end, where that was not written down."""

    pack: KeyPack
    seat: Seat
    expired: int | None = None


@dataclass(slots=True)
class Decision:
    """What the holder gets, and why.

    ``license``: the existing license that goes on, with ``expires_at`` as its end from now on; None for a new one or a refusal.
    ``ends``: licenses that end with this decision because a full one replaces them. ``expired``: the number of one whose CAL had come
    free by its end and is taken with this decision.
    """

    trace: Trace
    reasons: tuple[Reason, ...] = ()
    change: Change | None = None
    status: Status | None = None
    version: str | None = None
    family: int = 0
    seat: Seat | None = None
    expires_at: int = 0
    license: License | None = None
    ends: tuple[License, ...] = ()
    expired: int | None = None

    @property
    def granted(self) -> bool:
        """Whether the holder has a license that opens the host."""
        return self.status is not None

    @property
    def writes(self) -> bool:
        """Whether the ledger changes: what changes nothing writes nothing (design 4)."""
        return self.license is None or self.expires_at != self.license.expires_at


def refuse_host(reason: Reason) -> Decision:
    """The decision for a host that is refused before its client counts."""
    verdict = Verdict.SERVER_TOO_OLD if reason is Reason.SERVER_VERSION_TOO_LOW else Verdict.NOT_ENROLLED
    return Decision(trace=((Rule.HOST, verdict), (Rule.REFUSE, Verdict.REFUSED)), reasons=(reason,))


# What most decisions are made of, named once: Python 3.11 calls a function at each look-up of an enumeration's member.
_PER_USER: Final = CalType.PER_USER
_ACTIVE: Final = Status.ACTIVE
_NEW: Final = Change.NEW
_NONE_HELD: TraceLine = (Rule.KEEP, Verdict.NONE_HELD)
_TAKEN: Trace = ((Rule.SAME_VERSION, Verdict.TAKEN),)


def plan(asking: Asking) -> Decision | Wanted:
    """Step 1, or the packs for steps 2 and 3."""
    first = _NONE_HELD
    if asking.licenses:
        active = [x for x in asking.running() if x.status is _ACTIVE]
        fitting = [x for x in active if x.family >= asking.host_family]
        if fitting:
            return _keep(asking, min(fitting, key=lambda x: (x.family, -x.expires_at, x.id)))
        if active:
            first = (Rule.KEEP, Verdict.HELD_TOO_OLD)
    if asking.blocked or not asking.proven:
        return Wanted((first, (Rule.SAME_VERSION, _why_blocked(asking))), (), ())
    same, higher = asking.shelf.usable(asking.mode, asking.host_family, asking.now)
    if asking.settings.prevent_license_upgrade:
        return Wanted((first,), same, (), prevented=higher)
    return Wanted((first,), same, higher)


def conclude(asking: Asking, wanted: Wanted, claim: Claim | None, *, prevented_free: int = 0) -> Decision:
    """Steps 2 and 3 with the claimed CAL, else steps 4 and 5.

    ``prevented_free``: how many of the packs that the policy forbids have a free CAL.
    """
    if claim:
        return _full(asking, wanted, claim)
    trace = wanted.trace + _none_free(asking, wanted, prevented_free)
    why = _why_not_full(asking, prevented_free)
    if asking.mode is CalType.PER_USER and not asking.blocked:
        return _over_use(asking, trace, why)
    return _temporary(asking, trace, why)


def _keep(asking: Asking, held: License) -> Decision:
    """Step 1: keep it; renew or extend it where that is due and this server may."""
    settings, now, end = asking.settings, asking.now, held.expires_at
    if asking.blocked:
        change, verdict = Change.KEPT, Verdict.NOT_EXTENDED
    elif asking.mode is CalType.PER_USER:
        end, change, verdict = now + settings.user_days * SECONDS_PER_DAY, Change.KEPT, Verdict.EXTENDED
    elif held.expires_at - now <= settings.renew_within_days * SECONDS_PER_DAY:
        end, change, verdict = now + asking.full_days * SECONDS_PER_DAY, Change.RENEWED, Verdict.RENEWED
    else:
        change, verdict = Change.KEPT, Verdict.KEPT
    if held.seat and not asking.blocked:
        pack = asking.shelf.by_id[held.seat.pack]
        end = min(end, pack.expires_at)  # A license never outlives its pack.
        if pack.transfer is not None:  # It goes on as it is, here and where the pack is going.
            return _going_on(held, ((Rule.KEEP, Verdict.PACK_MOVING),), end=held.expires_at)
    if end <= held.expires_at and asking.mode is CalType.PER_DEVICE:  # Its pack ends then: nothing to renew.
        end, change, verdict = held.expires_at, Change.KEPT, Verdict.NOT_EXTENDED if asking.blocked else Verdict.KEPT
    return _going_on(held, ((Rule.KEEP, verdict),), end=end, change=change)


def _going_on(
    held: License, trace: Trace, *, end: int, change: Change = Change.KEPT, why: tuple[Reason, ...] = ()
) -> Decision:
    """A decision by which a license that the holder has goes on."""
    return Decision(
        trace=trace,
        reasons=why,
        change=change,
        status=held.status,
        version=held.version,
        family=held.family,
        seat=held.seat,
        expires_at=end,
        license=held,
    )


def _full(asking: Asking, wanted: Wanted, claim: Claim) -> Decision:
    """Steps 2 and 3: a new full license ends what it replaces."""
    pack = claim.pack
    lines = (
        _TAKEN
        if pack.family == asking.host_family
        else (_tried(Rule.SAME_VERSION, wanted.same), (Rule.NEWER_VERSION, Verdict.TAKEN))
    )
    days = asking.settings.user_days if asking.mode is _PER_USER else asking.full_days
    ends = tuple([x for x in asking.running() if x.family <= pack.family]) if asking.licenses else ()
    return Decision(  # By place: it is the commonest decision of all, and names would cost as much as the rest of this function.
        wanted.trace + lines,
        (),
        Change.UPGRADED if ends else _NEW,
        _ACTIVE,
        pack.version,
        pack.family,
        claim.seat,
        min(asking.now + days * SECONDS_PER_DAY, pack.expires_at),
        None,
        ends,
        claim.expired,
    )


def _temporary(asking: Asking, trace: Trace, why: tuple[Reason, ...]) -> Decision:
    """Step 4 per device, and for everyone while the server may issue temporary licenses only."""
    for status, verdict in _KEPT:
        serving = _running(asking, status)
        if serving:
            return _going_on(serving, (*trace, (Rule.FALL_BACK, verdict)), end=serving.expires_at, why=why)
    if _temporary_used(asking):
        lines = ((Rule.FALL_BACK, Verdict.TEMPORARY_USED_UP), (Rule.REFUSE, Verdict.REFUSED))
        return Decision(trace=trace + lines, reasons=(*why, Reason.TEMPORARY_LICENSE_EXPIRED))
    line = (Rule.FALL_BACK, Verdict.TEMPORARY_GIVEN)
    return _of_host(asking, (*trace, line), why, Status.TEMPORARY, asking.settings.temporary_days)


_KEPT = ((Status.TEMPORARY, Verdict.TEMPORARY_KEPT), (Status.OVER_USED, Verdict.OVER_USE_KEPT))
"""What goes on as it is while only temporary licenses may be issued; devices are never over-used."""


def _over_use(asking: Asking, trace: Trace, why: tuple[Reason, ...]) -> Decision:
    """Step 4 per user."""
    if asking.settings.per_user is PerUser.ENFORCE:
        lines = ((Rule.FALL_BACK, Verdict.ENFORCED), (Rule.REFUSE, Verdict.REFUSED))
        return Decision(trace=trace + lines, reasons=why)
    trace = (*trace, (Rule.FALL_BACK, Verdict.OVER_USED))
    serving = _running(asking, Status.OVER_USED)
    if serving:
        return _going_on(serving, trace, end=asking.now + asking.settings.user_days * SECONDS_PER_DAY, why=why)
    return _of_host(asking, trace, why, Status.OVER_USED, asking.settings.user_days)


def _of_host(asking: Asking, trace: Trace, why: tuple[Reason, ...], status: Status, days: int) -> Decision:
    """A new license without a CAL: it bears the host's version."""
    return Decision(
        trace=trace,
        reasons=why,
        change=Change.NEW,
        status=status,
        version=asking.host_version,
        family=asking.host_family,
        expires_at=asking.now + days * SECONDS_PER_DAY,
    )


def _running(asking: Asking, status: Status) -> License | None:
    """The running license of this status that opens the host: of the lowest family, then the longest."""
    fitting = [x for x in asking.running() if x.status is status and x.family >= asking.host_family]
    return min(fitting, key=lambda x: (x.family, -x.expires_at, x.id)) if fitting else None


def _temporary_used(asking: Asking) -> bool:
    """Whether the one temporary license of the host's family was given.

    One that ended before its device was proven counts as never given (design 3, "Proven"), so that a client which was turned
    away at the logon screen loses nothing.
    """
    counts_after = -1
    if asking.mode is CalType.PER_DEVICE:
        counts_after = asking.now if asking.proven_at is None else asking.proven_at
    given = (
        x
        for x in asking.licenses
        if x.type is asking.mode and x.status is Status.TEMPORARY and x.family == asking.host_family
    )
    return any(_ended_after(x, counts_after) for x in given)


def _ended_after(license_: License, moment: int) -> bool:
    """Whether a license ran beyond this second; one that was ended in it, by an act and not by its time, did run until then."""
    if license_.ended_at is not None and license_.ending is not Ending.EXPIRED:
        return license_.ended_at >= moment
    return license_.expires_at > moment


def _why_blocked(asking: Asking) -> Verdict:
    if asking.blocked:
        return Verdict.RIGHT_ENDED if asking.blocked is Reason.ISSUING_RIGHT_ENDED else Verdict.NOT_ACTIVATED
    return Verdict.NOT_PROVEN


def _none_free(asking: Asking, wanted: Wanted, prevented_free: int) -> Trace:
    """The lines of steps 2 and 3 when no CAL could be claimed."""
    if asking.blocked or not asking.proven:
        return ()  # The plan has said so in step 2.
    if wanted.prevented:
        third: TraceLine = (Rule.NEWER_VERSION, Verdict.PREVENTED, prevented_free)
    else:
        third = _tried(Rule.NEWER_VERSION, wanted.higher)
    return (_tried(Rule.SAME_VERSION, wanted.same), third)


def _tried(rule: Rule, packs: tuple[KeyPack, ...]) -> TraceLine:
    if not packs:
        return (rule, Verdict.NOT_INSTALLED)
    return (rule, Verdict.NONE_FREE, sum(pack.total for pack in packs))


def _why_not_full(asking: Asking, prevented_free: int) -> tuple[Reason, ...]:
    """Everything that stood in the way of a full license."""
    if not asking.proven:
        held = any(x.type is asking.mode for x in asking.licenses)
        unproven = Reason.NOT_PROVEN if held else Reason.FIRST_CONTACT
        return (unproven, asking.blocked) if asking.blocked else (unproven,)
    if asking.blocked:
        return (asking.blocked,)
    return (Reason.NO_CAL_FREE, *_why_none_fits(asking, prevented_free))


def _why_none_fits(asking: Asking, prevented_free: int) -> tuple[Reason, ...]:
    shelf, now, family = asking.shelf, asking.now, asking.host_family
    if prevented_free:
        return (Reason.LICENSE_UPGRADE_PREVENTED,)
    if _fits(shelf, asking.mode, family, now):
        return ()
    other = CalType.PER_USER if asking.mode is CalType.PER_DEVICE else CalType.PER_DEVICE
    found: tuple[Reason, ...] = ()
    if shelf.older_families(asking.mode, family, now):
        found = (Reason.CAL_VERSION_TOO_LOW,)
    return (*found, Reason.CAL_TYPE_DIFFERS_FROM_MODE) if _fits(shelf, other, family, now) else found


def _fits(shelf: Shelf, type_: CalType, family: int, now: int) -> bool:
    return any(shelf.usable(type_, family, now))
