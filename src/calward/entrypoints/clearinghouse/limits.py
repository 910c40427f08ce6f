"""How often may one address, or one license server, ask?

A bucket for each: it holds so many requests, and fills again with time. Anybody may knock, so that a table of buckets has a bound;
the one that was used longest ago is forgotten first, and is full again by then.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.responses import Response

from calward.entrypoints.problems import problem

__all__ = ["PER_ADDRESS", "PER_SERVER", "Rate", "RateLimit", "too_many"]


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests at once, and so many a minute in the long run."""

    burst: int
    a_minute: int


PER_ADDRESS: Final = Rate(300, 120)
"""Several license servers may stand behind one address."""
PER_SERVER: Final = Rate(150, 60)
"""A move of 50 packs sends each release at least once, and twice where an answer was lost; the regular contact is hourly."""
_MOST: Final = 10_000


class RateLimit:
    """Buckets by name; safe between threads. ``clock``: seconds that only go forward."""

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = time.monotonic, most: int = _MOST) -> None:
        self._rate, self._clock, self._most = rate, clock, most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> int:
        """Take one request out of a bucket: 0 where it may pass, else the seconds after which it is worth asking again."""
        with self._lock:
            now = self._clock()
            left, at = self._buckets.pop(name, (float(self._rate.burst), now))
            left = min(float(self._rate.burst), left + (now - at) * self._rate.a_minute / 60)
            passes = left >= 1
            self._buckets[name] = (left - 1 if passes else left, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
            return 0 if passes else max(1, round((1 - left) * 60 / self._rate.a_minute))


def too_many(seconds: int) -> Response:
    """Say that it was too often, and when to come again."""
    detail = f"there were too many requests lately: ask again in {seconds} seconds"
    answer = problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", detail)
    answer.headers["Retry-After"] = str(seconds)
    return answer
