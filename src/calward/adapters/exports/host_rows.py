"""What does a row about a machine mean: a license server, a session host?"""

import re
from typing import Final

from calward.adapters.exports.reader import Cells, Reader
from calward.adapters.exports.values import number, shown, text
from calward.adapters.exports.versions import type_of
from calward.adapters.exports.wmi import ACTIVATION_STATUSES, MODE_NOT_SET, MODES, NO_MODES
from calward.domain.cals import CalType
from calward.insight.estate import EstateHost, EstateServer, PackType

__all__ = ["read_host", "read_server"]


def read_server(reader: Reader, line: int, cells: Cells) -> None:
    """A license server about itself; asked where it stands it does not say its name."""
    kept = ((key, text(cells.get(key))) for key in _SERVER_KEYS)
    settings = tuple((key, value) for key, value in kept if value)
    version = reader.versions.named(cells.get("Version"))
    reader.found.servers.append(
        EstateServer(reader.server(cells), version, _activated(reader, line, cells), settings=settings)
    )


_SERVER_KEYS: Final = ("ProductId", "ServerRole", "DatabasePath", "VersionNumber", "InDirectoryGroup")


def _activated(reader: Reader, line: int, cells: Cells) -> bool | None:
    value = cells.get("ActivationStatus")
    try:
        wanted = number(value)
    except ValueError:
        wanted = _NO_STATUS
    if wanted is not None and wanted not in ACTIVATION_STATUSES:
        reader.found.complain(line, f"ActivationStatus {shown(value)} is none that is known: 0 is activated, 1 is not")
    return None if wanted is None else ACTIVATION_STATUSES.get(wanted)


_NO_STATUS: Final = -1


_BETWEEN: Final = re.compile(r"[;,|\s]+")


def read_host(reader: Reader, line: int, cells: Cells) -> None:
    """A session host: version, mode, and the license servers it asks."""
    name = text(cells.get("Name"))
    if not name:
        reader.leave_out(line, "it names no host")
        return
    version = reader.versions.named(cells.get("Version"))
    if version is None and text(cells.get("Version")):
        reader.found.complain(
            line, f"version {shown(cells['Version'])} is none of the ladder {reader.versions.ladder.name}"
        )
    servers = _pieces(cells.get("Servers"))
    none = bool(servers) and all(_UNSET.fullmatch(one) for one in servers)
    mode, no_mode = _mode(reader, line, cells)
    unset = (*(("mode",) if no_mode else ()), *(("servers",) if none else ()))
    reader.found.hosts.append(
        EstateHost(
            name,
            version,
            mode,
            () if none else servers,
            reader.moment(line, cells, "SeenAt"),
            reader.moment(line, cells, "GraceUntil"),
            unset,
            _numbers(reader, line, cells, "Reach") or (),
            _numbers(reader, line, cells, "Events"),
        )
    )


def _pieces(value: object) -> tuple[str, ...]:
    written = " ".join(map(text, value)) if isinstance(value, list) else text(value)
    return tuple(filter(None, _BETWEEN.split(written.strip("{}"))))


def _numbers(reader: Reader, line: int, cells: Cells, name: str) -> tuple[int, ...] | None:
    """Several numbers in one cell; None where there is no such column."""
    if name not in cells:
        return None
    found: list[int] = []
    for piece in _pieces(cells[name]):
        if piece.isdecimal() and len(piece) <= _DIGITS:
            found.append(int(piece))
        elif not _UNSET.fullmatch(piece):
            reader.found.complain(line, f"{shown(piece)} among {name.lower()} is no number")
            found.append(0)
    return tuple(found)


_DIGITS: Final = 9
_UNSET: Final = re.compile(r"not.?(?:configured|set)|none|nicht.?(?:konfiguriert|gesetzt)|keine?r?", re.IGNORECASE)


def _mode(reader: Reader, line: int, cells: Cells) -> tuple[CalType | None, bool]:
    """The licensing mode, and whether the row says that there is none."""
    value = cells.get("Mode")
    try:
        wanted = number(value)
    except ValueError:
        found = type_of(None, None, text(value))
        if found in (PackType.PER_DEVICE, PackType.PER_USER):
            return CalType(found), False
        if not _UNSET.fullmatch(text(value)):
            reader.found.complain(line, f"mode {shown(value)} is none: per-device and per-user are")
            return None, False
        return None, True
    if wanted is not None and wanted not in MODES and wanted not in NO_MODES:
        reader.found.complain(line, f"mode {wanted} is none that is known: 2 is per device, 4 per user")
    return (None if wanted is None else MODES.get(wanted)), wanted == MODE_NOT_SET
