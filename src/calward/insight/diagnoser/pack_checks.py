"""Is each pack used, for how long still, and is it in one place only?"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from calward.domain.settings import SECONDS_PER_DAY
from calward.insight.diagnoser.check import About, Check, Fine, NotLooked, Said, Trouble, found
from calward.insight.diagnoser.view import NO_FAMILY, View
from calward.insight.diagnoser.words import counted, day, days_until, verb
from calward.insight.estate import EstatePack, EstateServer, LicenseStatus, PackType
from calward.insight.findings import Kind, Severity, Subject

__all__ = ["CHECKS", "why_nothing_issued"]

_NO_PACKS: Final = NotLooked("the snapshot has no packs that were bought")
_EXPIRING: Final = 60 * SECONDS_PER_DAY
_NEW: Final = SECONDS_PER_DAY
"""A pack installed since then has had no time to be used."""


def _subject(pack: EstatePack) -> Subject:
    return Subject(Kind.PACK, f"{pack.server} {pack.id}")


def _cals(pack: EstatePack) -> str:
    return f"{pack.version or 'unknown version'}/{pack.type.value}"


class _Why(NamedTuple):
    """Why nothing of a pack is issued, and what helps; ``wrong``: whether something is to be done."""

    cause: str
    fix: str
    wrong: bool = True


def _nothing_issued(view: View) -> Said:
    packs = [pack for pack in view.bought() if view.alive(pack) and pack.total]
    if not packs:
        return _NO_PACKS
    idle = [pack for pack in packs if not pack.issued and not _is_new(view, pack)]
    demand = _Demand(view)
    return found((_idle(view, demand, pack) for pack in idle), Fine(f"{counted(len(packs), 'pack')}, each in use"))


def _is_new(view: View, pack: EstatePack) -> bool:
    return pack.installed_at is not None and pack.installed_at > view.now - _NEW


def _idle(view: View, demand: "_Demand", pack: EstatePack) -> Trouble:
    why = why_nothing_issued(view, demand, pack)
    since = f", installed {day(pack.installed_at)}" if pack.installed_at is not None else ""
    return Trouble(
        Severity.WARNING if why.wrong else Severity.INFO,
        _subject(pack),
        f"nothing of pack {pack.id} ({_cals(pack)}) on {pack.server} is issued",
        f"0 of {pack.total:,} issued{since}",
        why.cause,
        why.fix,
        view.command("calward pack show", pack.id),
        inferred=view.imported,
    )


class _Demand:
    """Which hosts ask each server, by mode and family, and which servers give temporary licenses; made once."""

    def __init__(self, view: View) -> None:
        self.by_server: dict[str, set[tuple[PackType, int]]] = {}
        for one in view.demands:
            for server in one.servers:
                self.by_server.setdefault(server.name, set()).add((one.type, one.family))
        temporary = LicenseStatus.TEMPORARY
        self.temporary = {(server, type_) for status, (server, type_, _) in view.tallies if status is temporary}


def why_nothing_issued(view: View, demand: _Demand, pack: EstatePack) -> _Why:
    """The first reason that holds, from the license server over the hosts to the order in which CALs are taken."""
    why = _why_server(view, view.server.get(pack.server), pack)
    if why is None and view.demands:
        why = _why_hosts(view, demand.by_server.get(pack.server, set()), pack)
    return why or _why_order(view, demand, pack)


def _why_server(view: View, server: EstateServer | None, pack: EstatePack) -> _Why | None:
    if pack.moving:
        return _Why("it is on its way to another license server", "finish the move, or call it off", wrong=False)
    if server is None:
        return None
    if server.activated is False:
        return _Why(
            "its license server is not activated and gives temporary licenses only", "activate the license server"
        )
    if NO_FAMILY < view.family(server.version) < view.family(pack.version):
        return _Why("its license server is of an older version than these CALs", "move it to a newer license server")
    return None


def _why_hosts(view: View, asked: set[tuple[PackType, int]], pack: EstatePack) -> _Why | None:
    family = view.family(pack.version)
    if not asked:
        return _Why(
            f"no host lists {pack.server}", "let hosts ask this license server, or move the pack to one that they ask"
        )
    if any(type_ is pack.type and wanted <= family for type_, wanted in asked):
        return None
    if any(type_ is pack.type for type_, _ in asked):
        return _Why(
            f"all hosts of this mode are newer than {pack.version}: these CALs open none of them",
            "buy or convert to CALs of the hosts' version; these serve older hosts only",
        )
    other = next(type_ for type_, _ in asked)
    return _Why(
        f"all hosts that ask {pack.server} are set to {other.value}: they never take {pack.type.value} CALs",
        f"set hosts to {pack.type.value}, or convert the pack",
    )


def _why_order(view: View, demand: _Demand, pack: EstatePack) -> _Why:
    family = view.family(pack.version)
    pool = view.pools.get((pack.server, pack.type, family))
    if pool and any(one is not pack and one.issued for one in pool.packs):
        return _Why(
            "another pack of the same version and type is used up first", "nothing: it is a reserve", wrong=False
        )
    prevented = view.setting(pack.server, "prevent_license_upgrade") == "True"
    asked = demand.by_server.get(pack.server, set())
    if prevented and (pack.type, family) not in asked:
        return _Why(
            "the policy prevent_license_upgrade keeps it for hosts of its own version, and there is none",
            "nothing until such a host comes; or set prevent_license_upgrade to false",
            wrong=False,
        )
    older = [own for own, one in view.by_place.get((pack.server, pack.type), ()) if own < family and one.issued]
    if older:
        names = ", ".join(view.ladder.family_name(own) for own in older)
        return _Why(
            f"hosts take the oldest CALs that open them first: those of {names}",
            "nothing: it is a reserve",
            wrong=False,
        )
    if (pack.server, pack.type) in demand.temporary:
        return _Why(
            "devices have had their first, temporary licenses only: a full one comes with the second logon",
            "wait for the next logons",
            wrong=False,
        )
    return _Why(
        "nobody has asked for such a license yet",
        "connect once to a host of this mode, then look again; where clients were refused, see the host's own log",
    )


def _expiring(view: View) -> Said:
    packs = [pack for pack in view.bought() if view.alive(pack) and view.concerns(pack.type, view.family(pack.version))]
    if not packs:
        return _NO_PACKS
    ends = ((pack, pack.expires_at) for pack in packs if pack.expires_at is not None)
    soon = ((pack, until) for pack, until in ends if until <= view.now + _EXPIRING)
    return found((_ends(view, pack, until) for pack, until in soon), Fine("no pack expires within two months"))


def _ends(view: View, pack: EstatePack, until: int) -> Trouble:
    elsewhere = _elsewhere(view, pack)
    short = elsewhere is not None and elsewhere < pack.issued
    return Trouble(
        Severity.ERROR if short and until <= view.now + 14 * SECONDS_PER_DAY else Severity.WARNING,
        _subject(pack),
        f"pack {pack.id} ({_cals(pack)}) on {pack.server} expires {days_until(until, view.now)}",
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
        return _NO_PACKS
    over = [pack for pack in packs if not view.alive(pack)]
    return found((_gone(view, pack) for pack in over), Fine(f"{counted(len(packs), 'pack')}, none expired"))


def _gone(view: View, pack: EstatePack) -> Trouble:
    return Trouble(
        Severity.WARNING if pack.issued else Severity.INFO,
        _subject(pack),
        f"pack {pack.id} ({_cals(pack)}) on {pack.server} has expired",
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
        return _NO_PACKS
    if view.imported:
        return NotLooked("files of another system do not say whether a pack is on its way")
    away = (pack for pack in packs if pack.moving and view.concerns(pack.type, view.family(pack.version)))
    return found((_on_its_way(view, pack) for pack in away), Fine("no pack is on its way to another license server"))


def _on_its_way(view: View, pack: EstatePack) -> Trouble:
    return Trouble(
        Severity.WARNING,
        _subject(pack),
        f"pack {pack.id} ({_cals(pack)}) is on its way to another license server and still here",
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
        _subject(old),
        f"pack {old.id} ({_cals(old)}) on {old.server} looks like one that was moved to {new.server} and not removed",
        f"{counted(number, 'pack')} of {old.total or 0:,} {_cals(old)} CALs ({old.program}); {new.server} {verb(1, 'is', 'are')} the newer "
        "license server, or the one that hosts ask",
        "a migration whose source could not be reached leaves the pack there; it must be removed by hand",
        f"if it is the same purchase, remove it on {old.server}; if both were bought, snooze this finding",
        inferred=True,
    )


CHECKS: Final = (
    Check("nothing-issued", "every pack is in use", About.ESTATE, _nothing_issued),
    Check("pack-expiring", "no pack expires soon", About.PLACE, _expiring),
    Check("pack-expired", "no pack has expired", About.ESTATE, _expired),
    Check("pack-moving", "no pack is on its way", About.PLACE, _moving),
    Check("pack-left-behind", "no moved pack is left at its source", About.ESTATE, _left_behind),
)
