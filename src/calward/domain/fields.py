"""Is each field of a decoded object there, of the right kind and within its bounds, and is nothing left over?"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from calward.domain.errors import LicensingError, Problem

__all__ = ["NAME_MAX", "Fields", "check_name", "parse_moment", "render_moment"]

NAME_MAX = 200
"""Characters in the name of a server, an organization or a clearinghouse."""

_HEX = re.compile(r"[0-9a-f]*", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
# Control, format (bidirectional overrides), surrogate, private and unassigned characters; line and paragraph separators.
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


def check_name(text: str, what: str) -> str:
    """Return ``text`` if people can read it as a name: 1 to 200 visible characters without space at the ends.

    Raises: LicensingError(MALFORMED): otherwise. The refused text is not repeated in the error.
    """
    if not 0 < len(text) <= NAME_MAX or text != text.strip():
        raise LicensingError(Problem.MALFORMED, f"{what} must have 1 to {NAME_MAX} characters and no space at its ends")
    hidden = next((one for one in text if unicodedata.category(one) in _HIDDEN), None)
    if hidden is not None:
        raise LicensingError(Problem.MALFORMED, f"{what} holds U+{ord(hidden):04X}, a character that cannot be seen")
    return text


def render_moment(moment: datetime) -> str:
    """Render an aware time as RFC 3339 in UTC with whole seconds: ``2026-01-31T08:00:00Z``."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


def parse_moment(text: str, what: str) -> datetime:
    """Read the one form that ``render_moment`` writes; raises LicensingError(MALFORMED)."""
    try:
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass  # A thirteenth month, or the like: said below.
    raise LicensingError(Problem.MALFORMED, f"{what} must be a time in UTC like 2026-01-31T08:00:00Z", field=what)


class Fields:
    """Takes the fields out of one object, each once; ``end`` proves that none is left.

    Every method raises LicensingError(MALFORMED) that names the object and the field.
    """

    def __init__(self, found: Mapping[str, object], what: str) -> None:
        self._left = dict(found)
        self._what = what

    def text(self, name: str, *, max_length: int = NAME_MAX) -> str:
        """A string of 1 to ``max_length`` characters, any characters."""
        value = self._take(name)
        if not isinstance(value, str) or not 0 < len(value) <= max_length:
            raise self._wrong(name, f"text of 1 to {max_length} characters")
        return value

    def text_or_none(self, name: str) -> str | None:
        """As ``text``; null is None."""
        if self._left.get(name, ...) is None:
            del self._left[name]
            return None
        return self.text(name)

    def name(self, name: str) -> str:
        """A string that ``check_name`` accepts."""
        return check_name(self.text(name), f"{name} of {self._what}")

    def integer(self, name: str, *, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``."""
        value = self._take(name)
        # bool is an int in Python and is none in JSON.
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._wrong(name, f"a whole number from {low} to {high}")
        return value

    def hex(self, name: str, *, size: int) -> bytes:
        """Exactly ``size`` bytes, written as lower-case hexadecimal digits."""
        value = self._take(name)
        if not isinstance(value, str) or not _is_hex(value, size):
            raise self._wrong(name, f"{2 * size} hexadecimal digits in lower case")
        return bytes.fromhex(value)

    def hex_or_none(self, name: str, *, size: int) -> bytes | None:
        """As ``hex``; null is None."""
        if self._left.get(name, ...) is None:
            del self._left[name]
            return None
        return self.hex(name, size=size)

    def moment(self, name: str) -> datetime:
        """An RFC 3339 time in UTC with whole seconds."""
        return parse_moment(self.text(name), f"{name} of {self._what}")

    def moment_or_none(self, name: str) -> datetime | None:
        """As ``moment``; null is None."""
        if self._left.get(name, ...) is None:
            del self._left[name]
            return None
        return self.moment(name)

    def choice(self, name: str, choices: type[ChoiceT]) -> ChoiceT:
        """One of the values of an enum."""
        value = self._take(name)
        try:
            return choices(value)  # type: ignore[arg-type]  # Any object may be asked for; what is no value is a ValueError.
        except ValueError:
            raise self._wrong(name, "one of " + ", ".join(choices)) from None

    def text_or_empty(self, name: str, *, max_length: int = NAME_MAX) -> str:
        """As ``text``; it may be empty."""
        if self._left.get(name, ...) == "":
            del self._left[name]
            return ""
        return self.text(name, max_length=max_length)

    def integer_or_none(self, name: str, *, low: int, high: int) -> int | None:
        """As ``integer``; null is None."""
        if self._left.get(name, ...) is None:
            del self._left[name]
            return None
        return self.integer(name, low=low, high=high)

    def boolean(self, name: str) -> bool:
        """True or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def name_or_none(self, name: str) -> str | None:
        """As ``name``; null is None."""
        found = self.text_or_none(name)
        return None if found is None else check_name(found, f"{name} of {self._what}")

    def names(self, name: str, *, most: int) -> tuple[str, ...]:
        """A list of 1 to ``most`` strings that ``check_name`` accepts."""
        value = self._take(name)
        if not isinstance(value, list) or not 0 < len(value) <= most or not all(isinstance(one, str) for one in value):
            raise self._wrong(name, f"a list of 1 to {most} texts")
        return tuple(check_name(one, f"each of {name} of {self._what}") for one in value)

    def hexes(self, name: str, *, size: int, most: int) -> tuple[str, ...]:
        """A list of at most ``most`` strings, each ``size`` bytes as lower-case hexadecimal digits, none of them twice."""
        value = self._take(name)
        if not isinstance(value, list) or len(value) > most or not all(_is_hex(one, size) for one in value):
            raise self._wrong(name, f"a list of at most {most} texts of {2 * size} hexadecimal digits in lower case")
        self.unique(name, value)
        return tuple(value)

    def has(self, name: str) -> bool:
        """Whether a field of this name is left."""
        return name in self._left

    def inner(self, name: str) -> "Fields":
        """One object, with its own fields to be taken."""
        value = self._take(name)
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Fields(value, f"{name} of {self._what}")

    def objects(self, name: str, *, most: int, least: int = 1) -> list["Fields"]:
        """A list of ``least`` to ``most`` objects."""
        value = self._take(name)
        fits = isinstance(value, list) and least <= len(value) <= most
        if not isinstance(value, list) or not fits or not all(isinstance(one, dict) for one in value):
            raise self._wrong(name, f"a list of {least} to {most} objects")
        return [Fields(one, f"{name} of {self._what}") for one in value]

    def unique(self, name: str, values: Sequence[object]) -> None:
        """Refuse a list in which one of these values stands twice."""
        if len(set(values)) != len(values):
            raise self._wrong(name, "a list in which nothing stands twice")

    def end(self) -> None:
        """Refuse what has not been taken: nothing unknown is ever passed over."""
        if self._left:
            # Only the first, cut: the name was chosen by whoever wrote the file.
            unknown = ascii(min(self._left))[:NAME_MAX]
            raise LicensingError(Problem.MALFORMED, f"{self._what} has a field that is not known here: {unknown}")

    def _take(self, name: str) -> object:
        if name not in self._left:
            raise LicensingError(Problem.MALFORMED, f"{self._what} lacks the field {name}", field=name)
        return self._left.pop(name)

    def _wrong(self, name: str, wanted: str) -> LicensingError:
        return LicensingError(Problem.MALFORMED, f"{name} of {self._what} must be {wanted}", field=name)


def _is_hex(value: object, size: int) -> bool:
    return isinstance(value, str) and len(value) == 2 * size and _HEX.fullmatch(value) is not None
