"""What does one ``[[edit]]`` of a plan file say, and how is it called in one line?"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from calward.app.scenarios.known import Known, cal_type
from calward.app.scenarios.tables import Table, line_of_text, moment, names, one_of, whole
from calward.domain.cals import CalType
from calward.insight.planner.edits import (
    Activate,
    AddHolders,
    Buy,
    ConvertPack,
    Edit,
    EndPack,
    Lapse,
    MovePack,
    ReplaceServer,
    SetMode,
    UpgradeHosts,
)
from calward.insight.planner.matching import Cals
from calward.insight.planner.needs import PackKey

__all__ = ["EDITS", "HOLDERS_MAX", "read_edit", "read_holders"]

HOLDERS_MAX: Final = 10_000_000
"""Holders or CALs: more is a slip of the pen."""
_COUNT: Final = whole(1, HOLDERS_MAX)
_ANY_COUNT: Final = whole(0, HOLDERS_MAX)
_HOLDERS: Final = {"users": CalType.PER_USER, "devices": CalType.PER_DEVICE}

_Read = tuple[Edit, str]


def read_edit(table: Table, known: Known) -> _Read:
    """Read an edit, and say it in words; the caller ends the table."""
    return EDITS[table.need("do", one_of(EDITS))](table, known)


def read_holders(table: Table, known: Known) -> AddHolders:
    """Read a ``[[holders]]``: who uses hosts from the beginning on."""
    edit = _holders(table, known)
    table.end()
    return edit


def _holders(table: Table, known: Known, sign: int = 1) -> AddHolders:
    key = next((one for one in _HOLDERS if one in table), "users")
    number = table.need(key, _COUNT)
    # What comes second is no key where the first is there: ``end`` names it.
    host = table.take("host", line_of_text, None)
    version = table.take("version", known.version, None) if host else table.need("version", known.version)
    return AddHolders(sign * number, _HOLDERS[key], host, version)


def _where(edit: AddHolders) -> str:
    kind = "users" if edit.type is CalType.PER_USER else "devices"
    place = f"on {edit.host}" if edit.host else f"on hosts of {edit.version}"
    return f"{abs(edit.number)} {kind} {place}"


def _add(table: Table, known: Known) -> _Read:
    edit = _holders(table, known)
    return edit, f"{_where(edit)} come"


def _leave(table: Table, known: Known) -> _Read:
    edit = _holders(table, known, -1)
    return edit, f"{_where(edit)} leave"


def _upgrade(table: Table, known: Known) -> _Read:
    hosts = table.take("hosts", names, ())
    before = None if hosts else table.need("from", known.version)
    to = table.need("to", known.version)
    family = None if before is None else known.ladder.family_of(before)
    edit = UpgradeHosts(hosts, family, to, table.take("holders", _ANY_COUNT, None))
    return edit, f"upgrade {', '.join(hosts) or f'all hosts of {before}'} to {to}"


def _mode(table: Table, _known: Known) -> _Read:
    hosts, mode = table.need("hosts", names), table.need("mode", cal_type)
    edit = SetMode(hosts, mode, table.take("holders", _ANY_COUNT, None))
    return edit, f"{', '.join(hosts)} ask for {mode} CALs"


def _key(table: Table) -> PackKey:
    pack = table.need("pack", line_of_text)
    return table.take("server", line_of_text, ""), pack


def _expire(table: Table, _known: Known) -> _Read:
    key = _key(table)
    return EndPack(key), f"pack {key[1]} expires"


def _remove(table: Table, _known: Known) -> _Read:
    key = _key(table)
    return EndPack(key), f"pack {key[1]} is removed"


def _install(table: Table, known: Known) -> _Read:
    version = table.need("version", known.version)
    cals = Cals(
        id=table.need("id", line_of_text),
        server=table.need("server", line_of_text),
        type=table.need("type", cal_type),
        version=version,
        family=known.ladder.family_of(version),
        total=table.need("total", _COUNT),
        expires_at=table.take("expires_at", moment, None),
    )
    return Buy(cals), f"{cals.id} is installed on {cals.server}: {cals.total} of {version}/{cals.type}"


def _move(table: Table, _known: Known) -> _Read:
    key, to = _key(table), table.need("to", line_of_text)
    return MovePack(key, to), f"pack {key[1]} moves to {to}"


def _convert(table: Table, _known: Known) -> _Read:
    key, to = _key(table), table.need("to", cal_type)
    count = table.take("count", _COUNT, None)
    return ConvertPack(key, to, count), f"convert {'' if count is None else f'{count} CALs of '}pack {key[1]} to {to}"


def _replace(table: Table, known: Known) -> _Read:
    server, version = table.need("server", line_of_text), table.need("version", known.version)
    by = table.take("by", line_of_text, None)
    return ReplaceServer(server, version, by), f"{server} is replaced by {by or 'a server'} of {version}"


def _lapse(table: Table, _known: Known) -> _Read:
    server = table.need("server", line_of_text)
    return Lapse(server), f"the right to issue of {server} ends: temporary licenses only"


def _activate(table: Table, _known: Known) -> _Read:
    server = table.need("server", line_of_text)
    return Activate(server), f"{server} is activated"


EDITS: Final[Mapping[str, Callable[[Table, Known], _Read]]] = MappingProxyType(
    {
        "upgrade-hosts": _upgrade,
        "add": _add,
        "leave": _leave,
        "set-mode": _mode,
        "expire": _expire,
        "remove": _remove,
        "install": _install,
        "move": _move,
        "convert": _convert,
        "replace-server": _replace,
        "lapse": _lapse,
        "activate": _activate,
    }
)
"""What ``do`` may say."""
