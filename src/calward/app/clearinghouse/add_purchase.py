"""Add a purchase: make the numbers under which an organization claims what it bought."""

from dataclasses import dataclass, replace
from datetime import datetime

from calward.app.clearinghouse.add_organization import organization_named
from calward.app.clearinghouse.means import Means
from calward.app.clearinghouse.ports import Book
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import check_name, render_moment
from calward.domain.purchases import Purchase, make_numbers
from calward.domain.register_events import RegisterEvent, purchase_fields
from calward.domain.statements import MAX_TOTAL, NO_END, Program

__all__ = ["MAX_QUANTITY", "AddPurchase", "add_purchase"]

MAX_QUANTITY = 1_000 * MAX_TOTAL
"""CALs of one purchase: what an offer can name as left."""


@dataclass(frozen=True, slots=True)
class AddPurchase:
    """What was bought. ``organization`` is an id or a name, None where the buyer is nobody's business (a retail code).

    ``order`` is the seller's number of the sale: the same order is the same purchase, however often it is added.
    """

    program: Program
    ladder: str
    version: str
    cal_type: CalType
    quantity: int
    organization: str | None = None
    expires_at: datetime = NO_END
    convertible: bool = False
    order: str | None = None


def add_purchase(command: AddPurchase, *, means: Means) -> Purchase:
    """Add it and make its numbers.

    Raises: LicensingError: MALFORMED: a value is wrong; NOT_FOUND: organization, ladder or version is not known; CONFLICT: the
    order was used for another purchase; UNAVAILABLE.
    """
    now = means.now()
    _check(command, now)
    ladder = means.load_ladder(command.ladder)
    purchase = Purchase(
        purchase_id=means.new_id(),
        organization=None,
        program=command.program,
        numbers=make_numbers(command.program, means.entropy.token),
        ladder=ladder.name,
        version=ladder.canonical(command.version),
        cal_type=command.cal_type,
        quantity=command.quantity,
        expires_at=command.expires_at,
        convertible=command.convertible,
        added_at=now,
    )
    return means.store.write(lambda book: _add(command, purchase, book))


def _check(command: AddPurchase, now: datetime) -> None:
    if command.order is not None:
        check_name(command.order, "the order")
    # A retail code is claimed whole, as one pack.
    most = MAX_TOTAL if command.program is Program.RETAIL else MAX_QUANTITY
    if not 1 <= command.quantity <= most:
        raise LicensingError(Problem.MALFORMED, f"the quantity must be from 1 to {most}", field="quantity")
    if command.expires_at <= now:
        detail = f"{render_moment(command.expires_at)} has passed: what is sold ends in the future"
        raise LicensingError(Problem.MALFORMED, detail, field="expires_at")
    if command.program is Program.SUBSCRIPTION and command.expires_at == NO_END:
        raise LicensingError(Problem.MALFORMED, "a subscription needs the date on which it ends", field="expires_at")


def _add(command: AddPurchase, purchase: Purchase, book: Book) -> Purchase:
    if command.organization is not None:
        organization = organization_named(command.organization, book)
        purchase = replace(purchase, organization=organization.organization_id)
    known = None if command.order is None else book.purchases.of_order(command.order)
    if known is None:
        book.purchases.add(purchase, command.order)
        book.log.note(purchase.added_at, RegisterEvent.PURCHASE_ADDED, purchases=[purchase_fields(purchase)])
        return purchase
    same = replace(purchase, purchase_id=known.purchase_id, numbers=known.numbers, added_at=known.added_at)
    if same != known:
        detail = f"the order {command.order} was used for something else: give each sale an order of its own"
        raise LicensingError(Problem.CONFLICT, detail, field="order")
    return known
