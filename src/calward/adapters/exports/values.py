"""What stands in a cell: a text, a number, a count without end?

A cell of CSV is a text; one of JSON may be of any type. Reasons of ValueError complete "KeyPackId 'x' …".
"""

import math
import re
from typing import Final

from calward.adapters.exports.wmi import UNLIMITED

__all__ = ["ENDLESS", "count", "number", "shown", "text"]

_NUMBER: Final = re.compile(r"[+-]?\d{1,19}(?:\.00?)?", re.ASCII)
"""Not "2.000": in half of the world that is two thousand."""
_HEX: Final = re.compile(r"0[xX][0-9a-fA-F]{1,16}", re.ASCII)
_WORDS: Final = frozenset({"unlimited", "unbegrenzt", "illimité", "ilimitado", "illimitato"})
_NOTHING: Final = frozenset({"", "-", "n/a", "null"})
_LONGEST: Final = 1024
"""Characters of a text that are kept: names are shorter, and what is longer came from no license server."""
_SHOWN: Final = 40

ENDLESS: Final = -1
"""What ``count`` gives for "as many as you like"."""


def text(value: object) -> str:
    """A cell as a text, "" where there is none."""
    if isinstance(value, str):
        return value.strip()[:_LONGEST]
    if value is None or isinstance(value, (dict, list)):
        return ""
    return str(value)[:_LONGEST]


def number(value: object) -> int | None:
    """A whole number; None where there is none. Raises: ValueError."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        if not math.isfinite(value) or value != int(value):
            raise ValueError("is no whole number")
        return int(value)
    if isinstance(value, (dict, list)):
        raise ValueError("is no number")  # noqa: TRY004 - of a file's cell, not of our types.
    written = text(value)
    if _NUMBER.fullmatch(written):
        return int(written.partition(".")[0])
    if written.casefold() in _NOTHING:
        return None
    if _HEX.fullmatch(written):
        return int(written, 16)
    raise ValueError("is no whole number")


def count(value: object) -> int | None:
    """A count: ``ENDLESS`` where it has no end, None where there is none. Raises: ValueError."""
    if isinstance(value, str) and value.strip().casefold() in _WORDS:
        return ENDLESS
    found = number(value)
    if found in UNLIMITED:
        return ENDLESS
    if found is not None and not 0 <= found < min(UNLIMITED - {-1}):
        raise ValueError("is no count of licenses")
    return found


def shown(value: object) -> str:
    """A cell as an error repeats it: short and harmless."""
    if value is None:
        return "(not there)"
    quoted = ascii(value if isinstance(value, str) else text(value) or type(value).__name__)
    return quoted if len(quoted) <= _SHOWN else f"{quoted[:_SHOWN]}…"
