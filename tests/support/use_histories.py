"""Histories of use as license servers have them: seeded, made of people who come, stay and leave.

Not drawn from the model that is to be tested: each is a population of holders, whose licenses are given and end by the rules.
"""

import random
from collections.abc import Callable, Mapping, Sequence

Counts = Sequence[int]

_USER_DAYS = 60


def _from_spans(days: int, spans: Sequence[tuple[int, int]]) -> Counts:
    change = [0] * (days + 1)
    for begin, end in spans:
        if end > 0 and begin < days:
            change[max(0, begin)] += 1
            change[min(days, max(0, end))] -= 1
    found, now = [], 0
    for one in change[:days]:
        now += one
        found.append(now)
    return found


def users(seed: int, days: int, *, start: int, joins: Callable[[int], float], stay: float) -> Counts:
    """Per-user CALs: a license lives on for sixty days after the last logon of somebody who has left."""
    chance = random.Random(seed)
    spans = [(-1, int(chance.expovariate(1 / stay)) + _USER_DAYS) for _ in range(start)]
    for day in range(days):
        if day % 7 < 5:
            spans += [
                (day, day + int(chance.expovariate(1 / stay)) + _USER_DAYS) for _ in range(_poisson(chance, joins(day)))
            ]
    return _from_spans(days, spans)


def devices(seed: int, days: int, *, start: int, joins: Callable[[int], float], life: float) -> Counts:
    """Per-device CALs: a retired device's license runs out within 52 to 89 days."""
    chance = random.Random(seed)
    spans = [(-1, int(chance.expovariate(1 / life)) + chance.randint(0, 89)) for _ in range(start)]
    for day in range(days):
        if day % 7 < 5:
            spans += [
                (day, day + int(chance.expovariate(1 / life)) + chance.randint(52, 89))
                for _ in range(_poisson(chance, joins(day)))
            ]
    return _from_spans(days, spans)


def sessions(seed: int, days: int, *, start: int, growth: float, noise: float = 0.04) -> Counts:
    """Daily peaks of use at the same time, as monitoring agents export them: work weeks, with noise."""
    chance = random.Random(seed)
    week = (1.0, 1.05, 1.04, 1.0, 0.9, 0.25, 0.2)
    return [max(0, round((start + growth * day) * week[day % 7] * chance.gauss(1, noise))) for day in range(days)]


def _poisson(chance: random.Random, mean: float) -> int:
    found, left = 0, chance.expovariate(1)
    while left < mean:
        found += 1
        left += chance.expovariate(1)
    return found


KINDS: Mapping[str, Callable[[int, int], Counts]] = {
    "steady users": lambda seed, days: users(seed, days, start=400, joins=lambda _: 2, stay=600),
    "growing users": lambda seed, days: users(seed, days, start=200, joins=lambda _: 3, stay=900),
    "shrinking users": lambda seed, days: users(seed, days, start=600, joins=lambda _: 0.5, stay=400),
    "seasonal hiring": lambda seed, days: users(
        seed, days, start=250, joins=lambda day: 8 if day % 182 < 40 else 1, stay=250
    ),
    "growing devices": lambda seed, days: devices(seed, days, start=300, joins=lambda _: 4, life=700),
    "device fleet swap": lambda seed, days: devices(
        seed, days, start=500, joins=lambda day: 12 if days - 90 < day < days - 40 else 1, life=400
    ),
    "few users": lambda seed, days: users(seed, days, start=12, joins=lambda _: 0.1, stay=500),
    "sessions, flat": lambda seed, days: sessions(seed, days, start=300, growth=0),
    "sessions, growing": lambda seed, days: sessions(seed, days, start=200, growth=0.6),
    "sessions, small": lambda seed, days: sessions(seed, days, start=25, growth=0.03, noise=0.15),
}
"""By name: a seed and a number of days in, daily counts out."""
