"""Publish a keyring: let the root say which keys sign packs and activations."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from calward.app.clearinghouse.keyrings import all_keyrings
from calward.app.clearinghouse.ports import Signer, Store
from calward.app.clearinghouse.records import Intent
from calward.app.clearinghouse.sign_intent import sign_intent
from calward.domain.statements import PayloadType
from calward.domain.trust import Keyring, RoleKey

__all__ = ["KEYRING_DAYS", "PublishKeyring", "publish_keyring"]

KEYRING_DAYS = 5 * 365
"""How long a keyring is good: until then the root has to be brought out of its safe once."""


@dataclass(frozen=True, slots=True)
class PublishKeyring:
    """Whose keys they are, and for how many days they may act."""

    clearinghouse: str
    keys: tuple[RoleKey, ...]
    days: int = KEYRING_DAYS


def publish_keyring(command: PublishKeyring, *, store: Store, root: Signer, now: datetime) -> bytes:
    """Sign the next version of the keyring with the root key and keep it.

    Raises: LicensingError: MALFORMED: a license server would refuse it; UNAVAILABLE.
    """
    # A version that was planned and never signed is left out: nobody has seen it.
    version = 1 + max((int(one.order) for one in store.read(all_keyrings)), default=0)
    keyring = Keyring(
        clearinghouse=command.clearinghouse,
        version=version,
        issued_at=now,
        expires_at=now + timedelta(days=command.days),
        keys=command.keys,
    )
    payload = keyring.to_payload()
    Keyring.from_payload(payload)
    intent = Intent(PayloadType.KEYRING, str(version), hashlib.sha256(payload).hexdigest(), payload, now)
    return sign_intent(intent, store=store, signer=root)
