"""What does a clearinghouse need from outside, beside clock and entropy?"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from calward.app.clearinghouse.records import (
    Answered,
    Intent,
    KeyChange,
    Organization,
    Part,
    RegisteredServer,
    Waiting,
)
from calward.domain.operators import Operator
from calward.domain.pack_requests import HeldPack
from calward.domain.purchases import Purchase
from calward.domain.register import PackRecord, Transfer
from calward.domain.statements import PayloadType

__all__ = ["Book", "Log", "Outbox", "Papers", "Parties", "Purchases", "Register", "Signer", "Store"]

T = TypeVar("T")


class Signer(Protocol):
    """One private key. Signing the same bytes twice gives the same signature."""

    @property
    def public_key(self) -> bytes:
        """The raw public key, 32 bytes."""

    @property
    def keyid(self) -> str:
        """The name of the key, as envelopes carry it."""

    def sign(self, message: bytes) -> bytes:
        """Sign; 64 bytes. Raises LicensingError(UNAVAILABLE) where that cannot be done now."""


class Parties(Protocol):
    """Who deals with the clearinghouse."""

    def server(self, server_id: str) -> RegisteredServer | None:
        """A license server by its id."""

    def server_with_key(self, keyid: str) -> RegisteredServer | None:
        """The license server whose present key has this name."""

    def servers(self) -> Sequence[RegisteredServer]:
        """All license servers, the oldest first."""

    def put_server(self, server: RegisteredServer) -> None:
        """Remember a license server as it is now. Its key changes only to one that was confirmed."""

    def key_changes(self) -> Sequence[KeyChange]:
        """All new keys that known license servers came with, the oldest first."""

    def ask_key(self, change: KeyChange) -> None:
        """Remember that a known license server came with a new key; nothing where it did before."""

    def confirm_key(self, server_id: str, public_key: bytes, by: str, at: datetime) -> None:
        """Remember that an operator compared the fingerprint of a new key."""

    def add_organization(self, organization: Organization) -> None:
        """Remember an organization; CONFLICT where there is one of that name."""

    def organization(self, organization_id: str) -> Organization | None:
        """An organization by its id."""

    def organizations(self) -> Sequence[Organization]:
        """All organizations, the oldest first."""

    def add_operator(self, operator: Operator, token_hash: bytes, at: datetime) -> None:
        """Remember whose token has this SHA-256; CONFLICT where there is an operator of that name."""

    def operator(self, token_hash: bytes) -> Operator | None:
        """Whose token it is."""

    def operators(self) -> Sequence[Operator]:
        """All operators by name."""

    def end_operator(self, name: str) -> bool:
        """Forget an operator's token; whether there was one."""


class Purchases(Protocol):
    """What was bought."""

    def add(self, purchase: Purchase, order: str | None) -> None:
        """Remember a purchase, under the seller's own order number if there is one."""

    def purchase(self, purchase_id: str) -> Purchase:
        """A purchase by its id; raises LicensingError(NOT_FOUND)."""

    def of_order(self, order: str) -> Purchase | None:
        """The purchase that was added under the seller's order number."""

    def with_numbers(self, numbers: Sequence[str]) -> Purchase | None:
        """The purchase that bears these numbers, as printed."""

    def with_proof(self, proof: str) -> Purchase | None:
        """The purchase whose last number this is."""

    def claimed(self, purchase_id: str) -> int:
        """The CALs of all packs that belong to it."""

    def all(self) -> Sequence[Purchase]:
        """All purchases, the oldest first."""


class Register(Protocol):
    """Where each pack is.

    INVARIANT: the packs of a purchase have no more CALs than were bought; a generation never goes back.
    """

    def pack(self, pack_id: str) -> PackRecord | None:
        """A pack by its id."""

    def packs(self, server_id: str | None = None) -> Sequence[PackRecord]:
        """The packs of a license server, or all, in the order in which they were first signed."""

    def put_packs(self, records: Iterable[PackRecord]) -> None:
        """Store packs as they are now, all that an act changes at once: the one that shrinks stands first."""

    def put_transfers(self, transfers: Iterable[Transfer]) -> None:
        """Store transfers as they are now."""

    def transfer(self, transfer_id: str) -> Transfer | None:
        """A transfer by its id."""

    def transfers(self, *, pending: bool) -> Sequence[Transfer]:
        """All transfers, or those that have not ended, the oldest first."""


class Outbox(Protocol):
    """What waits for license servers, and the lists of licenses that wait with it."""

    def post(self, server_id: str, item: str, part: Part, at: datetime, handover: str | None) -> None:
        """Let a signed thing wait for a server; ``handover`` is the transfer whose list of licenses goes with it."""

    def waiting(self, server_id: str) -> Sequence[Waiting]:
        """What waits for a server, in the order in which it was posted."""

    def done(self, server_id: str, orders: Sequence[str], packs: Sequence[HeldPack], at: datetime) -> None:
        """The server has carried out these orders and has these packs: they wait no longer, and their lists are forgotten."""

    def withdraw(self, server_id: str, at: datetime, *, pack_id: str | None = None) -> None:
        """Nothing waits any longer for a server, or nothing that installs this pack there."""

    def keep_handover(self, transfer_id: str, envelope: bytes) -> None:
        """Keep a list of licenses until it is delivered."""

    def handover(self, transfer_id: str) -> bytes | None:
        """The list of a transfer, while it is kept."""


class Papers(Protocol):
    """What is to be signed, what was signed, and what was answered."""

    def plan(self, intent: Intent) -> Intent:
        """Store an intent; where its type and order are known already, what is stored. CONFLICT where another thing was asked for."""

    def intent(self, part: Part) -> Intent | None:
        """An intent by type and order."""

    def complete(self, intent: Intent) -> bytes:
        """Store the envelope of a planned intent and return what is stored: the first one stays."""

    def intents(self, payload_type: PayloadType) -> Sequence[Intent]:
        """All intents of a type, the oldest first."""

    def unfinished(self) -> Sequence[Intent]:
        """All intents that were not signed yet."""

    def answered(self, digest: str) -> Answered | None:
        """How the request with this SHA-256 was answered."""

    def nonce_used(self, server_id: str, nonce: str) -> bool:
        """Whether another request with this nonce was answered."""

    def remember(self, answered: Answered) -> None:
        """Remember what a request was answered, for good."""


class Log(Protocol):
    """What happened, in order and for good, under the root of a Merkle tree."""

    def note(self, at: datetime, kind: str, **more: Any) -> None:  # noqa: ANN401 - an event holds any JSON
        """Write an event down and give it its place in the tree."""

    def events(self) -> Iterable[tuple[int, str]]:
        """All events as number and canonical text, in order."""

    def tree(self) -> tuple[int, bytes]:
        """Number of events in the tree, and its frontier (``calward.domain.merkle.Frontier.to_bytes``)."""


class Book(Protocol):
    """The clearinghouse's memory within one transaction; nothing is durable before it commits, nothing is ever removed."""

    @property
    def parties(self) -> Parties:
        """Who deals with the clearinghouse."""

    @property
    def purchases(self) -> Purchases:
        """What was bought."""

    @property
    def register(self) -> Register:
        """Where each pack is."""

    @property
    def outbox(self) -> Outbox:
        """What waits for license servers."""

    @property
    def papers(self) -> Papers:
        """What is signed and answered."""

    @property
    def log(self) -> Log:
        """What happened."""


class Store(Protocol):
    """Where books are kept."""

    def write(self, act: Callable[[Book], T]) -> T:
        """Run one act in a transaction of its own; durable when it returns.

        Raises: what the act raises, then nothing is stored; LicensingError(UNAVAILABLE): it is not known whether the change is
        stored; repeating the call is safe.
        """

    def read(self, look: Callable[[Book], T]) -> T:
        """Look at one state of everything."""
