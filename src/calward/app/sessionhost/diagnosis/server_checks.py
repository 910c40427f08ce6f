"""Can each listed license server be asked: is it reachable, is it one at all, and does it know this host?

One step of ``Reached`` is one check: where questions to a server came no further than a step, that step's check finds it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from calward.app.sessionhost.diagnosis.facts import HostFacts, Reached, ServerFacts, TokenState
from calward.app.sessionhost.diagnosis.findings import Check, Finding, Said, Severity
from calward.app.sessionhost.diagnosis.settings_checks import NO_SERVERS
from calward.insight.said import Fine, Found, NotLooked, found

__all__ = ["CHECKS"]

_CLOCKS: Final = timedelta(seconds=60)
"""Clocks of one network differ by less; times of licenses are whole seconds."""
_SHOWN: Final = 16
"""Hex digits of a fingerprint in a sentence; the evidence has all."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What it means that questions ended here; texts take ``{name}``, ``{host}``, ``{trouble}`` and what a server shows."""

    id: str
    looks_at: str
    ended: Reached
    good: str
    what: str
    evidence: str
    cause: str
    fix: str
    command: str | None = None
    none: str = "no license server was reached"


_STEPS: Final = (
    _Step(
        "name-unknown",
        "license servers' names resolve",
        Reached.NOTHING,
        "{name} is {places}",
        "the name of license server {name} does not resolve",
        "{trouble}",
        "the name is misspelled, or this host asks another name server than the one that knows it",
        "correct the url in the settings, or the name server of this host",
        "getent ahosts {host}",
    ),
    _Step(
        "server-unreachable",
        "license servers are reachable within two seconds",
        Reached.ADDRESS,
        "{name} in {seconds}",
        "license server {name} is not reachable",
        "{trouble}",
        "it is down, listens on another port, or a firewall between drops what this host sends",
        "start it (calward serve, on that machine); open its TCP port towards this host; correct the port in the settings",
    ),
    _Step(
        "certificate-untrusted",
        "license servers' certificates can be trusted",
        Reached.PORT,
        "{name}: {pin}",
        "license server {name} shows no certificate that this host can trust",
        "{trouble}; it shows {shown}",
        "its certificate is its own, as usual, and the settings do not pin it; or it has expired, or holds for another name; or TLS "
        "is not what is spoken there",
        "compare with the fingerprint that calward serve prints on the license server; where it is the same, write it into "
        "the settings as fingerprint",
        none="no license server was reached over TLS",
    ),
    _Step(
        "fingerprint-differs",
        "license servers' certificates are the pinned ones",
        Reached.CERTIFICATE,
        "{name}: {pin}",
        "license server {name} shows another certificate than the pinned one",
        "pinned {pinned}; shown {shown}",
        "the license server has a new certificate, another server has its address now, or somebody stands between",
        "compare with the fingerprint that calward serve prints on the license server. The same: write it into the settings. "
        "Another: find out who answers there; the token was not sent",
        none="no license server was reached whose certificate is pinned",
    ),
    _Step(
        "not-a-license-server",
        "what answers is a license server",
        Reached.SERVICE,
        "{name}",
        "what answers at {name} is not a license server",
        "{trouble}",
        "the address or the port is another program's, or a proxy stands before the license server",
        "correct the url: it is what the license server prints when it starts (its first line: license server)",
    ),
    _Step(
        "not-enrolled",
        "license servers know this host",
        Reached.LICENSE_SERVER,
        "{name} knows it as {told}",
        "{name} is a license server, and this host may not ask it",
        "{whom}: {trouble}",
        "the host was never enrolled there, was removed, or a newer one-time code was redeemed, which ends the older token",
        "on the license server: calward host list; then a new code (calward host code NAME), and redeem it here",
        "calward host join CODE --server {name} --token-file NEW-FILE",
    ),
)


def _step(step: _Step) -> Check:
    def look(facts: HostFacts) -> Said:
        if not facts.servers:
            return NO_SERVERS
        asked = [one for one in facts.servers if one.reached >= step.ended and not _not_asked(one, step)]
        ended = [one for one in asked if one.reached is step.ended]
        good = "; ".join(step.good.format(**_words(one)) for one in asked if one not in ended)
        return found([_ended(step, one) for one in ended], Fine(good) if good else NotLooked(step.none))

    return Check(step.id, step.looks_at, look)


def _not_asked(server: ServerFacts, step: _Step) -> bool:
    """Whether a step had no object: no token to ask with, no certificate on a plain address, no name for a socket."""
    if step.ended is Reached.LICENSE_SERVER:
        return server.reached is step.ended and server.refusal is None
    if step.ended is Reached.CERTIFICATE:
        return server.pinned is None
    if step.ended is Reached.PORT:
        return server.reached > step.ended and server.shown is None
    return False


def _ended(step: _Step, server: ServerFacts) -> Finding:
    words = _words(server)
    what, evidence, cause, fix = (text.format(**words) for text in (step.what, step.evidence, step.cause, step.fix))
    command = step.command.format(**words) if step.command else None
    return Finding(Severity.ERROR, what, evidence, cause, fix, command)


def _words(server: ServerFacts) -> dict[str, str]:
    shown = server.shown or "none"
    return {
        "name": server.name,
        "host": server.name.partition("://")[2].rpartition(":")[0] or server.name.partition("://")[2],
        "places": ", ".join(server.places) or "-",
        "trouble": server.refusal or server.trouble or "it said nothing",
        "seconds": f"{server.seconds:.2f} s" if server.seconds is not None else "time",
        "shown": shown,
        "pinned": server.pinned or "none",
        "pin": f"pinned, {shown[:_SHOWN]}..." if server.pinned else "signed by an authority that this host trusts",
        "told": server.told.name if server.told else "-",
        "whom": _whom(server),
    }


def _whom(server: ServerFacts) -> str:
    """As whom this host asked; a token that is not known has no name, so its file must say which it was."""
    token = server.token
    written = f", written {_day(token.written_at)}" if token.written_at else ""
    return f"asked with {token.kind} token in {token.path}{written}"


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def _each(facts: HostFacts, seen: list[ServerFacts], judge: Callable[[ServerFacts], Finding | None], good: str) -> Said:
    """Judge each server that came far enough."""
    if not facts.servers:
        return NO_SERVERS
    if not seen:
        return NotLooked("no license server told it")
    findings = [finding for one in seen if (finding := judge(one)) is not None]
    return Found(tuple(findings)) if findings else Fine(good)


def _slow(facts: HostFacts) -> Said:
    half = facts.deadline_seconds / 2

    def judge(server: ServerFacts) -> Finding | None:
        if server.seconds is None or server.seconds <= half:
            return None
        return Finding(
            Severity.WARNING,
            f"license server {server.name} is slow",
            f"its first answer took {server.seconds:.2f} s; a user waits {facts.deadline_seconds:.1f} s at most",
            "the way to it is long, its name is slow to resolve, or the machine is too busy",
            "look at the name server first, then at the load of the license server; list the nearest one first",
        )

    seen = [one for one in facts.servers if one.reached >= Reached.LICENSE_SERVER and one.seconds is not None]
    return _each(facts, seen, judge, "; ".join(f"{one.name} in {one.seconds:.2f} s" for one in seen))


def _not_ready(facts: HostFacts) -> Said:
    def judge(server: ServerFacts) -> Finding | None:
        if server.ready is not False:
            return None
        return Finding(
            Severity.ERROR,
            f"license server {server.name} answers and cannot issue licenses",
            f"GET /readyz: {server.not_ready or 'not ready'}",
            "its database is away, full or damaged, or the license server is just starting",
            "look at the license server's log; calward status there says what is wrong",
            "calward status",
        )

    seen = [one for one in facts.servers if one.ready is not None]
    return _each(facts, seen, judge, ", ".join(one.name for one in seen))


def _says_nothing(facts: HostFacts) -> Said:
    def judge(server: ServerFacts) -> Finding | None:
        if server.reached is Reached.HOST or server.refusal is not None:
            return None
        return Finding(
            Severity.ERROR,
            f"license server {server.name} does not answer this host",
            server.trouble or "it said nothing",
            "it is in trouble itself, is of another release, or a proxy before it passes only some questions on",
            "look at the license server's log, and at what stands before it",
        )

    seen = [one for one in facts.servers if one.reached >= Reached.LICENSE_SERVER and _could_ask(one)]
    return _each(facts, seen, judge, ", ".join(one.name for one in seen))


def _could_ask(server: ServerFacts) -> bool:
    return server.token.state is TokenState.USABLE


def _clock(facts: HostFacts) -> Said:
    def judge(server: ServerFacts) -> Finding | None:
        if server.ahead is None or abs(server.ahead) <= _CLOCKS:
            return None
        way = "ahead of" if server.ahead > timedelta() else "behind"
        return Finding(
            Severity.WARNING,
            f"the clocks of this host and of license server {server.name} differ",
            f"the license server's clock is {abs(server.ahead)} {way} this host's",
            "one of the two machines does not take its time from the network",
            "set both clocks by NTP: while no server answers, this host's clock decides which licenses still run",
            "timedatectl set-ntp true",
        )

    seen = [one for one in facts.servers if one.ahead is not None]
    texts = [f"{one.name} within {abs(one.ahead).total_seconds():.0f} s" for one in seen if one.ahead is not None]
    return _each(facts, seen, judge, "; ".join(texts))


CHECKS: Final = (
    *(_step(step) for step in _STEPS),
    Check("server-slow", "license servers answer in time for a logon", _slow),
    Check("server-not-ready", "license servers can issue", _not_ready),
    Check("server-says-nothing", "license servers answer this host's questions", _says_nothing),
    Check("clock-differs", "the clocks agree", _clock),
)
