"""What do hosts themselves say of the way to their license servers: by the state of each connection, and by the events they have logged?

Source: rd-licensing 7.7 (states), 9.2 (events), 10.2 (the old diagnoser's problems). Only lists of another system's hosts have them; our own
hosts are looked at from where they stand, by ``calward agent doctor``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.server_checks import NO_HOSTS
from calward.insight.diagnoser.view import NO_FAMILY, View
from calward.insight.diagnoser.words import counted, listing, verb
from calward.insight.estate import EstateHost
from calward.insight.findings import Kind, Severity, Subject
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS", "FINE_STATES"]

FINE_STATES: Final = frozenset({1, 2, 9, 11})
"""States of a connection in which a host gets licenses."""
_OUR_HOSTS: Final = NotLooked("hosts of ours are looked at from where they stand: calward agent doctor")
_NO_STATES: Final = NotLooked(
    "the list of hosts has neither the state of their connections to license servers nor their events"
)


@dataclass(frozen=True, slots=True)
class _Symptom:
    """One thing that hosts say. ``states`` and ``events``: by which of them; ``what`` takes how many hosts say it."""

    id: str
    looks_at: str
    states: frozenset[int]
    events: frozenset[int]
    severity: Severity
    what: str
    cause: str
    fix: str


_SYMPTOMS: Final = (
    _Symptom(
        "server-unreachable",
        "hosts reach the license servers they list",
        frozenset({6}),
        frozenset({1131, 1157}),
        Severity.WARNING,
        "a license server cannot be reached from {}",
        "the machine or its service is down, the role was removed, a firewall is between, or the name is wrong",
        "start the service, open the ports (RPC: 135 and the dynamic ones), correct the name in the list",
    ),
    _Symptom(
        "server-not-readable",
        "license servers may be asked about themselves",
        frozenset({8}),
        frozenset(),
        Severity.INFO,
        "a license server told nothing of itself when it was asked from {}",
        "whoever made the list is no administrator of that license server; licensing itself needs no such right",
        "make the list as an administrator of the license servers, else nothing can be said about them from there",
    ),
    _Symptom(
        "host-not-in-group",
        "hosts are allowed to ask",
        frozenset({5}),
        frozenset({1043, 1160}),
        Severity.ERROR,
        "a license server refuses {}: its policy lets only members of a group ask",
        "the policy License server security group is on, and the host is not in the group RDS Endpoint Servers there",
        "add the host to that local group of the license server, or switch the policy off",
    ),
    _Symptom(
        "server-refuses-version",
        "license servers serve hosts of these versions",
        frozenset({4}),
        frozenset({1132, 1158}),
        Severity.ERROR,
        "a license server is too old for {}, as hosts say",
        "a license server serves hosts of its own version and older ones, whatever CALs it holds",
        "move the CALs to a license server of the hosts' version or newer, and let these hosts ask it",
    ),
    _Symptom(
        "build-mismatch",
        "hosts and license servers are of one kind of build",
        frozenset({3}),
        frozenset(),
        Severity.ERROR,
        "a license server and {} are not both of released builds",
        "one of the two runs a preview: such a pair does not exchange licenses",
        "install the same kind of build on both",
    ),
    _Symptom(
        "host-certificate-invalid",
        "hosts' licensing certificates are valid",
        frozenset(),
        frozenset({1133, 1159}),
        Severity.ERROR,
        "the licensing certificate of {} is not valid (event 1133)",
        "the certificate that the license server once gave to the host is damaged or of another server",
        "delete the values Certificate, X509 Certificate, X509 Certificate ID and X509 Certificate2 under "
        r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\RCM, and restart the host",
    ),
)


def _look(symptom: _Symptom) -> Callable[[View], Said]:
    def look(view: View) -> Said:
        if not view.estate.hosts:
            return NO_HOSTS
        if not view.imported:
            return _OUR_HOSTS
        if not any(_tells(host, symptom) for host in view.whole.hosts):
            return _NO_STATES
        return found(_all(view, symptom), Fine(f"{counted(len(view.estate.hosts), 'host')}, none says otherwise"))

    return look


def _tells(host: EstateHost, symptom: _Symptom) -> bool:
    return bool((symptom.states and host.reach) or (symptom.events and host.events is not None))


def _all(view: View, symptom: _Symptom) -> Iterator[Trouble]:
    """A finding a license server; one for all hosts of which only an event tells, as events name no server here."""
    by_server: dict[str, list[EstateHost]] = {}
    by_event: list[EstateHost] = []
    for host in view.estate.hosts:
        servers = [written for written, state in zip(host.servers, host.reach, strict=False) if state in symptom.states]
        for written in servers:
            if not _is_told_by_versions(view, symptom, host, written):
                known = view.names.find(written)
                by_server.setdefault(known.name if known else written, []).append(host)
        if not servers and symptom.events & set(host.events or ()) and not (symptom.states and host.reach):
            by_event.append(host)
    for server, hosts in by_server.items():
        yield _trouble(symptom, Subject(Kind.SERVER, server), hosts, f"license server {server}")
    if by_event:
        seen = sorted(symptom.events & {event for host in by_event for event in host.events or ()})
        yield _trouble(symptom, Subject(Kind.HOST, "events"), by_event, f"event {', '.join(map(str, seen))}")


def _is_told_by_versions(view: View, symptom: _Symptom, host: EstateHost, written: str) -> bool:
    """Whether ``server-older-than-host`` says the same, from versions."""
    server = view.names.find(written)
    if symptom.id != "server-refuses-version" or server is None:
        return False
    return NO_FAMILY < view.family(server.version) < view.family(host.version)


def _trouble(symptom: _Symptom, subject: Subject, hosts: list[EstateHost], where: str) -> Trouble:
    names = [host.name for host in hosts]
    cut_off = [host.name for host in hosts if symptom.states and _is_cut_off(host)]
    severity = Severity.ERROR if cut_off and symptom.severity is Severity.WARNING else symptom.severity
    tail = f"; {listing(cut_off)} {verb(len(cut_off), 'has', 'have')} no other" if cut_off else ""
    return Trouble(
        severity,
        subject,
        symptom.what.format(counted(len(hosts), "host")),
        f"{where}: {listing(names)}{tail}",
        symptom.cause,
        symptom.fix,
        names=names,
    )


def _is_cut_off(host: EstateHost) -> bool:
    return bool(host.reach) and not FINE_STATES & set(host.reach)


CHECKS: Final = tuple(Check(one.id, one.looks_at, About.PLACE, _look(one)) for one in _SYMPTOMS)
