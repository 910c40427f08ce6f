"""Histories of use as license servers have them: seeded, made of people and devices that come, connect, stay away and leave.

Not drawn from a model that is to be tested: each holder connects at a pace of its own on days when its house is open, and what is counted are
the licenses that the rules give for it (sixty days from a user's last logon; 52 to 89 days for a device, renewed in the last seven).
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from math import exp, sin, tau
from typing import NamedTuple

Counts = Sequence[float]
Open = Callable[[int], bool]
"""Does anybody work on this day? Day 0 is a Monday, the year has 365 days and begins on day 0."""

_YEAR, _BEFORE = 365, 400
"""Days that are played before the history begins, so that it does not begin with everybody's first logon."""
_USER_DAYS, _DEVICE_DAYS, _RENEWED = 60, (52, 89), 7
_WEEK = (1.0, 1.05, 1.04, 1.0, 0.9, 0.25, 0.2)
_PUBLIC = frozenset({0, 95, 98, 120, 145, 275, 359, 360, 364})


class Holder(NamedTuple):
    """Here from one day to another; connects every ``pace`` days on average."""

    begin: int
    end: float
    pace: float


def office(day: int) -> bool:
    """Work days; closed on public holidays and between the years."""
    place = day % _YEAR
    return day % 7 < 5 and place not in _PUBLIC and place < 358


def school(day: int) -> bool:
    """Terms: closed for a fortnight at Christmas and at Easter, and for nine weeks in summer."""
    place = day % _YEAR
    return day % 7 < 5 and not (place < 8 or place > 356 or 90 <= place < 104 or 175 <= place < 238)


def users(chance: random.Random, holders: Sequence[Holder], first: int, days: int, is_open: Open = office) -> Counts:
    """Per-user CALs in use: each user's license lives for sixty days after the last logon."""
    return _counted(
        first, days, (span for one in holders for span in _user(_logons(chance, one, first + days, is_open)))
    )


def devices(chance: random.Random, holders: Sequence[Holder], first: int, days: int, is_open: Open = office) -> Counts:
    """Per-device CALs in use: from a device's second connection, renewed near its end, given anew where it has ended."""
    spans = (span for one in holders for span in _device(chance, _logons(chance, one, first + days, is_open)))
    return _counted(first, days, spans)


def _logons(chance: random.Random, one: Holder, last: int, is_open: Open) -> Iterator[int]:
    day = one.begin
    while day < min(one.end, last):
        if is_open(day):
            yield day
            day += max(1, round(chance.expovariate(1 / one.pace)))
        else:
            day += 1


def _user(logons: Iterator[int]) -> Iterator[tuple[int, int]]:
    begin = end = None
    for day in logons:
        if end is not None and day > end:
            yield begin, end
            begin = None
        begin = day if begin is None else begin
        end = day + _USER_DAYS
    if end is not None:
        yield begin, end


def _device(chance: random.Random, logons: Iterator[int]) -> Iterator[tuple[int, int]]:
    next(logons, None)  # The first connection gives a temporary license, which takes no CAL.
    begin = end = None
    for day in logons:
        if end is not None and day > end:
            yield begin, end
            begin = end = None
        begin = day if begin is None else begin
        if end is None or day > end - _RENEWED:
            end = day + chance.randint(*_DEVICE_DAYS)
    if end is not None:
        yield begin, end


def _counted(first: int, days: int, spans: Iterator[tuple[int, int]]) -> Counts:
    change = [0] * (days + 1)
    for begin, end in spans:
        if end > first:
            change[min(days, max(0, begin - first))] += 1
            change[min(days, end - first)] -= 1
    return list(accumulate(change[:days]))


def staff(
    chance: random.Random,
    start: int,
    begin: int,
    last: int,
    joins: Callable[[int], float],
    stay: float,
    pace: float = 4,
) -> list[Holder]:
    """``start`` holders who have been there, and ``joins`` new ones each work day; each stays so many days on average."""
    days = [begin - 1] * start + [
        day for day in range(begin, last) if office(day) for _ in range(_poisson(chance, joins(day)))
    ]
    return [Holder(day, day + chance.expovariate(1 / stay), pace) for day in days]


def classes(chance: random.Random, each: int, begin: int, last: int, pace: float) -> list[Holder]:
    """A new class each year at the end of summer, for three years; some leave before."""
    starts = [day for day in range(begin - 3 * _YEAR, last) if day % _YEAR == 238]
    return [
        Holder(day + chance.randint(0, 20), day + min(3 * _YEAR - 60, chance.expovariate(1 / 2000)), pace)
        for day in starts
        for _ in range(_poisson(chance, each))
    ]


def sessions(
    chance: random.Random,
    first: int,
    days: int,
    level: Callable[[int], float],
    noise: float,
    week: Sequence[float] = _WEEK,
) -> Counts:
    """Daily peaks of use at the same time, as monitoring agents export them: work weeks, with noise that lasts for some days."""
    found, mood = [], 0.0
    for day in range(first, first + days):
        mood = 0.6 * mood + chance.gauss(0, noise)
        found.append(max(0, round(level(day) * week[day % 7] * (1 + mood))))
    return found


def every(step: int, counts: Counts) -> Counts:
    """What imports every so many days make of a history: straight lines between."""
    places = [*range(0, len(counts) - 1, step), len(counts) - 1]
    return [_line(places, counts, place) for place in range(len(counts))]


def _line(places: Sequence[int], counts: Counts, place: int) -> float:
    after = min(len(places) - 1, bisect_right(places, place))
    left, right = places[after - 1], places[after]
    return counts[left] + (counts[right] - counts[left]) * (place - left) / (right - left)


def _poisson(chance: random.Random, mean: float) -> int:
    found, left = 0, chance.expovariate(1)
    while left < mean:
        found += 1
        left += chance.expovariate(1)
    return found


def _holiday(day: int) -> float:
    place = day % _YEAR
    if place in _PUBLIC or place > 357:
        return 0.15
    return 0.7 if 195 <= place < 235 else 1.0


def _bought(day: int) -> float:
    return 6 if 182 <= day % _YEAR < 205 else 0.15


class Play(NamedTuple):
    """One seed's history to be: where in the years it begins, how long it is, and chance."""

    chance: random.Random
    first: int
    days: int

    @property
    def begin(self) -> int:
        return self.first - _BEFORE

    @property
    def last(self) -> int:
        return self.first + self.days

    def some_day(self) -> int:
        """A day on which something happens: within the history, most often."""
        return self.first + self.chance.randint(0, self.days)

    def people(self, start: int, joins: Callable[[int], float], stay: float, pace: float = 4) -> Counts:
        return users(
            self.chance, staff(self.chance, start, self.begin, self.last, joins, stay, pace), self.first, self.days
        )

    def machines(self, start: int, joins: Callable[[int], float], stay: float, pace: float = 3) -> Counts:
        return devices(
            self.chance, staff(self.chance, start, self.begin, self.last, joins, stay, pace), self.first, self.days
        )


def _roll_out(play: Play) -> Counts:
    """A new license server: everybody comes for the first time within some weeks, then only turnover."""
    middle, steep = play.first + play.chance.randint(10, 90), play.chance.uniform(5, 25)
    come = [play.first + max(0, round(middle - play.first + steep * play.chance.gauss(0, 1.7))) for _ in range(350)]
    newer = staff(play.chance, 0, play.first, play.last, lambda day: 0.7 if day > middle else 0, 700)
    holders = [Holder(day, day + play.chance.expovariate(1 / 700), 4) for day in come]
    return users(play.chance, [*holders, *newer], play.first, play.days)


def _merger(play: Play) -> Counts:
    day = play.some_day()
    return play.people(250, lambda now: 30 if day <= now < day + 7 else 0.5, 700)


def _growth_ends(play: Play) -> Counts:
    day = play.some_day()
    return play.people(200, lambda now: 3 if now < day else 0.8, 700)


def _campaigns(play: Play) -> Counts:
    """A call center: forty people for six weeks, every ten weeks or so."""
    day, holders = play.begin, staff(play.chance, 120, play.begin, play.last, lambda _: 0.3, 500)
    while day < play.last:
        holders += [Holder(day + play.chance.randint(0, 4), day + 42, 2) for _ in range(play.chance.randint(20, 60))]
        day += play.chance.randint(45, 95)
    return users(play.chance, holders, play.first, play.days)


def _swap(play: Play) -> Counts:
    """A fleet is replaced within six weeks: the old devices' licenses live on until they run out."""
    day = play.some_day()
    old = [Holder(play.begin - 1, day + play.chance.randint(0, 42), 3) for _ in range(300)]
    new = [Holder(day + play.chance.randint(0, 42), 10**6, 3) for _ in range(300)]
    return devices(play.chance, [*old, *new], play.first, play.days)


def _migration(play: Play) -> Counts:
    """Hosts of a newer version take their users over, department by department: the old version's CALs come free."""
    day, long = play.some_day(), play.chance.randint(60, 240)
    ends = [day + play.chance.randint(0, 8) * long // 8 for _ in range(400)]
    return users(play.chance, [Holder(play.begin - 1, end, 4) for end in ends], play.first, play.days)


def _peaks(noise: float, level: Callable[[int], float], week: Sequence[float] = _WEEK) -> Callable[[Play], Counts]:
    return lambda play: sessions(play.chance, play.first, play.days, level, noise, week)


_PLAYS: Mapping[str, Callable[[Play], Counts]] = {
    "users, steady": lambda play: play.people(400, lambda _: 0.9, 600),
    "users, growing": lambda play: play.people(200, lambda _: 1.2, 900),
    "users, growing faster": lambda play: play.people(150, lambda day: 0.5 * exp((day - play.begin) / 400), 900),
    "users, shrinking": lambda play: play.people(700, lambda _: 0.4, 500),
    "users, few": lambda play: play.people(14, lambda _: 0.04, 500),
    "users, now and then": lambda play: play.people(300, lambda _: 0.6, 700, 35),
    "users, seasonal hiring": lambda play: play.people(250, lambda day: 4 if 250 <= day % _YEAR < 330 else 0.6, 250),
    "users, campaigns": _campaigns,
    "users, a merger": _merger,
    "users, growth that ends": _growth_ends,
    "users, a new server": _roll_out,
    "users, hosts migrated": _migration,
    "users, a school": lambda play: users(
        play.chance, classes(play.chance, 150, play.begin, play.last, 8), play.first, play.days, school
    ),
    "users, imported weekly": lambda play: every(7, play.people(200, lambda _: 1.2, 900)),
    "devices, steady": lambda play: play.machines(400, lambda _: 0.5, 1100),
    "devices, growing": lambda play: play.machines(300, lambda _: 1.4, 900),
    "devices, shrinking": lambda play: play.machines(600, lambda _: 0.2, 600),
    "devices, now and then": lambda play: play.machines(300, lambda _: 0.4, 900, 15),
    "devices, fleet swapped": _swap,
    "devices, bought once a year": lambda play: play.machines(400, _bought, 1300),
    "devices, a school": lambda play: devices(
        play.chance, [Holder(play.begin - 1, 10**6, 2) for _ in range(200)], play.first, play.days, school
    ),
    "devices, imported weekly": lambda play: every(7, play.machines(300, lambda _: 0.8, 900, 6)),
    "sessions, flat": _peaks(0.04, lambda _: 300),
    "sessions, growing": lambda play: _peaks(0.04, lambda day: 200 + 0.5 * (day - play.first))(play),
    "sessions, small": lambda play: _peaks(0.12, lambda day: 25 + 0.02 * (day - play.first))(play),
    "sessions, no weekends": _peaks(0.08, lambda _: 60, (1, 1, 1, 1, 0.9, 0, 0)),
    "sessions, holidays": _peaks(0.04, lambda day: 300 * _holiday(day)),
    "sessions, a school": _peaks(0.06, lambda day: 120 if school(day - day % 7) else 4, (1, 1, 1, 1, 0.8, 0.02, 0.01)),
    "sessions, ends of months": _peaks(0.04, lambda day: 200 * (1.4 if day % 30 > 26 else 1)),
    "sessions, summer and winter": _peaks(0.04, lambda day: 200 + 60 * sin(day / _YEAR * tau)),
}


def _played(name: str, play: Callable[[Play], Counts]) -> Callable[[int, int], Counts]:
    def make(seed: int, days: int) -> Counts:
        chance = random.Random(f"{name} {seed}")
        return play(Play(chance, 10 * _YEAR + chance.randrange(_YEAR), days))

    return make


KINDS: Mapping[str, Callable[[int, int], Counts]] = {name: _played(name, play) for name, play in _PLAYS.items()}
"""By name: a seed and a number of days in, daily counts out."""
