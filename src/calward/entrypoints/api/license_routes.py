"""Who holds which license, and how is one taken back?"""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query

from calward.app.licensing.erase_holder import EraseHolder, erase_holder
from calward.app.licensing.free_license import FreeLicense, release_license, revoke_license
from calward.app.licensing.show_status import needed_server
from calward.app.reading import Ended, LicenseFilter, Page
from calward.domain.answers import license_name, numbered, rfc3339
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.key_packs import Shelf
from calward.domain.licenses import Status
from calward.domain.names import check_host
from calward.domain.revocation import allowance
from calward.entrypoints.api.answers import Act, Items, License, Revocation
from calward.entrypoints.api.bodies import WhichHolder
from calward.entrypoints.api.guard import Desk, GuardedRoute, Who
from calward.entrypoints.api.holders import named_holder
from calward.entrypoints.api.paging import After, Limit, number_after, seen
from calward.entrypoints.api.views import act_view, license_view

__all__ = ["router"]

router = APIRouter(route_class=GuardedRoute, tags=["licenses"])

Text = Annotated[str | None, Query(max_length=300)]


class WhichEnded(StrEnum):
    """Running licenses, ended ones, or both."""

    FALSE = "false"
    TRUE = "true"
    ALL = "all"


_ENDED = {WhichEnded.FALSE: Ended.NO, WhichEnded.TRUE: Ended.YES, WhichEnded.ALL: Ended.ALL}


@router.get("/api/v1/licenses", operation_id="listLicenses")
def licenses(
    desk: Desk,
    *,
    type: CalType | None = None,  # noqa: A002 - the name in the address
    status: Status | None = None,
    version: Text = None,
    pack: Text = None,
    holder: Text = None,
    host: Text = None,
    ended: WhichEnded = WhichEnded.FALSE,
    limit: Limit = 100,
    after: After = None,
) -> Items[License]:
    """List licenses, newest first; ``holder`` is a user, a device's name or its hardware id, exactly."""
    now = desk.clock.now()
    wanted = LicenseFilter(
        type=type,
        status=status.value if status else None,
        version=desk.ladder.canonical(version) if version else None,
        pack=seen(pack, "pack"),
        holder=seen(holder, "holder"),
        host=check_host(host, "host") if host else None,
        ended=_ENDED[ended],
    )
    found = desk.reader.licenses(wanted, Page(limit + 1, number_after(after, "L")), now)
    shown = [license_view(row, now) for row in found[:limit]]
    return Items(items=shown, next=shown[-1].id if len(found) > limit else None)


@router.get("/api/v1/licenses/{license}", operation_id="showLicense")
def show(desk: Desk, license: str) -> License:  # noqa: A002 - the name in the address
    """Show one license, running or ended."""
    found = desk.reader.license(_number(license))
    if found is None:
        raise _unknown(license)
    return license_view(found, desk.clock.now())


@router.post("/api/v1/licenses/{license}:revoke", operation_id="revokeLicense")
def revoke(desk: Desk, who: Who, license: str) -> Act:  # noqa: A002
    """Revoke a full per-device license; at most a share of a family's CALs at a time."""
    command = FreeLicense(_number(license), who.name)
    return act_view(desk.ledger.write(lambda book: revoke_license(command, book, now=book.now())))


@router.post("/api/v1/licenses/{license}:release", operation_id="releaseLicense")
def release(desk: Desk, who: Who, license: str) -> Act:  # noqa: A002
    """Release a per-user license."""
    command = FreeLicense(_number(license), who.name)
    return act_view(desk.ledger.write(lambda book: release_license(command, book, now=book.now())))


@router.post("/api/v1/holders:erase", operation_id="eraseHolder")
def erase(desk: Desk, who: Who, body: WhichHolder) -> Act:
    """Forget the name of a device or user without a running license; the audit trail still verifies."""
    command = EraseHolder(*named_holder(desk.reader, body), who.name)
    return act_view(desk.ledger.write(lambda book: erase_holder(command, book, now=book.now())))


@router.get("/api/v1/revocations", operation_id="listRevocations")
def revocations(desk: Desk) -> Items[Revocation]:
    """Show for each version family how many per-device licenses may be revoked now, and when the next slot opens."""
    now, share = desk.clock.now(), needed_server(desk.reader).settings.revocable_share
    shelf = Shelf.of(row.pack for row in desk.reader.packs(now))
    revoked = desk.reader.revoked_until(now)
    families = {pack.family for pack in shelf.packs if pack.type is CalType.PER_DEVICE} | {x for x, _ in revoked}
    shown = []
    for family in sorted(families):
        installed = shelf.installed(CalType.PER_DEVICE, family, now)
        left = allowance(installed, share, [end for one, end in revoked if one == family], now)
        shown.append(
            Revocation(
                family=desk.ladder.family_name(family),
                installed=installed,
                limit=left.limit,
                used=left.used,
                remaining=left.remaining,
                next_at=rfc3339(left.next_at) if left.next_at else None,
            )
        )
    return Items(items=shown)


def _number(name: str) -> int:
    number = numbered(name, "L")
    if number is None:
        raise _unknown(name)
    return number


def _unknown(name: str) -> LicensingError:
    number = numbered(name, "L")
    shown = license_name(number) if number is not None else repr(name[:64])
    return LicensingError(
        Problem.NOT_FOUND, f"no license {shown} was issued here: licenses are named like L12", field="license"
    )
