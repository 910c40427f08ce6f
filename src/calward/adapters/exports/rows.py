"""What does a row mean: a pack, a license, a host? One function a kind of row, in a table.

A value that cannot be read is told with its line; the row goes on without it where it can, and is left out, told as well, where it cannot.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from calward.adapters.exports.columns import server_names
from calward.adapters.exports.moments import Moments
from calward.adapters.exports.values import ENDLESS, count, number, shown, text
from calward.adapters.exports.versions import Versions, type_of
from calward.adapters.exports.wmi import KEY_PACK_TYPES, LICENSE_STATUSES, MODES, NEVER, Kind
from calward.app.estates.found import Found, FoundLicense, FoundPack, FoundSummary
from calward.domain.cals import CalType
from calward.insight.estate import EstateFailure, EstateHost, EstateServer, LicenseStatus, PackType

__all__ = ["READERS", "Reader"]

Cells = Mapping[str, object]


class Reader:
    """Turns the rows of one file into what they mean, and gathers it in ``found``."""

    def __init__(self, found: Found, versions: Versions, moments: Moments) -> None:
        self.found = found
        self.versions = versions
        self.moments = moments

    def take(self, line: int, kind: Kind, cells: Cells) -> None:
        """Read one row."""
        READERS[kind](self, line, cells)

    def leave_out(self, line: int, reason: str) -> None:
        """Tell that a row is not in the estate."""
        self.found.complain(line, f"{reason}: the row is left out")

    def server(self, cells: Cells) -> str:
        """The license server that a row names; "" where it names none."""
        for name in server_names:
            if name in cells and (found := text(cells[name])):
                return found
        return ""

    def moment(self, line: int, cells: Cells, name: str) -> int | None:
        """A date; one that cannot be read is told and counts as none."""
        return self._tried(line, cells, name, self.moments.read)

    def count(self, line: int, cells: Cells, name: str) -> int | None:
        """A count, ``ENDLESS`` or none; one that cannot be read is told and counts as none."""
        return self._tried(line, cells, name, count)

    def _tried(self, line: int, cells: Cells, name: str, read: Callable[[object], int | None]) -> int | None:
        value = cells.get(name)
        if value is None or value == "":
            return None
        try:
            return read(value)
        except ValueError as error:
            self.found.complain(line, f"{name} {shown(value)} {error}")
            return None

    def version(self, line: int, cells: Cells) -> str | None:
        """The version that a row means; one that the ladder lacks is told."""
        wanted = cells.get("ProductVersionID"), cells.get("ProductVersion"), cells.get("Description")
        found = self.versions.of(*wanted)
        said = [shown(value) for value in wanted if text(value)]
        if found is None and said:
            self.found.complain(
                line, f"names a version that the ladder {self.versions.ladder.name} lacks: {', '.join(said)}"
            )
        return found


def _pack(reader: Reader, line: int, cells: Cells) -> None:
    type_ = type_of(cells.get("ProductType"), cells.get("Description"), _words(cells))
    program = _program(reader, line, cells)
    if type_ is None:
        reader.leave_out(line, f"ProductType {shown(cells.get('ProductType'))} does not say whom the CALs are for")
        return
    issued = reader.count(line, cells, "IssuedLicenses")
    total = _total(reader, line, cells, issued)
    if total is None:
        reader.leave_out(line, "it does not say how many CALs there are")
        return
    reader.found.packs.append(
        FoundPack(
            line=line,
            server=reader.server(cells),
            id=text(cells.get("KeyPackId")) or f"row-{reader.found.kinds[Kind.PACKS]}",
            version=reader.version(line, cells),
            type=type_,
            program=program,
            total=None if total == ENDLESS else total,
            issued=None if issued == ENDLESS else issued,
            expires_at=_end(reader.moment(line, cells, "ExpirationDate"), built_in=type_ is PackType.BUILT_IN),
        )
    )


def _words(cells: Cells) -> str:
    return f"{text(cells.get('TypeAndModel'))} {text(cells.get('ProductVersion'))}"


def _total(reader: Reader, line: int, cells: Cells, issued: int | None) -> int | None:
    """How many CALs a pack has; also from those that are left, where the column is missing."""
    total = reader.count(line, cells, "TotalLicenses")
    if total is not None:
        return total
    left = reader.count(line, cells, "AvailableLicenses")
    if left is None or left == ENDLESS:
        return left
    return None if issued is None else left + issued


def _program(reader: Reader, line: int, cells: Cells) -> str:
    value = cells.get("KeyPackType")
    try:
        wanted = number(value)
    except ValueError:
        return text(value).lower() or KEY_PACK_TYPES[0]  # A file with words instead of numbers.
    if wanted is None:
        return KEY_PACK_TYPES[0]
    if wanted not in KEY_PACK_TYPES:
        reader.found.complain(line, f"KeyPackType {wanted} is none that is known: how the pack was bought is not known")
    return KEY_PACK_TYPES.get(wanted, KEY_PACK_TYPES[0])


def _end(moment: int | None, *, built_in: bool = False) -> int | None:
    """An end, None where it is one of the dates that stand for "never"."""
    never = NEVER[0] if built_in else NEVER[1]
    return None if moment is None or moment >= never else moment


def _license(reader: Reader, line: int, cells: Cells) -> None:
    found = reader.found
    device, user = text(cells.get("sIssuedToComputer")) or None, text(cells.get("sIssuedToUser")) or None
    hardware_id = text(cells.get("sHardwareId")) or None
    id_ = text(cells.get("LicenseId"))
    if not (id_ or device or user or hardware_id):
        reader.leave_out(line, "it names neither a license nor who holds it")
        return
    found.licenses.append(
        FoundLicense(
            line,
            reader.server(cells),
            id_ or f"row-{found.kinds[Kind.ISSUED]}",
            text(cells.get("KeyPackId")) or None,
            type_of(None, cells["Description"], "") if "Description" in cells else None,
            _status(reader, line, cells),
            _license_version(reader, cells),
            device,
            user,
            hardware_id,
            reader.moment(line, cells, "IssueDate"),
            _end(reader.moment(line, cells, "ExpirationDate")),
        )
    )


def _license_version(reader: Reader, cells: Cells) -> str | None:
    """The version that the row itself names, as some forms do; most leave it to the pack."""
    if not ("ProductVersionID" in cells or "ProductVersion" in cells or "Description" in cells):
        return None
    return reader.versions.of(cells.get("ProductVersionID"), cells.get("ProductVersion"), cells.get("Description"))


_STATUS_WORDS: Final = MappingProxyType(
    {str(status): status for status in LicenseStatus}
    | {"upgrade": LicenseStatus.UPGRADED, "permanent": LicenseStatus.ACTIVE, "full": LicenseStatus.ACTIVE}
)


def _status(reader: Reader, line: int, cells: Cells) -> LicenseStatus:
    value = cells.get("LicenseStatus")
    try:
        wanted = number(value)
    except ValueError:
        found = _STATUS_WORDS.get(text(value).casefold())
    else:
        found = LicenseStatus.UNKNOWN if wanted is None else LICENSE_STATUSES.get(wanted)
    if found is None:
        reader.found.complain(line, f"LicenseStatus {shown(value)} is none that is known")
        return LicenseStatus.UNKNOWN
    return found


def _user_report(reader: Reader, line: int, cells: Cells) -> None:
    user = text(cells.get("User"))
    if not user:
        reader.leave_out(line, "it names no user")
        return
    _report(reader, line, cells, user=user, status=LicenseStatus.ACTIVE, type_=PackType.PER_USER)


def _device_report(reader: Reader, line: int, cells: Cells) -> None:
    if not (text(cells.get("sIssuedToComputer")) or text(cells.get("sHardwareId"))):
        reader.leave_out(line, "it names no device")
        return
    _report(reader, line, cells, user=None, status=LicenseStatus.UNKNOWN, type_=PackType.PER_DEVICE)


def _report(
    reader: Reader, line: int, cells: Cells, *, user: str | None, status: LicenseStatus, type_: PackType
) -> None:
    said = type_of(None, None, text(cells.get("CALType")))
    version = reader.version(line, cells)
    device, hardware_id = text(cells.get("sIssuedToComputer")) or None, text(cells.get("sHardwareId")) or None
    reader.found.licenses.append(
        FoundLicense(
            line,
            reader.server(cells),
            f"{user or hardware_id or device}/{version or '?'}",
            None,
            said or type_,
            status,
            version,
            device,
            user,
            hardware_id,
            None,
            _end(reader.moment(line, cells, "ExpirationDate")),
            reported=True,
        )
    )


def _summary(reader: Reader, line: int, cells: Cells) -> None:
    type_ = type_of(None, None, text(cells.get("TSCALType")) or text(cells.get("CALType")))
    installed, issued = reader.count(line, cells, "InstalledLicenses"), reader.count(line, cells, "IssuedLicenses")
    if type_ is None or installed is None:
        reader.leave_out(line, "it does not say of which type CALs are installed, and how many")
        return
    version = reader.version(line, cells)
    total = None if installed == ENDLESS else installed
    reader.found.summaries.append(FoundSummary(line, reader.server(cells), version, type_, total, max(0, issued or 0)))


def _failure(reader: Reader, line: int, cells: Cells) -> None:
    at = reader.moment(line, cells, "TriedIssuanceOn")
    if at is None:
        reader.leave_out(line, "it does not say when")
        return
    said = type_of(None, None, text(cells.get("CALType")))
    holder = text(cells.get("User")) or "?"
    version = reader.version(line, cells)
    reader.found.failures.append(
        EstateFailure(at, reader.server(cells), None, holder, said or PackType.PER_USER, version, ())
    )


def _failed_summary(reader: Reader, line: int, cells: Cells) -> None:
    times = reader.count(line, cells, "FailedIssuanceCount")
    if times is not None:
        reader.found.facts[f"failed issuances in {text(cells.get('DomainName')) or '?'}"] = str(times)


def _server(reader: Reader, line: int, cells: Cells) -> None:
    name = reader.server(cells)
    if not name:
        reader.leave_out(line, "it does not name the license server")
        return
    kept = ((key, text(cells.get(key))) for key in ("ProductId", "ServerRole", "DatabasePath", "VersionNumber"))
    settings = tuple((key, value) for key, value in kept if value)
    version = reader.versions.named(cells.get("Version"))
    reader.found.servers.append(EstateServer(name, version, settings=settings))


_BETWEEN: Final = re.compile(r"[;,|\s]+")


def _host(reader: Reader, line: int, cells: Cells) -> None:
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
    return None if wanted is None else MODES.get(wanted)


READERS: Final[Mapping[Kind, Callable[[Reader, int, Cells], None]]] = MappingProxyType(
    {
        Kind.PACKS: _pack,
        Kind.ISSUED: _license,
        Kind.USER_REPORT: _user_report,
        Kind.DEVICE_REPORT: _device_report,
        Kind.SUMMARY: _summary,
        Kind.FAILED: _failure,
        Kind.FAILED_SUMMARY: _failed_summary,
        Kind.SERVER: _server,
        Kind.HOSTS: _host,
    }
)
