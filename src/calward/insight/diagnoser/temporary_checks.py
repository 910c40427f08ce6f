"""Do those who have no full license lack one for a reason, and what becomes of them?"""

from collections.abc import Iterator
from typing import Final

from calward.domain.settings import SECONDS_PER_DAY
from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.pool_checks import PREVENT, free_for, free_told, pool_subject
from calward.insight.diagnoser.view import NO_FAMILY, PoolKey, Tally, View
from calward.insight.diagnoser.words import counted, listing, verb
from calward.insight.estate import LicenseStatus, PackType
from calward.insight.findings import Severity
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS", "UNPROVEN"]

_NO_LICENSES: Final = NotLooked("the snapshot has no issued licenses")
_ENDS_SOON: Final = 14 * SECONDS_PER_DAY
UNPROVEN: Final = frozenset({"first-contact", "not-proven"})
"""Reasons that are no trouble: they go away with the next logon."""


def _temporaries(view: View) -> Iterator[tuple[PoolKey, Tally]]:
    for (status, key), tally in view.tallies.items():
        if status is LicenseStatus.TEMPORARY and key[1] is not PackType.BUILT_IN:
            yield key, tally


def _temporary_though_free(view: View) -> Said:
    if not view.estate.licenses:
        return _NO_LICENSES
    with_free = ((key, tally, free_for(view, key)) for key, tally in _temporaries(view))
    wrong = ((key, tally, free) for key, tally, free in with_free if free)
    return found(
        (_waiting(view, key, tally, free) for key, tally, free in wrong),
        Fine("no temporary license runs beside free CALs"),
    )


def _waiting(view: View, key: PoolKey, tally: Tally, free: list[tuple[int, int | None]]) -> Trouble:
    first = sum(number for why, number in tally.why.items() if set(why) <= UNPROVEN)
    server = view.server.get(key[0])
    off = server is not None and server.activated is False
    return Trouble(
        Severity.INFO if first == tally.number else Severity.WARNING,
        pool_subject(view, key),
        f"{counted(tally.number, 'temporary license')} of {view.cal(key[1], key[2])} on {key[0]} {verb(tally.number, 'runs', 'run')} "
        "though full CALs are free",
        f"free: {free_told(view, key[1], free)}; {_reasons_told(tally)}{listing(tally.names, tally.number)}",
        "the license server is not activated: no full license is given"
        if off
        else "a device's first license is temporary; it gets a full one when it asks again after somebody has logged on with it",
        "nothing where they are new: the next logon gives a full license; devices that never come again cost nothing",
        view.command("calward license list --status temporary"),
        tally.names,
        inferred=view.imported and not off,
    )


def _reasons_told(tally: Tally) -> str:
    """The reasons that licenses bear, the most frequent first; "" where the snapshot has none."""
    if not tally.why:
        return ""
    told = ", ".join(f"{number:,} {' + '.join(why)}" for why, number in tally.why.most_common(4))
    return f"why: {told}; "


def _prevented(view: View) -> Said:
    told = [one.name for one in view.estate.servers if view.setting(one.name, PREVENT) is not None]
    if not told:
        return NotLooked("the snapshot does not say whether newer CALs are kept for newer hosts")
    wanting = [*_temporaries(view), *view.over_used.items()]
    held = ((key, tally, _only_newer(view, key)) for key, tally in wanting if view.setting(key[0], PREVENT) == "True")
    return found(
        (_kept(view, key, tally, free) for key, tally, free in held if free),
        Fine("no policy keeps a free CAL from anybody"),
    )


def _only_newer(view: View, key: PoolKey) -> list[tuple[int, int | None]]:
    free = free_for(view, key) if key[2] != NO_FAMILY else []
    return [] if any(family == key[2] for family, _ in free) else free


def _kept(view: View, key: PoolKey, tally: Tally, free: list[tuple[int, int | None]]) -> Trouble:
    return Trouble(
        Severity.WARNING,
        pool_subject(view, key),
        f"the policy prevent_license_upgrade keeps free CALs from {counted(tally.number, 'holder')} of {view.cal(key[1], key[2])}",
        f"free: {free_told(view, key[1], free)}; {listing(tally.names, tally.number)}",
        "newer CALs are kept for newer hosts, and none of the hosts' own version is free",
        "allow it, or buy CALs of the hosts' own version",
        view.command(f"calward server set {PREVENT}=false"),
        tally.names,
    )


def _temporary_ends(view: View) -> Said:
    if not view.estate.licenses:
        return _NO_LICENSES
    soon: dict[PoolKey, Tally] = {}
    for one in view.estate.licenses:
        if (
            one.status is LicenseStatus.TEMPORARY
            and one.expires_at is not None
            and view.now < one.expires_at <= view.now + _ENDS_SOON
        ):
            soon.setdefault((one.server, one.type, view.family(one.version)), Tally()).add(one)
    bare = ((key, tally) for key, tally in soon.items() if key[1] is not PackType.BUILT_IN and not free_for(view, key))
    return found(
        (_stranded(view, key, tally) for key, tally in bare),
        Fine("none ends within two weeks without a free CAL to follow it"),
    )


def _stranded(view: View, key: PoolKey, tally: Tally) -> Trouble:
    return Trouble(
        Severity.ERROR,
        pool_subject(view, key),
        f"{counted(tally.number, 'temporary license')} of {view.cal(key[1], key[2])} on {key[0]} {verb(tally.number, 'ends', 'end')} "
        "within two weeks, and no CAL is free",
        f"{_reasons_told(tally)}{listing(tally.names, tally.number)}",
        "a temporary license is given once: when it ends without a free CAL its device is refused",
        f"install {view.cal(key[1], key[2])} CALs or newer, or free some, before they end",
        view.command("calward license list --status temporary"),
        tally.names,
    )


CHECKS: Final = (
    Check("temporary-though-free", "no temporary license beside free CALs", About.HOLDER, _temporary_though_free),
    Check("upgrade-prevented", "no policy keeps free CALs from anybody", About.HOLDER, _prevented),
    Check("temporary-ends", "a CAL is free for who has a temporary license", About.HOLDER, _temporary_ends),
)
