"""What does a row about a key pack mean?"""

from calward.adapters.exports.reader import Cells, Reader, end_of
from calward.adapters.exports.values import ENDLESS, number, shown, text
from calward.adapters.exports.versions import type_of
from calward.adapters.exports.wmi import KEY_PACK_TYPES, Kind
from calward.app.estates.found import FoundPack
from calward.insight.estate import PackType

__all__ = ["read_pack"]


def read_pack(reader: Reader, line: int, cells: Cells) -> None:
    """A row of a list of key packs."""
    type_ = type_of(cells.get("ProductType"), cells.get("Description"), _words(cells))
    program = _program(reader, line, cells)
    if type_ is None:
        reader.leave_out(line, _for_nobody(cells.get("ProductType")))
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
            expires_at=end_of(reader.moment(line, cells, "ExpirationDate"), built_in=type_ is PackType.BUILT_IN),
        )
    )


def _for_nobody(product_type: object) -> str:
    if not text(product_type):
        return "neither ProductType nor another column says whom the CALs are for"
    return f"ProductType {shown(product_type)} does not say whom the CALs are for"


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
