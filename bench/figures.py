"""How large is each benchmark, and how are its figures put together?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

__all__ = ["FULL", "TINY", "Sizes", "middle", "middle_ratio", "ratio", "table"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done. Rounds alternate between what is measured and its yardsticks, because machines are noisy."""

    rounds: int = 9
    ledger_groups: int = 32
    """Groups of 256 issues in each round, for the ledger alone and for bare inserts."""
    http_issues: int = 4_000
    http_echoes: int = 12_000
    connections: int = 64
    batches: int = 24
    batch_of: int = 250
    batch_connections: int = 4
    few: int = 10_000
    many: int = 1_000_000
    """Issued licenses at the two points of ``growth``."""
    growth_issues: int = 3_000
    growth_connections: int = 2
    devices: int = 3_000
    handshakes: int = 300
    copied_mib: int = 256
    hosts: int = 60


FULL = Sizes()
TINY = Sizes(
    rounds=1,
    ledger_groups=1,
    http_issues=40,
    http_echoes=40,
    connections=4,
    batches=4,
    batch_of=5,
    batch_connections=2,
    few=300,
    many=600,
    growth_issues=20,
    devices=40,
    handshakes=3,
    copied_mib=2,
    hosts=4,
)
"""For tests of the figures' shape: the figures themselves say nothing."""


def middle(values: Sequence[float]) -> float:
    """The median, to three significant places below one and one below a hundred."""
    found = median(values)
    return round(found, 3 if found < 1 else 2 if found < 100 else 0)  # noqa: PLR2004


def ratio(measured: float, yardstick: float) -> float:
    """How much of the yardstick was reached."""
    return round(measured / yardstick, 3)


def middle_ratio(measured: Sequence[float], yardsticks: Sequence[float]) -> float:
    """How much of the yardstick was reached in the middle one of the rounds.

    Both figures of a round were measured within the same seconds. A machine that runs at half speed for some rounds changes the
    medians of both as it happens to fall, and the ratio of medians with them; the rounds' own ratios it leaves alone.
    """
    return round(median(one / other for one, other in zip(measured, yardsticks, strict=True)), 3)


def table(figures: Mapping[str, Any], indent: str = "") -> str:
    """Figures as people read them."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{name}", table(value, indent + "  ")]
        else:
            shown = f"{value:,}" if isinstance(value, int | float) else value
            lines.append(f"{indent}{name:<{32 - len(indent)}} {shown:>14}")
    return "\n".join(lines)
