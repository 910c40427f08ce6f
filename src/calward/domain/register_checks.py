"""May this license server have this key pack: by its version, by whose it is, and by what stands in the register?"""

from dataclasses import dataclass
from datetime import datetime

from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.compatibility import server_holds_cal
from calward.domain.errors import LicensingError
from calward.domain.fields import render_moment
from calward.domain.ladder import Ladder
from calward.domain.purchases import Purchase
from calward.domain.register import PackRecord, RegisterState

__all__ = ["Taker", "why_not_activated", "why_not_for_version", "why_not_movable", "why_not_yours"]

_R = AcceptanceRefusal


@dataclass(frozen=True, slots=True)
class Taker:
    """A license server that wants a pack. ``proof`` is a number as printed on the purchase's papers, where one was given."""

    server_id: str
    version: str
    organization: str | None
    proof: str | None = None


def why_not_activated(issue_until: datetime | None, now: datetime) -> NotAccepted | None:
    """Why a server with this right to issue gets no packs; None if it does."""
    if issue_until is not None and now < issue_until:
        return None
    return NotAccepted(_R.SERVER_NOT_ACTIVATED, "this license server has no right to issue: activate it first")


def why_not_for_version(ladder: Ladder, cal_version: str, server_version: str) -> NotAccepted | None:
    """Why a server that runs as this version cannot hold CALs of that one; None if it can."""
    try:
        fits = server_holds_cal(ladder, server_version, cal_version)
    except LicensingError:
        detail = f"the CALs are for the ladder {ladder.name}, on which this license server has no version"
        return NotAccepted(_R.UNKNOWN_LADDER, detail)
    if fits:
        return None
    detail = (
        f"a license server of version {server_version} cannot hold CALs of {cal_version}: "
        f"a server of {' or '.join(ladder.at_least(cal_version))} can, or downgrade them where they are"
    )
    return NotAccepted(_R.SERVER_VERSION_TOO_LOW, detail)


def why_not_movable(record: PackRecord, taker: Taker, source_id: str, now: datetime) -> NotAccepted | None:
    """Why a pack cannot be ordered from this source to this server; None if it can. The state is asked in ``move_pack``."""
    statement = record.statement
    if statement.server_id != source_id:
        detail = (
            f"key pack {statement.pack_id} is not at the license server {source_id}: look at calward clearinghouse show"
        )
        return NotAccepted(_R.PACK_NOT_HELD, detail)
    if source_id == taker.server_id:
        return NotAccepted(_R.PACK_NOT_HELD, f"key pack {statement.pack_id} is at this license server already")
    if statement.expires_at <= now and record.state is RegisterState.HELD:
        ended = render_moment(statement.expires_at)
        return NotAccepted(
            _R.PACK_EXPIRED, f"key pack {statement.pack_id} expired at {ended}: there is nothing to move"
        )
    return None


def why_not_yours(
    purchase: Purchase, proven: Purchase | None, taker: Taker, *, needs_proof: bool
) -> NotAccepted | None:
    """Why a pack of ``purchase`` is not for this server to move; None if it is.

    ``proven`` is the purchase that the proof belongs to: this one, or another one of the same organization.
    """
    of_organization = purchase.organization is not None
    if proven is not None and proven.purchase_id == purchase.purchase_id:
        shown = True
    elif proven is not None:
        shown = of_organization and proven.organization == purchase.organization
    else:
        shown = not needs_proof and of_organization and taker.organization == purchase.organization
    if shown and (not of_organization or taker.organization in {None, purchase.organization}):
        return None
    detail = (
        "the pack was bought by another organization than this license server belongs to, or nothing shows that it is the same: "
        "give a number of its purchase as proof"
    )
    return NotAccepted(_R.NOT_SAME_ORGANIZATION, detail)
