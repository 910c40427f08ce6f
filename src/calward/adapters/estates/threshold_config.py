"""What do the tables ``[[threshold]]`` of ``watch.toml`` say?"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, TypeVar

from calward.adapters.toml_tables import wrong, wrong_key
from calward.insight.estate import PackType
from calward.insight.findings import Severity
from calward.insight.thresholds import MEASURES, Each, Key, Threshold
from calward.insight.thresholds.threshold import Measure

__all__ = ["read_thresholds"]

_ChoiceT = TypeVar("_ChoiceT", PackType, Each)
_TYPES: Final = (PackType.PER_DEVICE, PackType.PER_USER)
_LIMITS: Final = tuple(one.value for one in Severity)
_LONGEST_WINDOW: Final = 30
"""Days for which refusals are kept."""


def read_thresholds(tables: Sequence[object]) -> tuple[Threshold, ...]:
    """Read all of them; raises LicensingError(MALFORMED), which names the table by its number."""
    return tuple(_threshold(table, f"threshold[{number}]") for number, table in enumerate(tables, 1))


def _threshold(table: object, place: str) -> Threshold:
    if not isinstance(table, Mapping):
        raise wrong(place, "must be a table: [[threshold]]")
    measure = _measure(table, place)
    known = ("measure", *_LIMITS, *sorted(measure.keys))
    for key in table:
        if key not in known:
            raise wrong_key(place, key, known)
    pack = _text(table, Key.PACK, place)
    type_ = _choice(table, Key.TYPE, place, _TYPES)
    return Threshold(
        measure=table["measure"],
        limits=_limits(table, place, measure),
        each=_choice(table, Key.EACH, place, measure.each) or (Each.PACK if pack else measure.each[0]),
        version=_text(table, Key.VERSION, place),
        type=type_,
        server=_text(table, Key.SERVER, place),
        pack=pack,
        within_days=_window(table, place),
    )


def _measure(table: Mapping[str, Any], place: str) -> Measure:
    name = table.get("measure")
    if not isinstance(name, str) or name not in MEASURES:
        raise wrong(f"{place}.measure", f"must be one of {', '.join(MEASURES)}")
    return MEASURES[name]


def _limits(table: Mapping[str, Any], place: str, measure: Measure) -> dict[Severity, float]:
    limits = {one: _limit(table[one.value], f"{place}.{one}", measure) for one in Severity if one.value in table}
    if not limits:
        raise wrong(place, f"needs at least one limit: {', '.join(_LIMITS)}")
    numbers = list(limits.values())
    if any(measure.reaches(milder, worse) for worse, milder in pairwise(numbers)):
        order = "lower" if measure.low else "higher"
        raise wrong(place, f"has limits that never count: what matters more must have the {order} limit")
    return limits


def _limit(value: object, place: str, measure: Measure) -> float:
    least = 0 if measure.low else 1
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= measure.largest:
        raise wrong(place, f"must be a number from {least} to {measure.largest:,.0f} ({measure.unit})")
    return value


def _text(table: Mapping[str, Any], key: Key, place: str) -> str | None:
    value = table.get(key.value)
    if value is not None and (not isinstance(value, str) or not value):
        raise wrong(f"{place}.{key}", "must be a text")
    return value


def _choice(table: Mapping[str, Any], key: Key, place: str, choices: Sequence[_ChoiceT]) -> _ChoiceT | None:
    value = table.get(key.value)
    if value is None:
        return None
    found = next((one for one in choices if one.value == value), None)
    if found is None:
        raise wrong(f"{place}.{key}", f"must be one of {', '.join(one.value for one in choices)}")
    return found


def _window(table: Mapping[str, Any], place: str) -> int:
    days = table.get(Key.WITHIN_DAYS.value, 1)
    if type(days) is not int or not 1 <= days <= _LONGEST_WINDOW:
        raise wrong(f"{place}.{Key.WITHIN_DAYS}", f"must be a whole number of days from 1 to {_LONGEST_WINDOW}")
    return days
