"""What does the file know so far? Names that later parts may use, and the state that steps before have set."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Final

from calward.app.scenarios.story import HostPart
from calward.app.scenarios.tables import Expected, Table, flag, names, one_of, whole
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.domain.key_packs import PackId
from calward.domain.ladder import Ladder
from calward.domain.settings import PerUser, Settings, changed

__all__ = ["DAYS_MAX", "Known", "cal_type"]

DAYS_MAX: Final = 36_500
"""A century: more is a slip of the pen, and would run out of the calendar."""


@dataclass(slots=True)
class Known:
    """The names of the file, and how servers and hosts stand at the step that is being read."""

    ladder: Ladder
    settings: dict[str, Settings] = field(default_factory=dict)
    hosts: dict[str, HostPart] = field(default_factory=dict)
    packs: frozenset[str] = frozenset()

    def server(self, value: object) -> str:
        """A license server of the file."""
        return one_of(self.settings)(value)

    def servers(self, value: object) -> tuple[str, ...]:
        """A list of license servers of the file, none twice."""
        listed = names(value)
        if len(set(listed)) < len(listed) or not set(listed) <= set(self.settings):
            raise Expected(f"a list of license servers of this file, none twice (there are {', '.join(self.settings)})")
        return listed

    def host(self, value: object) -> HostPart:
        """A session host of the file, as it stands now."""
        return self.hosts[one_of(self.hosts)(value)]

    def pack(self, value: object) -> PackId:
        """A pack that the file names, installed or not."""
        return PackId(one_of(sorted(self.packs))(value))

    def version(self, value: object) -> str:
        """A version of the ladder, as the ladder writes it."""
        try:
            return self.ladder.canonical(value) if isinstance(value, str) else _no_version(self.ladder)
        except LicensingError:
            return _no_version(self.ladder)

    def change_settings(self, table: Table, values: Mapping[str, object], old: Settings) -> Settings:
        """Read settings by key from what stands in a table; an unknown key is an error."""
        new = old
        for key, value in values.items():
            new = self._set(table, key, value, new)
        return new

    def _set(self, table: Table, key: str, value: object, old: Settings) -> Settings:
        if key not in _SETTINGS:
            table.fail(key, f"is no key of {table.what} and no setting: settings are {', '.join(_SETTINGS)}")
        try:
            return changed(old, {key: _SETTINGS[key](value)})
        except Expected as expected:
            table.fail(key, f"must be {expected}, not {value!r}")
        except LicensingError as error:
            table.fail(key, error.detail)


def cal_type(value: object) -> CalType:
    """A CAL type or licensing mode."""
    return CalType(one_of(CalType)(value))


def _no_version(ladder: Ladder) -> str:
    raise Expected(f"a version of the ladder {ladder.name} as a text in quotes: {', '.join(ladder.versions)}")


def _share(value: object) -> object:
    # Written so that "not a number" is refused too.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise Expected("a number between 0 and 1")
    return value


def _reader_of(default: object) -> Callable[[object], object]:
    if isinstance(default, bool):
        return flag
    if isinstance(default, PerUser):
        return one_of(PerUser)
    return _share if isinstance(default, Decimal) else whole(0, DAYS_MAX)


_SETTINGS: Final = {x.name: _reader_of(getattr(Settings(), x.name)) for x in fields(Settings)}
