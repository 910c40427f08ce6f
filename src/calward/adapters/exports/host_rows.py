"""What does a row about a machine mean: a license server, a session host?"""

import re
from typing import Final

from calward.adapters.exports.reader import Cells, Reader
from calward.adapters.exports.values import number, shown, text
from calward.adapters.exports.versions import type_of
from calward.adapters.exports.wmi import ACTIVATION_STATUSES, MODES, NO_MODES
from calward.domain.cals import CalType
from calward.insight.estate import EstateHost, EstateServer, PackType

__all__ = ["read_host", "read_server"]


def read_server(reader: Reader, line: int, cells: Cells) -> None:
    """A license server about itself; asked where it stands it does not say its name."""
    kept = ((key, text(cells.get(key))) for key in ("ProductId", "ServerRole", "DatabasePath", "VersionNumber"))
    settings = tuple((key, value) for key, value in kept if value)
    version = reader.versions.named(cells.get("Version"))
    reader.found.servers.append(
        EstateServer(reader.server(cells), version, _activated(reader, line, cells), settings=settings)
    )


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
    servers = cells.get("Servers")
    listed = " ".join(map(text, servers)) if isinstance(servers, list) else text(servers)
    reader.found.hosts.append(
        EstateHost(
            name,
            version,
            _mode(reader, line, cells),
            tuple(filter(None, _BETWEEN.split(listed.strip("{}")))),
            reader.moment(line, cells, "SeenAt"),
            reader.moment(line, cells, "GraceUntil"),
        )
    )


_UNSET: Final = re.compile(r"not.?(?:configured|set)|none|nicht.?konfiguriert|", re.IGNORECASE)


def _mode(reader: Reader, line: int, cells: Cells) -> CalType | None:
    value = cells.get("Mode")
    try:
        wanted = number(value)
    except ValueError:
        found = type_of(None, None, text(value))
        if found in (PackType.PER_DEVICE, PackType.PER_USER):
            return CalType(found)
        if not _UNSET.fullmatch(text(value)):
            reader.found.complain(line, f"mode {shown(value)} is none: per-device and per-user are")
        return None
    if wanted is not None and wanted not in MODES and wanted not in NO_MODES:
        reader.found.complain(line, f"mode {wanted} is none that is known: 2 is per device, 4 per user")
    return None if wanted is None else MODES.get(wanted)
