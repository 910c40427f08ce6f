"""What would a change of a key pack do, and may it be asked for at all? Before the clearinghouse is asked."""

from collections.abc import Iterable
from dataclasses import dataclass

from calward.app.licensing.acts import Done, RefusedAct, refuse_act, write_act
from calward.app.licensing.change_pack import going_along
from calward.app.licensing.freeze_pack import installed_pack
from calward.app.licensing.sweep import settle
from calward.app.ports import Book, Holding
from calward.domain.cals import CalType
from calward.domain.compatibility import server_holds_cal
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Kind
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.ladder import Ladder
from calward.domain.pack_requests import ChangeKind
from calward.domain.parties import Host
from calward.domain.reasons import Reason

__all__ = ["ChangePlan", "PlannedChange", "Preview", "plan_change", "preview_change", "set_aside"]


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """``to``: a version, or for a conversion a CAL type. ``count`` None: the whole pack."""

    pack: PackId
    kind: ChangeKind
    to: str
    count: int | None
    by: str


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A change that may be asked for: the pack as it is, what its CALs become (as the ladder writes it) and how many of them."""

    pack: KeyPack
    kind: ChangeKind
    to: str
    count: int

    @property
    def whole(self) -> bool:
        """Whether the pack stays one."""
        return self.count == self.pack.total


@dataclass(frozen=True, slots=True)
class Preview:
    """What the change would do.

    ``licenses``: who holds a CAL that changes; ``free``: how many free CALs change; ``lost``: versions of hosts that these CALs open
    now and would not then; ``hosts``: names of the enrolled hosts of such a version; ``reasons``: what stands in the way now.
    """

    change: PlannedChange
    licenses: tuple[Holding, ...]
    free: int
    lost: tuple[str, ...]
    hosts: tuple[str, ...]
    reasons: tuple[Reason, ...]


def plan_change(plan: ChangePlan, book: Book, ladder: Ladder, *, now: int) -> PlannedChange | RefusedAct:
    """Whether the change may be asked for; raises LicensingError for a pack, version, type or count that there is not."""
    pack = installed_pack(book, plan.pack)
    count = pack.total if plan.count is None else plan.count
    if not 1 <= count <= pack.total:
        raise LicensingError(Problem.MALFORMED, f"pack {pack.id} has {pack.total} CALs, not {count}", field="count")
    to = CalType.parse(plan.to).value if plan.kind is ChangeKind.CONVERT else ladder.canonical(plan.to)
    change = PlannedChange(pack, plan.kind, to, count)
    refused = _why_not(change, book, ladder, now)
    return refuse_act(book, "change", now, plan.by, *refused, pack=pack.id) if refused else change


def preview_change(
    plan: ChangePlan, book: Book, ladder: Ladder, hosts: Iterable[Host], *, now: int
) -> Preview | RefusedAct:
    """Who holds what would change, and which hosts they would lose. ``hosts``: those enrolled, in the mode in force. Writes nothing
    unless it is refused for good.
    """
    change = plan_change(plan, book, ladder, now=now)
    reasons: tuple[Reason, ...] = ()
    if isinstance(change, RefusedAct):
        return change
    running = book.holdings(change.pack, now)
    other_type = change.kind is ChangeKind.CONVERT
    going = going_along(change.pack, running, change.count, other_type=other_type)
    if going is None:
        going, reasons = frozenset(), (Reason.PACK_IN_USE,)
    licenses = tuple(one for one in running if one in going)
    lost = () if other_type else _lost(change, ladder)
    named = (x.name for x in hosts if x.mode is change.pack.type and x.version in lost)
    return Preview(change, licenses, change.count - len(licenses), lost, tuple(sorted(named)), reasons)


def set_aside(change: PlannedChange, book: Book, *, now: int, by: str) -> Done | RefusedAct:
    """Keep the CALs of a conversion free until its order comes, or it is given up: the clearinghouse cannot know who holds one."""
    book.alone()
    settle(book, now=now)
    pack = installed_pack(book, change.pack.id)
    free = pack.total - len(book.holdings(pack, now))
    if pack.aside or free < change.count:
        what = f"{pack.aside} wait for another change" if pack.aside else f"{free} are free"
        detail = f"{change.count} free CALs of pack {pack.id} are needed, {what}"
        return refuse_act(book, "change", now, by, Reason.PACK_IN_USE, detail, pack=pack.id, held=pack.total - free)
    book.set_aside(pack, change.count, now)
    return Done("set aside", write_act(book, Kind.CALS_SET_ASIDE, now, by, pack=pack.id, count=change.count))


def _lost(change: PlannedChange, ladder: Ladder) -> tuple[str, ...]:
    """Versions that the pack opens now and the changed CALs would not."""
    then = set(ladder.at_most(change.to))
    return tuple(version for version in ladder.at_most(change.pack.version) if version not in then)


def _why_not(change: PlannedChange, book: Book, ladder: Ladder, now: int) -> tuple[Reason, str] | None:
    pack = change.pack
    if pack.transfer is not None:
        return Reason.PACK_MOVING, f"pack {pack.id} is on its way to another license server"
    if pack.expires_at <= now:
        return Reason.PACK_EXPIRED, f"pack {pack.id} has expired: there is nothing to change any more"
    if change.kind is ChangeKind.CONVERT:
        detail = f"pack {pack.id} holds {pack.type.value} CALs already"
        return (Reason.NOTHING_TO_DO, detail) if change.to == pack.type.value else None
    return _why_not_to_version(change, book, ladder)


def _why_not_to_version(change: PlannedChange, book: Book, ladder: Ladder) -> tuple[Reason, str] | None:
    pack, server = change.pack, book.server()
    have, want = ladder.rung(pack.version).order, ladder.rung(change.to).order
    if have == want or (want > have) is not (change.kind is ChangeKind.UPGRADE):
        detail = f"pack {pack.id} is of {pack.version}: {change.to} is no {change.kind.value} of it"
        return Reason.NOTHING_TO_DO, detail
    if want > ladder.rung(pack.bought_as or pack.version).order:
        detail = f"pack {pack.id} was bought as {pack.bought_as or pack.version} and cannot become {change.to}"
        return Reason.ABOVE_WHAT_WAS_BOUGHT, detail
    if not server_holds_cal(ladder, server.version, change.to):
        detail = f"license server {server.name} runs as {server.version} and cannot hold CALs of {change.to}"
        return Reason.SERVER_VERSION_TOO_LOW, detail
    return None
