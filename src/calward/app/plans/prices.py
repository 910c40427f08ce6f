"""What do CALs cost? ``[[price]]`` tables, in a plan file or in a file of their own."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from calward.app.scenarios.known import Known, cal_type
from calward.app.scenarios.tables import Expected, Table, line_of_text, whole
from calward.insight.planner import Price

__all__ = ["NO_PRICES", "PriceList", "read_price_tables"]

_DECIMALS: Final = 4
_DEAREST: Final = 1_000_000_000
_LARGEST: Final = 100_000


@dataclass(frozen=True, slots=True)
class PriceList:
    """Offers and their currency, "" where nobody names one. No offers: quantities only."""

    offers: tuple[Price, ...] = ()
    currency: str = ""


NO_PRICES: Final = PriceList()


def read_price_tables(top: Table, known: Known) -> PriceList:
    """Take ``currency`` and ``[[price]]`` from the top of a file; raises LicensingError(MALFORMED)."""
    currency = top.take("currency", line_of_text, "")
    found: dict[tuple[object, ...], Price] = {}
    for table in top.tables("price"):
        price = _price(table, known)
        key = (price.type, price.family, price.size)
        if key in found:
            table.fail("version", f"{price.version}/{price.type} has a price for {price.size} CALs already")
        found[key] = price
    return PriceList(tuple(found.values()), currency)


def _price(table: Table, known: Known) -> Price:
    version = table.need("version", known.version)
    price = Price(
        table.need("type", cal_type),
        version,
        known.ladder.family_of(version),
        table.need("price", _amount),
        table.take("size", whole(1, _LARGEST), 1),
    )
    table.end()
    return price


def _amount(value: object) -> Decimal:
    """An exact number: 199, 199.90 or "199.90"."""
    expected = Expected(f"an amount from 0 to {_DEAREST} with at most {_DECIMALS} decimals, such as 199.90")
    try:
        found = Decimal(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None
    except ArithmeticError:
        raise expected from None
    if found is None or not found.is_finite() or not 0 <= found <= _DEAREST:
        raise expected
    if int(found.as_tuple().exponent) < -_DECIMALS:
        raise expected
    return found
