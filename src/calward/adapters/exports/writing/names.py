"""What do other systems call a version, a type, a program, a date? The tables of ``wmi``, read from the other side.

Whatever is written here is read back by ``calward.adapters.exports`` as the same.
"""

import re
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from calward.adapters.exports.versions import Versions
from calward.adapters.exports.wmi import KEY_PACK_TYPES, LICENSE_STATUSES, PRODUCT_CODES, PRODUCT_TYPES
from calward.domain.ladder import Ladder
from calward.insight.estate import LicenseStatus, PackType

__all__ = ["OWN_PROGRAM", "PRODUCT_TYPE", "Names", "cal_type", "dmtf", "license_status", "program", "us_time"]

OWN_PROGRAM: Final = "key pack"
"""What our own ledger calls every pack: it comes from a clearinghouse, by whichever program."""
_PROGRAMS: Final = MappingProxyType({name: number for number, name in KEY_PACK_TYPES.items()} | {OWN_PROGRAM: 0})
_STATUSES: Final = MappingProxyType(
    {status: number for number, status in LICENSE_STATUSES.items()} | {LicenseStatus.OVER_USED: 2}
)
"""Over-used is a word of ours; for the other system it is as active as any."""
PRODUCT_TYPE: Final = MappingProxyType({type_: number for number, type_ in PRODUCT_TYPES.items()})
"""ProductType: its number."""
_CODES: Final = MappingProxyType({type_: code for code, type_ in PRODUCT_CODES.items()})
_NUMBER: Final = "wmi_product_version_id"
_CODE: Final = "product_code_version"
_TYPES: Final = MappingProxyType(
    {
        PackType.PER_DEVICE: "Per Device",
        PackType.PER_USER: "Per User",
        PackType.BUILT_IN: "Built-in",
    }
)


class Names:
    """Names what a ladder has."""

    def __init__(self, ladder: Ladder) -> None:
        self._ladder = ladder
        self._versions = Versions(ladder)

    def version(self, version: str | None) -> tuple[str, str]:
        """ProductVersion and ProductVersionID; both empty where the version is not known."""
        if version is None:
            return "", ""
        rung = self._ladder.rung(version)
        number = str(rung.foreign.get(_NUMBER, ""))
        title = rung.title if self._reads_as(rung.title, version) else rung.id
        return title, number if self._versions.of(number, "") == self._oldest(version) else ""

    def cal(self, version: str | None, type_: PackType) -> str:
        """TypeAndModel, CALType: such as ``RDS Per User CAL``."""
        family = "RDS CAL" if version is None else self._ladder.rung(version).cal_name
        prefix = family.removesuffix("CAL").strip()
        if type_ is PackType.BUILT_IN:
            return f"Built-in {prefix} Per Device CAL"
        return f"{prefix} {_TYPES[type_]} CAL"

    def code(self, version: str | None, type_: PackType) -> str:
        """A product code such as A02-10.01-S; "" where nobody has published it."""
        number = "" if version is None else str(self._ladder.rung(version).foreign.get(_CODE, ""))
        if not re.fullmatch(r"\d{1,2}\.\d\d", number) or type_ not in _CODES:
            return ""
        return f"{_CODES[type_]}-{number}-S"

    def _reads_as(self, title: str, version: str) -> bool:
        return self._versions.of("", title) == self._oldest(version)

    def _oldest(self, version: str) -> str:
        return self._ladder.family_versions(self._ladder.family_of(version))[0]


def cal_type(type_: PackType) -> str:
    """TSCALType: ``Per Device`` or ``Per User``."""
    return _TYPES[type_]


def program(name: str) -> str:
    """KeyPackType: its number, or the word itself where a file had a word that has none."""
    return str(_PROGRAMS.get(name, name))


def license_status(status: LicenseStatus) -> str:
    """LicenseStatus: its number."""
    return str(_STATUSES[status])


def dmtf(moment: int | None) -> str:
    """A moment as WMI writes it, exact and in UTC: 20260131235959.000000+000."""
    return "" if moment is None else f"{datetime.fromtimestamp(moment, UTC):%Y%m%d%H%M%S}.000000+000"


def us_time(moment: int | None) -> str:
    """A moment as an American Windows writes it, in UTC: 1/31/2026 11:59:59 PM."""
    if moment is None:
        return ""
    when = datetime.fromtimestamp(moment, UTC)
    return f"{when.month}/{when.day}/{when.year:04} {when:%I}:{when:%M:%S %p}".replace(" 0", " ")
