"""Did a step come out as its ``expect`` says? And may that ``expect`` stand there at all?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from types import MappingProxyType
from typing import Final

from calward.app.scenarios.known import Known, cal_type
from calward.app.scenarios.tables import Expected, Table, flag, moment, one_of
from calward.domain.acceptance import AcceptanceRefusal
from calward.domain.answers import rfc3339
from calward.domain.grace import HostOutcome
from calward.domain.licenses import Change, Status
from calward.domain.reasons import Reason

__all__ = ["PAST_PARTICIPLES", "Between", "Mismatch", "mismatches", "read_expect"]

PAST_PARTICIPLES: Final = MappingProxyType(
    {
        "install": "installed",
        "remove": "removed",
        "move": "moved",
        "downgrade": "downgraded",
        "upgrade": "upgraded",
        "convert": "converted",
        "rebuild": "rebuilt",
        "revoke": "revoked",
        "release": "released",
        "activate": "activated",
        "deactivate": "deactivated",
        "set": "set",
        "down": "down",
        "up": "up",
        "look": "looked",
    }
)
"""The outcome of each step but ``connect`` when it is carried out."""

_CANNOT_BE_REFUSED: Final = frozenset({"down", "up", "look"})
_CHANGES: Final = frozenset({"downgrade", "upgrade", "convert"})
_OTHER_REASONS: Final = (
    "not-found",
    AcceptanceRefusal.PACK_NOT_HELD.value,
    AcceptanceRefusal.NOT_CONVERTIBLE.value,
    AcceptanceRefusal.NOTHING_LEFT.value,
)
"""What the clearinghouse answers and no license server does, and what a license server has not."""
_TOLERANCE_DAYS: Final = 1e-6
"""A tenth of a second: numbers are fractions of days."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number, or a time as seconds since 1970, between both, inclusive; None is no bound."""

    low: float | None
    high: float | None
    is_time: bool = False

    def holds(self, value: object) -> bool:
        """Whether a value lies there."""
        number = datetime.fromisoformat(value).timestamp() if isinstance(value, str) else value
        if not isinstance(number, int | float):
            return False
        above = self.low is None or number >= self.low - _TOLERANCE_DAYS
        return above and (self.high is None or number <= self.high + _TOLERANCE_DAYS)

    def __str__(self) -> str:
        low, high = (None if x is None else self._shown(x) for x in (self.low, self.high))
        if low == high:
            return str(low)
        return f"at least {low}" if high is None else f"at most {high}" if low is None else f"{low} to {high}"

    def _shown(self, number: float) -> str:
        return rfc3339(int(number)) if self.is_time else f"{number:g}"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """What was expected of one key of a result, and what it was, both as people read it."""

    key: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"expected {self.key} {self.expected}, got {self.got}"


def mismatches(expect: Mapping[str, object], facts: Mapping[str, object]) -> tuple[Mismatch, ...]:
    """Compare a result with what was expected of it; empty where all holds."""
    return tuple(
        Mismatch(key, _words(wanted), _words(facts.get(key)))
        for key, wanted in expect.items()
        if not _holds(wanted, facts.get(key))
    )


def _holds(wanted: object, got: object) -> bool:
    if isinstance(wanted, Between):
        return wanted.holds(got)
    if isinstance(wanted, frozenset):  # Reasons: all that are named must be among those that there were.
        return isinstance(got, list | tuple) and wanted <= set(got)
    return wanted == got


def _words(value: object) -> str:
    if value is None or value in ((), []):
        return "none"
    if isinstance(value, frozenset | list | tuple):
        return " and ".join(sorted(str(x) for x in value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def read_expect(do: str, table: Table, known: Known) -> Mapping[str, object]:
    """Read what is expected of a step; a key that its result has not is an error."""
    keys = _keys(do, known)
    found = {key: table.take(key, read, None) for key, read in keys.items()}
    table.end()
    return {key: value for key, value in found.items() if value is not None}


def _keys(do: str, known: Known) -> Mapping[str, Callable[[object], object]]:
    outcomes: tuple[str, ...] = tuple(HostOutcome)
    if do != "connect":
        outcomes = (PAST_PARTICIPLES[do],) if do in _CANNOT_BE_REFUSED else (PAST_PARTICIPLES[do], "refused")
    keys: dict[str, Callable[[object], object]] = {"outcome": one_of(outcomes)}
    if do == "connect":
        keys |= _of_connect(known)
    elif do == "look":
        keys |= dict.fromkeys(("total", "issued", "available", "over_used", "temporary"), _number)
        keys |= {"version": known.version, "type": cal_type, "bought_as": known.version}
        keys |= {"moving": known.server, "effective_at": _time}
    elif do not in _CANNOT_BE_REFUSED:
        keys["reason"] = _reasons
    if do == "move":
        keys |= {"pending": flag, "licenses": _number, "effective_at": _time}
    elif do in _CHANGES:
        keys["licenses"] = _number
    elif do == "rebuild":
        keys["packs"] = _number
    if do in {"revoke", "release"}:
        keys |= {"remaining": _number, "next_at": _time}
    return keys


def _of_connect(known: Known) -> Mapping[str, Callable[[object], object]]:
    return {
        "status": one_of(Status),
        "version": known.version,
        "type": cal_type,
        "pack": known.pack,
        "server": known.server,
        "change": one_of(Change),
        "expires_in_days": _number,
        "days_left_in_grace": _number,
        "reason": _reasons,
    }


def _reasons(value: object) -> frozenset[str]:
    """One reason or a list of them."""
    read = one_of((*Reason, *_OTHER_REASONS))
    return frozenset(map(read, value)) if isinstance(value, list) and value else frozenset({read(value)})


def _number(value: object) -> Between:
    return _between(value, _a_number, "a number or { min = …, max = … }")


def _time(value: object) -> Between:
    found = _between(value, moment, "a time with its offset or { min = …, max = … } of times")
    return Between(found.low, found.high, is_time=True)


def _between(value: object, read: Callable[[object], float], expected: str) -> Between:
    bounds = value if isinstance(value, dict) else {"min": value, "max": value}
    try:
        found = {key: read(bound) for key, bound in bounds.items()}
    except Expected:
        raise Expected(expected) from None
    if not found or not found.keys() <= {"min", "max"}:
        raise Expected(expected)
    low, high = found.get("min"), found.get("max")
    if low is not None and high is not None and low > high:
        raise Expected(f"{expected}, min not above max")
    return Between(low, high)


def _a_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise Expected("a number")
    return value
