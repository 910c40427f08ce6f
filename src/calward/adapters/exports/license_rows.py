"""What does a row about an issued license mean, in a list of licenses or in a report?"""

from types import MappingProxyType
from typing import Final

from calward.adapters.exports.reader import Cells, Reader, end_of
from calward.adapters.exports.values import number, shown, text
from calward.adapters.exports.versions import type_of
from calward.adapters.exports.wmi import LICENSE_STATUSES, Kind
from calward.app.estates.found import FoundLicense
from calward.insight.estate import LicenseStatus, PackType

__all__ = ["read_device_entry", "read_license", "read_user_entry"]


def read_license(reader: Reader, line: int, cells: Cells) -> None:
    """A row of a list of issued licenses."""
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
            end_of(reader.moment(line, cells, "ExpirationDate")),
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


def read_user_entry(reader: Reader, line: int, cells: Cells) -> None:
    """An entry of a report of per-user CALs in use."""
    user = text(cells.get("User"))
    if not user:
        reader.leave_out(line, "it names no user")
        return
    _report(reader, line, cells, user=user, status=LicenseStatus.ACTIVE, type_=PackType.PER_USER)


def read_device_entry(reader: Reader, line: int, cells: Cells) -> None:
    """An entry of a report of per-device CALs in use; it does not say whether they are temporary."""
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
            end_of(reader.moment(line, cells, "ExpirationDate")),
            reported=True,
        )
    )
