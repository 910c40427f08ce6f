"""How does a scenario draw at random and yet come out the same each time?"""

import hashlib

__all__ = ["SeededEntropy"]


class SeededEntropy:
    """Draws from a seed: the same seed and the same questions give the same answers, on every machine.

    Fulfills ``ports.Entropy`` for scenarios and tests only: whoever knows the seed knows the draws.
    """

    def __init__(self, seed: str) -> None:
        self._seed, self._drawn = seed.encode(), 0

    def between(self, low: int, high: int) -> int:
        """Draw a whole number between both, inclusive."""
        return low + int.from_bytes(self.token(8), "big") % (high - low + 1)

    def token(self, size: int) -> bytes:
        """Draw so many bytes, at most 64."""
        self._drawn += 1
        return hashlib.blake2b(self._drawn.to_bytes(8, "big"), key=self._seed[:64], digest_size=size).digest()
