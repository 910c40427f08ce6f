"""What does the HTTP API need from the rest of the program?"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from calward.app.licensing.contact import Counter
from calward.app.licensing.signed_things import Clearinghouse, Signatures
from calward.app.ports import Clock, Entropy
from calward.app.reading import Reader
from calward.app.registry import HostTokens, RegistryLedger
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder
from calward.domain.roles import Principal

__all__ = ["AuditDesk", "Line", "Services"]


class AuditDesk(Protocol):
    """The audit trail, as far as this API shows it."""

    def checkpoint(self) -> str:
        """A signed checkpoint of everything up to now, as a note."""

    def verify(self, checkpoint: str | None) -> dict[str, Any]:
        """``{"holds": bool, "findings": [...]}``; ``checkpoint``: one kept elsewhere that must still agree.

        Raises: LicensingError(MALFORMED): it is no checkpoint.
        """

    def export(self) -> Iterator[str]:
        """Lines of JSON: every event with its position, then the signed checkpoint."""


class Line(Clearinghouse, Counter, Protocol):
    """All that a clearinghouse can be asked, as long as the line is open."""


def _never() -> None:
    return None


def _no_new_key() -> str:
    raise LicensingError(Problem.UNAVAILABLE, "this server cannot exchange the key that signs licenses")


def _nobody(_uid: int) -> Principal | None:
    return None


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that bootstrap puts together for one license server.

    ``clearinghouse``: a line to a clearinghouse by its address; raises LicensingError(MALFORMED) for one that cannot be used.
    ``local``: who a peer of the Unix socket is, by its uid. ``headers``: what goes with every answer (the newest checkpoint).
    ``fingerprint``: SHA-256 of the server's certificate where it speaks TLS: codes carry it. ``addresses``: where hosts reach this server
    once it listens.
    ``license_keys``: raw public keys of 32 bytes that this server's licenses are signed with, newest first.
    ``renew_within``: seconds left at which the right to issue is renewed by itself; None: it is not.
    """

    ledger: RegistryLedger
    reader: Reader
    host_tokens: HostTokens
    ladder: Ladder
    clock: Clock
    entropy: Entropy
    signatures: Signatures
    clearinghouse: Callable[[str], Line]
    audit: AuditDesk
    clearinghouse_address: Callable[[], str | None] = _never
    """Where the clearinghouse is asked, where nobody names another address."""
    one_question: threading.Lock = field(default_factory=threading.Lock)
    """Held while the clearinghouse is asked: a contact that another overtakes looks like a ledger that went back."""
    local: Callable[[int], Principal | None] = _nobody
    fingerprint: bytes | None = None
    addresses: Callable[[], Sequence[str]] = tuple
    license_keys: Callable[[], Sequence[bytes]] = tuple
    renew_within: Callable[[], int | None] = _never
    headers: Callable[[], Mapping[str, str]] = dict
    new_license_key: Callable[[], str] = _no_new_key
    """Exchanges the key that signs licenses; gives the new one's id."""
