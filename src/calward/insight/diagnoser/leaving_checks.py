"""Who holds a CAL and does not come any more, and how many licenses may still be revoked?"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

from calward.domain.revocation import Allowance, allowance
from calward.domain.settings import SECONDS_PER_DAY, Settings
from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.view import View, holder_of
from calward.insight.diagnoser.words import counted, day, listing, verb
from calward.insight.estate import EstateLicense, LicenseStatus, PackType
from calward.insight.findings import Kind, Severity, Subject
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS", "REVOKED_FACT"]

REVOKED_FACT: Final = "revoked until, "
"""Before a family's name: a fact of our own snapshots with the old ends of its revoked licenses, in seconds since 1970."""
_USUAL: Final = Settings()
_LAST_DAYS: Final = 2 * SECONDS_PER_DAY
"""A device renews when it asks in the last seven days: with so little left it has not asked for five."""
_IDLE_USER: Final = 30 * SECONDS_PER_DAY


def _stale_devices(view: View) -> Said:
    full = _full(view, PackType.PER_DEVICE)
    if not full:
        return NotLooked("the snapshot has no full per-device licenses")
    ended = [one for one in full if not view.runs(one)]
    last = [one for one in full if view.runs(one) and _not_renewed(view, one)]
    return found(
        [*_gone(ended), *_silent(view, last)],
        Fine(f"{counted(len(full), 'device')}, each with time left or renewed"),
    )


def _full(view: View, type_: PackType) -> list[EstateLicense]:
    return [one for one in view.estate.licenses if one.type is type_ and one.status is LicenseStatus.ACTIVE]


def _not_renewed(view: View, license_: EstateLicense) -> bool:
    """Whether a license is in its last days, and not because its pack ends then or its server renews nothing."""
    until = license_.expires_at
    if until is None or until > view.now + _LAST_DAYS:
        return False
    server = view.server.get(license_.server)
    return until not in _pack_ends(view, license_) and (server is None or server.activated is not False)


def _pack_ends(view: View, license_: EstateLicense) -> set[int | None]:
    return view.pack_ends.get((license_.server, license_.pack or ""), set())


def _gone(ended: list[EstateLicense]) -> Iterator[Trouble]:
    if ended:
        yield Trouble(
            Severity.WARNING,
            Subject(Kind.ESTATE, "ended"),
            f"{counted(len(ended), 'per-device license')} {verb(len(ended), 'has ended and still shows', 'have ended and still show')} as issued",
            _names(ended),
            "the devices did not come back to renew, and the license server has not returned the CALs to their pools",
            "look for event 16 on the license server (a CAL could not be returned); a device that comes again gets a license",
            names=[holder_of(one) for one in ended],
        )


def _silent(view: View, last: list[EstateLicense]) -> Iterator[Trouble]:
    if last:
        number = len(last)
        yield Trouble(
            Severity.INFO,
            Subject(Kind.ESTATE, "in their last days"),
            f"{counted(number, 'device')} {verb(number, 'holds', 'hold')} a CAL and {verb(number, 'has', 'have')} not asked for at least five days",
            f"{_names(last)}; their licenses end by {day(max(one.expires_at or 0 for one in last))}",
            "a device renews its license when it asks in the last seven days; these have not: retired, or on holiday",
            "nothing: their CALs are free again when the licenses end; revoke one only where its CAL is needed before",
            view.command("calward license list --type per-device"),
            [holder_of(one) for one in last],
            inferred=True,
        )


def _names(licenses: list[EstateLicense]) -> str:
    return listing([holder_of(one) for one in licenses[:10]], len(licenses))


def _stale_users(view: View) -> Said:
    users = _full(view, PackType.PER_USER)
    if not users:
        return NotLooked("the snapshot has no per-user licenses with a CAL")
    idle = [one for one in users if _idle_since(view, one) >= _IDLE_USER]
    return found(_idle(view, idle), Fine(f"{counted(len(users), 'user')}, each here within a month"))


def _idle_since(view: View, license_: EstateLicense) -> int:
    """Seconds since a user's last logon, as the end of the license says it; 0 where it does not."""
    until = license_.expires_at
    if until is None or until in _pack_ends(view, license_):
        return 0
    days = view.setting(license_.server, "user_days")
    whole = int(days) if days and days.isdigit() else _USUAL.user_days
    return view.now - (until - whole * SECONDS_PER_DAY)


def _idle(view: View, idle: list[EstateLicense]) -> Iterator[Trouble]:
    if idle:
        number = len(idle)
        yield Trouble(
            Severity.INFO,
            Subject(Kind.ESTATE, "users"),
            f"{counted(number, 'user')} {verb(number, 'holds', 'hold')} a CAL and {verb(number, 'has', 'have')} not logged on for a month",
            f"{_names(idle)}; the last leaves the count by itself on {day(max(one.expires_at or 0 for one in idle))}",
            "a user's license runs on after the last logon, so whoever left still counts for a while",
            view.either("release those who are gone", "nothing: they leave the count by themselves"),
            view.command("calward license release", idle[0].id),
            [holder_of(one) for one in idle],
            inferred=view.imported,
        )


def _revocations(view: View) -> Said:
    installed = {key: pool for key, pool in view.pools.items() if key[1] is PackType.PER_DEVICE and pool.total}
    if not installed:
        return NotLooked("the snapshot has no per-device CALs that could be revoked")
    revoked = _revoked(view)
    if view.imported and not revoked and not view.estate.licenses:
        return NotLooked("the snapshot has no issued licenses")
    left = [
        (server, family, allowance(pool.total or 0, _share(view, server), revoked.get((server, family), ()), view.now))
        for (server, _, family), pool in installed.items()
    ]
    used_up = (one for one in left if one[2].used and not one[2].remaining)
    told = listing(
        [f"{one.remaining} of {one.limit} left for {view.ladder.family_name(family)}" for _, family, one in left]
    )
    return found((_used_up(view, *one) for one in used_up), Fine(told))


def _revoked(view: View) -> dict[tuple[str, int], list[int]]:
    """The old ends of revoked licenses by server and family: from the licenses, or from our own snapshot's facts."""
    ends: dict[tuple[str, int], list[int]] = {}
    for one in view.estate.licenses:
        if one.status is LicenseStatus.REVOKED and one.type is PackType.PER_DEVICE and one.expires_at is not None:
            ends.setdefault((one.server, view.family(one.version)), []).append(one.expires_at)
    for server in view.estate.servers if not view.imported else ():
        for version in view.ladder.versions:
            if told := view.estate.facts.get(REVOKED_FACT + version):
                ends[server.name, view.family(version)] = [int(one) for one in told.split()]
    return ends


def _share(view: View, server: str) -> Decimal:
    try:
        return Decimal(view.setting(server, "revocable_share") or _USUAL.revocable_share)
    except InvalidOperation:
        return _USUAL.revocable_share


def _used_up(view: View, server: str, family: int, left: Allowance) -> Trouble:
    cal = view.cal(PackType.PER_DEVICE, family)
    return Trouble(
        Severity.WARNING,
        Subject(Kind.SERVER, f"{server} {cal}"),
        f"no more {cal} license of {server} can be revoked for now",
        f"{left.used} of {left.limit} revocations are used; the next slot opens {day(left.next_at) if left.next_at else 'later'}",
        "at most a fifth of a family's CALs may be revoked at a time; a slot comes back when the revoked license would have ended",
        f"wait until {day(left.next_at) if left.next_at else 'then'}; a device that does not come any more frees its CAL by itself",
        view.command("calward license list --type per-device"),
    )


CHECKS: Final = (
    Check("stale-devices", "devices with a CAL still come", About.HOLDER, _stale_devices),
    Check("stale-users", "users with a CAL still come", About.HOLDER, _stale_users),
    Check("revocation-used-up", "licenses can be revoked", About.ESTATE, _revocations),
)
