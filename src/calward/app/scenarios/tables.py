"""Is each key of a table of a scenario file known, there, and of the right kind?

Strict, because a scenario with a key that nobody reads would prove what it does not test. Every error names line, key and what
was expected.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Final, NoReturn, TypeVar

from calward.app.scenarios.lines import Path
from calward.domain.errors import LicensingError, Problem

__all__ = ["Expected", "Table", "flag", "line_of_text", "moment", "names", "one_of", "shown", "whole"]

T = TypeVar("T")
D = TypeVar("D")

_SHOWN: Final = 60
_TEXT_MAX: Final = 200
_YEARS: Final = (1971, 9000)
"""Times that leave room on both sides: for packs installed before, and for licenses that end later."""


class Expected(Exception):  # noqa: N818 - it completes "must be"
    """What a value must be, as words that complete "must be"."""


class Table:
    """One table of the file: each key is taken once, ``end`` proves that none is left."""

    def __init__(self, values: object, path: Path, lines: Mapping[Path, int], what: str) -> None:
        self._path, self._lines, self.what = path, lines, what
        if not isinstance(values, dict):
            raise self.error("", f"must be a table, not {shown(values)}")
        self._left: dict[str, object] = dict(values)
        self._asked: list[str] = []

    @property
    def line(self) -> int:
        """The line of its header, from 1."""
        return _line(self._path, self._lines)

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def need(self, key: str, read: Callable[[object], T]) -> T:
        """Take a key that must be there."""
        if key not in self._left:
            self._asked.append(key)
            raise self.error(key, f"is missing: it must be {_expected(read)}")
        return self._take(key, read)

    def take(self, key: str, read: Callable[[object], T], default: D) -> T | D:
        """Take a key that may be there."""
        if key in self._left:
            return self._take(key, read)
        self._asked.append(key)
        return default

    def table(self, key: str, what: str) -> "Table | None":
        """Take a table within this one."""
        if key not in self._left:
            self._asked.append(key)
            return None
        return self._take(key, lambda value: Table(value, (*self._path, key), self._lines, what))

    def tables(self, key: str) -> Sequence["Table"]:
        """Take an array of tables; they are called by the key and their number from 1."""

        def read(value: object) -> Sequence[Table]:
            if not isinstance(value, list):
                raise Expected(f"tables under the heading [[{key}]]")
            path = (*self._path, key)
            return [Table(x, (*path, n), self._lines, f"{key} {n + 1}") for n, x in enumerate(value)]

        return self.take(key, read, ())

    def peek(self, key: str) -> object:
        """Look at a key without taking it; None where it is not there."""
        return self._left.get(key)

    def rest(self, *, but: str = "") -> Mapping[str, object]:
        """Take all that is left, except for one key."""
        left = {key: value for key, value in self._left.items() if key != but}
        self._left = {key: value for key, value in self._left.items() if key == but}
        return left

    def end(self) -> None:
        """Refuse what nobody asked for."""
        for key in self._left:
            near = get_close_matches(key, self._asked, n=1)
            hint = f"did you mean {near[0]}" if near else f"it knows {', '.join(self._asked)}"
            raise self.error(key, f"is no key of {self.what or 'a scenario file'}: {hint}")

    def fail(self, key: str, sentence: str) -> NoReturn:
        """Refuse a key whose value fits by itself but not with the rest of the file."""
        raise self.error(key, sentence)

    def error(self, key: str, sentence: str) -> LicensingError:
        """Make the error about a key ("" = the table itself)."""
        path = (*self._path, key) if key else self._path
        name = f"{self.what}, {key}" if key and self.what else key or self.what
        return LicensingError(
            Problem.MALFORMED, f"line {_line(path, self._lines)}: {name}: {sentence}", field=key or None
        )

    def _take(self, key: str, read: Callable[[object], T]) -> T:
        self._asked.append(key)
        value = self._left.pop(key)
        try:
            return read(value)
        except Expected as expected:
            raise self.error(key, f"must be {expected}, not {shown(value)}") from None


def _expected(read: Callable[[object], object]) -> str:
    """What a reader expects, in its own words: nothing is what none of them takes."""
    try:
        read(None)
    except Expected as expected:
        return str(expected)
    return "there"


def _line(path: Path, lines: Mapping[Path, int]) -> int:
    while path not in lines:
        path = path[:-1]
    return lines[path]


def shown(value: object) -> str:
    """A wrong value as an error repeats it: short, on one line."""
    text = value.isoformat() if isinstance(value, datetime) else ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def line_of_text(value: object) -> str:
    """A name or title: 1 to 200 visible characters."""
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value.strip()) == len(value) <= _TEXT_MAX:
        raise Expected(f"a text of 1 to {_TEXT_MAX} visible characters without space at its ends")
    return value


def flag(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Expected("true or false")
    return value


def whole(low: int, high: int) -> Callable[[object], int]:
    """A whole number between both, inclusive."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise Expected(f"a whole number from {low} to {high}")
        return value

    return read


def moment(value: object) -> int:
    """A time with its offset, in whole seconds; given as seconds since 1970 (UTC)."""
    low, high = _YEARS
    expected = Expected(f"a time in whole seconds with its offset, such as 2010-04-01T09:00:00Z, from {low} to {high}")
    if not isinstance(value, datetime) or value.tzinfo is None or value.microsecond:
        raise expected
    if not low <= value.year <= high:  # Far inside of what can be converted.
        raise expected
    return int(value.astimezone(UTC).timestamp())


def one_of(choices: Iterable[str]) -> Callable[[object], str]:
    """One of these words."""
    known = tuple(choices)

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise Expected(f"one of {', '.join(known)}" if known else "one of none: the file names none")
        return value

    return read


def names(value: object) -> tuple[str, ...]:
    """A list of names."""
    if not isinstance(value, list):
        raise Expected("a list of names")
    return tuple(line_of_text(x) for x in value)
