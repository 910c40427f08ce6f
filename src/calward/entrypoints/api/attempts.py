"""How many wrong codes are listened to?

A code has 80 bits, so that guessing is hopeless anyway; this keeps guessers from keeping the ledger busy. It counts wrong codes of
everybody together: who floods it delays enrollment by a minute, and nothing else.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from calward.app.ports import Clock
from calward.domain.errors import LicensingError, Problem

__all__ = ["Attempts", "TooManyError"]

MOST: Final = 20
WITHIN: Final = 60
"""Seconds."""


class TooManyError(Exception):
    """Too many wrong codes lately: ask again after a minute."""


class Attempts:
    """Counts wrong codes; safe between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: deque[int] = deque(maxlen=MOST)
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Let one attempt happen; raises TooManyError instead where too many were wrong."""
        with self._lock:
            if len(self._wrong) == MOST and self._clock.now() - self._wrong[0] < WITHIN:
                raise TooManyError
        try:
            yield
        except LicensingError as error:
            if error.problem in {Problem.UNAUTHORIZED, Problem.MALFORMED}:
                with self._lock:
                    self._wrong.append(self._clock.now())
            raise
