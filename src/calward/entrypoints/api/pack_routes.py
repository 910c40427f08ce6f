"""Which key packs are installed, and how do they come and go?"""

from fastapi import APIRouter

from calward.app.licensing.acts import RefusedAct
from calward.app.licensing.install_key_pack import RemoveKeyPack, remove_key_pack
from calward.app.licensing.signed_things import install_signed_pack
from calward.domain.acceptance import NotAccepted
from calward.domain.errors import LicensingError, Problem
from calward.domain.key_packs import PackId
from calward.entrypoints.api.answers import Act, Items, Pack
from calward.entrypoints.api.guard import Body, Desk, GuardedRoute, Who
from calward.entrypoints.api.paging import After, Limit, page_of
from calward.entrypoints.api.refusals import refused_view
from calward.entrypoints.api.server_routes import ENVELOPE_BODY
from calward.entrypoints.api.services import Services
from calward.entrypoints.api.views import act_view, done_view, pack_view

__all__ = ["router"]

router = APIRouter(route_class=GuardedRoute, tags=["packs"])


@router.get("/api/v1/packs", operation_id="listPacks")
def packs(desk: Desk, limit: Limit = 500, after: After = None) -> Items[Pack]:
    """List installed packs with what is issued and what is available."""
    now = desk.clock.now()
    shown = [pack_view(row, desk.ladder, now) for row in desk.reader.packs(now)]
    return page_of(shown, lambda pack: pack.id, limit, after)


@router.get("/api/v1/packs/{pack}", operation_id="showPack")
def pack(desk: Desk, pack: str) -> Pack:
    """Show one pack."""
    found = _pack(desk, pack)
    if found is None:
        raise LicensingError(Problem.NOT_FOUND, f"no pack {pack[:64]!r} is installed", field="pack")
    return found


@router.post("/api/v1/packs", operation_id="installPack", openapi_extra=ENVELOPE_BODY)
def install(desk: Desk, who: Who, body: Body) -> Act:
    """Install a pack that the clearinghouse signed for this server."""
    found = desk.ledger.write(
        lambda book: install_signed_pack(body, book, desk.signatures, desk.ladder, now=book.now(), by=who.name)
    )
    if isinstance(found, NotAccepted):
        return refused_view(desk, who, "install", found)
    if isinstance(found, RefusedAct):
        return act_view(found)
    now = desk.clock.now()
    row = next(row for row in desk.reader.packs(now) if row.pack.row == found.event)
    return done_view(found.outcome, pack=pack_view(row, desk.ladder, now))


@router.delete("/api/v1/packs/{pack}", operation_id="removePack")
def remove(desk: Desk, who: Who, pack: str) -> Act:
    """Remove a pack of which no CAL is held."""
    command = RemoveKeyPack(PackId(pack), who.name)
    return act_view(desk.ledger.write(lambda book: remove_key_pack(command, book, now=book.now())))


def _pack(desk: Services, name: str) -> Pack | None:
    now = desk.clock.now()
    found = desk.reader.pack(name, now) if name.isprintable() else None
    return pack_view(found, desk.ladder, now) if found else None
