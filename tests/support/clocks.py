"""What time and which random numbers do tests use?"""

import hashlib

NOW = 1_772_352_000
"""2026-03-01T08:00:00Z, in seconds since 1970."""
DAY = 86_400


class SetClock:
    """A clock that stands still until a test moves it (port ``Clock``)."""

    def __init__(self, now: int = NOW) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def set(self, now: int) -> int:
        self._now = now
        return now

    def pass_days(self, days: float) -> int:
        return self.set(self._now + int(days * DAY))


class CountedEntropy:
    """Randomness that anyone can foresee (port ``Entropy``): ``days`` is what it draws, as far as the limits allow."""

    def __init__(self, days: int = 60) -> None:
        self.days = days
        self.drawn: list[tuple[int, int]] = []
        self._tokens = 0

    def between(self, low: int, high: int) -> int:
        self.drawn.append((low, high))
        return min(max(self.days, low), high)

    def token(self, size: int) -> bytes:
        self._tokens += 1
        return hashlib.shake_128(self._tokens.to_bytes(8)).digest(size)
