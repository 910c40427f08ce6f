"""What can be asked of a clearinghouse whose keys, memory, clock and randomness are in place?

Command line and HTTP ask here and know none of these; each method is one use case.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from calward.app.clearinghouse.activate_license_server import ActivateLicenseServer, activate_license_server
from calward.app.clearinghouse.name_operator import name_operator, operator_of
from calward.app.clearinghouse.ports import Intent, RegisteredServer, Signer, Store
from calward.app.clearinghouse.publish_keyring import PublishKeyring, current_keyring, publish_keyring
from calward.app.clearinghouse.sign_key_pack import LoadLadder, SignKeyPack, sign_key_pack
from calward.app.ports import Clock, Entropy
from calward.domain.acceptance import NotAccepted
from calward.domain.statements import KeyPackStatement, PayloadType
from calward.domain.trust import Keyring, Role, RoleKey, Verify

__all__ = ["Clearinghouse", "Overview"]


@dataclass(frozen=True, slots=True)
class Overview:
    """A clearinghouse at a glance. ``unfinished``: planned and not signed, because something stopped in between."""

    keyring: Keyring
    servers: Sequence[RegisteredServer]
    packs: Sequence[KeyPackStatement]
    activations: int
    unfinished: Sequence[Intent]


@dataclass(frozen=True, slots=True)
class Clearinghouse:
    """A clearinghouse with everything that it needs plugged in. Methods raise what their use case raises."""

    store: Store
    pack_signer: Signer
    activation_signer: Signer
    clock: Clock
    entropy: Entropy
    load_ladder: LoadLadder
    verify: Verify

    def activate(self, command: ActivateLicenseServer) -> bytes | NotAccepted:
        """Activate a license server; the envelope, or why not."""
        return activate_license_server(
            command,
            store=self.store,
            signer=self.activation_signer,
            clearinghouse=current_keyring(self.store)[0].clearinghouse,
            verify=self.verify,
            now=self._now(),
        )

    def sign_pack(self, command: SignKeyPack) -> bytes:
        """Sign a key pack; the envelope."""
        return sign_key_pack(
            command,
            store=self.store,
            signer=self.pack_signer,
            load_ladder=self.load_ladder,
            entropy=self.entropy,
            now=self._now(),
        )

    def new_order(self) -> str:
        """An order number for a sale that has none of its own."""
        return f"order-{self.entropy.token(8).hex()}"

    def publish_keyring(self, name: str, root: Signer, days: int) -> bytes:
        """Let the root sign the keyring of the keys in use; the envelope."""
        keys = (
            RoleKey(Role.PACK, self.pack_signer.public_key),
            RoleKey(Role.ACTIVATION, self.activation_signer.public_key),
        )
        return publish_keyring(PublishKeyring(name, keys, days), store=self.store, root=root, now=self._now())

    def keyring(self) -> tuple[Keyring, bytes]:
        """The newest keyring and its envelope."""
        return current_keyring(self.store)

    def name_operator(self, name: str) -> str:
        """The token of a new operator, shown once."""
        return name_operator(name, store=self.store, entropy=self.entropy, now=self._now())

    def operator_of(self, token: str) -> str | None:
        """Whose token it is."""
        return operator_of(token, store=self.store)

    def overview(self) -> Overview:
        """Everything that ``show`` shows."""
        packs = self.store.intents(PayloadType.KEY_PACK)
        activations = self.store.intents(PayloadType.ACTIVATION)
        return Overview(
            keyring=self.keyring()[0],
            servers=self.store.servers(),
            packs=[KeyPackStatement.from_payload(one.payload) for one in packs if one.envelope is not None],
            activations=sum(one.envelope is not None for one in activations),
            unfinished=[one for one in (*packs, *activations) if one.envelope is None],
        )

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)
