"""Where do the pictures that tests take go, and what is on one?

``.artifacts/screenshots/`` in the checkout: git ignores it, CI may keep it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "screenshots"


@dataclass(frozen=True)
class Picture:
    """A screen: its PNG, and what share of it each color has."""

    png: bytes
    shares: Mapping[str, float]

    def share(self, color: str) -> float:
        """The share of a color (``rrggbb``), between 0 and 1; neighbors count, because clients ask for 16 bits."""
        wanted = bytes.fromhex(color)
        near = (share for other, share in self.shares.items() if _close(wanted, bytes.fromhex(other)))
        return sum(near)

    def keep(self, name: str) -> Path:
        """Keep it for people to look at."""
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        path = ARTIFACTS / f"{name}.png"
        path.write_bytes(self.png)
        return path


def _close(one: bytes, other: bytes) -> bool:
    return all(abs(a - b) <= 10 for a, b in zip(one, other, strict=True))
