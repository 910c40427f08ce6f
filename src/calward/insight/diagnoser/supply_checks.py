"""Are there CALs that open each host: of its mode, of its version or newer, and free?"""

from collections.abc import Callable, Iterator
from typing import Final

from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.server_checks import NO_HOSTS
from calward.insight.diagnoser.view import Demand, View
from calward.insight.diagnoser.words import counted, listing, verb
from calward.insight.estate import PackType
from calward.insight.findings import Kind, Severity, Subject
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS"]

_NEEDS: Final = NotLooked("the snapshot does not say version and mode of any host")
_NO_SERVER: Final = NotLooked("no host lists a license server of this snapshot")
_OTHER: Final = {PackType.PER_DEVICE: PackType.PER_USER, PackType.PER_USER: PackType.PER_DEVICE}


def _each(judge: Callable[[View, Demand], Trouble | None], good: str) -> Callable[[View], Said]:
    """Judge every group of hosts that ask a license server of the snapshot."""

    def look(view: View) -> Said:
        if not view.estate.hosts:
            return NO_HOSTS
        if not view.demands:
            return _NEEDS
        served = [one for one in view.demands if one.servers]
        if not served:
            return _NO_SERVER
        return found(filter(None, (judge(view, one) for one in served)), Fine(good))

    return look


def _of_type(view: View, demand: Demand, type_: PackType) -> Iterator[tuple[str, int, int]]:
    """Server, family and how many are free (an unlimited pool: 1) of each pool of a type on the servers that are asked."""
    for server in demand.servers:
        for family, pool in view.by_place.get((server.name, type_), ()):
            yield server.name, family, 1 if pool.free is None else pool.free


def _opening(view: View, demand: Demand, type_: PackType) -> list[tuple[str, int, int]]:
    return [one for one in _of_type(view, demand, type_) if one[1] >= demand.family]


def _who(demand: Demand) -> str:
    number = len(demand.hosts)
    return f"{counted(number, 'host')} of {demand.version} {verb(number, 'is', 'are')} licensed {demand.type.value.replace('-', ' ')}"


def _subject(demand: Demand) -> Subject:
    servers = "+".join(one.name for one in demand.servers)
    return Subject(Kind.HOST, f"{servers} {demand.version}/{demand.type.value}")


def _names(demand: Demand) -> list[str]:
    return [host.name for host in demand.hosts]


def _asked(demand: Demand) -> str:
    return listing([one.name for one in demand.servers])


def _type_differs(view: View, demand: Demand) -> Trouble | None:
    other = _OTHER[demand.type]
    theirs = _opening(view, demand, other)
    if not theirs or _opening(view, demand, demand.type):
        return None
    number = sum(free for _, _, free in theirs)
    return Trouble(
        Severity.ERROR,
        _subject(demand),
        f"{_who(demand)}, and only {other.value} CALs would open {verb(len(demand.hosts), 'it', 'them')}",
        f"{listing(_names(demand))}; {_asked(demand)}: {number:,} {other.value} CALs free, no {demand.type.value} CAL of {demand.version} or newer",
        "the host's mode alone decides which type it asks for; CALs of the other type are never given",
        f"set the hosts to {other.value}, or convert CALs to {demand.type.value} where your agreement allows it",
        view.command("calward host set", demand.hosts[0].name, "--mode", other.value),
        _names(demand),
    )


def _too_old(view: View, demand: Demand) -> Trouble | None:
    have = sorted({family for _, family, _ in _of_type(view, demand, demand.type)})
    if not have or _opening(view, demand, demand.type):
        return None
    versions = ", ".join(view.ladder.family_name(family) for family in have)
    return Trouble(
        Severity.ERROR,
        _subject(demand),
        f"{_who(demand)}, and all {demand.type.value} CALs are older",
        f"{listing(_names(demand))}; {_asked(demand)} {verb(len(demand.servers), 'has', 'have')} {demand.type.value} CALs of {versions}",
        "a CAL opens hosts of its own version and older ones, never newer ones, on whichever server it is installed",
        f"buy {demand.type.value} CALs of {demand.version} or newer, or let these users work on older hosts",
        view.command("calward matrix"),
        _names(demand),
    )


def _no_pack(view: View, demand: Demand) -> Trouble | None:
    if any(True for _ in _of_type(view, demand, demand.type)) or _opening(view, demand, _OTHER[demand.type]):
        return None
    return Trouble(
        Severity.ERROR,
        _subject(demand),
        f"{_who(demand)}, and no pack of {demand.type.value} CALs is installed for {verb(len(demand.hosts), 'it', 'them')}",
        f"{listing(_names(demand))}; {_asked(demand)}: number of licenses available for clients: 0",
        "nothing was installed on the servers that these hosts ask, or it has expired",
        f"install {demand.type.value} CALs of {demand.version} or newer on {_asked(demand)}",
        view.command("calward pack install FILE"),
        _names(demand),
    )


def _none_free(view: View, demand: Demand) -> Trouble | None:
    have = _opening(view, demand, demand.type)
    if not have or any(free for _, _, free in have):
        return None
    what = "new devices get temporary licenses, and are refused after them"
    if demand.type is PackType.PER_USER:
        what = "new users are recorded as over-use, or refused where CALs are enforced"
    versions = ", ".join(view.cal(demand.type, family) for family in sorted({family for _, family, _ in have}))
    return Trouble(
        Severity.WARNING,
        _subject(demand),
        f"no CAL that opens {counted(len(demand.hosts), 'host')} of {demand.version} is free: {what}",
        f"{listing(_names(demand))}; all {versions} CALs of {_asked(demand)} are taken",
        "more devices or users work there than CALs were bought, or some hold CALs that they do not need",
        f"free CALs of devices or users that are gone, or buy {demand.type.value} CALs of {demand.version} or newer",
        view.command("calward pack list"),
        _names(demand),
    )


CHECKS: Final = (
    Check(
        "cal-type-differs",
        "CALs are of the type of the hosts' mode",
        About.PLACE,
        _each(_type_differs, "for every host there are CALs of its mode, or none at all"),
    ),
    Check(
        "cal-older-than-host",
        "CALs are as new as the hosts",
        About.PLACE,
        _each(_too_old, "no host has only older CALs"),
    ),
    Check(
        "no-pack-for-host",
        "packs are installed for every host",
        About.PLACE,
        _each(_no_pack, "there are packs for every host"),
    ),
    Check(
        "no-cal-free",
        "a CAL is free for every host",
        About.PLACE,
        _each(_none_free, "a CAL is free for every host that has any"),
    ),
)
