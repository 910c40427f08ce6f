"""Do the license servers fit this host, and do they agree about it?"""

from collections.abc import Callable
from datetime import MAXYEAR, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from calward.app.sessionhost.diagnosis.facts import HostFacts, ServerFacts, Told
from calward.app.sessionhost.diagnosis.findings import Check, Finding, Said, Severity
from calward.app.sessionhost.diagnosis.settings_checks import NO_SETTINGS
from calward.domain.compatibility import server_serves_host
from calward.domain.errors import LicensingError
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS"]

_SOON: Final = timedelta(days=14)
"""Before the right to issue ends: as long as buying and a holiday take."""
_NOBODY: Final = NotLooked("no license server told anything of this host")


def _heard(facts: HostFacts) -> list[tuple[ServerFacts, Told]]:
    return [(one, one.told) for one in facts.servers if one.told is not None]


def _policy_unknown(facts: HostFacts) -> Said:
    if not facts.readable:
        return NO_SETTINGS
    remembered = facts.state.memory.policy if facts.state and facts.state.memory else None
    match next(iter(_heard(facts)), None), remembered:
        case (server, told), _:
            return Fine(
                f"{told.name}, version {told.version}, {told.mode} (set by the {told.mode_from}), {told.grace_days} days of "
                f"grace, says {server.name}"
            )
        case None, None:
            return found([_NOT_KNOWN], _NOBODY)
        case _, policy:
            return Fine(
                f"version {policy.version}, {policy.mode}, {policy.grace_days} days of grace, as remembered from "
                f"{policy.heard_at:%Y-%m-%d %H:%M} UTC"
            )


_NOT_KNOWN: Final = Finding(
    Severity.ERROR,
    "this host does not know its licensing mode",
    "no license server told it now, and none ever has",
    "the host has not been able to ask a license server yet",
    "mend what keeps it from its license servers, as the other findings say; the mode itself is set there (calward host set)",
)


def _each_told(facts: HostFacts, judge: Callable[[ServerFacts, Told], Finding | None], good: str) -> Said:
    heard = _heard(facts)
    findings = [finding for server, told in heard if (finding := judge(server, told)) is not None]
    return found(findings, Fine(good) if heard else _NOBODY)


def _too_old(facts: HostFacts) -> Said:
    ladder = facts.ladder
    if ladder is None:
        return NotLooked("the version ladder is not known here")
    told = [(server, said) for server, said in _heard(facts) if said.server_version is not None]
    if not told:
        return NotLooked("no license server told its version")
    findings = []
    for server, said in told:
        try:
            serves = server_serves_host(ladder, said.server_version or "", said.version)
        except LicensingError as error:
            return NotLooked(f"another version ladder is in use there: {error.detail}")
        if not serves:
            findings.append(_older(server, said))
    return found(findings, Fine(", ".join(f"{server.name} is {said.server_version}" for server, said in told)))


def _older(server: ServerFacts, told: Told) -> Finding:
    return Finding(
        Severity.ERROR,
        f"license server {server.name} is older than this host",
        f"the license server is of version {told.server_version}, this host of {told.version}",
        "a license server serves hosts of its own version and of every older one, whatever CALs it holds",
        "use a license server of the host's version or newer; where the version was typed wrongly, correct it there",
        f"calward host set {told.name} --version {told.server_version}",
    )


def _not_activated(facts: HostFacts) -> Said:
    def judge(server: ServerFacts, told: Told) -> Finding | None:
        if told.activated is not False:
            return None
        return Finding(
            Severity.WARNING,
            f"license server {server.name} is not activated",
            "it says so itself",
            "it was set up and never activated, or was deactivated",
            "activate it: until then it gives temporary licenses only",
            "calward server activate --clearinghouse https://CLEARINGHOUSE",
        )

    if all(told.activated is None for _, told in _heard(facts)):
        return NotLooked("no license server told it")
    return _each_told(facts, judge, "every server that told it")


def _activation_ends(facts: HostFacts) -> Said:
    def judge(server: ServerFacts, told: Told) -> Finding | None:
        end = told.issue_until
        if end is None or end > facts.now + _SOON:
            return None
        over = end <= facts.now
        return Finding(
            Severity.ERROR if over else Severity.WARNING,
            f"license server {server.name}'s right to issue {'has ended' if over else 'ends soon'}",
            f"it ends {_moment(end)}, now it is {_moment(facts.now)}",
            "the clearinghouse's activation was not renewed: the license server reaches it no more, or nobody carries the file",
            "let the license server reach its clearinghouse, or renew its activation by file",
            "calward server activate --clearinghouse https://CLEARINGHOUSE",
        )

    ends = [(server, told.issue_until) for server, told in _heard(facts) if told.issue_until is not None]
    if not ends:
        return NotLooked("no license server told an end")
    return _each_told(facts, judge, "; ".join(f"{server.name} {_until(end)}" for server, end in ends))


def _until(end: datetime) -> str:
    return "without end" if end.year == MAXYEAR else f"until {end:%Y-%m-%d}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _disagree(facts: HostFacts) -> Said:
    heard = _heard(facts)
    if len(heard) < 2:  # noqa: PLR2004 - to disagree takes two
        return NotLooked("fewer than two license servers told anything of this host")
    differing = [
        f"{what}: " + ", ".join(f"{getattr(told, key)} at {server.name}" for server, told in heard)
        for key, what in (("version", "version"), ("mode", "licensing mode"), ("grace_days", "days of grace"))
        if len({getattr(told, key) for _, told in heard}) > 1
    ]
    if not differing:
        return Fine(f"{len(heard)} say the same of its version, mode and grace period")
    first = heard[0][1]
    finding = Finding(
        Severity.ERROR,
        "the license servers disagree about this host",
        "; ".join(differing),
        "it was enrolled at one and changed at another, or its group has different policies there",
        "make it the same everywhere; the first of the list that answers decides, so what users meet changes in an outage",
        f"calward host set {first.name} --version {first.version} --mode {first.mode}",
    )
    return found([finding], _NOBODY)


def _policy_servers(facts: HostFacts) -> Said:
    listed = {_place(one.name) for one in facts.servers}
    told = next((told for _, told in _heard(facts) if len(told.servers) > 1), None)
    if told is None:
        return NotLooked("no policy names several license servers")
    missing = [name for name in told.servers if _place(name) not in listed]
    finding = Finding(
        Severity.WARNING,
        "the policy names license servers that this host does not list",
        f"named and not listed: {', '.join(missing)}",
        "the policy was changed after this host's settings were written",
        f"enroll this host there as well, and add it to {facts.settings} in the policy's order: {', '.join(told.servers)}",
        f"calward host join CODE --server {missing[0] if missing else 'URL'} --token-file NEW-FILE",
    )
    return found([finding] if missing else [], Fine("every license server that the policy names is listed"))


def _place(name: str) -> tuple[str, int | None]:
    """Host and port of an address; the whole text where it has none."""
    try:
        parts = urlsplit(name)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return name, None
    return parts.hostname or name, port


CHECKS: Final = (
    Check("policy-unknown", "the policy in force, and where it is from", _policy_unknown),
    Check("server-too-old", "license servers are of this host's version or newer", _too_old),
    Check("server-not-activated", "license servers are activated", _not_activated),
    Check("activation-ends", "license servers' right to issue goes on", _activation_ends),
    Check("servers-disagree", "license servers agree about this host", _disagree),
    Check("policy-servers-differ", "all license servers of the policy are listed", _policy_servers),
)
