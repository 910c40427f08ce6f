"""What can be asked of a clearinghouse whose keys, memory, clock and randomness are in place?

Command line and HTTP ask here and know none of these; each method is one use case.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from calward.app.clearinghouse.activate_license_server import ActivateLicenseServer, activate_license_server
from calward.app.clearinghouse.add_organization import AddOrganization, add_organization
from calward.app.clearinghouse.add_purchase import AddPurchase, add_purchase
from calward.app.clearinghouse.answer import answer
from calward.app.clearinghouse.confirm_key import confirm_key
from calward.app.clearinghouse.end_transfer import cancel_transfer, end_due_transfers
from calward.app.clearinghouse.keyrings import current_keyring
from calward.app.clearinghouse.means import Means
from calward.app.clearinghouse.name_operator import end_operator, name_operator, operator_of
from calward.app.clearinghouse.ports import Book, Signer
from calward.app.clearinghouse.publish_keyring import PublishKeyring, publish_keyring
from calward.app.clearinghouse.recognize import Sender, recognize
from calward.app.clearinghouse.records import Intent, KeyChange, Organization, RegisteredServer
from calward.app.clearinghouse.sign_checkpoint import read_own_checkpoint, sign_checkpoint
from calward.app.clearinghouse.sign_intent import finish, sign_part
from calward.app.clearinghouse.sign_key_pack import SignKeyPack, sign_key_pack
from calward.app.clearinghouse.verify_register import RegisterAudit, verify_register
from calward.domain.acceptance import NotAccepted
from calward.domain.operators import Operator, OperatorRole
from calward.domain.purchases import Purchase
from calward.domain.register import PackRecord, Transfer
from calward.domain.statements import Channel, KeyPackStatement, PayloadType
from calward.domain.trust import Keyring, Role, RoleKey

__all__ = ["Clearinghouse", "Overview"]


@dataclass(frozen=True, slots=True)
class Overview:
    """A clearinghouse at a glance.

    ``register`` has each pack with its purchase and its move, ``packs`` the packs alone. ``purchases`` come with the CALs that are
    claimed of each. ``unfinished``: planned and not signed, because something stopped in between.
    """

    keyring: Keyring
    servers: Sequence[RegisteredServer]
    packs: Sequence[KeyPackStatement]
    activations: int
    unfinished: Sequence[Intent]
    organizations: Sequence[Organization]
    purchases: Sequence[tuple[Purchase, int]]
    register: Sequence[PackRecord]
    transfers: Sequence[Transfer]
    key_changes: Sequence[KeyChange]


@dataclass(frozen=True, slots=True)
class Clearinghouse(Means):
    """A clearinghouse with everything that it needs plugged in. Methods raise what their use case raises."""

    def answer(self, bundle: bytes, channel: Channel) -> bytes | NotAccepted:
        """Answer a bundle of requests of license servers, of whatever kind; a bundle, or why not."""
        return answer(bundle, channel, means=self)

    def recognize(self, envelope: bytes) -> Sender | None:
        """Which license server signed a request, where that can be said."""
        return recognize(envelope, means=self)

    def activate(self, command: ActivateLicenseServer) -> bytes | NotAccepted:
        """Activate a license server; the envelope, or why not."""
        part = activate_license_server(command, means=self)
        return part if isinstance(part, NotAccepted) else sign_part(part, self) or b""

    def sign_pack(self, command: SignKeyPack) -> bytes:
        """Sign a key pack; the envelope."""
        return finish(sign_key_pack(command, means=self), store=self.store, signer=self.pack_signer)

    def new_order(self) -> str:
        """An order number for a sale that has none of its own."""
        return f"order-{self.entropy.token(8).hex()}"

    def add_organization(self, command: AddOrganization) -> Organization:
        """Add an organization that buys CALs."""
        return add_organization(command, means=self)

    def add_purchase(self, command: AddPurchase) -> Purchase:
        """Add a purchase; its numbers are in it."""
        return add_purchase(command, means=self)

    def cancel_transfer(self, transfer_id: str, by: str) -> NotAccepted | None:
        """Give up a move in an operator's name; None where it is done."""
        return self.store.write(
            lambda book: cancel_transfer(transfer_id, by, book=book, new_id=self.new_id, now=self.now())
        )

    def confirm_key(self, server_id: str, fingerprint: str, by: str) -> KeyChange:
        """Confirm the new key of a known license server in an operator's name."""
        return confirm_key(server_id, fingerprint, by, means=self)

    def publish_keyring(self, name: str, root: Signer, days: int, more: Sequence[RoleKey] = ()) -> bytes:
        """Let the root sign the keyring of the keys in use, and of ``more`` that are accepted beside them; the envelope."""
        used = (
            RoleKey(Role.PACK, self.pack_signer.public_key),
            RoleKey(Role.ACTIVATION, self.activation_signer.public_key),
        )
        keys = tuple(dict.fromkeys((*used, *more)))
        return publish_keyring(PublishKeyring(name, keys, days), store=self.store, root=root, now=self.now())

    def keyring(self) -> tuple[Keyring, bytes]:
        """The newest keyring and its envelope."""
        return current_keyring(self.store)

    def name_operator(self, name: str, role: OperatorRole = OperatorRole.SELLER) -> str:
        """The token of a new operator, shown once."""
        return name_operator(name, store=self.store, entropy=self.entropy, now=self.now(), role=role)

    def operators(self) -> Sequence[Operator]:
        """All operators."""
        return self.store.read(lambda book: book.parties.operators())

    def end_operator(self, name: str) -> None:
        """Take an operator's token back."""
        end_operator(name, store=self.store)

    def operator_of(self, token: str) -> Operator | None:
        """Whose token it is."""
        return operator_of(token, store=self.store)

    def checkpoint(self) -> str:
        """A signed note of how its ledger stands now, to be kept elsewhere; signed with the activation key."""
        return sign_checkpoint(self)

    def audit(self, kept: Sequence[str] = ()) -> RegisterAudit:
        """Verify the ledger, also against checkpoints that were kept elsewhere (signed notes)."""
        checkpoints = [read_own_checkpoint(one, self) for one in kept]
        return self.store.read(lambda book: verify_register(book, kept=checkpoints))

    def overview(self) -> Overview:
        """Everything that ``show`` shows; moves whose day has come take effect first."""
        keyring, now = self.keyring()[0], self.now()

        def look(book: Book) -> Overview:
            end_due_transfers(book, self.new_id, now)
            records = book.register.packs()
            return Overview(
                keyring=keyring,
                servers=book.parties.servers(),
                packs=[one.statement for one in records],
                activations=sum(one.envelope is not None for one in book.papers.intents(PayloadType.ACTIVATION)),
                unfinished=book.papers.unfinished(),
                organizations=book.parties.organizations(),
                purchases=[(one, book.purchases.claimed(one.purchase_id)) for one in book.purchases.all()],
                register=records,
                transfers=book.register.transfers(pending=False),
                key_changes=book.parties.key_changes(),
            )

        return self.store.write(look)
