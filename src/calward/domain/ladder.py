"""Which versions are there, in which order, and which of them share one CAL?

A ladder is data: nothing in the code names a product or one of its versions. Order is compared by *family*, the
versions that share one CAL, and never by version: ``family_of`` gives an integer that can be compared.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final, NoReturn

from calward.domain.errors import LicensingError, Problem

__all__ = ["Ladder", "Rung", "parse_ladder"]

_ID: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,30}[A-Za-z0-9])?")
"""Ids stand in URLs, file names, command lines and beside a type (``2003/per-device``): nothing that needs quoting."""
_ID_EXPECTED: Final = "1 to 32 letters, digits, '.', '_' or '-'"
_SHOWN: Final = 40
"""Characters of a wrong value that an error repeats: it may come from a stranger."""
_MAX_GRACE_DAYS: Final = 36_500
"""A century: more is a slip of the pen, and would run out of the calendar."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One version on the ladder.

    ``family`` and ``order`` are ranks from 0 (oldest); ``host_name`` and ``cal_name`` are what this generation calls
    its hosts and CALs; ``foreign`` holds the ids that other systems use for it; ``grace_days`` is None where the usual
    applies.
    """

    id: str
    title: str
    family: int
    order: int
    host_name: str
    cal_name: str
    foreign: Mapping[str, str | int] = field(hash=False)
    grace_days: int | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """The versions of one product, oldest first; made by ``parse_ladder``, which holds the invariants.

    INVARIANT: there is at least one rung; ids differ in more than case; ``rungs[n].order == n``; family ranks start at
    0 and rise by at most 1 from rung to rung. ``rung``, ``canonical``, ``family_of``, ``family_versions`` and
    ``grace_days`` are one or two dictionary accesses: the hot path stands on them.
    """

    name: str
    title: str
    rungs: tuple[Rung, ...]
    versions: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _by_id: dict[str, Rung] = field(init=False, repr=False, compare=False)
    _ranks: dict[str, int] = field(init=False, repr=False, compare=False)
    _families: tuple[tuple[str, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the look-ups; a frozen dataclass leaves no other way than ``object.__setattr__``."""
        families = groupby(self.rungs, key=lambda rung: rung.family)
        by_id = {rung.id: rung for rung in self.rungs} | {rung.id.lower(): rung for rung in self.rungs}
        object.__setattr__(self, "versions", tuple(rung.id for rung in self.rungs))
        object.__setattr__(self, "_by_id", by_id)
        object.__setattr__(self, "_ranks", {version: rung.family for version, rung in by_id.items()})
        object.__setattr__(self, "_families", tuple(tuple(rung.id for rung in rungs) for _, rungs in families))

    @property
    def newest(self) -> str:
        """The id of the newest version."""
        return self.rungs[-1].id

    def rung(self, version: str) -> Rung:
        """Look a version up, without regard to case.

        Raises: LicensingError: MALFORMED where no id can look like this, NOT_FOUND where the ladder has no such
        version; both name the versions there are.
        """
        found = self._by_id.get(version) or self._by_id.get(version.lower())
        return found or self._refuse(version)

    def canonical(self, version: str) -> str:
        """Give a version as the ladder writes it; raises like ``rung``."""
        return self.rung(version).id

    def family_of(self, version: str) -> int:
        """Rank the family of a version: 0 is the oldest, equal means one CAL for both; raises like ``rung``."""
        rank = self._ranks.get(version)
        return self.rung(version).family if rank is None else rank

    def family_versions(self, rank: int) -> tuple[str, ...]:
        """List the versions of a family, oldest first; ``rank`` comes from ``family_of``."""
        return self._families[rank]

    def family_name(self, rank: int) -> str:
        """Name a family by its versions, oldest first, joined by a slash; ``rank`` comes from ``family_of``."""
        return "/".join(self._families[rank])

    def at_least(self, version: str) -> tuple[str, ...]:
        """List the versions of the same family or a newer one, oldest first; raises like ``rung``."""
        rank = self.family_of(version)
        return tuple(rung.id for rung in self.rungs if rung.family >= rank)

    def at_most(self, version: str) -> tuple[str, ...]:
        """List the versions of the same family or an older one, oldest first; raises like ``rung``."""
        rank = self.family_of(version)
        return tuple(rung.id for rung in self.rungs if rung.family <= rank)

    def grace_days(self, version: str, default: int) -> int:
        """Give the days of grace of a host of this version: its own where it has any, else ``default``."""
        own = self.rung(version).grace_days
        return default if own is None else own

    def _refuse(self, version: str) -> NoReturn:
        problem = Problem.NOT_FOUND if _ID.fullmatch(version) else Problem.MALFORMED
        known = ", ".join(self.versions)
        raise LicensingError(problem, f"{_shown(version)} is no version of the ladder {self.name}: it knows {known}")


def parse_ladder(data: Mapping[str, object]) -> Ladder:
    """Make a ladder of what a ladder file holds; rungs stand oldest first.

    A rung's ``family`` is the id of the oldest version that shares its CAL, its own id where none is given.
    Unknown keys are errors, so that a misspelled one is never silently without effect.

    Raises: LicensingError(MALFORMED): ``field`` is the key (``rungs[2].family``), the detail says what was expected.
    """
    table = _checked(data, "", _LADDER_KEYS)
    return Ladder(table["name"], table["title"], tuple(_rungs(table["rungs"])))


def _rungs(tables: list[object]) -> Iterator[Rung]:
    seen: set[str] = set()
    label, rank = "", -1
    for order, raw in enumerate(tables):
        where = f"rungs[{order}]"
        table = _checked(raw, f"{where}.", _RUNG_KEYS)
        own = table["id"]
        if own.lower() in seen:
            raise _wrong(f"{where}.id", f"{own!r} stands in the ladder twice: ids must differ in more than case")
        seen.add(own.lower())
        family = table.setdefault("family", own)
        if family not in (own, label):
            raise _wrong(f"{where}.family", _family_expected(own, label, family))
        rank, label = rank + (family == own), family
        yield _rung(table, rank, order)


def _rung(table: dict[str, Any], family: int, order: int) -> Rung:
    foreign = MappingProxyType(dict(table.get("foreign", {})))
    names = {key: table[key] for key in ("id", "title", "host_name", "cal_name")}
    return Rung(**names, family=family, order=order, foreign=foreign, grace_days=table.get("grace_days"))


def _family_expected(own: str, label: str, family: str) -> str:
    before = f" or {label!r}, the family of the version before it," if label else ""
    return f"must be {own!r}{before} as versions that share a CAL stand next to each other, not {_shown(family)}"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and value.strip() == value != ""


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_days(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_GRACE_DAYS


def _is_foreign(value: object) -> bool:
    if not isinstance(value, Mapping):
        return False
    return all(_is_id(key) and (_is_text(item) or _is_number(item)) for key, item in value.items())


@dataclass(frozen=True, slots=True)
class _Key:
    """What a key of a ladder file may hold; ``expected`` completes "must be"."""

    holds: Callable[[object], bool]
    expected: str
    required: bool = True


_TEXT: Final = _Key(_is_text, "a line of text")
_NAME: Final = _Key(_is_id, _ID_EXPECTED)
_LADDER_KEYS: Final = {
    "name": _NAME,
    "title": _TEXT,
    "rungs": _Key(lambda value: isinstance(value, list) and value != [], "a list of at least one rung, oldest first"),
}
_RUNG_KEYS: Final = {
    "id": _NAME,
    "title": _TEXT,
    "host_name": _TEXT,
    "cal_name": _TEXT,
    "family": _Key(_is_id, _ID_EXPECTED, required=False),
    "grace_days": _Key(_is_days, f"a number of days from 0 to {_MAX_GRACE_DAYS}", required=False),
    "foreign": _Key(_is_foreign, "a table of names to texts or numbers", required=False),
}


def _checked(table: object, where: str, keys: Mapping[str, _Key]) -> dict[str, Any]:
    """Hold a table of the file against its keys and give a copy of it."""
    if not isinstance(table, Mapping):
        raise _wrong(where.rstrip("."), f"must be a table with the keys {', '.join(keys)}")
    for name in table:
        if name not in keys:
            raise _wrong(where + str(name)[:_SHOWN], f"is no key of a ladder file here: it knows {', '.join(keys)}")
    for name, key in keys.items():
        if name not in table and key.required:
            raise _wrong(where + name, f"is missing: it must be {key.expected}")
        if name in table and not key.holds(table[name]):
            raise _wrong(where + name, f"must be {key.expected}, not {_shown(table[name])}")
    return dict(table)


def _shown(value: object) -> str:
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _wrong(key: str, expected: str) -> LicensingError:
    name = ascii(key)[1:-1] or "ladder"
    return LicensingError(Problem.MALFORMED, f"{name} {expected}", field=name)
