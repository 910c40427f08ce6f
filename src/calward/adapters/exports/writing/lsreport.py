"""How is the list of licenses written with the columns of lsreport.exe, as text between tabs?

Source: rd-licensing 8.2. The tool lists per-device licenses; what it calls a license's type is a product code.
"""

import csv
import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

from calward.adapters.exports.columns import LSREPORT_ORDER
from calward.adapters.exports.writing.names import Names, us_time
from calward.adapters.exports.writing.wmi_rows import csv_pieces
from calward.insight.estate import Estate, EstateLicense, LicenseStatus

__all__ = ["lsreport_text"]

_BLANKS: Final = re.compile(r"[\t\r\n]+")


def lsreport_text(estate: Estate, *, hardware_ids: bool = False) -> Iterator[str]:
    """The columns in their order, a header first; ``hardware_ids`` adds them as the tool's /W does.

    With several license servers a last column names them: the tool's own form for that is not known.
    """
    names, several = Names(estate.ladder), len({one.name for one in estate.servers}) > 1
    more = (*(("hardwareID",) if hardware_ids else ()), *(("server",) if several else ()))
    rows = (
        [*_cells(one, names), *((one.hardware_id or "",) if hardware_ids else ()), *((one.server,) if several else ())]
        for one in estate.licenses
    )
    header: list[list[str]] = [[*LSREPORT_ORDER, *more]]
    return csv_pieces(chain(header, (map(_plain, row) for row in rows)), separator="\t", quoting=csv.QUOTE_MINIMAL)


def _plain(text: str) -> str:
    return _BLANKS.sub(" ", text)


def _cells(one: EstateLicense, names: Names) -> list[str]:
    status = LicenseStatus.ACTIVE if one.status is LicenseStatus.OVER_USED else one.status
    start, end = us_time(one.issued_at), us_time(one.expires_at)
    kind = names.code(one.version, one.type) or names.cal(one.version, one.type)
    return [one.id, one.pack or "", one.device or "", one.user or "", start, status.value.title(), kind, end]
