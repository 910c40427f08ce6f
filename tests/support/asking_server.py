"""A license server as the clearinghouse sees it: a key, and signed requests; what it is answered, it opens as a real one would."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from calward.adapters.signing import Ed25519Signer, seal, verify
from calward.app.clearinghouse.desk import Clearinghouse
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted, accept_keyring, open_delegated
from calward.domain.bundle import join, split
from calward.domain.handover import Handover
from calward.domain.notes import checkpoint_text, sign_note
from calward.domain.pack_acceptance import accept_handover, accept_order, payload_type_of
from calward.domain.pack_orders import PackRef, TransferOrder
from calward.domain.pack_requests import (
    MAX_WORDS,
    CancelRequest,
    ChangeKind,
    ChangeRequest,
    Contact,
    HeldPack,
    InstallRequest,
    MoveReason,
    MoveRequest,
    PackState,
    RecoverReason,
    RecoverRequest,
    Release,
    RequestHead,
    SourceState,
)
from calward.domain.statements import (
    Activation,
    ActivationReason,
    ActivationRequest,
    Channel,
    Deactivation,
    KeyPackStatement,
    PayloadType,
    Program,
)
from calward.domain.trust import Keyring, Trust
from tests.support.signed import STATEMENTS, a_signer

_TYPES = {type(build()): kind for kind, build in STATEMENTS.items()}


@dataclass
class AskingServer:
    """``ask`` sends and opens the answer: statements in order, or the reason of a no."""

    desk: Clearinghouse
    root: bytes
    name: str
    version: str = "2022"
    signer: Ed25519Signer = field(init=False)
    server_id: str = field(init=False)
    asked: int = 0
    words: tuple[str, ...] = ()
    """Nonces of its contacts and recover requests."""

    def __post_init__(self) -> None:
        self.signer = a_signer(self.name)
        self.server_id = hashlib.sha256(self.name.encode()).hexdigest()[:32]

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.desk.clock.now(), UTC)

    def head(self, nonce: str | None = None) -> RequestHead:
        self.asked += 1
        new = hashlib.sha256(f"{self.name} {self.asked}".encode()).hexdigest()[:32]
        return RequestHead(self.server_id, self.version, nonce or new, self.now)

    def seal(self, statement: Any) -> bytes:
        return seal(_TYPES[type(statement)], statement.to_payload(), self.signer)

    def send(self, *statements: Any, channel: Channel = Channel.ONLINE) -> bytes | NotAccepted:
        return self.desk.answer(join(one if isinstance(one, bytes) else self.seal(one) for one in statements), channel)

    def ask(self, *statements: Any, channel: Channel = Channel.ONLINE) -> list[Any]:
        """What came in answer, opened and accepted, without the keyring."""
        answer = self.send(*statements, channel=channel)
        assert isinstance(answer, bytes), answer
        return self.open(answer)

    def refused(self, *statements: Any) -> AcceptanceRefusal:
        answer = self.send(*statements)
        assert isinstance(answer, NotAccepted), answer
        return answer.reason

    def open(self, answer: bytes) -> list[Any]:
        first, *rest = split(answer)
        root = frozenset({self.root})
        keyring = accept_keyring(first, roots=root, now=self.now, verify=verify)
        assert isinstance(keyring, Keyring)
        opened: list[Any] = []
        for one in rest:
            opened.append(self._open(one, Trust(root, keyring), opened))
            assert not isinstance(opened[-1], NotAccepted), opened[-1]
        return opened

    def _open(self, text: bytes, trust: Trust, before: list[Any]) -> Any:
        kind = payload_type_of(text)
        if kind is PayloadType.HANDOVER:
            pack = before[-1]
            assert isinstance(pack, KeyPackStatement)
            assert pack.handover is not None
            return accept_handover(text, digest=pack.handover)
        if kind is PayloadType.KEY_PACK:
            pack = open_delegated(text, kind, trust, self.now, verify, KeyPackStatement.from_payload)
            assert getattr(pack, "server_id", None) == self.server_id
            return pack
        if kind is PayloadType.ACTIVATION:
            return open_delegated(text, kind, trust, self.now, verify, Activation.from_payload)
        assert kind is not None
        return accept_order(text, kind, trust=trust, server_id=self.server_id, now=self.now, verify=verify)

    # --- what it asks -------------------------------------------------------------------------------------------------

    def activate(self, reason: ActivationReason = ActivationReason.FIRST, **options: Any) -> list[Any]:
        return self.ask(self.activation_request(reason), **options)

    def activation_request(self, reason: ActivationReason = ActivationReason.FIRST) -> ActivationRequest:
        key = self.signer.public_key
        return ActivationRequest(self.server_id, self.name, key, self.head().nonce, self.now, self.version, reason)

    def install(self, program: Program, *numbers: str, **more: Any) -> InstallRequest:
        return InstallRequest(self.head(), program, numbers, **more)

    def move(
        self,
        source: "AskingServer",
        *packs: str,
        state: SourceState = SourceState.CONNECTED,
        proof: str | None = None,
    ) -> MoveRequest:
        return MoveRequest(self.head(), source.server_id, state, MoveReason.REPLACED, packs, proof)

    def change(self, pack: PackRef, kind: ChangeKind, to: str, count: int | None = None) -> ChangeRequest:
        return ChangeRequest(self.head(), pack.pack_id, pack.generation, kind, to, count)

    def cancel(self, transfer_id: str) -> CancelRequest:
        return CancelRequest(self.head(), transfer_id)

    def recover(self, reason: RecoverReason = RecoverReason.RESTORED) -> RecoverRequest:
        return RecoverRequest(self._word(), reason)

    def deactivation(self) -> Deactivation:
        return Deactivation(self.server_id, self.head().nonce, self.now)

    def contact(self, *packs: PackRef, done: Iterable[str] = (), checkpoint: str = "") -> Contact:
        held = tuple(HeldPack(one.pack_id, one.generation, PackState.USABLE) for one in packs)
        after = self.words
        return Contact(self._word(), checkpoint, held, tuple(done), after)

    def _word(self) -> RequestHead:
        head = self.head()
        self.words = (*self.words, head.nonce)[-MAX_WORDS:]
        return head

    def checkpoint(self, size: int, root: bytes | None = None) -> str:
        origin = f"{self.server_id}/calward"
        text = checkpoint_text(origin, size, root or hashlib.sha256(b"%d" % size).digest(), self.now)
        return sign_note(text, origin, self.signer.public_key, self.signer.sign).encode()

    def release(self, order: TransferOrder, *licenses: Any) -> tuple[bytes, bytes]:
        """The release that an order asks for, and the list that goes with it."""
        listed = self.seal(Handover(self.server_id, order.order_id, order.pack, licenses))
        digest = hashlib.sha256(listed).digest()
        pack = order.pack
        said = Release(self.head(), order.order_id, pack.pack_id, pack.generation, digest, len(licenses))
        return self.seal(said), listed
