"""Which numbers and policies govern licensing, and where do they come from?

Every number of the product stands here and nowhere else. "[LIC n]" names a section of the domain reference that we keep:
the periods were published by Microsoft for its own system, of which ours is the successor.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["SECONDS_PER_DAY", "PerUser", "Settings", "changed"]

SECONDS_PER_DAY = 86_400

_MAX_DAYS = 36_500
"""A century: more is a slip of the pen, and would run out of the calendar."""


class PerUser(StrEnum):
    """What happens to a user when no CAL is free."""

    TRACK = "track"
    """Let in and recorded as over-use, as the old system does."""
    ENFORCE = "enforce"
    """Refused."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The rules' numbers. Days are whole days of 86,400 seconds; shares lie between 0 and 1."""

    temporary_days: int = 90
    """Life of a temporary license [LIC 3.1]."""
    full_days_min: int = 52
    """Shortest life of a full per-device license [LIC 3.1]; the life is drawn once at issue and at renewal."""
    full_days_max: int = 89
    """Longest life of a full per-device license [LIC 3.1]."""
    renew_within_days: int = 7
    """A per-device license is renewed when at most so much is left [LIC 3.1]."""
    user_days: int = 60
    """Life of a per-user license from the last logon [LIC 3.4]."""
    revocable_share: Decimal = Decimal("0.20")
    """Share of the installed per-device CALs of a family that may be revoked at a time [LIC 6]."""
    grace_days: int = 120
    """Grace period of a session host, unless the ladder knows another for its version [LIC 3.2]; 0 = none."""
    prevent_license_upgrade: bool = False
    """Keep newer CALs for newer hosts (the old policy "Prevent license upgrade") [LIC 2.4]."""
    per_user: PerUser = PerUser.TRACK
    low_share: Decimal = Decimal("0.10")
    """Event 20 when at most this share of a family's CALs is free (the old system's figure is not published; ours)."""

    def __post_init__(self) -> None:
        """Hold what no setting may break; raises LicensingError(MALFORMED)."""
        for name in ("temporary_days", "full_days_min", "full_days_max", "user_days"):
            _require(1 <= getattr(self, name) <= _MAX_DAYS, name, f"1 to {_MAX_DAYS} days")
        for name in ("renew_within_days", "grace_days"):
            _require(0 <= getattr(self, name) <= _MAX_DAYS, name, f"0 to {_MAX_DAYS} days")
        _require(self.full_days_min <= self.full_days_max, "full_days_min", "at most full_days_max")
        for name in ("revocable_share", "low_share"):
            share: Decimal = getattr(self, name)
            _require(share.is_finite() and 0 <= share <= 1, name, "a share between 0 and 1")


def changed(settings: Settings, values: Mapping[str, object]) -> Settings:
    """The settings with ``values`` in place of theirs; raises LicensingError(MALFORMED) that names the key."""
    known = {field.name: getattr(settings, field.name) for field in fields(settings)}
    for key in values:
        _require(key in known, key, f"one of {', '.join(known)}")
    return replace(settings, **{key: _read(key, known[key], value) for key, value in values.items()})  # type: ignore[arg-type]


_STRANGE: Final = re.compile(r"[_\s]|[^\x00-\x7f]")
"""What Python takes in a number and nobody writes there: ``6_0``, spaces, digits of other scripts."""


def _read(key: str, old: object, value: object) -> object:
    """One value as the type that the setting has."""
    text = _STRANGE.sub("?", str(value))
    if isinstance(old, bool):
        _require(text.lower() in {"true", "false"}, key, "true or false")
        return text.lower() == "true"
    if isinstance(old, PerUser):
        _require(text in set(PerUser), key, "track or enforce")
        return PerUser(text)
    try:
        _require(not isinstance(value, bool), key, "a number")
        return Decimal(text) if isinstance(old, Decimal) else int(text)
    except (ValueError, ArithmeticError):
        number = "a number between 0 and 1" if isinstance(old, Decimal) else "a whole number of days"
        raise LicensingError(Problem.MALFORMED, f"{key} must be {number}, not {value!r}", field=key) from None


def _require(holds: bool, key: str, expected: str) -> None:  # noqa: FBT001 - reads like assert
    if not holds:
        raise LicensingError(Problem.MALFORMED, f"{key} must be {expected}", field=key)
