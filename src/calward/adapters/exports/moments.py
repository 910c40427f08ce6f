"""Which moment does a date of a file mean: DMTF, ISO, US, German, Japanese order, ticks, and dates that JSON wraps?

Dates with an offset are exact; those without say local time of a machine that the file does not name, and are read as UTC.
Where 3/4 may be March or April, the whole file decides: one value whose first number is above 12 makes all of them day first.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

__all__ = ["Moments"]

_EPOCH: Final = date(1970, 1, 1).toordinal()
_DAY: Final = 86_400
_LATEST: Final = (date.max.toordinal() - _EPOCH + 1) * _DAY - 1
_LONGEST: Final = 64
"""Characters; no date is longer, and nothing longer is looked at."""
_MOST_CACHED: Final = 65_536

_DMTF: Final = re.compile(
    r"(\d{4})(\d\d|\*\*)(\d\d|\*\*)(\d\d|\*\*)(\d\d|\*\*)(\d\d|\*\*)(?:\.[\d*]{1,6}(?:([+-])(\d{3}|\*{3}))?)?", re.ASCII
)
"""Asterisks stand for what is not said: the first month, day, hour that it could be."""
_ISO: Final = re.compile(
    r"(\d{4})[-/.] ?(\d{1,2})[-/.] ?(\d{1,2})\.?(?:[T ]+(\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:[.,]\d{1,9})?)? *(?:(Z|UTC|GMT)|([+-])(\d\d):?(\d\d))?)?",
    re.ASCII,
)
_OTHER: Final = re.compile(
    r"(\d{1,2})([./-]) ?(\d{1,2})\2 ?(\d{4})(?:,? +(\d{1,2})[:.](\d\d)(?:[:.](\d\d))?)?",
    re.ASCII,
)
_HALF: Final = re.compile(
    r"[ ?]?(?:a\.? ?m\.?|上午|午前|오전|π\.?μ\.?|(p\.? ?m\.?|下午|午後|오후|μ\.?μ\.?))", re.IGNORECASE
)
"""Before or after noon, behind the time or before it, as languages with a clock of twelve hours write it."""
_TICKS: Final = re.compile(r"\\?/Date\((-?\d{1,16})(?:[+-]\d{4})?\)\\?/", re.ASCII)
"""Milliseconds since 1970 in UTC; the offset behind them is for showing only."""
_WRAPPED: Final = ("value", "Value", "DateTime", "dateTime")
_SPACES: Final = {0xA0: " ", 0x202F: " "}
"""Blanks that never break: newer systems write one before AM and PM, which becomes "?" in a file of ASCII."""
_NOTHING: Final = frozenset({"", "-", "n/a", "null", "none", "never", "00000000000000.000000+000"})


class Moments:
    """Reads the dates of one file and keeps in mind in which order it writes day and month.

    ``day_first``: whether 3/4 is the third of April. After reading, ``ambiguous`` is a date that could have been both,
    ``seen_day_first`` and ``seen_month_first`` whether any could only have been the one.
    """

    def __init__(self, *, day_first: bool = False) -> None:
        self.day_first = day_first
        self.ambiguous = ""
        self.seen_day_first = False
        self.seen_month_first = False
        self.local = 0
        self._cache: dict[str, int | None] = {}

    def read(self, value: object) -> int | None:
        """Seconds since 1970, rounded down; None where there is no date.

        Raises: ValueError: with the words "is no date …".
        """
        if isinstance(value, Mapping):
            value = next((value[key] for key in _WRAPPED if key in value), None)
        if value is None or value is False:
            return None
        text = value.strip().translate(_SPACES) if isinstance(value, str) else str(value)
        if text in self._cache:
            return self._cache[text]
        found = self._moment(text)
        if len(self._cache) < _MOST_CACHED:
            self._cache[text] = found
        return found

    def _moment(self, text: str) -> int | None:
        if len(text) > _LONGEST:
            raise ValueError("is no date: it is too long for one")
        if text.casefold() in _NOTHING:
            return None
        # By the first letters, as most files have hundreds of thousands of dates of one form.
        year_first = text[:4].isdigit()
        if year_first and (match := _DMTF.fullmatch(text)):
            return _within(_dmtf(match))
        if text[0] in "/\\" and (match := _TICKS.fullmatch(text)):
            return _within(_ticks(match))
        half = None if text[-1].isdigit() and text.isascii() else _HALF.search(text)
        whole = f"{text[: half.start()]} {text[half.end() :]}".strip() if half else text
        if year_first and (match := _ISO.fullmatch(whole)):
            self.local += match[7] is None and match[8] is None
            return _within(_iso(match, half))
        if match := _OTHER.fullmatch(whole):
            self.local += 1
            return _within(self._other(match, half))
        raise ValueError("is no date that is known here: DMTF, ISO 8601, 1/31/2026, 31.1.2026 and /Date(…)/ are")

    def _other(self, match: re.Match[str], half: re.Match[str] | None) -> int:
        """Month/day/year or day.month.year, perhaps with a time."""
        first, second = int(match[1]), int(match[3])
        day, month = (first, second) if self._is_day_first(match, first, second) else (second, first)
        hour = _hour(match[5], half)
        return _seconds(int(match[4]), month, day, hour, int(match[6] or 0), int(match[7] or 0))

    def _is_day_first(self, match: re.Match[str], first: int, second: int) -> bool:
        """Only a slash leaves it open: nobody who writes points or hyphens begins with the month."""
        if match[2] != "/":
            return True
        if first > 12 >= second:  # noqa: PLR2004 - months.
            self.seen_day_first = True
            return True
        if second > 12 >= first:  # noqa: PLR2004
            self.seen_month_first = True
            return False
        if first != second:
            self.ambiguous = self.ambiguous or match[0]
        return self.day_first


def _dmtf(match: re.Match[str]) -> int:
    month, day = (1 if one == "**" else int(one) for one in match.group(2, 3))
    hour, minute, second = (0 if one == "**" else int(one) for one in match.group(4, 5, 6))
    offset = 0 if match[8] in (None, "***") else int(f"{match[7]}{match[8]}")
    return _seconds(int(match[1]), month, day, hour, minute, second) - 60 * offset


def _ticks(match: re.Match[str]) -> int:
    return int(match[1]) // 1000


def _hour(written: str | None, half: re.Match[str] | None) -> int:
    """An hour of the day; ``half`` tells where it is one of twelve."""
    hour = int(written or 0)
    if half is None:
        return hour
    if not 1 <= hour <= 12:  # noqa: PLR2004 - a clock's face.
        raise ValueError("is no date: an hour before or after noon is 1 to 12")
    return hour % 12 + 12 * bool(half[1])


def _iso(match: re.Match[str], half: re.Match[str] | None) -> int:
    offset = 0 if match[8] is None else int(f"{match[8]}1") * (60 * int(match[9]) + int(match[10]))
    time = _hour(match[4], half), int(match[5] or 0), int(match[6] or 0)
    return _seconds(int(match[1]), int(match[2]), int(match[3]), *time) - 60 * offset


def _seconds(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        raise ValueError("is no date: there is no such day") from None
    if hour >= 24 or minute >= 60 or second > 60:  # noqa: PLR2004 - a clock's, and a leap second.
        raise ValueError("is no date: there is no such time of day")
    return days * _DAY + hour * 3600 + minute * 60 + second


def _within(seconds: int) -> int:
    if not -_LATEST <= seconds <= _LATEST:
        raise ValueError("is no date: it is beyond the calendar")
    return seconds
