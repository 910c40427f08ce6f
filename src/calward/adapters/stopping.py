"""How does a command wait, and end between two steps when it is told to?"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["pause", "signals_wait"]

_ENDS: Final = frozenset({signal.SIGTERM, signal.SIGINT})


@contextmanager
def signals_wait() -> Iterator[None]:
    """Hold back SIGTERM and SIGINT, so that a step is never cut in the middle; ``pause`` takes them up."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        yield
    finally:
        while signal.sigtimedwait(_ENDS, 0) is not None:
            pass  # One that came while the command was ending anyway must not kill it now.
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def pause(seconds: float) -> bool:
    """Wait; gives True at once where the command is to end. Within ``signals_wait`` only."""
    return signal.sigtimedwait(_ENDS, seconds) is not None
