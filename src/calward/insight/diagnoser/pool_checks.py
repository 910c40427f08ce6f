"""Are there enough CALs of each version and type, and does any lie idle beside over-use?"""

from decimal import Decimal, InvalidOperation
from typing import Final

from calward.domain.settings import Settings
from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.view import NO_FAMILY, Pool, PoolKey, Tally, View
from calward.insight.diagnoser.words import counted, listing
from calward.insight.estate import PackType
from calward.insight.findings import Kind, Severity, Subject
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS", "PREVENT", "free_for", "free_told", "pool_subject"]

_NO_PACKS: Final = NotLooked("the snapshot has no packs that were bought")
_USUAL: Final = Settings()
PREVENT: Final = "prevent_license_upgrade"


def pool_subject(view: View, key: PoolKey) -> Subject:
    """A pool as the subject of a finding."""
    server, type_, family = key
    return Subject(Kind.PACK, f"{server} {view.cal(type_, family)}")


def _headroom(view: View) -> Said:
    finite = [
        (key, pool)
        for key, pool in view.pools.items()
        if pool.total and pool.free is not None and view.concerns(*key[1:])
    ]
    if not finite:
        return _NO_PACKS
    low = ((key, pool) for key, pool in finite if Decimal(pool.free or 0) < _share(view, key[0]) * (pool.total or 0))
    return found(
        (_low(view, key, pool) for key, pool in low), Fine(f"{counted(len(finite), 'pool')}, each with enough")
    )


def _share(view: View, server: str) -> Decimal:
    """The share to keep free: the server's own, or ours."""
    try:
        return Decimal(view.setting(server, "low_share") or _USUAL.low_share)
    except InvalidOperation:
        return _USUAL.low_share


def _low(view: View, key: PoolKey, pool: Pool) -> Trouble:
    cal, total, free = view.cal(key[1], key[2]), pool.total or 0, pool.free or 0
    return Trouble(
        Severity.WARNING,
        pool_subject(view, key),
        f"{'none' if not free else 'less than a tenth' if _share(view, key[0]) == _USUAL.low_share else 'too few'} of the {cal} CALs on {key[0]} "
        f"{'is' if not free else 'are'} free",
        f"{free:,} of {total:,} free",
        "there is no headroom for new devices and users, or for those of another license server in an outage",
        f"free what is not needed any more, or buy before the last {cal} CAL is taken; keep a tenth free on every server",
        view.command("calward pack list"),
    )


def free_for(view: View, key: PoolKey) -> list[tuple[int, int | None]]:
    """Family and number of the free CALs that would serve: of a family and newer; a number None is unlimited."""
    server, type_, family = key
    return [(own, pool.free) for own, pool in view.suiting(server, type_, family) if pool.free is None or pool.free]


def free_told(view: View, type_: PackType, free: list[tuple[int, int | None]]) -> str:
    """How many of which CALs are free."""
    return ", ".join(f"{'unlimited' if n is None else format(n, ',')} {view.cal(type_, family)}" for family, n in free)


def _over_used(view: View) -> Said:
    if not view.estate.packs and not view.estate.licenses:
        return _NO_PACKS
    return found((_over(view, key, tally) for key, tally in view.over_used.items()), Fine("no pool is over-used"))


def _over(view: View, key: PoolKey, tally: Tally) -> Trouble:
    pool = view.pools.get(key)
    have = f"{pool.total or 0:,} CALs of it are bought, {pool.free or 0:,} free" if pool else "no CAL of it is bought"
    return Trouble(
        Severity.WARNING,
        pool_subject(view, key),
        f"{view.cal(key[1], key[2])} is over-used by {tally.number:,} on {key[0]}",
        f"{have}" + (f"; {listing(tally.names, tally.number)}" if tally.names else ""),
        "users without a CAL are let in and counted; what the agreement says about that is another question",
        _covering(view, key, tally.number),
        view.command("calward license list --status over-used"),
        tally.names,
    )


def _covering(view: View, key: PoolKey, number: int) -> str:
    """What covers so much over-use: first the CALs that lie idle, then a purchase."""
    free = free_for(view, key) if key[2] != NO_FAMILY else []
    idle = number if any(one is None for _, one in free) else sum(one or 0 for _, one in free)
    if idle >= number:
        return "buy nothing: CALs that would serve lie idle (over-used-though-free)"
    first = f"beside the {idle:,} that lie idle " if idle else ""
    return f"{first}buy {counted(number - idle, 'CAL')} of it or newer, or end the licenses of users who are gone"


def _over_though_free(view: View) -> Said:
    if not view.over_used:
        return NotLooked("no pool is over-used")
    both = ((key, tally, free_for(view, key)) for key, tally in view.over_used.items() if key[2] != NO_FAMILY)
    return found(
        (_idle(view, key, tally, free) for key, tally, free in both if free), Fine("nothing that would serve lies idle")
    )


def _idle(view: View, key: PoolKey, tally: Tally, free: list[tuple[int, int | None]]) -> Trouble:
    prevented = view.setting(key[0], PREVENT) == "True"
    cause = "their next logon gives them one of these: over-use becomes a CAL then, and not before"
    if view.imported:
        cause = "the old system does not count users of older hosts against newer CALs, though these open those hosts"
    elif prevented and not any(family == key[2] for family, _ in free):
        cause = "the policy prevent_license_upgrade keeps newer CALs for newer hosts"
    return Trouble(
        Severity.WARNING,
        pool_subject(view, key),
        f"{view.cal(key[1], key[2])} is over-used by {tally.number:,} on {key[0]} while CALs that would serve lie idle",
        f"free: {free_told(view, key[1], free)}",
        cause,
        view.either(
            "wait for the next logons; or set prevent_license_upgrade to false",
            "you are covered as far as the newer CALs reach: note it for the next audit, and do not buy for this",
        ),
        view.command(f"calward server set {PREVENT}=false") if prevented else None,
        tally.names,
        inferred=view.imported,
    )


CHECKS: Final = (
    Check("headroom", "a tenth of the CALs is free", About.PLACE, _headroom),
    Check("over-used", "no pool is over-used", About.HOLDER, _over_used),
    Check("over-used-though-free", "no CAL lies idle beside over-use", About.HOLDER, _over_though_free),
)
