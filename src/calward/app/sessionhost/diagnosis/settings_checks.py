"""Is there a list of license servers at all, and can this host show who it is?"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from calward.app.sessionhost.diagnosis.facts import HostFacts, ServerFacts, TokenState
from calward.app.sessionhost.diagnosis.findings import Check, Finding, Said, Severity
from calward.insight.said import Fine, NotLooked, found

__all__ = ["CHECKS", "NO_SERVERS", "NO_SETTINGS"]

NO_SETTINGS: Final = NotLooked("the settings cannot be read")
NO_SERVERS: Final = NotLooked("no license server is listed")
_JOIN: Final = "calward host join CODE --server https://LICENSE-SERVER:8460 --token-file /etc/calward/host.token"


def _settings_missing(facts: HostFacts) -> Said:
    if not facts.settings_missing:
        return Fine(f"{facts.settings} is there")
    finding = Finding(
        Severity.ERROR,
        f"this host has no settings: there is no {facts.settings}",
        f"{facts.settings} does not exist",
        "the host has not been enrolled at a license server yet, or its settings are in another place (--config)",
        "get a one-time code from who runs the license server (calward host enroll NAME --version V --mode M there), redeem "
        f"it here, and write what the command prints into {facts.settings}",
        _JOIN,
    )
    return found([finding], NO_SETTINGS)


def _settings_wrong(facts: HostFacts) -> Said:
    if facts.settings_missing:
        return NO_SETTINGS
    if facts.readable:
        return Fine(f"{facts.settings} can be read, and every key in it is known")
    finding = Finding(
        Severity.ERROR,
        "this host's settings cannot be used",
        facts.settings_trouble,
        "a misspelled key, a value of the wrong kind, or a file that this user may not read: nothing of it is in effect",
        "correct what is named; the page of the host's settings lists every key",
        f"${{EDITOR:-vi}} {facts.settings}",
    )
    return found([finding], NO_SETTINGS)


def _no_license_server(facts: HostFacts) -> Said:
    if not facts.readable:
        return NO_SETTINGS
    if facts.servers:
        return Fine(", ".join(one.name for one in facts.servers))
    finding = Finding(
        Severity.ERROR,
        "no license server is listed",
        f"{facts.settings} has no [[server]]",
        "nobody has told this host whom to ask",
        "name a license server: clients come in by the grace period only, and not at all after it",
        _JOIN,
    )
    return found([finding], NO_SERVERS)


def _server_twice(facts: HostFacts) -> Said:
    if len(facts.servers) < 2:  # noqa: PLR2004 - two of the same need two
        return NotLooked("fewer than two license servers are listed")
    findings = [_twice(how, names) for how, names in _same(facts.servers)]
    return found(findings, Fine(f"{len(facts.servers)} different ones"))


def _same(servers: tuple[ServerFacts, ...]) -> Iterator[tuple[str, list[str]]]:
    """Groups of entries that are one server, by the plainest sign; each group once."""
    said: set[frozenset[int]] = set()
    signs = {
        "the same address in the list": [{one.name.lower()} for one in servers],
        "the same license server by its id": [{one.told.server_id} if one.told else set() for one in servers],
        "names of one address and port": [set(one.places) for one in servers],
    }
    for how, marks in signs.items():
        counted = Counter(mark for each in marks for mark in each if mark)
        for mark in sorted(mark for mark, times in counted.items() if times > 1):
            members = frozenset(place for place, each in enumerate(marks) if mark in each)
            if members not in said:
                said.add(members)
                yield f"{how} ({mark})", [servers[place].name for place in sorted(members)]


def _twice(how: str, names: list[str]) -> Finding:
    return Finding(
        Severity.WARNING,
        f"one license server is listed {len(names)} times",
        f"{', '.join(names)}: {how}",
        "an entry was copied, or a second name of the same machine was taken for a second server",
        "keep one entry: a server that is down would be asked again, while users wait",
    )


def _single_server(facts: HostFacts) -> Said:
    if not facts.servers:
        return NO_SERVERS
    if len(facts.servers) > 1:
        return Fine(f"{len(facts.servers)} are listed")
    finding = Finding(
        Severity.NOTE,
        "only one license server is listed",
        facts.servers[0].name,
        "no second one has been set up",
        "list a second one, in another place: while the only one is down, unknown clients come in by the grace budget only. "
        "Where one is meant, say so: --ignore single-server",
    )
    return found([finding], NO_SERVERS)


def _token_missing(facts: HostFacts) -> Said:
    return _tokens(facts, {TokenState.NOT_NAMED, TokenState.MISSING, TokenState.EMPTY})


def _token_unreadable(facts: HostFacts) -> Said:
    return _tokens(facts, {TokenState.UNREADABLE})


def _token_open(facts: HostFacts) -> Said:
    return _tokens(facts, {TokenState.OPEN})


def _tokens(facts: HostFacts, states: set[TokenState]) -> Said:
    if not facts.servers:
        return NO_SERVERS
    bad = {one.token.path: one for one in facts.servers if one.token.state in states}
    good = ", ".join(sorted({str(one.token.path) for one in facts.servers if one.token.path}))
    return found([_token(one, facts) for one in bad.values()], Fine(good or "no token file is named"))


def _token(server: ServerFacts, facts: HostFacts) -> Finding:
    path = server.token.path
    join = f"calward host join CODE --server {server.name} --token-file {path or '/etc/calward/host.token'}"
    enroll = "redeem a new one-time code (calward host code NAME on the license server)"
    match server.token.state:
        case TokenState.NOT_NAMED:
            return Finding(
                Severity.ERROR,
                f"no token for license server {server.name}",
                f"{facts.settings} names no token_file for it",
                "this host has not been enrolled there, or the line is missing",
                f"name the file in token_file; where there is none, {enroll}",
                join,
            )
        case TokenState.UNREADABLE:
            return Finding(
                Severity.ERROR,
                f"the token in {path} cannot be read by {facts.user}",
                f"opening {path} as {facts.user}: permission denied",
                "the diagnosis runs as another user than the agent, or the file belongs to somebody else",
                "run the diagnosis as the user of the agent, usually root; else give the file to that user",
                "sudo calward agent doctor",
            )
        case TokenState.OPEN:
            return Finding(
                Severity.ERROR,
                f"other users can read the token in {path}",
                f"{path} is open to its group or to others",
                "the file was copied or written without care; nothing uses a token that others may have read",
                f"close it; whoever may have read it can ask as this host: then {enroll}, which ends the old token",
                f"chmod 600 {path}",
            )
        case _:
            return Finding(
                Severity.ERROR,
                f"there is no token for license server {server.name}",
                f"{path} {'does not exist' if server.token.state is TokenState.MISSING else 'holds no token'}",
                "this host has not been enrolled there, or the file was lost",
                enroll,
                join,
            )


CHECKS: Final = (
    Check("settings-missing", "the host's settings are there", _settings_missing),
    Check("settings-wrong", "the host's settings are valid", _settings_wrong),
    Check("no-license-server", "a license server is listed", _no_license_server),
    Check("server-twice", "every license server is listed once", _server_twice),
    Check("single-server", "there is a second license server", _single_server),
    Check("token-missing", "the host has a token for each license server", _token_missing),
    Check("token-unreadable", "the tokens can be read", _token_unreadable),
    Check("token-open", "nobody else can read the tokens", _token_open),
)
