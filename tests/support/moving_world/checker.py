"""What must hold after every step, and what at the end. The rules stand in the page docs/explanation/how-a-pack-moves.md."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from calward.app.licensing.transfers import releases
from calward.domain.bundle import split
from calward.domain.envelope import decode_envelope
from calward.domain.handover import MAX_HANDOVER_SIZE, HandedLicense
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.licenses import Ending, Status
from calward.domain.pack_requests import Release
from calward.domain.register import PackRecord
from tests.support.builders import ladder
from tests.support.moving_world.copies import Copy
from tests.support.moving_world.world import BrokenError, World


@dataclass
class Checker:
    """Looks at everything from outside, after every step."""

    world: World
    holders: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Each pack's server and the step in which it became that server's."""
    looked_at: set[tuple[str, str, int]] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)
    """Packs of which more licenses than CALs may run for a while: claimed without a release, or recovered."""

    def after_step(self) -> None:
        register = {one.statement.pack_id: one for one in self.world.register()}
        self._note_holders(register)
        self._one_server(register)
        self._no_more_than_bought(register)
        self._within_totals(register)
        for copy in self.world.running():
            self._nobody_was_left_behind(copy)
            self._releases_stay_the_same(copy)

    def _note_holders(self, register: dict[str, PackRecord]) -> None:
        for name, record in register.items():
            server = record.statement.server_id
            if self.holders.get(name, ("", 0))[0] != server:
                self.holders[name] = (server, self.world.step)

    # --- one server at a time ---

    def _one_server(self, register: dict[str, PackRecord]) -> None:
        users: dict[PackId, list[Copy]] = {}
        for copy in self.world.running():
            for name in copy.usable():
                users.setdefault(name, []).append(copy)
        for name, copies in users.items():
            if name not in register:
                raise BrokenError(f"pack {name[:6]} is not in the register and usable on {_names(copies)}")
            for copy in copies:
                self._may_use(copy, name)
            for copy, other in _pairs(copies):
                self._may_both_use(copy, other, name)

    def _may_use(self, copy: Copy, name: str) -> None:
        """Only the register's holder uses a pack, but for a copy that went back and that nobody has told so yet."""
        holder, since = self.holders[name]
        if copy.who.id == holder:
            return
        if copy.who.id not in self.world.forked:
            raise BrokenError(f"pack {name[:6]} is usable on {copy.label}, the register has it elsewhere")
        if copy.fresh > since:
            raise BrokenError(
                f"pack {name[:6]} left {copy.label} in step {since}, which talked in step {copy.fresh} and still uses it"
            )

    def _may_both_use(self, copy: Copy, other: Copy, name: str) -> None:
        """Two copies of one server both use a pack only until both have talked to the clearinghouse since they went apart."""
        if copy.who != other.who:
            holder = self.holders[name][0]
            if holder in {copy.who.id, other.who.id}:
                return  # The one that is not the holder was judged already.
            raise BrokenError(f"pack {name[:6]} is usable on {copy.label} and {other.label}")
        # Who recovers becomes the one that counts, whoever talked before.
        forked = max(self.world.forked[copy.who.id], self.world.recovered.get(copy.who.id, -1))
        if copy.fresh > forked and other.fresh > forked:
            raise BrokenError(f"pack {name[:6]} is usable on both {copy.label} and {other.label}, and both have talked")

    # --- licenses that go along ---

    def _nobody_was_left_behind(self, copy: Copy) -> None:
        """Who held a CAL of a pack that has come here holds one now: that one, or one that opens as much."""
        for pack in copy.packs().values():
            key = (copy.label, pack.id, pack.generation)
            licenses = self.world.handed.get((pack.id, pack.generation), ())
            if key in self.looked_at or not licenses:
                continue
            self.looked_at.add(key)
            if copy.who.id in self.world.forked:
                continue  # An older ledger has taken the register instead, and ends what it cannot know.
            for one in licenses:
                self.world.count("license handed on")
                if one.expires_at > copy.clock.now() and not _holds(copy, one, pack):
                    raise BrokenError(
                        f"{one.kind} {one.key} came to {copy.label} with pack {pack.id[:6]} and holds nothing there"
                    )

    def _releases_stay_the_same(self, copy: Copy) -> None:
        if copy.who.id in self.world.forked:
            return  # An older disk does not know what it has signed.
        for bundle in copy.look(releases):
            head = Release.from_payload(decode_envelope(split(bundle, max_size=MAX_HANDOVER_SIZE)[0]).payload)
            if self.world.releases.setdefault((copy.label, head.transfer_id), bundle) != bundle:
                raise BrokenError(f"{copy.label} has signed another release for {head.transfer_id[:6]}")

    # --- sums ---

    def _no_more_than_bought(self, register: dict[str, PackRecord]) -> None:
        claimed: dict[str, int] = {}
        for one in register.values():
            claimed[one.purchase_id] = claimed.get(one.purchase_id, 0) + one.statement.total
        for bought in self.world.purchases:
            if claimed.get(bought.purchase_id, 0) > bought.quantity:
                raise BrokenError(f"more is claimed of a purchase than was bought: {claimed}")

    def _within_totals(self, register: dict[str, PackRecord]) -> None:
        held: dict[str, dict[str, list[Copy]]] = {}
        for copy in self.world.running():
            for pack, holders in held_of(copy):
                if len(holders) + pack.aside > pack.total:
                    raise BrokenError(f"{copy.label} has given {len(holders)} licenses on {pack.total} CALs")
                who = held.setdefault(pack.id, {})
                for one in holders:
                    who.setdefault(one, []).append(copy)
        if self.world.forked:
            return
        for name, who in held.items():
            record = register[name]
            if name in self.loose or self._was_taken_without_release(name):
                continue
            counted = [one for one, copies in who.items() if not self._has_another(one, name, copies)]
            if len(counted) > self._most(name, record):
                raise BrokenError(
                    f"{len(counted)} holders {counted} share the {record.statement.total} CALs of pack {name[:6]}"
                )

    def _most(self, name: str, record: PackRecord) -> int:
        """The register changes at once, its server with the next answer: until then the old total counts there."""
        return max(
            [record.statement.total, *(c.packs()[name].total for c in self.world.running() if name in c.packs())]
        )

    def _was_taken_without_release(self, name: str) -> bool:
        def look(book: Any) -> bool:
            ended = [one for one in book.register.transfers(pending=False) if one.pack.pack_id == name]
            return any(one.claimed for one in ended)

        if self.world.store.store.read(look) or "ledger recovered" in self.world.counts:
            self.loose.add(name)
            return True
        return False

    def _has_another(self, who: str, name: str, copies: list[Copy]) -> bool:
        """Whether a holder at the source has got another CAL at the target, so that this one is free there again."""
        for copy in self.world.running():
            if copy in copies:
                continue
            if any(who in holders for pack, holders in held_of(copy) if pack.id != name):
                return True
        return False


def held_of(copy: Copy) -> list[tuple[Any, list[str]]]:
    def look(book: Any) -> list[tuple[Any, list[str]]]:
        now = book.now()
        return [(pack, [f"{x.kind} {x.key}" for x in book.holdings(pack, now)]) for pack in book.shelf().packs]

    return copy.look(look)


def _holds(copy: Copy, one: HandedLicense, pack: KeyPack) -> bool:
    def look(book: Any) -> bool:
        holder, now = book.find_holder(one.kind, one.key), book.now()
        licenses = book.licenses_of(holder) if holder else ()
        own = {name: ladder().family_of(found.bought_as or found.version) for name, found in book.shelf().by_id.items()}
        # What an own license opened before its pack was lowered, perhaps with the same answer, is what counts.
        opened = {x.id: max(x.family, own.get(x.seat.pack, 0) if x.seat else 0) for x in licenses}
        fitting = [
            x for x in licenses if x.status is Status.ACTIVE and x.type is pack.type and opened[x.id] >= pack.family
        ]
        # Who had an own license here kept that; with a pack that goes the other way it may have left since.
        return any(x.runs(now) or (x.ending is Ending.MOVED and x.ended_at >= pack.installed_at) for x in fitting)

    return copy.look(look)


def _pairs(copies: list[Copy]) -> Iterator[tuple[Copy, Copy]]:
    for n, one in enumerate(copies):
        for other in copies[n + 1 :]:
            yield one, other


def _names(copies: list[Copy]) -> str:
    return ", ".join(one.label for one in copies)
