"""Can each license server issue, and is it new enough for its hosts and its CALs?"""

from collections.abc import Iterator
from typing import Final

from calward.domain.settings import SECONDS_PER_DAY
from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.view import NO_FAMILY, View
from calward.insight.diagnoser.words import counted, day, days_until, listing, verb
from calward.insight.estate import EstateHost, EstatePack, EstateServer
from calward.insight.findings import Kind, Severity, Subject
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS", "NO_HOSTS", "NO_SERVERS"]

NO_SERVERS: Final = NotLooked("the snapshot names no license server")
NO_HOSTS: Final = NotLooked(
    "the snapshot has no session hosts: import a list of them (name, version, mode, license servers)"
)
_NO_SERVER_VERSION: Final = NotLooked("the snapshot does not say of which version any license server is")
_SOON: Final = 14 * SECONDS_PER_DAY


def _not_activated(view: View) -> Said:
    known = [one for one in view.estate.servers if one.activated is not None]
    if not view.estate.servers:
        return NO_SERVERS
    if not known:
        return NotLooked("the snapshot does not say whether license servers are activated")
    off = (one for one in known if not one.activated)
    return found((_off(view, one) for one in off), Fine(f"{counted(len(known), 'license server')} activated"))


def _off(view: View, server: EstateServer) -> Trouble:
    return Trouble(
        Severity.ERROR,
        Subject(Kind.SERVER, server.name),
        f"license server {server.name} is not activated, so it gives temporary licenses only",
        f"activated: no; right to issue until: {day(server.issue_until) if server.issue_until else 'none'}",
        "it was never activated, was deactivated, or its right to issue has ended",
        view.either(
            "activate it at the clearinghouse", "activate it: RD Licensing Manager, Activate Server, needs no purchase"
        ),
        view.command("calward server activate"),
    )


def _right_ends(view: View) -> Said:
    known = [one for one in view.estate.servers if one.issue_until is not None and one.activated is not False]
    if not known:
        return NotLooked("no license server's right to issue has an end")
    ends = ((one, one.issue_until) for one in known if one.issue_until is not None)
    soon = (_ending(one, until, view) for one, until in ends if until <= view.now + _SOON)
    return found(soon, Fine(listing([f"{one.name} until {day(one.issue_until or 0)}" for one in known])))


def _ending(server: EstateServer, until: int, view: View) -> Trouble:
    over = until <= view.now
    return Trouble(
        Severity.ERROR if over else Severity.WARNING,
        Subject(Kind.SERVER, server.name),
        f"the right to issue of license server {server.name} {'has ended' if over else 'ends soon'}",
        f"it {'ended' if over else 'ends'} {day(until)}, {days_until(until, view.now)}",
        "it is renewed by itself only while the license server reaches the clearinghouse",
        "renew the activation: from then on temporary licenses only, and nothing is renewed",
        view.command("calward server activate"),
    )


def _older_than_host(view: View) -> Said:
    if not view.estate.hosts:
        return NO_HOSTS
    if all(view.family(one.version) == NO_FAMILY for one in view.estate.servers):
        return _NO_SERVER_VERSION
    too_new: dict[tuple[EstateServer, int], list[EstateHost]] = {}
    for host in view.estate.hosts:
        family = view.family(host.version)
        for server in view.servers_of(host):
            if NO_FAMILY < view.family(server.version) < family:
                too_new.setdefault((server, family), []).append(host)
    return found(
        (_too_new(view, server, family, hosts) for (server, family), hosts in too_new.items()),
        Fine("every license server is as new as the hosts that ask it"),
    )


def _too_new(view: View, server: EstateServer, family: int, hosts: list[EstateHost]) -> Trouble:
    names = [host.name for host in hosts]
    version = view.ladder.family_name(family)
    return Trouble(
        Severity.ERROR,
        Subject(Kind.SERVER, f"{server.name} {version}"),
        f"license server {server.name} ({server.version}) is older than {counted(len(hosts), 'host')} of {version}, and refuses them",
        f"{listing(names)}",
        "a license server serves hosts of its own version and older ones, whatever CALs it holds",
        f"move the CALs to a license server of {version} or newer, and let these hosts ask it",
        view.command("calward matrix --kind server-host"),
        names,
    )


def _older_than_cal(view: View) -> Said:
    packs = [pack for pack in view.bought() if pack.server in view.server]
    if not packs:
        return NotLooked("the snapshot has no packs that were bought")
    if all(view.family(one.version) == NO_FAMILY for one in view.estate.servers):
        return _NO_SERVER_VERSION
    wrong = (pack for pack in packs if _server_family(view, pack) < view.family(pack.version))
    return found((_pack_too_new(view, pack) for pack in wrong), Fine("no pack is newer than its license server"))


def _server_family(view: View, pack: EstatePack) -> int:
    """The family of a pack's server; where that is not known it is new enough."""
    family = view.family(view.server[pack.server].version)
    return len(view.ladder.rungs) if family == NO_FAMILY else family


def _pack_too_new(view: View, pack: EstatePack) -> Trouble:
    server = view.server[pack.server]
    return Trouble(
        Severity.ERROR,
        Subject(Kind.PACK, f"{pack.server} {pack.id}"),
        f"pack {pack.id} ({pack.version}) is newer than its license server {pack.server} ({server.version})",
        f"{pack.issued} of {'unlimited' if pack.total is None else pack.total} CALs are issued",
        "a license server holds CALs of its own version and older ones; it may hang or refuse when it is asked for newer ones",
        f"move the pack to a license server of {pack.version} or newer",
        view.command("calward pack show", pack.id),
    )


def _disagree(view: View) -> Said:
    if not view.estate.hosts:
        return NO_HOSTS
    if all(view.family(one.version) == NO_FAMILY for one in view.estate.servers):
        return _NO_SERVER_VERSION
    mixed: dict[tuple[EstateServer, ...], list[str]] = {}
    several = 0
    for host in view.estate.hosts:
        servers = view.servers_of(host) if view.lists_known else ()
        several += len(servers) > 1
        if len({view.family(one.version) for one in servers} - {NO_FAMILY}) > 1:
            mixed.setdefault(servers, []).append(host.name)
    nothing = (
        "every list is of one version" if several else "no host lists more than one license server of this snapshot"
    )
    return found(
        (_mixed(servers, hosts) for servers, hosts in mixed.items()), Fine(nothing) if several else NotLooked(nothing)
    )


def _mixed(servers: tuple[EstateServer, ...], hosts: list[str]) -> Trouble:
    told = ", ".join(f"{one.name} ({one.version or 'version unknown'})" for one in servers)
    return Trouble(
        Severity.WARNING,
        Subject(Kind.HOST, " ".join(one.name for one in servers)),
        f"the license servers of {counted(len(hosts), 'host')} disagree on their version",
        f"{told}; {verb(len(hosts), 'listed', 'all listed')} by {listing(hosts)}",
        "one of them was renewed and the other was not: what the newer serves in an outage the older may refuse",
        "bring the older ones up to the version of the newest, or take them off the lists",
        names=hosts,
    )


def _checks() -> Iterator[Check]:
    place = About.PLACE
    yield Check("server-not-activated", "license servers are activated", place, _not_activated)
    yield Check("issuing-right-ends", "license servers may issue for weeks to come", place, _right_ends)
    yield Check("server-older-than-host", "license servers are as new as their hosts", place, _older_than_host)
    yield Check("server-older-than-cal", "license servers are as new as their CALs", place, _older_than_cal)
    yield Check("servers-disagree", "the servers of one list are of one version", place, _disagree)


CHECKS: Final = tuple(_checks())
