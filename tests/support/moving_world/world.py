"""Who takes part, what is on its way between them, and what time it is."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from calward.adapters.clearinghouse import SqliteClearinghouseStore
from calward.adapters.sessionhost.checkpoints import HostCheckpoints
from calward.app.clearinghouse.activate_license_server import ActivateLicenseServer
from calward.app.clearinghouse.add_organization import AddOrganization
from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.clearinghouse.desk import Clearinghouse
from calward.domain.acceptance import NotAccepted
from calward.domain.bundle import join, split
from calward.domain.cals import CalType
from calward.domain.envelope import decode_envelope
from calward.domain.errors import LicensingError
from calward.domain.handover import MAX_HANDOVER_SIZE, HandedLicense, Handover
from calward.domain.pack_acceptance import payload_type_of
from calward.domain.pack_requests import RecoverRequest
from calward.domain.purchases import Purchase
from calward.domain.register import PackRecord, Transfer
from calward.domain.statements import Channel, PayloadType, Program
from tests.support.builders import a_host, ladder
from tests.support.clocks import NOW, SetClock
from tests.support.moving_world.copies import Copy, DrawnEntropy, Identity, OffClock, new_copy, new_disk, verify
from tests.support.moving_world.faults import CrashError, FaultyStore, HouseCrashError, Network, unreachable
from tests.support.signed import ACTIVATION, PACK, ROOT

Bundle = bytes
DEVICES = ("ann", "bob", "cid", "dot")
USERS = ("eve", "fay", "gil")


class BrokenError(AssertionError):
    """Something happened that must not."""


@dataclass
class Letter:
    """A bundle on its way: to the clearinghouse, or an answer to a license server, by whatever channel."""

    to_house: bool
    bundle: Bundle
    who: Identity
    step: int


class ShownCheckpoints(HostCheckpoints):
    """What a host remembers, without its file."""

    def __init__(self) -> None:
        super().__init__(Path("none"), lambda _: None)

    def _write(self) -> None:
        """It is durable all the same: hosts do not crash here."""


@dataclass
class SessionHost:
    """A session host; all copies of a license server have the same address for it."""

    host: Any
    seen: ShownCheckpoints = field(default_factory=ShownCheckpoints)

    @property
    def people(self) -> tuple[str, ...]:
        return DEVICES if self.host.mode is CalType.PER_DEVICE else USERS


@dataclass
class World:
    """Everything, from one seed. ``step``: the number of the step that is carried out now."""

    seed: int
    clock: SetClock = field(default_factory=lambda: SetClock(NOW))
    step: int = 0
    copies: list[Copy] = field(default_factory=list)
    bag: list[Letter] = field(default_factory=list)
    """What is on its way: it may arrive any time later, in any order, or never."""
    sent: list[Letter] = field(default_factory=list)
    """All that was ever sent: anything of it may be played again."""
    answers: dict[tuple[str, Bundle], Bundle] = field(default_factory=dict)
    """How a bundle was answered first."""
    handed: dict[tuple[str, int], tuple[HandedLicense, ...]] = field(default_factory=dict)
    releases: dict[tuple[str, str], Bundle] = field(default_factory=dict)
    """What a copy has signed for a transfer: always the same bytes."""
    shelved: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    """Copies of disks by server id, with their step."""
    forked: dict[str, int] = field(default_factory=dict)
    """When a server's disk was last copied or put back: the step."""
    recovered: dict[str, int] = field(default_factory=dict)
    """When the clearinghouse last heard a server's recover request: the step."""
    network: Network = field(default_factory=Network)
    asked: int = 0
    told: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = Random(f"{self.seed}/world")
        self.faulty_disks = rng.random() < 0.5
        self.on_sqlite = rng.random() < 0.04
        self.folder = Path(tempfile.mkdtemp(prefix="calward-world-", dir=_fast_folder())) if self.on_sqlite else None
        self.network.bad = rng.choice((0.0, 0.15, 0.3, 0.5))
        self.crashes = rng.choice((0.0, 0.1, 0.3))
        self.off = rng.choice((0, 0, 3600, 20_000))
        self._open_house(rng)
        versions = rng.choice(
            (("2012", "2022"), ("2016", "2016"), ("2022", "2012"), ("2008", "2025"), ("2025", "2019"))
        )
        for name, version in zip(("LS1", "LS2"), versions, strict=True):
            self.add_copy(Identity(f"{name} of {self.seed}", version), rng)
        self.hosts = [
            SessionHost(a_host("2008", CalType.PER_DEVICE, number=1)),
            SessionHost(a_host("2016", CalType.PER_DEVICE, number=2)),
            SessionHost(a_host("2012", CalType.PER_USER, number=3)),
        ]

    def _open_house(self, rng: Random) -> None:
        self.store = FaultyStore(SqliteClearinghouseStore(Path(":memory:")))
        entropy = DrawnEntropy(f"{self.seed}/house")
        self.house = Clearinghouse(
            store=self.store,  # type: ignore[arg-type]
            pack_signer=PACK,
            activation_signer=ACTIVATION,
            clock=self.clock,
            entropy=entropy,
            load_ladder=lambda _: ladder(),
            verify=verify,
        )
        self.house.publish_keyring("Example CALs", ROOT, 3650)
        self.house.add_organization(AddOrganization("Example"))
        self.purchases: list[Purchase] = []
        for _ in range(rng.randint(1, 3)):
            type_ = rng.choice(tuple(CalType))
            version = rng.choice(("2008", "2012", "2016"))
            sale = AddPurchase(
                rng.choice((Program.OPEN, Program.VOLUME)), "windows-server", version, type_, rng.randint(1, 4),
                "Example", convertible=rng.random() < 0.7,
            )  # fmt: skip
            self.purchases.append(self.house.add_purchase(sale))

    def add_copy(self, who: Identity, rng: Random) -> Copy:
        label = f"{who.name.split()[0]}.{len(self.copies)}"
        entropy = DrawnEntropy(f"{self.seed}/{label}")
        clock = OffClock(self.clock, rng.randint(-self.off, self.off))
        folder = self.folder and self.folder / label
        made = new_copy(who, label, new_disk(folder, entropy, clock), clock, entropy)
        self.copies.append(made)
        return made

    def close(self) -> None:
        for one in self.copies:
            one.disk.close()
        self.store.store.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- time and memory ---

    def tell(self, what: str) -> None:
        self.told.append(f"{self.step:3} {what}")

    def count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def later(self, seconds: int) -> None:
        self.clock.set(self.clock.now() + seconds)

    def running(self) -> list[Copy]:
        return [one for one in self.copies if one.running]

    def other(self, copy: Copy) -> Identity:
        return next(one.who for one in self.copies if one.who != copy.who)

    # --- the clearinghouse ---

    def answer(self, bundle: Bundle, channel: Channel) -> bytes | NotAccepted:
        """Its answer, or UNREACHABLE because it died; the same request must be given the same answer."""
        self.later(1)
        try:
            said = self.house.answer(bundle, channel)
        except HouseCrashError:
            self.store.doom.forget()
            self.count("crash of the clearinghouse")
            raise unreachable() from None
        # A person may answer a request for activation again in another way, and gets another activation.
        name = (channel if _asks_activation(bundle) else "", bundle)
        known = self.answers.get(name)
        if not isinstance(said, NotAccepted):
            self._note_handed(bundle)
        if known is None and not isinstance(said, NotAccepted) and PayloadType.RECOVER_REQUEST.encode() in bundle:
            self._note_recovery(bundle)
        if known is None:
            if not isinstance(said, NotAccepted):
                self.answers[name] = said
            return said
        self.count("same request")
        if isinstance(said, NotAccepted) or not _the_same(known, said):
            raise BrokenError(f"the same request was answered otherwise: {said!r:.300}")
        return said

    def _note_recovery(self, bundle: Bundle) -> None:
        for text in split(bundle, max_size=MAX_HANDOVER_SIZE):
            if payload_type_of(text) is PayloadType.RECOVER_REQUEST:
                found = RecoverRequest.from_payload(decode_envelope(text).payload)
                self.recovered[found.head.server_id] = self.step

    def _note_handed(self, bundle: Bundle) -> None:
        """Which licenses go along with a pack that was released, by the pack and the generation in which it arrives."""
        if PayloadType.HANDOVER.encode() not in bundle:
            return
        for text in split(bundle, max_size=MAX_HANDOVER_SIZE):
            if payload_type_of(text) is PayloadType.HANDOVER:
                found = Handover.from_payload(decode_envelope(text).payload)
                self.handed.setdefault((found.pack.pack_id, found.pack.generation + 1), found.licenses)

    def register(self) -> list[PackRecord]:
        """The register as it is stored; unlike ``overview``, looking lets nothing take effect."""
        return self.store.store.read(lambda book: list(book.register.packs()))

    def pending(self) -> list[Transfer]:
        return self.store.store.read(lambda book: list(book.register.transfers(pending=True)))

    def operate(self, what: Callable[[Clearinghouse], Any]) -> Any:
        """An operator does something at the clearinghouse, which may die on the way."""
        try:
            return what(self.house)
        except HouseCrashError:
            self.store.doom.forget()
            return None

    def line(self, copy: Copy) -> "Line":
        return Line(self, copy)

    def guarded(self, copy: Copy, what: Callable[[], Any]) -> Any:
        """Do something at a license server; it may die on the way, and starts again. None where it came to nothing."""
        try:
            return what()
        except CrashError:
            self.count("crash of a license server")
            self.tell(f"   {copy.label} dies")
            copy.restart()
        except LicensingError as error:
            if error.problem not in {"unreachable", "conflict", "unavailable"}:
                raise
            self.tell(f"   {error.detail}")
        return None


@dataclass
class Line:
    """How a license server reaches the clearinghouse (ports ``Counter`` and ``signed_things.Clearinghouse``)."""

    world: World
    copy: Copy
    asked: int = 0

    def close(self) -> None:
        """Nothing is held."""

    def keyring(self) -> bytes:
        if self.world.network.weather().endswith("lost"):
            raise unreachable()
        return self.world.house.keyring()[1]

    def activate(self, request: bytes) -> bytes:
        def activate(bundle: bytes) -> bytes | NotAccepted:
            try:
                return self.world.house.activate(ActivateLicenseServer(bundle, Channel.ONLINE))
            except HouseCrashError:
                self.world.store.doom.forget()
                raise unreachable() from None

        said = self._carry(request, activate)
        if isinstance(said, NotAccepted):
            raise unreachable()
        return said

    def ask(self, bundle: Bundle) -> bytes | NotAccepted:
        return self._carry(bundle, lambda one: self.world.answer(one, Channel.ONLINE))

    def _carry(self, bundle: Bundle, deliver: Callable[[Bundle], bytes | NotAccepted]) -> bytes | NotAccepted:
        world, who = self.world, self.copy.who
        weather = world.network.weather()
        letter = Letter(True, bundle, who, world.step)
        world.sent.append(letter)
        if weather == "request lost":
            world.bag.append(letter)
            world.later(10)
            raise unreachable()
        if weather == "overtaken" and world.bag:
            early = world.bag.pop(world.network.rng.randrange(len(world.bag)))
            if early.to_house:
                deliver_to_house(world, early)
            else:
                world.bag.append(early)
        said = deliver(bundle)
        if weather == "doubled":
            said = deliver(bundle)
        if not isinstance(said, NotAccepted):
            world.sent.append(Letter(False, said, who, world.step))
        if weather == "answer lost":
            if not isinstance(said, NotAccepted):
                world.bag.append(world.sent[-1])
            world.later(10)
            raise unreachable()
        return said


def deliver_to_house(world: World, letter: Letter, channel: Channel = Channel.ONLINE) -> None:
    """A letter arrives at the clearinghouse; its answer is on its way."""
    try:
        said = world.answer(letter.bundle, channel)
    except LicensingError:
        return
    if not isinstance(said, NotAccepted):
        answer = Letter(False, said, letter.who, world.step)
        world.bag.append(answer)
        world.sent.append(answer)


def _the_same(first: Bundle, again: Bundle) -> bool:
    """Byte for byte, but for lists of licenses that were delivered meanwhile."""
    one, other = (split(x, max_size=MAX_HANDOVER_SIZE) for x in (first, again))
    left = [x for x in one if x in other or payload_type_of(x) is not PayloadType.HANDOVER]
    return join(left) == again and set(other) <= set(one)


def _asks_activation(bundle: Bundle) -> bool:
    return PayloadType.ACTIVATION_REQUEST.encode() in bundle


def _fast_folder() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
