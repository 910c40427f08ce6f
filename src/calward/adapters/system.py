"""What time is it, and what is random? The system's answers to the ports ``Clock`` and ``Entropy``."""

import secrets
import time

__all__ = ["SystemClock", "SystemEntropy"]


class SystemClock:
    """The system's clock, in whole seconds since 1970 (UTC)."""

    def now(self) -> int:
        """The time."""
        return int(time.time())


class SystemEntropy:
    """The system's source of unpredictable bytes."""

    def between(self, low: int, high: int) -> int:
        """A whole number between both, inclusive."""
        return low + secrets.randbelow(high - low + 1)

    def token(self, size: int) -> bytes:
        """So many unpredictable bytes."""
        return secrets.token_bytes(size)
