"""Do hosts list the license servers that they should ask?"""

from collections.abc import Callable, Iterable
from typing import Final

from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.names import plain_name
from calward.insight.diagnoser.server_checks import NO_HOSTS
from calward.insight.diagnoser.view import View
from calward.insight.diagnoser.words import counted, listing, verb
from calward.insight.estate import EstateHost
from calward.insight.findings import Kind, Severity, Subject
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS"]

_NO_LISTS: Final = NotLooked("the snapshot does not say which license servers hosts list")
_OWN: Final = NotLooked("a license server's own snapshot knows the others only by their addresses")
_SET: Final = "set the list again, by policy or in the deployment's properties"


def _same(view: View, written: str) -> str:
    """Something that is equal for two names of one server; our own hosts list addresses, whose ports tell servers apart."""
    if not view.imported:
        return written.strip().casefold().rstrip("/")
    server = view.names.find(written)
    return f"= {server.name}" if server else plain_name(written)


def _grouped(view: View, key: Callable[[EstateHost], Iterable[str]]) -> dict[str, list[str]]:
    """Names of hosts by whatever ``key`` finds in their lists."""
    found_: dict[str, list[str]] = {}
    for host in view.estate.hosts:
        for one in key(host):
            found_.setdefault(one, []).append(host.name)
    return found_


def _none(view: View) -> Said:
    if not view.estate.hosts:
        return NO_HOSTS
    if not view.lists_known and not any("servers" in host.unset for host in view.whole.hosts):
        return _NO_LISTS
    empty = [host for host in view.estate.hosts if not host.servers and (view.lists_known or "servers" in host.unset)]
    over = [host.name for host in empty if host.grace_until is not None and host.grace_until <= view.now]
    gone = set(over)
    rest = [host.name for host in empty if host.name not in gone]
    groups = (
        (over, Severity.ERROR, "the grace period is over, and clients are refused"),
        (rest, Severity.WARNING, "clients are let in only while the grace period lasts"),
    )
    return found(
        (_nowhere(view, names, severity, tail) for names, severity, tail in groups if names),
        Fine(f"{counted(len(view.estate.hosts), 'host')}, each with a list"),
    )


def _nowhere(view: View, names: list[str], severity: Severity, tail: str) -> Trouble:
    number = len(names)
    return Trouble(
        severity,
        Subject(Kind.HOST, "in grace" if severity is Severity.WARNING else "after grace"),
        f"{counted(number, 'host')} {verb(number, 'lists', 'list')} no license server; {tail}",
        listing(names),
        "the list was never set, or the policy that sets it does not reach everywhere",
        view.either("name a license server in the settings of the host", f"name a license server: {_SET}"),
        names=names,
    )


def _twice(view: View) -> Said:
    if not view.estate.hosts:
        return NO_HOSTS
    if not view.lists_known:
        return _NO_LISTS

    def doubled(host: EstateHost) -> Iterable[str]:
        seen: dict[str, str] = {}
        pairs = {}
        for written in host.servers:
            first = seen.setdefault(_same(view, written), written)
            if first is not written or host.servers.count(written) > 1:
                pairs[_same(view, written)] = f"{first} and {written}"
        return pairs.values()

    return found(
        (_doubled(pair, hosts) for pair, hosts in _grouped(view, doubled).items()), Fine("no list names a server twice")
    )


def _doubled(pair: str, hosts: list[str]) -> Trouble:
    return Trouble(
        Severity.WARNING,
        Subject(Kind.HOST, pair),
        f"{counted(len(hosts), 'host')} {verb(len(hosts), 'lists', 'list')} one license server twice",
        f"{pair} are the same server; on {listing(hosts)}",
        "two names of one machine look like two servers: there is no second one to fall back on, and users wait twice",
        "name another server in place of the second entry, or remove it",
        names=hosts,
    )


def _unknown(view: View) -> Said:
    if not view.estate.hosts:
        return NO_HOSTS
    if not view.imported:
        return _OWN
    if not view.lists_known:
        return _NO_LISTS
    if not view.whole.servers:
        return NotLooked("the snapshot names no license server to compare with")
    strangers = _grouped(view, lambda host: {plain_name(one) for one in host.servers if view.names.find(one) is None})
    return found(
        (_stranger(view, name, hosts) for name, hosts in strangers.items()),
        Fine("every listed server is in the snapshot"),
    )


def _stranger(view: View, name: str, hosts: list[str]) -> Trouble:
    known = [one.name for one in view.whole.servers]
    return Trouble(
        Severity.WARNING,
        Subject(Kind.SERVER, name),
        f"{counted(len(hosts), 'host')} {verb(len(hosts), 'lists', 'list')} {name}, which is no license server of this snapshot",
        f"on {listing(hosts)}; the snapshot has {listing(known)}",
        "the name is misspelled, the server was retired, or its files were not imported",
        f"import its files too; else correct the list: {_SET}",
        names=hosts,
    )


def _single(view: View) -> Said:
    if not view.estate.hosts:
        return NO_HOSTS
    if not view.lists_known:
        return _NO_LISTS

    def only(host: EstateHost) -> Iterable[str]:
        known = {_same(view, one) for one in host.servers}
        return known if len(known) == 1 else ()

    lone = _grouped(view, only)
    return found(
        (_lone(view, name, hosts) for name, hosts in lone.items()), Fine("every list has at least two servers")
    )


def _lone(view: View, name: str, hosts: list[str]) -> Trouble:
    shown = name.removeprefix("= ")
    others = len(view.whole.servers) > 1
    return Trouble(
        Severity.WARNING if others else Severity.INFO,
        Subject(Kind.SERVER, shown),
        f"{counted(len(hosts), 'host')} {verb(len(hosts), 'asks', 'ask')} only one license server, {shown}",
        listing(hosts),
        "when it is down new devices are refused once the grace period is used up",
        "list a second license server, in another part of the network; even one without CALs bridges an outage",
        names=hosts,
        # Where no policy of ours names servers, only the host itself knows which others it has.
        inferred=not view.imported,
    )


CHECKS: Final = (
    Check("no-license-server", "every host lists a license server", About.PLACE, _none),
    Check("server-in-list-twice", "no host lists one server twice", About.PLACE, _twice),
    Check("server-unknown", "listed license servers are known", About.PLACE, _unknown),
    Check("single-server", "every host has a second license server", About.PLACE, _single),
)
