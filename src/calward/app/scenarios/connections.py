"""A client connects to a session host: who is asked, what is answered, and is it let in?"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from calward.app.licensing.confirm_license import ConfirmLicense, confirm_license
from calward.app.licensing.issue_license import IssueLicense, issue_license
from calward.app.scenarios.results import Result
from calward.app.scenarios.story import Connect
from calward.app.scenarios.world import PlayedHost, PlayedServer, World, instant
from calward.domain.answers import answer_from
from calward.domain.cals import CalType, HolderKind
from calward.domain.events import Event, Kind
from calward.domain.grace import Admission, admit, grace_left
from calward.domain.heard import Heard, HeldLicense, newest_in_hand
from calward.domain.licenses import Status
from calward.domain.servers import Chosen, choose_server
from calward.domain.settings import SECONDS_PER_DAY

__all__ = ["connect"]


@dataclass(slots=True)
class _Visit:
    """One connection on its way; ``events`` keeps the last answer of each server that was asked."""

    act: Connect
    world: World
    host: PlayedHost
    now: int
    request_id: str
    events: dict[str, Event] = field(default_factory=dict)

    @property
    def kind(self) -> HolderKind:
        """Whether the device or the user counts."""
        return self.host.part.mode.holder_kind

    @property
    def key(self) -> str:
        """The holder; "" for an administrative session, which asks nobody."""
        return (self.act.device if self.kind is HolderKind.DEVICE else self.act.user) or ""

    def ask_all(self) -> Chosen[str] | None:
        """Go down the host's list of license servers."""
        return None if self.act.admin else choose_server(self.host.part.servers, self._ask)

    def _ask(self, name: str, full_only: bool) -> Heard | None:  # noqa: FBT001 - the shape of `servers.Ask`
        server = self.world.servers[name]
        if not server.up:
            return None
        self.world.holders.setdefault(name, set()).add((self.kind, self.key))
        self.host.refuses |= {(name, license_) for license_ in server.revoked}
        request = IssueLicense(
            host=self.host.enrolled(self.world.ladder),
            request_id=f"{self.request_id}{'.full' * full_only}",
            kind=self.kind,
            key=self.key,
            label=self.key,
            full_only=full_only,
        )
        event = server.ledger.write(lambda book: issue_license(request, book, now=self.now, entropy=server.entropy))
        self.events[name] = event
        return _heard(event, server)

    def in_hand(self) -> HeldLicense | None:
        """The license that decides while no server answers; not one that this host knows to be revoked."""
        host, act = self.host, self.act
        if self.kind is HolderKind.DEVICE:
            held: Sequence[HeldLicense] = self.world.held.get(act.device or "", ())
        else:
            held = [host.last[self.key]] if self.key in host.last else ()
        usable = [x for x in held if (x.server or "", x.id) not in host.refuses]
        return newest_in_hand(usable, self.world.ladder, host.part.version, host.part.mode, instant(self.now))


def connect(act: Connect, world: World, now: int, request_id: str) -> Result:
    """Play one connection: ask, decide, remember, and let the user log on."""
    host = world.hosts[act.host]
    visit = _Visit(act, world, host, now, request_id)
    chosen = visit.ask_all()
    heard = chosen.answer if chosen else None
    admission = admit(heard, visit.in_hand(), host.grace, world.grace_days(host), instant(now), admin=act.admin)
    host.grace = admission.state
    if chosen:
        _remember(visit, chosen)
        if act.logon and chosen.answer.license:
            _confirm(visit, world.servers[chosen.server])
    return _result(visit, chosen, admission)


def _heard(event: Event, server: PlayedServer) -> Heard:
    reasons = tuple(event.get("reasons", ()))
    if event["kind"] != Kind.LICENSE:
        return Heard(None, reasons)
    held = HeldLicense(
        id=server.license_name(event["license"]),
        version=event["version"],
        type=CalType(event["type"]),
        status=event["status"],
        expires_at=instant(event["expires"]),
        pack=event.get("pack"),
        change=event["change"],
        server=server.name,
    )
    return Heard(held, reasons)


def _remember(visit: _Visit, chosen: Chosen[str]) -> None:
    """A host keeps the newest answer for a user, also a "no"; a device keeps what it was given."""
    given = chosen.answer.license
    if visit.kind is HolderKind.USER:
        visit.host.last.pop(visit.key, None)
        if given:
            visit.host.last[visit.key] = given
    elif given:
        held = visit.world.held.setdefault(visit.key, [])
        held[:] = [x for x in held if not _replaced(x, given, visit)] + [given]


def _replaced(old: HeldLicense, new: HeldLicense, visit: _Visit) -> bool:
    """Whether the new license stands for the old one: the same, or a full one of the same server that is no older."""
    if (old.server, old.type) != (new.server, new.type):
        return False
    ladder = visit.world.ladder
    no_newer = ladder.family_of(old.version) <= ladder.family_of(new.version)
    return old.id == new.id or (new.status == Status.ACTIVE and no_newer)


def _confirm(visit: _Visit, server: PlayedServer) -> None:
    """The host says that the user has logged on: this proves a device."""
    command = ConfirmLicense(visit.host.enrolled(visit.world.ladder), visit.events[server.name]["license"])
    server.ledger.write(lambda book: confirm_license(command, book, now=visit.now))


def _result(visit: _Visit, chosen: Chosen[str] | None, admission: Admission) -> Result:
    held, now = admission.license, instant(visit.now)
    left = grace_left(admission.state, visit.world.grace_days(visit.host), now)
    facts: dict[str, object] = {
        "outcome": admission.outcome.value,
        "status": held and held.status,
        "version": held and held.version,
        "type": held and held.type.value,
        "pack": held and held.pack,
        "server": chosen.server if chosen else held and held.server,
        "change": held and held.change,
        "expires_in_days": held and (held.expires_at - now).total_seconds() / SECONDS_PER_DAY,
        "days_left_in_grace": left.total_seconds() / SECONDS_PER_DAY,
        "reason": list(admission.reasons),
    }
    return Result(facts, answer_from(visit.events[chosen.server]).trace if chosen else ())
