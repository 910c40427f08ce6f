"""Why is this license what it is, why is this pool over-used, and what would change it?

For our own decisions the license server keeps the rules and counts of the moment (``calward explain D12``); ``CHANGES`` says what would
change each reason. For a snapshot, above all another system's, which keeps no reasons, this is the best explanation that its counts allow.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from calward.domain.reasons import Reason
from calward.insight.diagnoser.pool_checks import free_for
from calward.insight.diagnoser.view import NO_FAMILY, PoolKey, View, holder_of
from calward.insight.diagnoser.words import counted, day, days_until
from calward.insight.estate import Estate, EstateFailure, EstateLicense, EstatePack, LicenseStatus, PackType
from calward.insight.explain_counts import looked_at

__all__ = ["CHANGES", "Explanation", "explain", "would_change"]

CHANGES: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.CAL_VERSION_TOO_LOW: "a pack of the host's version or newer, or work on an older host",
        Reason.CAL_TYPE_DIFFERS_FROM_MODE: "the host set to the type of the CALs that were bought, or a pack of its own type",
        Reason.LICENSE_UPGRADE_PREVENTED: "calward server set prevent_license_upgrade=false, or a pack of the host's own version",
        Reason.NO_CAL_FREE: "one more CAL that opens the host: bought, or freed by revoking or releasing a license that is not needed",
        Reason.TEMPORARY_LICENSE_EXPIRED: "a free CAL; a second temporary license of this version family is never given",
        Reason.SERVER_VERSION_TOO_LOW: "a license server of the host's version or newer",
        Reason.SERVER_NOT_ACTIVATED: "the license server's activation: calward server activate",
        Reason.ISSUING_RIGHT_ENDED: "a renewed activation: calward server activate",
        Reason.HOST_NOT_AUTHORIZED: "the host's enrollment: calward host code",
        Reason.NO_LICENSE_SERVER: "a license server of the host's list that answers",
        Reason.GRACE_EXPIRED: "a license server with CALs for this host; a grace period does not begin again",
        Reason.FIRST_CONTACT: "a logon with this device, and then its next request",
        Reason.NOT_PROVEN: "a logon with this device, and then its next request",
        Reason.DEVICE_WITHOUT_IDENTITY: "a client that sends a hardware id or a name",
        Reason.USER_NAME_NOT_TAKEN: "another name for this user",
        Reason.DEVICE_UNKNOWN: "a connection through the host's licensing relay",
        Reason.AGENT_SILENT: "an agent that answers on the host: calward agent doctor",
        Reason.PACK_MOVING: "the end of the move, or its being called off",
        Reason.LEDGER_ROLLED_BACK: "the way out that calward server recover shows",
    }
)
"""What would turn a decision, for each reason that can stand in one."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One thing explained. ``steps``: what was found, rule by rule, with counts; ``changes``: what would change it."""

    subject: str
    headline: str
    steps: tuple[str, ...]
    changes: tuple[str, ...]
    inferred: bool

    def document(self) -> dict[str, Any]:
        """Give it as scripts read it."""
        return {
            "subject": self.subject,
            "headline": self.headline,
            "steps": list(self.steps),
            "would_change": list(self.changes),
            "inferred": self.inferred,
        }


def would_change(reasons: Iterable[object]) -> list[str]:
    """What would change a decision with these reasons, each thing once; a reason of a newer release says nothing."""
    known = {reason.value: text for reason, text in CHANGES.items()}
    return list(dict.fromkeys(known[str(one)] for one in reasons if str(one) in known))


def explain(estate: Estate, name: str) -> tuple[Explanation, ...]:
    """Explain every license, refusal and pack that goes by a name: an id, a device, a hardware id, a user; none where nothing does.

    Names are compared without case.
    """
    wanted, view = name.casefold(), View(estate)
    licenses = (_license(view, one) for one in estate.licenses if wanted in _names(one))
    packs = (_pack(view, one) for one in estate.packs if one.id.casefold() == wanted)
    refusals = (_refusal(view, one) for one in estate.failures if one.holder.casefold() == wanted)
    return (*licenses, *refusals, *packs)


def _names(license_: EstateLicense) -> set[str]:
    names = (license_.id, license_.device, license_.user, license_.hardware_id)
    return {one.casefold() for one in names if one}


def _license(view: View, license_: EstateLicense) -> Explanation:
    key = license_.server, license_.type, view.family(license_.version)
    cal = view.cal(key[1], key[2])
    steps, changes = _STEPS.get(license_.status, _full)(view, license_, key)
    ends = ""
    if license_.expires_at is not None:
        verb = "ends" if view.runs(license_) else "ended"
        ends = f", {verb} {day(license_.expires_at)} ({days_until(license_.expires_at, view.now)})"
    return Explanation(
        f"license {license_.id}",
        f"{holder_of(license_)}: {license_.status.value} license of {cal} on {license_.server}{ends}",
        tuple(steps),
        tuple(changes),
        inferred=view.imported and license_.status in (LicenseStatus.TEMPORARY, LicenseStatus.OVER_USED),
    )


_Said = tuple[list[str], list[str]]


def _full(view: View, license_: EstateLicense, key: PoolKey) -> _Said:
    pool = view.pools.get(key)
    counts = (
        f"; {pool.issued:,} of {'unlimited' if pool.total is None else format(pool.total, ',')} in use" if pool else ""
    )
    of = f" of pack {license_.pack}" if license_.pack else ""
    steps = [f"it holds a CAL{of}{counts}"]
    if not view.runs(license_):
        steps.append(
            "it has ended: its device or user has not come back, and the CAL is free, or will be at the next clean-up"
        )
    return steps, []


def _temporary(view: View, license_: EstateLicense, key: PoolKey) -> _Said:
    server = view.server.get(license_.server)
    steps, changes = [*_told(license_), *looked_at(view, key)], would_change(license_.why)
    if server is not None and server.activated is False:
        steps.append(f"{license_.server} is not activated and gives temporary licenses only")
        return steps, changes or [CHANGES[Reason.SERVER_NOT_ACTIVATED]]
    if not free_for(view, key):
        steps.append("so no full license could be given")
        return steps, changes or [CHANGES[Reason.NO_CAL_FREE], *_lasts(view, license_)]
    since = f", {days_until(license_.issued_at, view.now)}" if license_.issued_at is not None else ""
    steps.append(
        f"a device's first license is temporary{since}: it has not asked again since somebody logged on with it"
    )
    return steps, changes or ["its next request after a logon: it then gets a full license"]


def _lasts(view: View, license_: EstateLicense) -> Iterator[str]:
    if license_.expires_at is not None and view.runs(license_):
        yield f"without it: from {day(license_.expires_at)} on this device is refused"


def _told(license_: EstateLicense) -> list[str]:
    return [f"recorded reason: {' + '.join(license_.why)}"] if license_.why else []


def _over_used(view: View, license_: EstateLicense, key: PoolKey) -> _Said:
    steps = [*_told(license_), *looked_at(view, key), "a user without a CAL is let in and counted"]
    if free_for(view, key):
        return steps, ["the user's next logon: over-use becomes a CAL then, and not before"]
    return steps, would_change(license_.why) or [CHANGES[Reason.NO_CAL_FREE]]


def _revoked(view: View, license_: EstateLicense, _key: PoolKey) -> _Said:
    steps = ["it was revoked: its CAL is free for others, and the device may ask anew"]
    if license_.expires_at is not None and view.runs(license_):
        steps.append(f"it counts against what may be revoked until {day(license_.expires_at)}")
    return steps, []


def _upgraded(_view: View, _license: EstateLicense, _key: PoolKey) -> _Said:
    return ["its holder has a license of a newer version in its place"], []


_STEPS: Final = {
    LicenseStatus.TEMPORARY: _temporary,
    LicenseStatus.OVER_USED: _over_used,
    LicenseStatus.REVOKED: _revoked,
    LicenseStatus.UPGRADED: _upgraded,
}


def _refusal(view: View, failure: EstateFailure) -> Explanation:
    """Why somebody got nothing; where no reason was recorded, by what is there at the time of the snapshot."""
    key = failure.server, failure.type, view.family(failure.version)
    often = f", {failure.times:,} times since" if failure.times > 1 else ""
    where = f" at {failure.host}" if failure.host else ""
    recorded = [f"recorded reason: {' + '.join(failure.reasons)}"] if failure.reasons else []
    free = free_for(view, key)
    meanwhile = (
        "a CAL is free now: it was not then, or the host was not allowed to ask" if free else "so none could be given"
    )
    return Explanation(
        f"refusal of {day(failure.at)}",
        f"{failure.holder} got no license of {view.cal(key[1], key[2])} from {failure.server}{where}{often}",
        (*recorded, *(f"{step}, {day(view.now)}" for step in looked_at(view, key)), meanwhile),
        tuple(would_change(failure.reasons) or ([_ASK_AGAIN] if free else [CHANGES[Reason.NO_CAL_FREE]])),
        inferred=not failure.reasons,
    )


_ASK_AGAIN: Final = "the next logon, if nothing else stands in the way"


def _pack(view: View, pack: EstatePack) -> Explanation:
    key = pack.server, pack.type, view.family(pack.version)
    steps = [
        f"{pack.issued:,} of {'unlimited' if pack.total is None else format(pack.total, ',')} issued ({pack.program})"
    ]
    changes: list[str] = []
    if not view.alive(pack):
        steps.append(f"it expired {day(pack.expires_at or 0)}: nothing of it is issued or renewed")
    if pack.over_used:
        steps += _why_over_used(view, pack, key)
        changes.append(
            f"{counted(pack.over_used, 'more CAL')} of {view.cal(key[1], key[2])} or newer, or {pack.over_used:,} users fewer"
        )
    over = f", over-used by {pack.over_used:,}" if pack.over_used else ""
    return Explanation(
        f"pack {pack.id}",
        f"{view.cal(key[1], key[2])} on {pack.server}{over}",
        tuple(steps),
        tuple(changes),
        inferred=view.imported and bool(pack.over_used),
    )


def _why_over_used(view: View, pack: EstatePack, key: PoolKey) -> Iterator[str]:
    if pack.type is PackType.PER_USER:
        yield "per-user CALs are counted and not enforced: every user is let in"
    elif key[2] != NO_FAMILY:
        yield "more licenses show as issued than were bought: ended ones that were not returned, or CALs that were removed"
    yield from looked_at(view, key)
    if any(family > key[2] for family, _ in free_for(view, key)):
        yield "the old system does not count users of older hosts against newer CALs, though these open those hosts"
