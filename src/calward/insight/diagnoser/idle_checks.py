"""Is every pack in use, and why not?"""

from typing import Final, NamedTuple

from calward.domain.settings import SECONDS_PER_DAY
from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.pack_checks import NO_PACKS, cals_of, pack_subject
from calward.insight.diagnoser.view import NO_FAMILY, View
from calward.insight.diagnoser.words import counted, day
from calward.insight.estate import EstatePack, EstateServer, LicenseStatus, PackType
from calward.insight.findings import Severity
from calward.insight.said import Fine, found

__all__ = ["CHECKS"]

_NEW: Final = SECONDS_PER_DAY
"""A pack installed since then has had no time to be used."""


class _Why(NamedTuple):
    """Why nothing of a pack is issued, and what helps; ``wrong``: whether something is to be done."""

    cause: str
    fix: str
    wrong: bool = True


def _nothing_issued(view: View) -> Said:
    packs = [pack for pack in view.bought() if view.alive(pack) and pack.total]
    if not packs:
        return NO_PACKS
    idle = [pack for pack in packs if not pack.issued and not _is_new(view, pack)]
    demand = _Demand(view)
    return found((_idle(view, demand, pack) for pack in idle), Fine(f"{counted(len(packs), 'pack')}, each in use"))


def _is_new(view: View, pack: EstatePack) -> bool:
    return pack.installed_at is not None and pack.installed_at > view.now - _NEW


def _idle(view: View, demand: "_Demand", pack: EstatePack) -> Trouble:
    why = _why_nothing_issued(view, demand, pack)
    since = f", installed {day(pack.installed_at)}" if pack.installed_at is not None else ""
    return Trouble(
        Severity.WARNING if why.wrong else Severity.INFO,
        pack_subject(pack),
        f"nothing of pack {pack.id} ({cals_of(pack)}) on {pack.server} is issued",
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


def _why_nothing_issued(view: View, demand: _Demand, pack: EstatePack) -> _Why:
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


CHECKS: Final = (Check("nothing-issued", "every pack is in use", About.ESTATE, _nothing_issued),)
