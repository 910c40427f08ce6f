"""Is each session host set up for licensing: its mode, its grace period, its way to the license server?"""

from collections.abc import Iterator
from typing import Final

from calward.domain.settings import SECONDS_PER_DAY
from calward.insight.diagnoser.check import About, Check, Said, Trouble
from calward.insight.diagnoser.server_checks import NO_HOSTS
from calward.insight.diagnoser.view import NO_FAMILY, View
from calward.insight.diagnoser.words import counted, day, days_until, listing, verb
from calward.insight.estate import EstateHost, PackType
from calward.insight.findings import Kind, Severity, Subject
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS"]

_GRACE_SOON: Final = 30 * SECONDS_PER_DAY
_SILENT: Final = 7 * SECONDS_PER_DAY


def _mode(view: View) -> Said:
    hosts = view.estate.hosts
    if not hosts:
        return NO_HOSTS
    unset = [host.name for host in hosts if host.mode is None]
    known = any(host.mode is not None for host in view.whole.hosts)
    said = {host.name for host in hosts if "mode" in host.unset}
    if not known and not any("mode" in host.unset for host in view.whole.hosts):
        return NotLooked("the snapshot does not say the licensing mode of any host")
    unset = unset if known else [name for name in unset if name in said]
    trouble = [_unset(view, unset, inferred=not said.issuperset(unset))] if unset else []
    return found(trouble, Fine(f"{counted(len(hosts), 'host')}, each with a mode"))


def _unset(view: View, names: list[str], *, inferred: bool) -> Trouble:
    number = len(names)
    others = " where the other hosts have one" if inferred else ""
    return Trouble(
        Severity.ERROR,
        Subject(Kind.ESTATE, "hosts"),
        f"the licensing mode of {counted(number, 'host')} is not set",
        f"{listing(names)}: {verb(number, 'it has', 'they have')} no mode{others}",
        "without a mode a host asks for no license; when its grace period is over it refuses everybody but administrators",
        "set per device or per user, whichever CALs were bought, by policy or in the deployment's properties",
        view.command("calward host set", names[0], "--mode", "per-user"),
        names,
        inferred=view.imported and inferred,
    )


def _version(view: View) -> Said:
    hosts = view.estate.hosts
    if not hosts:
        return NO_HOSTS
    unknown = [host.name for host in hosts if view.family(host.version) == NO_FAMILY]
    if all(view.family(host.version) == NO_FAMILY for host in view.whole.hosts):
        return NotLooked("the snapshot does not say the version of any host")
    trouble = Trouble(
        Severity.INFO,
        Subject(Kind.ESTATE, "hosts"),
        f"the version of {counted(len(unknown), 'host')} is not known, so nothing can be said about {verb(len(unknown), 'its', 'their')} CALs",
        listing(unknown),
        "the list of hosts does not say it, or calls it by a name that the version ladder does not have",
        "correct the column version in the list of hosts, and import it again",
        names=unknown,
    )
    return found([trouble] if unknown else [], Fine(f"{counted(len(hosts), 'host')}, each of a known version"))


def _grace(view: View) -> Said:
    if not view.estate.hosts:
        return NO_HOSTS
    known = [host for host in view.estate.hosts if host.grace_until is not None]
    if all(host.grace_until is None for host in view.whole.hosts):
        return NotLooked("the snapshot does not say when hosts' grace periods end")
    return found(
        _running_out(view, known), Fine(f"{counted(len(known), 'host')} with a grace period, none near its end")
    )


def _running_out(view: View, hosts: list[EstateHost]) -> Iterator[Trouble]:
    for host in hosts:
        until = host.grace_until or 0
        served = _served(view, host)
        if view.now < until <= view.now + _GRACE_SOON or (until <= view.now and not served):
            yield _ending(view, host, until, served=served)


def _served(view: View, host: EstateHost) -> bool:
    """Whether a license server that the host asks has CALs that open it; unknown is taken for yes."""
    family = view.family(host.version)
    if host.mode is None or family == NO_FAMILY:
        return True
    return any(view.suiting(one.name, PackType(host.mode), family) for one in view.servers_of(host))


def _ending(view: View, host: EstateHost, until: int, *, served: bool) -> Trouble:
    over = until <= view.now
    return Trouble(
        Severity.WARNING if served else Severity.ERROR,
        Subject(Kind.HOST, host.name),
        f"the grace period of {host.name} {'is over' if over else 'ends soon'}"
        + ("" if served else f", and no CAL opens this host: clients {'are' if over else 'will be'} refused"),
        f"it {'ended' if over else 'ends'} {day(until)}, {days_until(until, view.now)}; {_what_it_has(view, host, served=served)}",
        "a host admits clients without a CAL only until its first full license comes, or its grace period is over",
        "see that the host reaches a license server with CALs of its mode and version; nothing resets the period",
        names=(host.name,),
        inferred=view.imported and not served,
    )


def _what_it_has(view: View, host: EstateHost, *, served: bool) -> str:
    servers = [one.name for one in view.servers_of(host)]
    if not servers:
        return "it lists no license server of this snapshot"
    return f"{listing(servers)} {'has' if served else 'has no'} CALs that open it"


def _not_seen(view: View) -> Said:
    hosts = view.estate.hosts
    if not hosts:
        return NO_HOSTS
    if view.imported and all(host.seen_at is None for host in view.whole.hosts):
        return NotLooked("the snapshot does not say when hosts were seen last")
    silent = [host for host in hosts if _is_silent(view, host)]
    return found([_silent(view, silent)] if silent else [], Fine(f"{counted(len(hosts), 'host')} seen within a week"))


def _is_silent(view: View, host: EstateHost) -> bool:
    if host.seen_at is None:
        return not view.imported
    return host.seen_at < view.now - _SILENT


def _silent(view: View, hosts: list[EstateHost]) -> Trouble:
    names = [host.name for host in hosts]
    told = [f"{host.name} ({day(host.seen_at) if host.seen_at is not None else 'never'})" for host in hosts]
    return Trouble(
        Severity.WARNING,
        Subject(Kind.ESTATE, "hosts"),
        f"{counted(len(hosts), 'host')} {verb(len(hosts), 'has', 'have')} not asked for a license for a week",
        listing(told),
        "the host was switched off or retired, it cannot reach the license server, or it never took its enrollment",
        view.either(
            "on the host: calward agent doctor; remove a host that is gone",
            "see the host's event log: 1043, 1130, 1131",
        ),
        view.command("calward host list"),
        names,
    )


CHECKS: Final = (
    Check("mode-not-set", "every host has a licensing mode", About.PLACE, _mode),
    Check("host-version-unknown", "hosts' versions are known", About.PLACE, _version),
    Check("grace-ending", "no host's grace period runs out", About.PLACE, _grace),
    Check("host-not-seen", "hosts ask for licenses", About.PLACE, _not_seen),
)
