"""Which bytes does a session host send?"""

import json
from collections.abc import Iterator, Sequence
from itertools import count

from bench.estate import user
from bench.load import message

__all__ = ["ECHO", "FULL_LICENSE", "REQUEST", "Asking"]

REQUEST = "/api/v1/licenses:request"
CONFIRM = "/api/v1/licenses:confirm"
BATCH = "/api/v1/licenses:batch"
ECHO = "/bench/echo"

FULL_LICENSE = '"status":"active"'
"""What every answer with a full license holds once."""


class Asking:
    """Requests of one host for users who have not asked before, numbered from ``first``."""

    def __init__(self, token: str, first: int) -> None:
        self._token = token
        self._numbers = count(first)

    def singles(self, size: int, path: str = REQUEST) -> list[str]:
        """So many requests for a license; the same bodies may go to ``ECHO``."""
        return [message(path, _text(body), self._token) for body in self._bodies(size)]

    def batches(self, size: int, of: int) -> list[str]:
        """So many batches of so many requests."""
        return [message(BATCH, _text({"requests": self._batch(of)}), self._token) for _ in range(size)]

    def _bodies(self, size: int) -> Iterator[dict[str, object]]:
        for _ in range(size):
            number = next(self._numbers)
            yield {"request_id": f"{number:032x}", "user": user(number)}

    def _batch(self, size: int) -> Sequence[dict[str, object]]:
        return [{"do": "request"} | body for body in self._bodies(size)]


def _text(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
