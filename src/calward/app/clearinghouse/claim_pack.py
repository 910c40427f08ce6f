"""Install: claim CALs of a purchase by its numbers, for the license server that asks; or say what that would bring."""

from dataclasses import replace

from calward.app.clearinghouse.means import Asked, Said, put_server, record
from calward.app.clearinghouse.room import why_no_room
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.errors import LicensingError
from calward.domain.pack_orders import InstallOffer
from calward.domain.pack_requests import InstallRequest
from calward.domain.purchases import Purchase, quantity_to_claim, read_numbers
from calward.domain.register import hold_new
from calward.domain.register_checks import why_not_activated, why_not_for_version
from calward.domain.register_events import RegisterEvent
from calward.domain.statements import KeyPackStatement, PayloadType

__all__ = ["claim_pack"]

_R = AcceptanceRefusal


def claim_pack(request: InstallRequest, asked: Asked) -> Said:
    """Claim what the numbers stand for; the pack waits in the server's outbox. A preview claims nothing and answers with an offer.

    A server without an organization joins the purchase's.
    """
    purchase = _purchase(request, asked)
    if isinstance(purchase, NotAccepted):
        return purchase
    claimed = asked.book.purchases.claimed(purchase.purchase_id)
    quantity = quantity_to_claim(purchase, claimed, request.quantity, asked.now)
    if isinstance(quantity, NotAccepted):
        return quantity
    ladder = asked.means.load_ladder(purchase.ladder)
    refused = _why_not_yours(purchase, asked) or why_not_for_version(
        ladder, purchase.version, request.head.server_version
    )
    if refused is not None:
        return refused
    if request.preview:
        return _offer(request, purchase, quantity, purchase.quantity - claimed - quantity, asked)
    return (
        why_not_activated(asked.server.issue_until, asked.now)
        or why_no_room(1, asked)
        or _claim(purchase, quantity, asked)
    )


def _purchase(request: InstallRequest, asked: Asked) -> Purchase | NotAccepted:
    try:
        numbers = read_numbers(request.program, request.numbers)
    except LicensingError as error:
        return NotAccepted(_R.NUMBER_UNKNOWN, error.detail)
    found = asked.book.purchases.with_numbers(numbers)
    if found is not None and found.program is request.program:
        return found
    detail = (
        f"nothing was bought under these numbers by {request.program}: compare them, and the program, with the paper"
    )
    return NotAccepted(_R.NUMBER_UNKNOWN, detail)


def _why_not_yours(purchase: Purchase, asked: Asked) -> NotAccepted | None:
    ours = asked.server.organization
    if ours is None or purchase.organization in {None, ours}:
        return None
    detail = "these numbers belong to another organization than this license server: ask who sold them"
    return NotAccepted(_R.NOT_SAME_ORGANIZATION, detail)


def _offer(request: InstallRequest, purchase: Purchase, quantity: int, left: int, asked: Asked) -> Said:
    organization = None if purchase.organization is None else asked.book.parties.organization(purchase.organization)
    offer = InstallOffer(
        server_id=request.head.server_id,
        nonce=request.head.nonce,
        organization="-" if organization is None else organization.name,
        ladder=purchase.ladder,
        version=purchase.version,
        cal_type=purchase.cal_type,
        quantity=quantity,
        left=left,
        program=purchase.program,
        expires_at=purchase.expires_at,
    )
    return (asked.plan(PayloadType.INSTALL_OFFER, asked.digest, offer.to_payload()),)


def _claim(purchase: Purchase, quantity: int, asked: Asked) -> Said:
    if asked.server.organization is None and purchase.organization is not None:
        joined = replace(asked.server, organization=purchase.organization)
        put_server(asked.book, joined, RegisterEvent.SERVER_CHANGED, asked.now)
    statement = KeyPackStatement(
        pack_id=asked.means.new_id(),
        generation=1,
        server_id=asked.server.server_id,
        ladder=purchase.ladder,
        version=purchase.version,
        cal_type=purchase.cal_type,
        total=quantity,
        program=purchase.program,
        issued_at=asked.now,
        expires_at=purchase.expires_at,
        bought_as=purchase.version,
    )
    step = hold_new(statement, purchase.purchase_id)
    record(asked.book, step, RegisterEvent.PACK_CLAIMED, asked.now, request=asked.digest)
    return ()
