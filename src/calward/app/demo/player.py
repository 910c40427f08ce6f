"""How does the demo's history get into a ledger? Day by day, in the story's time, through the use cases."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import Final

from calward.app.demo.acts import Act
from calward.app.demo.administration import administer
from calward.app.demo.estate import CROWDS, DAYS, Crowd, Person
from calward.app.demo.history import HISTORY
from calward.app.demo.stage import Stage
from calward.app.licensing.confirm_license import ConfirmLicense
from calward.app.licensing.issue_license import IssueLicense
from calward.app.licensing.requests import Confirmation, Request
from calward.app.licensing.sweep import sweep
from calward.app.scenarios.entropy import SeededEntropy
from calward.domain.errors import LicensingError
from calward.domain.licenses import Status
from calward.domain.settings import SECONDS_PER_DAY

__all__ = ["Summary", "first_second", "play"]

SEED: Final = "calward demo"
SLOT: Final = 10
"""Minutes: who logs on within so many shares a moment, and with it a commit."""
RUSH: Final = 15
"""Slots over which a crowd's logons of one day spread."""
SATURDAY, SUNDAY = 5, 6
_END_OF_DAY: Final = 24 * 60 - 10


@dataclass(frozen=True, slots=True)
class Summary:
    """What came out: acts by kind and outcome, answers to hosts by status or first reason."""

    acts: Counter[tuple[str, str]] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Logon:
    """Somebody logs on at a host, at a minute of the day."""

    minute: int
    person: Person
    host: str
    confirms: bool


def first_second(now: int) -> int:
    """When the history begins, so that it ends now: at a midnight (UTC)."""
    return now - now % SECONDS_PER_DAY - DAYS * SECONDS_PER_DAY


def play(stage: Stage, *, until: int, progress: Callable[[float], None] = lambda _share: None) -> Summary:
    """Play the history; nothing happens after ``until`` (seconds since 1970), when its last day is. Raises LicensingError."""
    begin = first_second(until)
    summary, chance = Summary(), SeededEntropy(SEED)
    for day in range(DAYS + 1):
        _play_day(day, stage, begin, until, chance, summary)
        progress((day + 1) / (DAYS + 1))
    return summary


def _play_day(day: int, stage: Stage, begin: int, until: int, chance: SeededEntropy, summary: Summary) -> None:
    midnight = begin + day * SECONDS_PER_DAY
    logons = sorted(_logons(day, datetime.fromtimestamp(midnight, UTC).weekday(), chance), key=attrgetter("minute"))
    events: list[Act | list[Logon]] = [act for act in HISTORY if act.day == day]
    events += [list(group) for _, group in groupby(logons, attrgetter("minute"))]
    for event in sorted(events, key=_minute):
        at = midnight + _minute(event) * 60
        if at > until:
            return
        stage.clock.go_to(at)
        if isinstance(event, Act):
            summary.acts[type(event).__name__, _administer(event, stage, begin)] += 1
        else:
            _log_on(event, stage, summary)
    stage.clock.go_to(min(midnight + _END_OF_DAY * 60, until))
    while stage.ledger.write(lambda book: sweep(book, now=book.now())):
        pass
    stage.end_of_day()


def _minute(event: Act | list[Logon]) -> int:
    return event.minute if isinstance(event, Act) else event[0].minute


def _administer(act: Act, stage: Stage, begin: int) -> str:
    try:
        return administer(act, stage, begin)
    except LicensingError as error:
        return error.problem.value


def _logons(day: int, weekday: int, chance: SeededEntropy) -> Iterator[Logon]:
    """Who logs on this day, when and where. Chance is asked the same questions whatever the day, so that weekdays only choose."""
    for crowd in CROWDS:
        works = crowd.first_day <= day <= crowd.last_day and weekday < (SUNDAY if crowd.saturdays else SATURDAY)
        for person in crowd.members:
            comes, slot, visits, which = (chance.between(*x) for x in ((1, 100), (0, RUSH - 1), (1, 100), (0, 59)))
            if works and comes <= crowd.share:
                hosts = _hosts(crowd, visits=visits <= crowd.visit_share)
                yield Logon(crowd.opens + slot * SLOT, person, hosts[which % len(hosts)], crowd.confirms)


def _hosts(crowd: Crowd, *, visits: bool) -> Sequence[str]:
    return crowd.visits if visits else crowd.hosts


def _log_on(logons: list[Logon], stage: Stage, summary: Summary) -> None:
    """All who come at one moment: their hosts ask, and a minute later confirm those who are new."""
    now = stage.clock.now()
    asked = [(x, Request(x_command, stage.entropy)) for x in logons if (x_command := _command(x, stage, now))]
    answers = stage.ledger.write_all([request for _, request in asked])
    confirmations = []
    for (logon, request), event in zip(asked, answers, strict=True):
        if isinstance(event, Exception):
            raise event
        summary.answers[_answer(event)] += 1
        if logon.confirms and event.get("status") == Status.TEMPORARY:
            confirmations.append(Confirmation(ConfirmLicense(request.command.host, event["license"])))
    if confirmations:
        stage.clock.go_to(now + 60)
        for found in stage.ledger.write_all(confirmations):
            if isinstance(found, Exception):
                raise found


def _command(logon: Logon, stage: Stage, now: int) -> IssueLicense | None:
    """What the host asks; None where it is not there (any more)."""
    host = stage.host_tokens.host_of(stage.tokens.get(logon.host, ""))
    if host is None:
        return None
    person = logon.person
    return IssueLicense(host, f"{now}-{person.key}", person.kind, person.key, person.label)


def _answer(event: dict[str, object]) -> str:
    if "status" in event:
        return str(event["status"])
    reasons = event["reasons"]
    return str(reasons[0]) if isinstance(reasons, list) else "refused"
