"""Are the keys of a table of settings those that it may have, and of the right kind?

Unknown ones are refused: a setting that is misspelled must not be one that is ignored.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["check_table", "wrong", "wrong_key"]

_KINDS: Final = MappingProxyType({str: "a text", int: "a whole number", list: "a list", dict: "a table"})


def check_table(table: Mapping[str, Any], place: str, kinds: Mapping[str, type], needed: Iterable[str] = ()) -> None:
    """Refuse keys that are unknown, missing or of another kind; raises LicensingError(MALFORMED). ``place``: of the table, or empty."""
    for key, value in table.items():
        if key not in kinds:
            raise wrong_key(place, key, kinds)
        if type(value) is not kinds[key] or value == "":
            raise wrong(_joined(place, key), f"must be {_KINDS[kinds[key]]}")
    for key in needed:
        if key not in table:
            raise wrong(_joined(place, key), "is missing")


def wrong_key(place: str, key: str, known: Iterable[str]) -> LicensingError:
    """The refusal of a key that a table may not have."""
    names = list(known)
    close = get_close_matches(key, names, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
    return wrong(_joined(place, key), f"is no setting: {hint}")


def wrong(field: str, what: str) -> LicensingError:
    """The refusal of a value."""
    return LicensingError(Problem.MALFORMED, f"{field} {what}", field=field)


def _joined(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
