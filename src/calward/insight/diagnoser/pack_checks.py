"""For how long does each pack last, and is it in one place only?"""

from collections.abc import Iterator
from typing import Final

from calward.domain.settings import SECONDS_PER_DAY
from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.view import NO_FAMILY, View
from calward.insight.diagnoser.words import counted, day, days_until, verb
from calward.insight.estate import EstatePack
from calward.insight.findings import Kind, Severity, Subject
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS", "NO_PACKS", "cals_of", "pack_subject"]

NO_PACKS: Final = NotLooked("the snapshot has no packs that were bought")
_EXPIRING: Final = 60 * SECONDS_PER_DAY


def pack_subject(pack: EstatePack) -> Subject:
    """A pack as the subject of a finding."""
    return Subject(Kind.PACK, f"{pack.server} {pack.id}")


def cals_of(pack: EstatePack) -> str:
    """What CALs it has: ``2019/per-user``."""
    return f"{pack.version or 'unknown version'}/{pack.type.value}"


def _expiring(view: View) -> Said:
    packs = [pack for pack in view.bought() if view.alive(pack) and view.concerns(pack.type, view.family(pack.version))]
    if not packs:
        return NO_PACKS
    ends = ((pack, pack.expires_at) for pack in packs if pack.expires_at is not None)
    soon = ((pack, until) for pack, until in ends if until <= view.now + _EXPIRING)
    return found((_ends(view, pack, until) for pack, until in soon), Fine("no pack expires within two months"))


def _ends(view: View, pack: EstatePack, until: int) -> Trouble:
    elsewhere = _elsewhere(view, pack)
    short = elsewhere is not None and elsewhere < pack.issued
    return Trouble(
        Severity.ERROR if short and until <= view.now + 14 * SECONDS_PER_DAY else Severity.WARNING,
        pack_subject(pack),
        f"pack {pack.id} ({cals_of(pack)}) on {pack.server} expires {days_until(until, view.now)}",
        f"it ends {day(until)}; {pack.issued:,} of its CALs are issued, "
        f"{'unlimited' if elsewhere is None else format(elsewhere, ',')} others that would serve are free",
        "it was bought for a time; a license never outlives its pack",
        f"renew it, or buy {pack.issued - (elsewhere or 0):,} CALs more"
        if short
        else "renew it, or let it end: others take its holders",
        view.command("calward pack show", pack.id),
    )


def _elsewhere(view: View, pack: EstatePack) -> int | None:
    """How many CALs of other packs are free for the holders of this one; None: unlimited."""
    total = 0
    for family, pool in view.suiting(pack.server, pack.type, view.family(pack.version)):
        if pool.free is None:
            return None
        own = family == view.family(pack.version) and not pack.moving
        total += pool.free - ((pack.available or 0) if own else 0)
    return total


def _expired(view: View) -> Said:
    packs = list(view.bought())
    if not packs:
        return NO_PACKS
    over = [pack for pack in packs if not view.alive(pack)]
    return found((_gone(view, pack) for pack in over), Fine(f"{counted(len(packs), 'pack')}, none expired"))


def _gone(view: View, pack: EstatePack) -> Trouble:
    return Trouble(
        Severity.WARNING if pack.issued else Severity.INFO,
        pack_subject(pack),
        f"pack {pack.id} ({cals_of(pack)}) on {pack.server} has expired",
        f"it ended {day(pack.expires_at or 0)}; {pack.issued:,} of its CALs still show as issued",
        "it was bought for a time; it issues and renews nothing any more",
        "remove it, so that nobody counts on it"
        if not pack.issued
        else "renew it, or see that its holders find other CALs",
        view.command("calward pack remove", pack.id),
    )


def _moving(view: View) -> Said:
    packs = list(view.bought())
    if not packs:
        return NO_PACKS
    if view.imported:
        return NotLooked("files of another system do not say whether a pack is on its way")
    away = (pack for pack in packs if pack.moving and view.concerns(pack.type, view.family(pack.version)))
    return found((_on_its_way(view, pack) for pack in away), Fine("no pack is on its way to another license server"))


def _on_its_way(view: View, pack: EstatePack) -> Trouble:
    return Trouble(
        Severity.WARNING,
        pack_subject(pack),
        f"pack {pack.id} ({cals_of(pack)}) is on its way to another license server and still here",
        f"{pack.issued:,} of {pack.total or 0:,} CALs issued; its licenses run on and none is renewed",
        "the move was begun and its last step, at this license server, has not been done",
        "finish the move with what the clearinghouse signed, or call it off",
        view.command("calward pack list"),
    )


def _left_behind(view: View) -> Said:
    if not view.imported:
        return NotLooked("our own packs are removed by the move itself")
    packs = [pack for pack in view.bought() if view.alive(pack) and pack.total]
    if len({pack.server for pack in packs}) < 2:  # noqa: PLR2004 - one server has nothing to compare with
        return NotLooked("the snapshot has packs of one license server only")
    asked = (
        {server.name for host in view.estate.hosts for server in view.servers_of(host)} if view.lists_known else set()
    )
    return found(_twins(view, packs, asked), Fine("no pack stands on two license servers"))


def _twins(view: View, packs: list[EstatePack], asked: set[str]) -> Iterator[Trouble]:
    """Equal packs on two servers, of which one server is older, or asked by no host: what a migration leaves behind."""
    alike: dict[tuple[object, ...], list[EstatePack]] = {}
    for pack in packs:
        alike.setdefault((pack.version, pack.type, pack.program, pack.total, pack.expires_at), []).append(pack)
    for same in alike.values():
        ranked = sorted(same, key=lambda pack: _rank(view, pack, asked))
        old, new = ranked[0], ranked[-1]
        if old.server != new.server and _rank(view, old, asked) < _rank(view, new, asked):
            yield _twin(old, new, len(same))


def _rank(view: View, pack: EstatePack, asked: set[str]) -> tuple[bool, int]:
    """How much a server looks like a migration's target: it is asked, it is newer."""
    server = view.server.get(pack.server)
    return pack.server in asked, NO_FAMILY if server is None else view.family(server.version)


def _twin(old: EstatePack, new: EstatePack, number: int) -> Trouble:
    return Trouble(
        Severity.WARNING,
        pack_subject(old),
        f"pack {old.id} ({cals_of(old)}) on {old.server} looks like one that was moved to {new.server} and not removed",
        f"{counted(number, 'pack')} of {old.total or 0:,} {cals_of(old)} CALs ({old.program}); {new.server} {verb(1, 'is', 'are')} the newer "
        "license server, or the one that hosts ask",
        "a migration whose source could not be reached leaves the pack there; it must be removed by hand",
        f"if it is the same purchase, remove it on {old.server}; if both were bought, snooze this finding",
        inferred=True,
    )


CHECKS: Final = (
    Check("pack-expiring", "no pack expires soon", About.PLACE, _expiring),
    Check("pack-expired", "no pack has expired", About.ESTATE, _expired),
    Check("pack-moving", "no pack is on its way", About.PLACE, _moving),
    Check("pack-left-behind", "no moved pack is left at its source", About.ESTATE, _left_behind),
)
